"""Logins that are played: the real machine and the real login objects, and a script in place of the world.

`stage` runs a machine, `steps` has what scripts consist of, `answers` the responses of a provider with which all goes
well, `outcomes` the scripts with names, `traces` those of recorded logins. `threaded` and `trio` are the login objects.
"""

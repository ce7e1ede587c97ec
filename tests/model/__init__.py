"""The machine, explored: every reachable state under every kind of event. See docs/proof.md.

`worlds` are the options it is explored with, `alphabet` what can be told, `host` who tells it, `abstraction` when two
logins are the same, `monitors` what must hold, `explorer` the search, `proofs` what is asked of the finished graph.
"""

"""The machines, explored: every reachable state with every kind of event. See docs/proof.md.

`subjects` lists the machines. Each has a folder: `worlds` holds the options, `alphabet` the events, `host` the hosts
that post them, and `subject` puts them together. `explorer` is the search, and `proofs` are the checks on the finished
graph. The rules for each step are in `tests.sansio.rules` and `tests.sansio.refresh.rules`.
"""

"""The machine, explored: every reachable state with every kind of event. See docs/proof.md.

`worlds` holds the options of the explored logins, `alphabet` the events, `host` the hosts that post them, `abstraction`
the rule by which two logins count as equal, `explorer` the search and `proofs` the checks on the finished graph. The
rules for each step are in `tests.sansio.rules`.
"""

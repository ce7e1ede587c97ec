"""Record refreshes and sign-outs as traces, and replay them, as `loginmachine.sansio.trace` does for logins.

A `RefreshRecorder` is a `RefreshMachine` that also writes a trace, and a `SignOutRecorder` is a `SignOutMachine` that
does. `read_all` in `.reader` reads the traces of every machine, and `replay_session` in `.replay` replays them.
"""

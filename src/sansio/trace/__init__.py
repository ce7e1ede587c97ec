"""Record a login as a trace that is safe to share, and replay it.

A `Recorder` is a `LoginMachine` that also writes a trace. `read_trace` and `read_traces` read traces, and raise
`TraceError`. `replay` passes the events of a `Trace` to a new machine, and returns a `Replay`: what the machine did,
and the first `Difference` from the recorded login. This package does no I/O; `loginmachine.drivers.traces` does.
"""

from ..base.public import make_hints_work
from .reader import Trace, TraceError, read_trace, read_traces
from .recorder import Recorder
from .replay import Difference, Replay, replay

__all__ = ["Difference", "Recorder", "Replay", "Trace", "TraceError", "read_trace", "read_traces", "replay"]

for _value in (Difference, Recorder, Replay, Trace, TraceError, read_trace, read_traces, replay):
    make_hints_work(_value)

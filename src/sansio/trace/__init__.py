"""Record a login, safe to share, and replay it exactly.

A `Recorder` is a `LoginMachine` that also writes a trace. `read_trace` and `read_traces` read what it wrote, and raise
`TraceError`; `replay` gives the events of a `Trace` to a new machine, and returns a `Replay`: what the machine did, and
the first `Difference` from what was recorded. Nothing here does I/O; `loginmachine.drivers.traces` does.
"""

from ..base.public import make_hints_work
from .reader import Trace, TraceError, read_trace, read_traces
from .recorder import Recorder
from .replay import Difference, Replay, replay

__all__ = ["Difference", "Recorder", "Replay", "Trace", "TraceError", "read_trace", "read_traces", "replay"]

for _value in (Difference, Recorder, Replay, Trace, TraceError, read_trace, read_traces, replay):
    make_hints_work(_value)

"""Record a login, safe to share, and replay it exactly."""

from .codec import MAX_LINE
from .reader import Trace, TraceError, read_trace, read_traces
from .recorder import Recorder
from .replay import Difference, Replay, replay

__all__ = ["MAX_LINE", "Difference", "Recorder", "Replay", "Trace", "TraceError", "read_trace", "read_traces", "replay"]

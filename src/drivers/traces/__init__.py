"""Write traces to files, and replay the traces of many files.

`TraceFile` is for the ``record=`` of a login. `replay_file` and `replay_many` replay what was recorded and return a
`Report` of each trace. `lines_of` reads the lines of a file that may not be a trace at all.
`loginmachine.sansio.trace` does the same without I/O, one trace at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .many.work import replay_many
    from .recording import TraceFile, lines_of
    from .replaying import Report, replay_file

__all__ = ["Report", "TraceFile", "lines_of", "replay_file", "replay_many"]

_HOMES = {"recording": ("TraceFile", "lines_of"), "replaying": ("Report", "replay_file"), "many.work": ("replay_many",)}


def __getattr__(name: str) -> object:
    """Load a public name from its module (PEP 562)."""
    from ...sansio.base.public import load  # noqa: PLC0415 - the first name needs it, not the package

    return load(__name__, _HOMES, name)


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted(__all__)

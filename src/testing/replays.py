"""A recorded login, refresh or sign-out as a regression test."""

from __future__ import annotations

import keyword
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..drivers.traces.recording import lines_of
from ..sansio.trace import Trace, TraceError, replay
from ..sansio.trace.sessions.reader import read_all
from ..sansio.trace.sessions.replay import replay_session
from ..sansio.trace.sessions.story import tell_session
from ..sansio.trace.story import tell

if TYPE_CHECKING:
    from ..sansio.trace import Replay
    from ..sansio.trace.sessions.reader import SessionTrace
    from ..sansio.trace.sessions.replay import SessionReplay

_TEST: Final = '''\
"""{title}"""

from pathlib import Path

from loginmachine.testing import assert_replays


def test_{name}() -> None:
    assert_replays(Path(__file__).with_name({file!r}))
'''


class ReplayDiffers(AssertionError):  # noqa: N818 - it reads like `StoreCheckFailed`
    """A trace does not replay as it was recorded. The text has the story so far, and the first difference."""


def assert_replays(path: str | os.PathLike[str]) -> None:
    """Check that today's machine does what was recorded.

        def test_a_login_from_the_field() -> None:
            assert_replays("trace.jsonl")

    Args:
        path: A file of traces: one or more logins, refreshes and sign-outs.

    Raises:
        ReplayDiffers: A trace does not replay as it was recorded.
        TraceError: The file is not a trace, or holds none.
        OSError: It cannot be read.
    """
    __tracebackhide__ = True
    count = 0
    with Path(path).open("rb") as file:
        for trace in read_all(lines_of(file)):
            count += 1
            result, story = _replayed(trace)
            if result.difference is not None:
                words = [
                    f"{os.fspath(path)}: the machine acts differently today, from line {result.difference.line} on."
                ]
                raise ReplayDiffers("\n".join([*words, "", *story, "", result.difference.diff()]))
    if not count:
        raise TraceError(1, "the file holds no trace")


def _replayed(trace: Trace | SessionTrace) -> tuple[Replay | SessionReplay, list[str]]:
    """Replay a trace. Return the result, and the story up to the first difference."""
    if isinstance(trace, Trace):
        result = replay(trace)
        return result, tell(result)
    session = replay_session(trace)
    return session, tell_session(session)


def written_test(path: str, title: str) -> str:
    """Return the text of a test that replays a trace, which is to lie beside it.

    Args:
        path: The path of the trace.
        title: What the trace shows, in one line.
    """
    file = Path(path).name
    name = re.sub(r"[^0-9a-z]+", "_", Path(path).stem.lower()).strip("_") or "trace"
    name = f"{name}_" if keyword.iskeyword(name) else name
    clean = title.replace("\\", "").replace('"', "'")
    return _TEST.format(title=clean, name=name, file=file)

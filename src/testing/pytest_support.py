"""What the fixtures, the marker and the option of the pytest plugin do."""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from ..drivers.traces.recording import TraceFile
from .logins.drivers import replaced_makers
from .logins.playing import played, playing
from .logins.recorders import recorders, with_recorders
from .replays import assert_replays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .logins.drivers import Driver, Make
    from .logins.playing import PlayLogin
    from .logins.recorders import Write

_LONGEST_NAME: Final = 150


@contextlib.contextmanager
def around(item: pytest.Item, marker: pytest.Mark | None, folder: str | None) -> Iterator[None]:
    """Let logins play the traces of a marker, and record them.

    Args:
        item: The test.
        marker: The marker; None if the test has none.
        folder: The folder for traces; None for no traces.

    Raises:
        ReplayDiffers: A trace of the marker does not replay as it was recorded.
    """
    __tracebackhide__ = True
    with contextlib.ExitStack() as stack:
        if marker is not None:
            paths = traces_of(item, marker)
            for path in paths:
                assert_replays(path)
            stack.enter_context(playing(*paths))
        if folder is not None:
            stack.enter_context(recording(Path(folder) / f"{_file_name(item.nodeid)}.jsonl"))
        yield


def traces_of(item: pytest.Item, marker: pytest.Mark) -> list[Path]:
    """Return the paths of a marker, which are relative to the file of the test.

    Raises:
        pytest.UsageError: It has none.
    """
    if not marker.args:
        raise pytest.UsageError('login_trace needs the path of a trace: @pytest.mark.login_trace("file.jsonl")')
    return [item.path.parent / str(path) for path in marker.args]


def player(request: pytest.FixtureRequest) -> PlayLogin:
    """Return `played`, which plays the trace of the test's marker if it gets no other source."""
    marker = request.node.get_closest_marker("login_trace")
    if marker is None:
        return played
    default = traces_of(request.node, marker)[0]

    @functools.wraps(played)
    def play(source: Any = default, **arguments: Any) -> Any:  # noqa: ANN401 - the overloads are those of `played`
        return played(source, **arguments)

    return cast("PlayLogin", play)


@contextlib.contextmanager
def recording(path: Path) -> Iterator[None]:
    """Record every login that is started in the block.

    Args:
        path: The file of the first login. The others get a number at the end of the name.
    """
    count = itertools.count(1)
    with contextlib.ExitStack() as stack:

        def begin() -> Callable[[str], object]:
            number = next(count)
            return _LateFile(path if number == 1 else path.with_stem(f"{path.stem}-{number}"), stack).write

        stack.enter_context(recorders(begin))
        stack.enter_context(replaced_makers(_recorded))
        yield


def _recorded(_driver: Driver, make: Make) -> Make:
    if not isinstance(make, type):
        # It makes logins that are played, which look for recorders themselves.
        return make

    def start(*args: Any, record: Write | None = None, **arguments: Any) -> object:  # noqa: ANN401 - those of a driver
        return make(*args, record=with_recorders(record), **arguments)

    return start


class _LateFile:
    """A file for a trace that is opened for its first line.

    Args:
        path: The file. An older one is replaced.
        stack: Closes it.
    """

    def __init__(self, path: Path, stack: contextlib.ExitStack) -> None:
        self._path = path
        self._stack = stack
        self._file: TraceFile | None = None

    def write(self, line: str) -> None:
        """Append a line."""
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._stack.enter_context(TraceFile(self._path))
        self._file.write(line)


def _file_name(nodeid: str) -> str:
    """Return the name of a test as the name of a file."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", nodeid).strip("_")[-_LONGEST_NAME:]

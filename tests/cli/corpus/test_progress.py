"""The progress of a long replay: a bar that fits, lines where a line cannot be redrawn, and nothing in a file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from loginmachine.cli.corpus.progress import Progress, progress_line

if TYPE_CHECKING:
    from collections.abc import Iterator


class Screen(io.StringIO):
    """A terminal, except for its size."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (80, "[##########..............................] 25 % 100/s 0:30 left"),
        (40, "[####............] 25 % 100/s 0:30 left"),
        (30, "25 % 100/s 0:30 left"),
        (20, "25 % 0:30 left"),
        (12, "25 %"),
        (3, "25"),
        (0, ""),
    ],
)
def test_the_bar_fits(columns: int, line: str) -> None:
    found = progress_line(25, 100, 1000, 10.0, columns)
    assert found == line
    assert len(found) <= max(columns - 1, 0)


@pytest.mark.parametrize(
    ("done", "elapsed", "words"),
    [
        (0, 0.0, "0 %"),
        (0, 5.0, "0 %"),
        (100, 10.0, "100 % 100/s 0:00 left"),
        (150, 10.0, "100 % 100/s 0:00 left"),
        (1, 50.0, "1 % 20/s 1:22:30 left"),
    ],
)
def test_rate_and_time(done: int, elapsed: float, words: str) -> None:
    assert progress_line(done, 100, 1000, elapsed, 80).partition("] ")[2] == words


def test_files_without_content_have_no_progress() -> None:
    assert progress_line(0, 0, 5, 1.0, 30) == "[.......................] 0 %"


def shown(total: int, portions: int, seconds: float) -> str:
    """Return what is shown for so many portions, one in so many seconds."""
    times: Iterator[float] = (number * seconds for number in range(1000))
    screen = Screen()
    progress = Progress(total, screen, lambda: next(times))
    for _ in range(portions):
        progress.advance(total // portions, 3)
    progress.close()
    return screen.getvalue()


def test_the_bar_is_redrawn_at_most_ten_times_a_second_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "30")
    frames = shown(100, 10, 0.0625).split("\r\x1b[K")
    assert [frame.partition(" %")[0] for frame in frames] == ["", "20", "40", "60", "80", "100", ""]


@pytest.mark.parametrize("kind", ["dumb", ""])
def test_a_terminal_that_cannot_redraw_gets_a_line_for_each_tenth(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setenv("TERM", kind)
    lines = shown(1000, 40, 1.0).splitlines()
    assert [line.partition(" %")[0] for line in lines] == [str(tenth) for tenth in range(10, 110, 10)]
    assert lines[0] == "10 % 3/s 0:36 left"


def test_nothing_is_shown_in_a_file() -> None:
    stream = io.StringIO()
    progress = Progress(10, stream)
    progress.advance(10, 1)
    progress.close()
    assert stream.getvalue() == ""
    assert progress.elapsed >= 0

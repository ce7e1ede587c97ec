"""The file of a trace: its mode, and lines that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from loginmachine.drivers.traces import TraceFile

if TYPE_CHECKING:
    from pathlib import Path


class FullDisk:
    """`os.write` on a disk that becomes full in the middle of a line, and has room again later.

    Args:
        room: The number of bytes for which there is room.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._write = os.write

    def __call__(self, descriptor: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._write(descriptor, data[: self.room])
        self.room -= written
        return written


@pytest.mark.parametrize("room", [4, 5, 9])
def test_the_beginning_of_a_line_is_cut_off_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    disk = FullDisk(room)
    monkeypatch.setattr(os, "write", disk)
    path = tmp_path / "trace.jsonl"
    with TraceFile(path) as trace:
        trace.write("one\n")
        with pytest.raises(OSError, match="No space left on device"):
            trace.write("second\n")
        assert path.read_bytes() == b"one\n"
        disk.room = 100
        trace.write("three\n")
        disk.room = 2
        with pytest.raises(OSError, match="No space left on device"):
            trace.write("four\n")
    assert path.read_bytes() == b"one\nthree\n"


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no such pipes")
def test_what_is_no_file_is_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with TraceFile(path) as trace:
        trace.write("one\n")
        monkeypatch.setattr(os, "write", FullDisk(0))
        monkeypatch.setattr(os, "ftruncate", lambda *_: pytest.fail("a pipe has no size"))
        with pytest.raises(OSError, match="No space left on device"):
            trace.write("second\n")
    assert os.read(reader, 100) == b"one\n"
    os.close(reader)


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no such modes")
def test_an_older_file_is_emptied_and_becomes_private(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text("an older trace")
    path.chmod(0o644)
    with TraceFile(path) as trace:
        assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"", 0o600)
        trace.write("one\n")
        # Without a buffer.
        assert path.read_bytes() == b"one\n"

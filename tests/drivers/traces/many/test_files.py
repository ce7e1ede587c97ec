"""Which files are found, and how they are divided into portions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from loginmachine.drivers.traces.many.files import Part, files_in, portions

from ....traces.record import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

TRACE = (FOLDER / "login_cancelled_while_binding.jsonl").read_bytes()
"""Three lines."""


def write(path: Path, content: bytes = b"x") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return str(path)


def test_files_of_a_folder_and_of_the_folders_in_it(tmp_path: Path) -> None:
    names = ("b.jsonl", "a.jsonl", "sub/deep/c.jsonl", "sub/d.jsonl")
    paths = [write(tmp_path / name, b"1234") for name in names]
    write(tmp_path / "notes.txt")
    (tmp_path / "folder.jsonl").mkdir()
    found = list(files_in([str(tmp_path)]))
    assert found == [Part(paths[number], 4) for number in (1, 0, 3, 2)]


def test_a_named_file_has_any_name_and_may_be_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "trace.txt", b"12")
    missing = str(tmp_path / "missing")
    assert list(files_in([missing, path, path])) == [Part(missing, 0), Part(path, 2), Part(path, 2)]


def test_links_to_files_are_followed_and_those_to_folders_are_not(tmp_path: Path) -> None:
    target = write(tmp_path / "elsewhere" / "real.jsonl", b"123")
    folder = tmp_path / "folder"
    folder.mkdir()
    try:
        (folder / "link.jsonl").symlink_to(target)
        (folder / "circle").symlink_to(folder)
    except OSError:
        pytest.skip("this account may not make links")
    assert list(files_in([str(folder)])) == [Part(str(folder / "link.jsonl"), 3)]


def test_a_folder_that_cannot_be_read_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert list(files_in([str(tmp_path)])) == [Part(str(tmp_path), problem="Permission denied")]


def test_small_files_share_a_portion() -> None:
    files = [Part(name, size) for name, size in (("a", 40), ("b", 50), ("c", 20), ("d", 100), ("e", 1))]
    found = [[part.path for part in portion] for portion in portions(files, size=100)]
    assert found == [["a", "b"], ["c"], ["d"], ["e"]]


def test_a_portion_has_at_most_a_hundred_files() -> None:
    found = list(portions(Part(str(number)) for number in range(250)))
    assert [len(portion) for portion in found] == [100, 100, 50]
    assert list(portions([])) == []


def test_a_large_file_is_divided_where_traces_begin(tmp_path: Path) -> None:
    path = write(tmp_path / "many", TRACE * 5)
    size = len(TRACE)
    found = list(portions(files_in([path]), size=2 * size - 10))
    # Each part is at least as large as the limit: two traces, two traces, one.
    assert found == [
        (Part(path, 2 * size, 0, 1, is_whole=False),),
        (Part(path, 2 * size, 2 * size, 7, is_whole=False),),
        (Part(path, size, 4 * size, 13, is_whole=False),),
    ]


def test_a_large_file_that_vanishes_is_one_part(tmp_path: Path) -> None:
    gone = Part(str(tmp_path / "gone"), 1000)
    assert list(portions([gone], size=10)) == [(Part(gone.path, 1000, 0, 1, is_whole=False),)]

"""Find files with traces, and divide them into portions of work for several processes."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final, NamedTuple

from ....sansio.trace.format.codec import MAX_LINE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SUFFIX: Final = ".jsonl"
"""Ends the names of the files that are looked for in folders."""
PORTION: Final = 4 * 1024 * 1024
"""Bytes of a portion: about a second of work. A larger file is read in parts of this size."""
_MOST_FILES: Final = 100
"""The most files of a portion."""
_FIRST_LINE: Final = b'{"type":"trace"'
"""How our first line of a trace begins. A large file is only divided before such a line."""


class Part(NamedTuple):
    """A file with traces, or a part of a large one."""

    path: str
    size: int = 0
    """Bytes."""
    offset: int = 0
    """Where the part begins: bytes."""
    first_line: int = 1
    """The number of the line at which the part begins, from 1."""
    is_whole: bool = True
    """The part is the file. It is read to its end then, whatever its size."""
    problem: str | None = None
    """Why a folder cannot be read. The path is that of the folder then."""


def files_in(paths: Iterable[str]) -> Iterator[Part]:
    """Find the files with traces.

    Args:
        paths: Files of any name, and folders, in which the files ``*.jsonl`` are found at any depth. Links to folders
            are not followed.

    Yields:
        The files of each folder by their names, and then those of the folders in it. A file that is named, but
        missing, and a folder that cannot be read, are there too.
    """
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - a path object for each of many files takes longer than all else
            yield from _files_in_folder(path)
        else:
            yield Part(path, _size_of(path))


def _files_in_folder(folder: str) -> Iterator[Part]:
    files, folders = list[str](), list[str]()
    try:
        with os.scandir(folder) as entries:
            # Only names are kept: a folder may have very many files.
            for entry in entries:
                if entry.name.endswith(SUFFIX) and entry.is_file():
                    files.append(entry.name)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
    except OSError as error:
        yield Part(folder, problem=error.strerror or "it cannot be read")
        return
    for name in sorted(files):
        path = os.path.join(folder, name)  # noqa: PTH118 - as above
        yield Part(path, _size_of(path))
    for name in sorted(folders):
        yield from _files_in_folder(os.path.join(folder, name))  # noqa: PTH118


def _size_of(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - as above
    except OSError:
        # Reading it will say why.
        return 0


def portions(files: Iterable[Part], *, size: int = PORTION) -> Iterator[tuple[Part, ...]]:
    """Divide files into portions of work: several small files together, and the parts of a large one each alone.

    Args:
        files: The files.
        size: The bytes of a portion.

    Yields:
        The portions, in the order of the files.
    """
    portion: list[Part] = []
    held = 0
    for file in files:
        for part in _parts_of(file, size) if file.size > size else (file,):
            if portion and (held + part.size > size or len(portion) == _MOST_FILES):
                yield tuple(portion)
                portion, held = [], 0
            portion.append(part)
            held += part.size
    if portion:
        yield tuple(portion)


def _parts_of(file: Part, size: int) -> Iterator[Part]:
    """Divide a large file before lines with which traces begin."""
    offset = start = 0
    number = first_line = 1
    # (If it cannot be read, reading the rest will say why.)
    with contextlib.suppress(OSError), open(file.path, "rb") as opened:  # noqa: PTH123 - as above
        for line in iter(lambda: opened.readline(MAX_LINE + 1), b""):
            if offset - start >= size and line.startswith(_FIRST_LINE):
                yield Part(file.path, offset - start, start, first_line, is_whole=False)
                start, first_line = offset, number
            offset += len(line)
            number += 1
            if len(line) > MAX_LINE:
                # Nothing behind such a line is read.
                break
    yield Part(file.path, max(offset, file.size) - start, start, first_line, is_whole=False)

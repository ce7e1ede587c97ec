"""Source archives that are the same whenever and wherever they are built."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def normalise(path: Path, seconds: int) -> None:
    """Write a ``.tar.gz`` again, in the order of the names, without owners, and with one time.

    Args:
        path: The archive.
        seconds: The time of all its files, in seconds since 1970.
    """
    packed = io.BytesIO()
    with tarfile.open(path) as source, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as made:
        for member in sorted(source.getmembers(), key=lambda member: member.name):
            content = source.extractfile(member) if member.isfile() else None
            member.mtime = seconds
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            made.addfile(member, content)
    path.write_bytes(gzip.compress(packed.getvalue(), mtime=seconds))


def names_in(path: Path) -> set[str]:
    """Return the files of a source archive, without its outer folder."""
    with tarfile.open(path) as archive:
        return {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}

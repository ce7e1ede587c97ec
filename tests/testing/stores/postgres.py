"""A PostgreSQL server for the tests, where it is installed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


def program(name: str) -> str:
    """Return the path of a program of PostgreSQL. Debian has them outside PATH."""
    found = shutil.which(name) or next((str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), "")
    if not found:
        pytest.skip(f"PostgreSQL is not installed here: there is no {name}")
    return found


def unprivileged(folder: Path) -> dict[str, Any]:
    """Return how to run a program as a user that is not root, and give it a folder: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return {}
    try:
        shutil.chown(folder, "postgres")
    except LookupError:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    return {"user": "postgres", "group": folder.stat().st_gid, "extra_groups": []}


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run a server on a socket of the file system, and yield its URL for SQLAlchemy."""
    if os.name == "nt":
        pytest.skip("the server of these tests is for systems with sockets in the file system")
    initdb, control = program("initdb"), program("pg_ctl")
    # Not in the folder of pytest, which another user cannot enter. The path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="postgres-") as made:
        folder = Path(made)
        options = {**unprivileged(folder), "cwd": folder, "stdout": subprocess.DEVNULL}
        data = str(folder / "data")
        subprocess.run([initdb, "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], check=True, **options)
        settings = f"-k {folder} -c listen_addresses='' -F"
        start = [control, "-D", data, "-w", "-o", settings, "-l", str(folder / "log"), "start"]
        subprocess.run(start, check=True, **options)
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
        finally:
            subprocess.run([control, "-D", data, "-w", "-m", "immediate", "stop"], check=True, **options)

"""Credentials in ``auth.json``, shared with the Codex CLI."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..logging import warn
from .auth_file import AuthFile
from .formats import AUTH_JSON
from .home_store import HomeStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.model.credentials import Credentials


def folder_of(home: str | os.PathLike[str]) -> Path:
    """Return the path of a home folder, with a leading ``~`` or ``~user`` expanded.

    Raises:
        ValueError: It stands for no folder. A folder called ``~`` is never created.
    """
    path = os.path.expanduser(home)  # noqa: PTH111 - pathlib drops the dot of "./~", which is a folder of that name
    if path.startswith("~"):
        raise ValueError("~ stands for no folder here: set HOME, or give the whole path")
    return Path(path)


class FileStore(HomeStore):
    """``auth.json`` in a folder, shared with the Codex CLI: its format, its locks, mode 0600.

    Args:
        home: The folder. It is created with mode 0700 by the first save, or by `check`.
        on_warning: Called with one line of text when something unusual was done: a corrupt file set aside, a file
            rewritten in place. By default the text is logged.
    """

    kind = "file"

    def __init__(self, home: str | os.PathLike[str], *, on_warning: Callable[[str], None] | None = None) -> None:
        folder = folder_of(home)
        file = AuthFile(folder, on_warning or warn, AUTH_JSON)
        super().__init__(folder, file, file)
        self.path = file.path
        """The path of the file."""

    def remove(self) -> Credentials | None:
        """Remove the file, as `HomeStore.remove` does. A missing folder is not created for that."""
        return super().remove() if self._home.is_dir() else None

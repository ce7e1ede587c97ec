"""Credentials in ``auth.json``, shared with the Codex CLI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..logging import warn
from .auth_file import AuthFile
from .home_store import HomeStore

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from ...sansio.model.credentials import Credentials


class FileStore(HomeStore):
    """``auth.json`` in a folder, shared with the Codex CLI: its format, its locks, mode 0600.

    Args:
        home: The folder; made, for its owner only, when something is saved.
        on_warning: Told, in one line, when something unusual was done (a corrupt file set aside, a file rewritten in
            place). By default a log record.
    """

    kind = "file"

    def __init__(self, home: str | os.PathLike[str], *, on_warning: Callable[[str], None] | None = None) -> None:
        file = AuthFile(Path(home), on_warning or warn)
        super().__init__(Path(home), file)
        self.path = file.path
        """The file."""

    def remove(self) -> Credentials | None:
        """Remove the file, as `HomeStore.remove` does. No folder is made in order to find nothing in it."""
        return super().remove() if self._home.is_dir() else None

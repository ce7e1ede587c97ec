"""The folder in which the accounts of a program are kept: the user's state folder, where each system has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..stores.file_store import folder_of

if TYPE_CHECKING:
    import os
    from pathlib import Path


def accounts_folder(program: str, folder: str | os.PathLike[str] | None) -> Path:
    """Return the folder of a program's accounts.

    Args:
        program: The name of the program, which is the name of a folder in the user's state folder.
        folder: Another folder; None for that one.

    Raises:
        ValueError: The program's name cannot be the name of a folder, or the folder stands for none.
    """
    if folder is not None:
        return folder_of(folder)
    if not program or program.startswith((".", "~")) or not program.isprintable() or set(program) & set('/\\:*?"<>|'):
        raise ValueError("the name of the program must be the name of a folder, without a path")
    # It is needed only for the accounts of other providers than Codex's.
    from platformdirs import user_state_path  # noqa: PLC0415

    return folder_of(user_state_path(program, appauthor=False))

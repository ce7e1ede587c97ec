"""The file with the id of this installation's host. It is made once, and never replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...sansio.accounts.host import parse_host, serialise_host
from ..stores.auth_file import AuthFile
from ..stores.formats import FileFormat
from ..stores.home_store import LockedStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def host_id_of(folder: Path, on_warning: Callable[[str], None]) -> str:
    """Return the id in the file ``host.json`` of a folder. A missing file is made, with a new id.

    Args:
        folder: The folder of the accounts.
        on_warning: Called with one line of text when something unusual was done.

    Raises:
        StoreError: The file cannot be read or written, or holds something else. It stays as it is.
    """
    file = AuthFile(folder, on_warning, FileFormat("host", parse_host, serialise_host))
    with LockedStore(folder, file, file).transaction() as transaction:
        known = transaction.load()
        if known is None:
            import uuid  # noqa: PLC0415 - once for each folder

            known = f"urn:uuid:{uuid.uuid4()}"
            transaction.save(known)
    return known

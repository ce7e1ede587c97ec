"""The file of the index of accounts. What it says is rebuilt from the entries, as far as that is possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...sansio.accounts.index import AccountIndex, parse_index, serialise_index
from ..errors import StoreError
from ..stores.auth_file import AuthFile
from ..stores.formats import FileFormat
from ..stores.home_store import LockedStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ...sansio.accounts.stored import StoredAccount


class IndexFile:
    """The index, which is the file ``accounts.json`` in the folder of the accounts.

    Args:
        folder: The folder.
        on_warning: Called with one line of text when something unusual was done.
    """

    def __init__(self, folder: Path, on_warning: Callable[[str], None]) -> None:
        self._warn = on_warning
        format_ = FileFormat("accounts", parse_index, serialise_index, empty=AccountIndex())
        file = AuthFile(folder, on_warning, format_)
        self._store = LockedStore(folder, file, file)

    def check(self) -> None:
        """Check that the index and other files can be stored in the folder, which is created if it is missing.

        Raises:
            StoreError: They cannot be.
        """
        self._store.check()

    def load(self, accounts: Sequence[StoredAccount]) -> AccountIndex:
        """Return the index. One that is lost or cannot be read is rebuilt from the accounts, with a warning.

        Args:
            accounts: All stored accounts.
        """
        problem = ""
        try:
            index = self._store.load()
        except StoreError as error:
            index, problem = None, str(error)
        if index is not None or not accounts:
            return index or AccountIndex()
        rebuilt = AccountIndex(order=tuple(account.key for account in reversed(AccountIndex().marked(accounts))))
        words = problem or f"{self._store.where} is missing"
        self._warn(f"{words}. The default accounts are those with the latest tokens; to choose another, use it")
        try:
            self.change(lambda found: found if found.order else rebuilt)
        except StoreError as error:
            # It is rebuilt each time.
            self._warn(f"the index of the accounts cannot be stored: {error}")
        return rebuilt

    def change(self, change: Callable[[AccountIndex], AccountIndex]) -> None:
        """Change the index. One that cannot be read is set aside.

        Args:
            change: Returns the new index for the stored one.

        Raises:
            StoreError: The new index is not stored, and the old one is unchanged.
        """
        with self._store.transaction() as transaction:
            try:
                found = transaction.load() or AccountIndex()
            except StoreError:
                found = AccountIndex()
            transaction.save(change(found))

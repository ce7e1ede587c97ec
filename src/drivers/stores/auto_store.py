"""Which store a home folder's credentials are in: the policy ``file``, ``keyring`` or ``auto``."""

from __future__ import annotations

import contextlib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from ...sansio.model.credentials import CredentialsError
from ..errors import KeyringUnavailable, StoreError
from ..logging import warn
from .auth_file import AuthFile
from .file_store import FileStore
from .home_store import HomeStore
from .keyring_store import KEYRING_TIMEOUT, KeyringPlace, KeyringStore, account_of

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from ...sansio.model.credentials import Credentials


class StorePolicy(StrEnum):
    """Where credentials are kept."""

    FILE = "file"
    KEYRING = "keyring"
    """Nowhere else: an error if there is no keyring."""
    AUTO = "auto"
    """In the keyring, or in the file if the keyring cannot be used; never silently."""


def open_store(
    home: str | os.PathLike[str],
    policy: StorePolicy | str = StorePolicy.FILE,
    *,
    on_warning: Callable[[str], None] | None = None,
    on_fallback: Callable[[str], None] | None = None,
) -> HomeStore:
    """The store of a home folder.

    Args:
        home: The folder; made, for its owner only, when something is saved.
        policy: Where credentials are kept.
        on_warning: Told, in one line, when something unusual was done. By default a log record.
        on_fallback: Told, in one line, when ``auto`` uses the file because the keyring cannot be used. By default as a
            warning.

    Raises:
        ValueError: There is no such policy.
    """
    match StorePolicy(policy):
        case StorePolicy.FILE:
            return FileStore(home, on_warning=on_warning)
        case StorePolicy.KEYRING:
            return KeyringStore(home, on_warning=on_warning)
        case StorePolicy.AUTO:
            return AutoStore(home, on_warning=on_warning, on_fallback=on_fallback)


class AutoStore(HomeStore):
    """The keyring, or the file if the keyring cannot be used.

    A file that is there is always the newer of the two, because storing in the keyring removes it: it is read first.

    Args:
        home: The folder.
        on_warning: Told, in one line, when something unusual was done. By default a log record.
        on_fallback: Told, in one line, when the file is used because the keyring cannot be. By default as a warning.
        timeout: Seconds for one call of the keyring.
    """

    def __init__(
        self,
        home: str | os.PathLike[str],
        *,
        on_warning: Callable[[str], None] | None = None,
        on_fallback: Callable[[str], None] | None = None,
        timeout: float = KEYRING_TIMEOUT,
    ) -> None:
        folder, tell = Path(home), on_warning or warn
        file = AuthFile(folder, tell)
        self._either = _Either(file, KeyringPlace(account_of(folder), file, tell, timeout), on_fallback or tell)
        super().__init__(folder, self._either)

    @property
    def kind(self) -> str:  # type: ignore[override]
        """Where the credentials were that were last read or stored: ``file`` or ``keyring``."""
        return "keyring" if self._either.in_keyring else "file"


class _Either:
    """A file and an entry of the keyring, as one place."""

    def __init__(self, file: AuthFile, keyring: KeyringPlace, on_fallback: Callable[[str], None]) -> None:
        self._file = file
        self._keyring = keyring
        self._on_fallback = on_fallback
        self.in_keyring = False
        """Where the credentials were that were last read or stored."""

    @property
    def where(self) -> str:
        return self._keyring.where if self.in_keyring else self._file.where

    def load(self) -> Credentials | None:
        self.in_keyring = False
        credentials = self._file.load()
        if credentials is not None:
            return credentials
        try:
            credentials = self._keyring.load()
        except KeyringUnavailable as error:
            # There is nothing that could be in it. One that is locked may hold credentials: that is an error.
            self._on_fallback(self._words(error))
        self.in_keyring = credentials is not None
        return credentials

    def replace(self, credentials: Credentials) -> Credentials | None:
        replaced = None
        # (What cannot be read is set aside, or removed.)
        with contextlib.suppress(CredentialsError):
            replaced = self._file.load()
        problem = ""
        try:
            before = self._keyring.replace(credentials)
        except StoreError as error:
            problem = self._words(error)
        else:
            self.in_keyring = True
            return before if replaced is None else replaced
        before = self._file.replace(credentials)
        self.in_keyring = False
        self._on_fallback(problem)
        return before

    def remove(self) -> Credentials | None:
        removed = None
        try:
            removed = self._keyring.remove_entry()
        except KeyringUnavailable as error:
            self._on_fallback(self._words(error))
        newer = self._file.remove()
        self.in_keyring = newer is None and removed is not None
        return removed if newer is None else newer

    def _words(self, error: StoreError) -> str:
        return f"the keyring cannot be used, {self._file.where} is used instead ({error})"

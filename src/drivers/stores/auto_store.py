"""The store of a home folder for a policy: ``file``, ``keyring`` or ``auto``."""

from __future__ import annotations

import contextlib
from enum import StrEnum
from typing import TYPE_CHECKING

from ...sansio.model.auth_json import CredentialsError
from ..errors import KeyringUnavailable, StoreError
from ..logging import warn
from .auth_file import AuthFile
from .file_store import FileStore, folder_of
from .formats import AUTH_JSON
from .home_store import HomeStore
from .keyring_store import KEYRING_TIMEOUT, KeyringEntry, KeyringStore, account_of
from .protocols import OtherProviderError, StoreVersion

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from ...sansio.model.credentials import Credentials


class StorePolicy(StrEnum):
    """Where credentials are kept."""

    FILE = "file"
    KEYRING = "keyring"
    """In the keyring. Without one, every operation fails."""
    AUTO = "auto"
    """In the keyring, or in the file if the keyring cannot be used. Falling back calls `on_fallback`."""


def open_store(
    home: str | os.PathLike[str],
    policy: StorePolicy | str = StorePolicy.FILE,
    *,
    on_warning: Callable[[str], None] | None = None,
    on_fallback: Callable[[str], None] | None = None,
) -> HomeStore:
    """Open the store of a home folder.

    Args:
        home: The folder. It is created with mode 0700 by the first save.
        policy: Where credentials are kept: ``file``, ``keyring`` or ``auto``.
        on_warning: Called with one line of text when something unusual was done. By default the text is logged.
        on_fallback: Called with one line of text when ``auto`` uses the file because the keyring cannot be used. By
            default `on_warning`.

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

    The file is read first. If it exists it is the newer of the two, because a save into the keyring removes it.

    Args:
        home: The folder. It is created with mode 0700 by the first save.
        on_warning: Called with one line of text when something unusual was done. By default the text is logged.
        on_fallback: Called with one line of text when the file is used because the keyring cannot be used. By default
            `on_warning`.
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
        folder, on_warning = folder_of(home), on_warning or warn
        file = AuthFile(folder, on_warning, AUTH_JSON)
        entry = KeyringEntry(account_of(folder), file, on_warning, timeout)
        self._both = FileAndKeyring(file, entry, on_fallback or on_warning)
        super().__init__(folder, self._both, file)

    @property
    def kind(self) -> str:  # type: ignore[override]
        """Where the credentials were found or stored last: ``file`` or ``keyring``."""
        return "keyring" if self._both.in_keyring else "file"

    @property
    def searched(self) -> str:
        """Where `load` looks, as text for people."""
        return f"{self._both.file.where} and in {self._both.keyring.where}"


class FileAndKeyring:
    """A file and an entry of the keyring, used as one storage."""

    def __init__(self, file: AuthFile[Credentials], keyring: KeyringEntry, on_fallback: Callable[[str], None]) -> None:
        self.file = file
        self.keyring = keyring
        self._on_fallback = on_fallback
        self.in_keyring = False
        """Whether the credentials were found or stored in the keyring last."""

    @property
    def where(self) -> str:
        """Where the credentials were found or stored last."""
        return self.keyring.where if self.in_keyring else self.file.where

    def version(self) -> StoreVersion:
        """Return the version of both."""
        file = self.file.version()
        return StoreVersion((file.content, self.keyring.version().content), file.changed_at)

    def load(self) -> Credentials | None:
        """Return the credentials in the file, or else those in the keyring."""
        self.in_keyring = False
        credentials = self.file.load()
        if credentials is not None:
            return credentials
        try:
            credentials = self.keyring.load()
        except KeyringUnavailable as error:
            # A missing keyring holds no credentials. A locked one may, and is an error.
            self._on_fallback(self._message(error))
        self.in_keyring = credentials is not None
        return credentials

    def check(self, *, follow: bool = False) -> None:
        """Test whether one of the two can be replaced."""
        try:
            self.file.check(follow=follow)
        except OSError:
            if self.file.path.exists() or self.file.path.is_symlink():
                # A file is read first, so that new credentials in the keyring would not be found.
                raise
            self.keyring.check()

    def replace(self, credentials: Credentials, *, follow: bool = False) -> Credentials | None:
        """Replace what is in the keyring, or in the file if the keyring cannot be used."""
        if follow and self.file.target() is not None:
            # Others share the file, and would keep the old tokens.
            self.in_keyring = False
            return self.file.replace(credentials, follow=True)
        replaced = None
        # A file that cannot be parsed is set aside or removed below.
        with contextlib.suppress(CredentialsError):
            replaced = self.file.load()
        problem = ""
        try:
            before = self.keyring.replace(credentials)
        except OtherProviderError:
            raise
        except StoreError as error:
            problem = self._message(error)
        else:
            self.in_keyring = True
            return before if replaced is None else replaced
        before = self.file.replace(credentials)
        self.in_keyring = False
        self._on_fallback(problem)
        return before

    def remove(self) -> Credentials | None:
        """Remove both."""
        removed = None
        try:
            removed = self.keyring.remove_entry()
        except KeyringUnavailable as error:
            self._on_fallback(self._message(error))
        newer = self.file.remove()
        self.in_keyring = newer is None and removed is not None
        return removed if newer is None else newer

    def _message(self, error: StoreError) -> str:
        return f"the keyring cannot be used, {self.file.where} is used instead ({error})"

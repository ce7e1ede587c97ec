"""The entries of a folder of accounts: each is a file, or an entry of the keyring, with locks of its own."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Final

from ...sansio.accounts.stored import is_key
from ...sansio.model.auth_json import parse_object
from ...sansio.model.entry import parse_entry, serialise_entry
from ...sansio.server.client_secret import ExternalSecret
from ..errors import StoreError
from ..stores.auth_file import AuthFile
from ..stores.auto_store import FileAndKeyring, StorePolicy
from ..stores.formats import EMPTY, FileFormat
from ..stores.home_store import HomeStore
from ..stores.keyring_store import KeyringEntry
from ..stores.protocols import LOCK_TIMEOUT, check_replaceable
from .client_secrets import read_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ...sansio.base.strict_json import JsonObject
    from ...sansio.model.credentials import Credentials
    from ..stores.formats import Storage
    from ..stores.protocols import StoreVersion

SERVICE: Final = "loginmachine"
"""The service name of the entries of the keyring. Their account names are the names of the entries."""
_IN_KEYRING: Final = ".keyring"
"""What the stem of the file ends with that stands for an entry of the keyring: a keyring cannot list its entries."""
_ABOUT: Final = "The credentials of this account are in the keyring. This file holds none."


def entry_format(key: str) -> FileFormat[Credentials]:
    """Return the format of an entry.

    Args:
        key: The name of the entry.
    """
    return FileFormat(key, parse_entry, serialise_entry, empty=EMPTY, check=check_replaceable)


def stored_keys(folder: Path, policy: StorePolicy) -> list[str]:
    """Return the names of the entries in a folder that a policy reads. There may be no credentials in them.

    Raises:
        OSError: The folder cannot be read.
    """
    ends = {StorePolicy.FILE: [".json"], StorePolicy.KEYRING: [f"{_IN_KEYRING}.json"]}
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names are all that is needed
    except FileNotFoundError:
        return []
    found = {
        name.removesuffix(end)
        for end in ends.get(policy, [".json", f"{_IN_KEYRING}.json"])
        for name in names
        if name.endswith(end)
    }
    return sorted(filter(is_key, found))


class AccountEntry(HomeStore):
    """The credentials of one account, with the methods of `FileStore`.

    The client secret that a file or a command has is read only when it is needed: before a refresh, and by `remove`,
    whose caller may revoke the tokens.

    Args:
        folder: The folder of the accounts. It is created with mode 0700 by the first save, or by `check`.
        key: The name of the entry.
        policy: Where credentials are kept.
        on_warning: Called with one line of text when something unusual was done.
        on_fallback: Called with one line of text when ``auto`` uses the file.
        timeout: Seconds for one call of the keyring.
    """

    def __init__(  # noqa: PLR0913 - as the stores of a home folder, with a key
        self,
        folder: Path,
        key: str,
        policy: StorePolicy,
        *,
        on_warning: Callable[[str], None],
        on_fallback: Callable[[str], None],
        timeout: float,
    ) -> None:
        self.key = key
        """The name of the entry."""
        self._warn = on_warning
        self._secret: ExternalSecret | None = None
        file = AuthFile(folder, on_warning, entry_format(key))
        entry = KeyringEntry(key, file, on_warning, timeout, SERVICE)
        self._entry = None if policy is StorePolicy.FILE else entry
        self._both = FileAndKeyring(file, entry, on_fallback) if policy is StorePolicy.AUTO else None
        storage: Storage[Credentials] = file
        if policy is not StorePolicy.FILE:
            storage = _Listed(self._both or entry, folder, key, on_warning)
        super().__init__(folder, storage, file, has_file=policy is not StorePolicy.KEYRING)

    @property
    def kind(self) -> str:  # type: ignore[override]
        """Where the credentials are kept, or were found or stored last: ``file`` or ``keyring``."""
        if self._both is not None:
            return "keyring" if self._both.in_keyring else "file"
        return "file" if self._entry is None else "keyring"

    @property
    def searched(self) -> str:
        """Where `load` looks, as text for people."""
        both = self._both
        return self.where if both is None else f"{both.file.where} and in {both.keyring.where}"

    def check(self) -> None:
        """Check that the credentials can be saved. The keyring may ask the person to unlock it.

        Raises:
            StoreError: They cannot be saved.
        """
        super().check()
        if self._both is None:
            self.check_keyring()

    def check_keyring(self) -> None:
        """Check that the keyring can be used. It may ask the person to unlock it.

        Raises:
            StoreError: It cannot be used.
        """
        if self._entry is not None:
            self._entry.check()

    def load(self) -> Credentials | None:
        """Return the stored credentials, or None if nothing is stored. Takes no lock.

        Raises:
            StoreError: The credentials cannot be read or parsed.
        """
        return self._with_secret(super().load())

    def remove(self) -> Credentials | None:
        """Remove the stored credentials, even if they cannot be parsed. A missing folder is not created for that.

        Returns:
            The removed credentials. None if nothing was stored.

        Raises:
            StoreError: The credentials are still stored.
        """
        if not self._home.is_dir():
            return None
        removed = super().remove()
        try:
            self._read_secret(removed)
        except StoreError as error:
            self._warn(f"the tokens may stay valid: {error}")
        return self._with_secret(removed)

    @contextlib.contextmanager
    def renewing(self, *, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
        """Lock out other sessions while the tokens are renewed, as `HomeStore.renewing` does.

        Raises:
            StoreBusy: Another session did not finish its refresh in time, or another program its change.
            StoreError: The lock cannot be taken, new tokens cannot be stored, or the client secret cannot be read.
        """
        with super().renewing(timeout=timeout):
            self._read_secret(super().load())
            yield

    def _read_secret(self, credentials: Credentials | None) -> None:
        secret = _external_secret(credentials)
        if secret is not None:
            self._secret = read_secret(secret)

    def _with_secret(self, credentials: Credentials | None) -> Credentials | None:
        secret, known = _external_secret(credentials), self._secret
        if secret is None or known is None or (secret.file, secret.command) != (known.file, known.command):
            return credentials
        assert credentials is not None
        assert credentials.tokens is not None
        assert credentials.tokens.provider is not None
        provider = credentials.tokens.provider.__replace__(client_secret=known)
        return credentials.__replace__(tokens=credentials.tokens.__replace__(provider=provider))


class _Listed:
    """A storage in the keyring, with a file that stands for it, so that it is found again.

    The file is written before the credentials are stored, and removed after them.
    """

    def __init__(self, inner: Storage[Credentials], folder: Path, key: str, on_warning: Callable[[str], None]) -> None:
        self._inner = inner
        self._warn = on_warning
        self._file = AuthFile(folder, on_warning, FileFormat(f"{key}{_IN_KEYRING}", parse_object, _serialise_about))

    @property
    def where(self) -> str:
        return self._inner.where

    def version(self) -> StoreVersion:
        return self._inner.version()

    def load(self) -> Credentials | None:
        return self._inner.load()

    def check(self, *, follow: bool = False) -> None:
        self._file.check()
        self._inner.check(follow=follow)

    def replace(self, value: Credentials, /, *, follow: bool = False) -> Credentials | None:
        if not self._file.path.is_file():
            self._file.replace({"about": _ABOUT})
        return self._inner.replace(value, follow=follow)

    def remove(self) -> Credentials | None:
        removed = self._inner.remove()
        try:
            self._file.remove()
        except OSError as error:
            self._warn(f"{self._file.where} cannot be removed: {error.strerror}")
        return removed


def _serialise_about(value: JsonObject, /, *, previous: Mapping[str, object] | None = None) -> bytes:
    del previous
    return json.dumps(value, indent=2).encode("ascii")


def _external_secret(credentials: Credentials | None) -> ExternalSecret | None:
    tokens = None if credentials is None else credentials.tokens
    secret = None if tokens is None or tokens.provider is None else tokens.provider.client_secret
    return secret if isinstance(secret, ExternalSecret) else None

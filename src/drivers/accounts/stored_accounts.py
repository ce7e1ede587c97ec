"""The stored accounts: one entry for each provider, client and person, with the index and the host's id beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...sansio.accounts.clients import signed_out
from ...sansio.accounts.stored import account_of, key_of
from ..errors import StoreError
from ..logging import warn
from ..stores.auto_store import StorePolicy
from ..stores.checks import message_of
from ..stores.keyring_store import KEYRING_TIMEOUT
from .entries import AccountEntry, stored_keys
from .folder import accounts_folder
from .host_file import host_id_of
from .index_file import IndexFile
from .registered import RegistrationStore

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from ...sansio.accounts.stored import StoredAccount
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.provider import Provider


class StoredAccounts(RegistrationStore):
    """The base of `AccountStore`: what is in the folder, read and changed as a whole."""

    def __init__(  # noqa: PLR0913 - as the stores of a home folder, with the program
        self,
        program: str = "loginmachine",
        *,
        folder: str | os.PathLike[str] | None = None,
        policy: StorePolicy | str = StorePolicy.FILE,
        on_warning: Callable[[str], None] | None = None,
        on_fallback: Callable[[str], None] | None = None,
        timeout: float = KEYRING_TIMEOUT,
    ) -> None:
        super().__init__(accounts_folder(program, folder), on_warning or warn)
        self._policy = StorePolicy(policy)
        self._on_fallback = on_fallback or self._warn
        self._timeout = timeout
        self._index = IndexFile(self.folder, self._warn_once)

    def accounts(
        self, provider: str | None = None, issuer: str | None = None, client_id: str | None = None
    ) -> list[StoredAccount]:
        """Return the stored accounts: those of a provider together, its default first. It sends nothing.

        An entry that cannot be read is left out, with a warning.

        Args:
            provider: Only those of this kind of provider, such as ``google``.
            issuer: Only those of this issuer, or of this token endpoint if the provider has no issuer.
            client_id: Only those of this client.

        Raises:
            StoreError: There are entries, and none of them can be read.
        """
        marked = self._marked()
        return [
            account
            for account in marked
            if provider in (None, account.provider)
            and issuer in (None, account.origin)
            and client_id in (None, account.client_id)
        ]

    def open(self, account: StoredAccount | str) -> AccountEntry:
        """Return the store of an account, for a session, for `sign_out`, and for the refresh of its tokens.

        Args:
            account: The account, or its key.
        """
        return self._entry(account if isinstance(account, str) else account.key)

    def _entry(self, key: str) -> AccountEntry:
        return AccountEntry(
            self.folder,
            key,
            self._policy,
            on_warning=self._warn_once,
            on_fallback=self._on_fallback,
            timeout=self._timeout,
        )

    def save(self, credentials: Credentials) -> Credentials | None:
        """Store the credentials of a login in the entry of their account, which becomes the default of its provider.

        No other entry is changed: not that of another person, client or provider.

        Returns:
            The credentials of the same account that were replaced. None if there were none.

        Raises:
            StoreError: The credentials are not stored, and the entry is unchanged.
        """
        try:
            key = key_of(credentials)
        except ValueError as error:
            raise StoreError(f"{self.folder}: {error}") from error
        replaced = self.open(key).save(credentials)
        try:
            self._index.change(lambda index: index.signed_in(key))
        except StoreError as error:
            self._warn(f"the sign-in is stored, but another account may stay the default: {error}")
        return replaced

    def check(self, provider: Provider | None = None) -> None:
        """Check that the credentials of a login can be saved. For the time before a browser opens.

        The folder is created if it is missing, with the lock of the index.

        Args:
            provider: The provider of the login. The entries of its accounts are checked, too.

        Raises:
            StoreError: They cannot be saved.
        """
        self._index.check()
        if self._policy is StorePolicy.KEYRING:
            self.open("any").check_keyring()
        if provider is not None:
            for account in self._entries()[0]:
                if (account.origin, account.client_id) == (provider.origin, provider.client_id):
                    self.open(account).check()

    def host_id(self) -> str:
        """Return the id of this installation's host. A new one is made and stored if there is none.

        Raises:
            StoreError: It cannot be read or stored.
        """
        return host_id_of(self.folder, self._warn_once)

    def show_once(self, name: str) -> bool:
        """Return whether to show the person something that is shown once, and note that it was shown.

        Args:
            name: What is shown.
        """
        try:
            is_new = name not in self._index.load(()).shown
            if is_new:
                self._index.change(lambda index: index.__replace__(shown=(*index.shown, name)))
        except StoreError:
            return False
        return is_new

    def warn(self, text: str) -> None:
        """Call ``on_warning`` with one line of text."""
        self._warn(text)

    def _marked(self) -> list[StoredAccount]:
        """Return all accounts that can be read, with what the index says about them.

        Raises:
            StoreError: There are entries, and none of them can be read.
        """
        accounts, problems = self._entries()
        if problems and not accounts:
            raise StoreError(problems[0])
        for problem in problems:
            self._warn_once(f"an account is left out: {problem}")
        return self._index.load(accounts).marked(accounts)

    def _entries(self) -> tuple[list[StoredAccount], list[str]]:
        """Return the accounts that can be read, and what is wrong with the others."""
        problem = ""
        keys: list[str] = []
        try:
            keys = stored_keys(self.folder, self._policy)
        except OSError as error:
            problem = f"{self.folder}: {message_of(error)}"
        if problem:
            raise StoreError(problem)
        accounts: list[StoredAccount] = []
        problems: list[str] = []
        for key in keys:
            try:
                credentials = self.open(key).load()
            except StoreError as error:
                problems.append(str(error))
            else:
                accounts += [] if credentials is None else [account_of(key, credentials)]
        stored = {account.key for account in accounts}
        issued = [each for each in self.registrations() if each.provider and each.subject]
        return accounts + [each for each in map(signed_out, issued) if each.key not in stored], problems

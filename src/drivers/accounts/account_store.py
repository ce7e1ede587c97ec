"""The accounts of providers other than Codex's: their credentials, which is the default, and registered clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...sansio.accounts.choice import choose, matching
from ...sansio.accounts.stored import account_of, check_stored_here, key_of
from ...sansio.base.text import clean_text
from ..errors import AccountNotFound, AmbiguousAccount, StoreError
from ..logging import warn
from ..stores.auto_store import StorePolicy
from ..stores.checks import message_of
from ..stores.keyring_store import KEYRING_TIMEOUT
from .entries import AccountEntry, stored_keys
from .folder import accounts_folder
from .index_file import IndexFile
from .registered import RegistrationStore

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from ...sansio.accounts.choice import AccountChoice
    from ...sansio.accounts.stored import StoredAccount
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.provider import Provider


class AccountStore(RegistrationStore):
    """The stored accounts of a program: one entry for each provider (its issuer or token endpoint), client and person.

    Codex's credentials are not among them: they are in ``auth.json``. A login can use this store as it is:
    ``start_login(options, store=AccountStore())``. A session uses an account: ``Session(accounts.open(account))``.

    Args:
        program: The name of the program. Its accounts are in the folder of that name in the user's state folder.
        folder: Another folder for them.
        policy: Where credentials are kept: ``file``, ``keyring`` or ``auto``, as for `open_store`.
        on_warning: Called with one line of text when something unusual was done. By default the text is logged.
        on_fallback: Called with one line of text when ``auto`` uses a file because the keyring cannot be used. By
            default `on_warning`.
        timeout: Seconds for one call of the keyring.

    Raises:
        ValueError: There is no such policy, or the program's name cannot be the name of a folder.
    """

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

    def __repr__(self) -> str:
        return f"<AccountStore of {self.folder}>"

    # Accounts

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

    def find(self, text: str, accounts: Sequence[StoredAccount] | None = None) -> StoredAccount:
        """Return the account that a person means.

        Args:
            text: Its e-mail address, its subject (``sub``), its client id, or its key.
            accounts: The accounts among which it is. By default all.

        Raises:
            AccountNotFound: No account fits.
            AmbiguousAccount: Several fit.
            StoreError: As for `accounts`.
        """
        found = matching(self._marked() if accounts is None else accounts, text)
        if not found:
            raise AccountNotFound(f"no stored account is called {clean_text(text)}")
        if len(found) > 1:
            raise AmbiguousAccount(clean_text(text), tuple(found))
        return found[0]

    def choose(self, accounts: Sequence[StoredAccount] | None = None, *, has_codex: bool = False) -> AccountChoice:
        """Return which credentials apply if no account is named.

        It is the account that `use` has chosen; else Codex's, if there are any; else the default account, if all
        accounts are of one provider and issuer.

        Args:
            accounts: The accounts among which to choose. By default all.
            has_codex: Whether ``auth.json`` holds Codex's credentials, and they may be chosen.

        Raises:
            StoreError: As for `accounts`.
        """
        return choose(self._marked() if accounts is None else accounts, has_codex=has_codex)

    def default_for(self, provider: Provider) -> StoredAccount | None:
        """Return the default account of a provider and its issuer. None if it has no account here.

        Raises:
            StoreError: As for `accounts`.
        """
        group = provider.name, provider.origin
        return next((account for account in self._marked() if account.group == group and account.is_default), None)

    def use(self, account: StoredAccount | None) -> None:
        """Choose an account, which is then used when none is named. It is the default of its provider and issuer, too.

        A later sign-in at the same provider and issuer becomes the default, and is then used. One at another provider
        changes nothing here.

        Args:
            account: The account. None to choose none: then Codex's credentials come first, if there are any.

        Raises:
            AccountNotFound: The account is not stored any more.
            StoreError: The account cannot be read, or the choice cannot be stored.
        """
        if account is not None and self.open(account).load() is None:
            raise AccountNotFound(f"{account} is not stored any more")
        self._index.change(lambda index: index.used(account))

    def open(self, account: StoredAccount | str) -> AccountEntry:
        """Return the store of an account, for a session, for `sign_out`, and for the refresh of its tokens.

        Args:
            account: The account, or its key.
        """
        key = account if isinstance(account, str) else account.key
        return AccountEntry(
            self.folder,
            key,
            self._policy,
            on_warning=self._warn_once,
            on_fallback=self._on_fallback,
            timeout=self._timeout,
        )

    # Logins

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

    def login_store(self, provider: Provider) -> AccountLoginStore:
        """Return a store for one login. Before the browser opens, it checks the entries of the provider's accounts.

        Args:
            provider: The provider of the login.

        Raises:
            ValueError: It is Codex's provider; its credentials are in ``auth.json``.
        """
        check_stored_here(provider)
        return AccountLoginStore(self, provider)

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
        return accounts, problems


class AccountLoginStore:
    """The store of one login: `AccountStore`, with a check of the provider's entries before the browser opens."""

    def __init__(self, accounts: AccountStore, provider: Provider) -> None:
        self._accounts = accounts
        self._provider = provider

    def check(self) -> None:
        """Check that the credentials can be saved.

        Raises:
            StoreError: They cannot be saved.
        """
        self._accounts.check(self._provider)

    def save(self, credentials: Credentials) -> Credentials | None:
        """Store the credentials, as `AccountStore.save` does, and return the replaced ones of the same account.

        Raises:
            StoreError: The credentials are not stored, and what is stored is unchanged.
        """
        return self._accounts.save(credentials)

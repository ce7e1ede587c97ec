"""The accounts of providers other than Codex's: their credentials, which is the default, and registered clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...sansio.accounts.choice import choose, matching
from ...sansio.accounts.stored import NOTHING_KEY, check_stored_here
from ...sansio.base.text import clean_text
from ..errors import AccountNotFound, AmbiguousAccount
from .login_store import AccountLoginStore
from .stored_accounts import StoredAccounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...sansio.accounts.choice import AccountChoice
    from ...sansio.accounts.stored import StoredAccount
    from ...sansio.model.provider import Provider
    from .entries import AccountEntry


class AccountStore(StoredAccounts):
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

    def __repr__(self) -> str:
        return f"<AccountStore of {self.folder}>"

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
        if account is not None and account.is_signed_in and self.open(account).load() is None:
            raise AccountNotFound(f"{account} is not stored any more")
        self._index.change(lambda index: index.used(account))

    def session_store(self, account: StoredAccount | str | None = None) -> AccountEntry:
        """Return the store of an account for a session.

        Args:
            account: The account; or its e-mail address, subject, client or key; or None for the one that `choose`
                returns. If nothing is stored, the session says that a sign-in is required.

        Raises:
            AccountNotFound: No account fits.
            AmbiguousAccount: Several fit, or several are stored and none is the default.
            StoreError: As for `accounts`.
        """
        if isinstance(account, str):
            account = self.find(account)
        if account is None:
            choice = self.choose()
            if choice.candidates:
                raise AmbiguousAccount("the default account", choice.candidates)
            account = choice.account
        return self._entry(NOTHING_KEY if account is None else account.key)

    def login_store(
        self, provider: Provider, *, account: StoredAccount | None = None, is_new: bool = False
    ) -> AccountLoginStore:
        """Return a store for one login. Before the browser opens, it checks the entries of the provider's accounts.

        Args:
            provider: The provider of the login.
            account: The account to renew, at a provider that issues a client to each person. By default the default
                account of the provider and its issuer; if it has none, the login adds one.
            is_new: Sign in with another account than those that are stored.

        Raises:
            ValueError: It is Codex's provider; its credentials are in ``auth.json``.
        """
        check_stored_here(provider)
        return AccountLoginStore(self, provider, account=account, is_new=is_new)

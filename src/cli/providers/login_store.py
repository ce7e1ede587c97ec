"""The accounts, as the store of one login of the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...drivers.errors import StoreError
from ...sansio.accounts.stored import key_of
from .stored import account_store, account_to_renew

if TYPE_CHECKING:
    import argparse

    from ...sansio.accounts.stored import StoredAccount
    from ...sansio.model.account import KnownAccount
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.provider import Provider
    from ...sansio.server.registration import Registration
    from ..commands.login_view import LoginView


class AccountsOfLogin:
    """Stores the credentials of a login as an account, and the client that it has registered.

    Args:
        arguments: The command line.
        provider: The provider of the login.
        view: Shows warnings, and where the credentials are.
    """

    def __init__(
        self,
        arguments: argparse.Namespace,
        provider: Provider,
        view: LoginView,
    ) -> None:
        self._accounts = account_store(arguments, view.warn, view.warn_of_fallback)
        self._problem = ""
        account: StoredAccount | None = None
        try:
            account = account_to_renew(arguments, self._accounts, provider)
        except StoreError as error:
            self._problem = str(error)
        self._login = self._accounts.login_store(provider, account=account, is_new=arguments.new_account)
        self._view = view
        view.show_once = self._accounts.show_once

    def check(self) -> None:
        """Check that credentials can be saved.

        Raises:
            StoreError: They cannot be saved.
        """
        if self._problem:
            raise StoreError(self._problem)
        self._login.check()

    def save(self, credentials: Credentials) -> Credentials | None:
        """Store credentials, and return those of the same account that they replace.

        Raises:
            StoreError: They are not stored.
        """
        replaced = self._login.save(credentials)
        entry = self._accounts.open(key_of(credentials))
        entry.load()
        self._view.stored_in = entry.where
        return replaced

    def host_id(self) -> str | None:
        """Return the id of this installation's host, as `AccountLoginStore.host_id` does.

        Raises:
            StoreError: It cannot be read or stored.
        """
        return self._login.host_id()

    def load_registration(self, provider: Provider) -> Registration | None:
        """Return the client of the login, or None.

        Raises:
            StoreError: It cannot be read.
        """
        return self._login.load_registration(provider)

    def load_account(self) -> KnownAccount | None:
        """Return the account that the login renews, or None.

        Raises:
            StoreError: It cannot be read.
        """
        return self._login.load_account()

    def save_registration(self, registration: Registration) -> None:
        """Make a registered client durable before returning.

        Raises:
            StoreError: It is not stored.
        """
        self._login.save_registration(registration)

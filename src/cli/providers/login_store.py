"""The accounts, as the store of one login of the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...sansio.accounts.stored import key_of
from .stored import account_store

if TYPE_CHECKING:
    import argparse

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
        self._provider = provider
        self._view = view

    def check(self) -> None:
        """Check that credentials can be saved.

        Raises:
            StoreError: They cannot be saved.
        """
        self._accounts.check(self._provider)

    def save(self, credentials: Credentials) -> Credentials | None:
        """Store credentials, and return those of the same account that they replace.

        Raises:
            StoreError: They are not stored.
        """
        replaced = self._accounts.save(credentials)
        entry = self._accounts.open(key_of(credentials))
        entry.load()
        self._view.stored_in = entry.where
        return replaced

    def load_registration(self, provider: Provider) -> Registration | None:
        """Return the client that was registered at a provider, or None.

        Raises:
            StoreError: It cannot be read.
        """
        return self._accounts.load_registration(provider.issuer or provider.origin, software=_software(provider))

    def save_registration(self, registration: Registration) -> None:
        """Make a registered client durable before returning.

        Raises:
            StoreError: It is not stored.
        """
        self._accounts.save_registration(registration, software=_software(self._provider))


def _software(provider: Provider) -> str:
    metadata = provider.registration
    return "" if metadata is None else metadata.software_id or metadata.client_name

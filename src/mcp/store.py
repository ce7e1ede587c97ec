"""The store of a sign-in for a resource: the accounts, with a registered client for each resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..sansio.model.auth_json import members_of

if TYPE_CHECKING:
    from ..drivers.accounts.account_store import AccountStore
    from ..sansio.model.credentials import Credentials
    from ..sansio.model.provider import Provider
    from ..sansio.server.registration import Registration


class ResourceStore:
    """The store of one sign-in.

    Args:
        accounts: Where the accounts and the registered clients are.
        provider: The provider, as the program has made it.
    """

    def __init__(self, accounts: AccountStore, provider: Provider) -> None:
        self._accounts = accounts
        metadata = provider.registration
        name = "" if metadata is None else metadata.software_id or metadata.client_name
        # Each resource has a client of its own, because the tokens of a client at one provider are one entry.
        self._software = f"{name} for {provider.protected_resource}"

    def check(self) -> None:
        """Check that credentials can be saved.

        Raises:
            StoreError: They cannot be saved.
        """
        self._accounts.check()

    def save(self, credentials: Credentials) -> Credentials | None:
        """Store credentials, and return those of the same account that they replace.

        Raises:
            StoreError: They are not stored.
        """
        return self._accounts.save(credentials)

    def load_registration(self, provider: Provider) -> Registration | None:
        """Return the client that was registered for the resource, and that may ask for the scopes of the login.

        The resource may have another provider since. The login finds out.

        Raises:
            StoreError: It cannot be read.
        """
        found = [stored.registration for stored in self._accounts.registrations() if stored.software == self._software]
        fitting = [registration for registration in found if _may_ask_for(registration, provider.scopes)]
        return fitting[-1] if fitting else None

    def save_registration(self, registration: Registration) -> None:
        """Make a registered client durable before returning.

        Raises:
            StoreError: It is not stored.
        """
        self._accounts.save_registration(registration, software=self._software)


def _may_ask_for(registration: Registration, scopes: tuple[str, ...]) -> bool:
    """Return whether a client was registered for scopes, as far as the provider has told (RFC 7591 section 2)."""
    registered = members_of(registration.others).get("scope")
    return not isinstance(registered, str) or set(scopes) <= set(registered.split())

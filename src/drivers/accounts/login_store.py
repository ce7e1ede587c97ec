"""The store of one login: the accounts, with what the login has to know of its client before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...sansio.accounts.clients import client_for_login
from ...sansio.accounts.registrations import may_ask_for
from ...sansio.model.account import KnownAccount
from ...sansio.model.entry import identity_of
from ...sansio.model.provenance import provenance_of_provider
from ...sansio.server.registration import Registration
from ..errors import StoreError

if TYPE_CHECKING:
    from ...sansio.accounts.registrations import StoredRegistration
    from ...sansio.accounts.stored import StoredAccount
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.provider import Provider
    from .stored_accounts import StoredAccounts


class AccountLoginStore:
    """The store of one login, which `AccountStore.login_store` returns.

    Args:
        accounts: The accounts.
        provider: The provider of the login.
        account: The account to renew, at a provider that issues a client to each person; None for the default account.
        is_new: Sign in with another account than those that are stored.
    """

    def __init__(
        self,
        accounts: StoredAccounts,
        provider: Provider,
        *,
        account: StoredAccount | None = None,
        is_new: bool = False,
    ) -> None:
        self._accounts = accounts
        self._provider = provider
        self._account = account
        self._is_new = is_new
        self._client: StoredRegistration | None = None
        """The client of the login, if the provider has issued it before."""

    @property
    def _issues_clients(self) -> bool:
        return self._provider.dialect.issues_clients

    def check(self) -> None:
        """Check that the credentials can be saved.

        Raises:
            StoreError: They cannot be saved.
        """
        self._accounts.check(self._provider)

    def host_id(self) -> str | None:
        """Return the id of this installation's host, which is made if there is none; None if no provider wants it.

        Raises:
            StoreError: It cannot be read or stored.
        """
        return None if self._provider.dialect.host_parameter is None else self._accounts.host_id()

    def load_registration(self, provider: Provider) -> Registration | None:
        """Return the client that was registered, or that the provider has issued, before; None if there is none.

        Args:
            provider: The provider of the login.

        Raises:
            StoreError: It cannot be read.
        """
        accounts, origin = self._accounts, provider.origin
        if provider.protected_resource is not None:
            # Its provider is not known yet. The login uses the client only if it is of that one.
            found = [each.registration for each in accounts.registrations() if each.software == _software(provider)]
            return next((client for client in reversed(found) if may_ask_for(client, provider.scopes)), None)
        if not self._issues_clients:
            return accounts.load_registration(origin, software=_software(provider))
        issued = [each for each in accounts.registrations(origin) if each.provider == provider.name]
        stored = accounts.accounts(provider.name, origin)
        self._client = client_for_login(issued, stored, account=self._account, is_new=self._is_new)
        if self._client is None:
            return None
        if not self._client.subject:
            # Until the callback comes. The browser of a client that is gone ends on a page of the provider.
            accounts.doubt_registration(self._client.registration)
        return self._client.registration

    def load_account(self) -> KnownAccount | None:
        """Return the account that the login renews; None if it renews none. Call it after `load_registration`.

        Raises:
            StoreError: The accounts cannot be read.
        """
        client = self._client
        if client is None or not client.subject:
            return None
        registration = client.registration
        stored = self._accounts.accounts(client.provider, registration.issuer, registration.client_id)
        credentials = self._accounts.open(stored[0]).load() if stored else None
        tokens = None if credentials is None else credentials.tokens
        id_token = None if tokens is None else tokens.id_token
        return KnownAccount(subject=client.subject, email=client.email, id_token=id_token)

    def save_registration(self, registration: Registration) -> None:
        """Make the client durable before the login uses it, or note that the provider has refused it.

        Raises:
            StoreError: It is not stored.
        """
        if registration.is_refused:
            self._accounts.doubt_registration(registration)
            return
        kind = self._provider.name if self._issues_clients else ""
        self._accounts.save_registration(registration, software=_software(self._provider), provider=kind)

    def save(self, credentials: Credentials) -> Credentials | None:
        """Store the credentials, as `AccountStore.save` does, and note the person that the client belongs to.

        Returns:
            The credentials of the same account that were replaced. None if there were none.

        Raises:
            StoreError: The credentials are not stored, and what is stored is unchanged.
        """
        replaced = self._accounts.save(credentials)
        tokens = credentials.tokens
        if self._issues_clients and tokens is not None and tokens.provider is not None:
            origin, person = provenance_of_provider(tokens.provider), identity_of(credentials)
            registration = Registration(issuer=origin.issuer, client_id=origin.client_id or "")
            try:
                self._accounts.identify_registration(registration, person.subject, person.email)
            except StoreError as error:
                self._accounts.warn(f"the sign-in is stored, but not that its client belongs to it: {error}")
        return replaced


def _software(provider: Provider) -> str:
    metadata = provider.registration
    name = "" if metadata is None else metadata.software_id or metadata.client_name
    # Each resource has a client of its own, because the tokens of a client at one provider are one entry.
    return name if provider.protected_resource is None else f"{name} for {provider.protected_resource}"

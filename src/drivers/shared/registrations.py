"""The clients that this installation has at providers, as a login stores and loads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable
from urllib.parse import urlsplit

from ...sansio.login.events import RegistrationSaved, RegistrationSaveFailed, Started
from ..errors import StoreError
from ..stores.protocols import unexpected_error

if TYPE_CHECKING:
    from ...sansio.model.account import KnownAccount
    from ...sansio.model.options import LoginMethod, LoginOptions
    from ...sansio.model.provider import Provider
    from ...sansio.server.registration import Registration


@runtime_checkable
class RegistrationStore(Protocol):
    """What a store may have in addition: it keeps registered clients (RFC 7591), also through a sign-out."""

    def load_registration(self, provider: Provider) -> Registration | None:
        """Return the client that was registered at a provider, or None.

        Raises:
            StoreError: It cannot be read.
        """

    def save_registration(self, registration: Registration) -> None:
        """Make a registered client durable before returning.

        Raises:
            StoreError: It is not stored.
        """


@runtime_checkable
class InstallationStore(RegistrationStore, Protocol):
    """What a `RegistrationStore` needs for a provider that issues a client to each person and workspace."""

    def host_id(self) -> str | None:
        """Return the id of this installation's host, always the same one; None if the provider does not ask for it.

        Raises:
            StoreError: It cannot be read or stored.
        """

    def load_account(self) -> KnownAccount | None:
        """Return the account that the client of `load_registration` belongs to; None if that is not known yet.

        Raises:
            StoreError: It cannot be read.
        """


def save_registration(store: object, registration: Registration) -> RegistrationSaved | RegistrationSaveFailed:
    """Store a registered client, and return the result as an event. The drivers call this in a worker thread.

    Args:
        store: The store of the login. It must be a `RegistrationStore` too.
        registration: The client.
    """
    if not isinstance(store, RegistrationStore):
        return RegistrationSaveFailed(message="this store keeps no registrations")
    try:
        store.save_registration(registration)
    except StoreError as error:
        return RegistrationSaveFailed(message=str(error))
    except Exception as error:  # noqa: BLE001 - a store of the program's own; the driver waits for an event
        return RegistrationSaveFailed(message=unexpected_error(error))
    return RegistrationSaved()


def known_client(store: object, options: LoginOptions, method: LoginMethod) -> Started:
    """Return the event that starts a login, with what its store knows of the client.

    Args:
        store: The store of the login.
        options: The options of the login.
        method: How the person signs in.

    Raises:
        StoreError: The registration cannot be read, and a new one would be a second client. Or the provider asks for
            the id of the host, and the store keeps none.
    """
    provider = options.provider
    registration, account, host_id = None, None, options.host_id
    if provider.dialect.host_parameter is not None and host_id is None:
        if not isinstance(store, InstallationStore):
            raise StoreError("this store keeps no id of the host, which the provider asks for: use an AccountStore")
        host_id = store.host_id()
    if provider.registration is not None and not provider.client_id and isinstance(store, RegistrationStore):
        registration = store.load_registration(provider)
    if registration is not None and isinstance(store, InstallationStore):
        account = store.load_account()
    # (A provider that issues clients accepts any port.)
    port = None if provider.dialect.issues_clients else _registered_port(registration)
    return Started(method=method, registration=registration, registered_port=port, account=account, host_id=host_id)


def _registered_port(registration: Registration | None) -> int | None:
    """Return the port of the redirect URI that was registered. None if there is none."""
    uri = None if registration is None else registration.redirect_uri
    try:
        return None if uri is None else urlsplit(uri).port
    except ValueError:
        # A file that was edited by hand. The login takes any port.
        return None

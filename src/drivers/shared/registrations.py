"""The clients that providers have registered for this installation (RFC 7591), as a login stores and loads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable
from urllib.parse import urlsplit

from ...sansio.login.events import RegistrationSaved, RegistrationSaveFailed
from ..errors import StoreError
from ..stores.protocols import unexpected_error

if TYPE_CHECKING:
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


def save_registration(store: object, registration: Registration) -> RegistrationSaved | RegistrationSaveFailed:
    """Store a registered client, and return the result as an event. Both drivers call this in a worker thread.

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


def registered_port(registration: Registration | None) -> int | None:
    """Return the port of the redirect URI that was registered. None if there is none."""
    uri = None if registration is None else registration.redirect_uri
    try:
        return None if uri is None else urlsplit(uri).port
    except ValueError:
        # A file that was edited by hand. The login takes any port.
        return None


def load_registration(store: object, provider: Provider) -> Registration | None:
    """Return the client that an earlier login has registered, or None.

    Args:
        store: The store of the login.
        provider: The provider of the login.

    Raises:
        StoreError: The registration cannot be read. A new one would be a second client.
    """
    if provider.registration is None or provider.client_id or not isinstance(store, RegistrationStore):
        return None
    return store.load_registration(provider)

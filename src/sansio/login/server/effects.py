"""The guards and effects for a provider with endpoints, a client or keys to fetch. See `login.effects`."""

from __future__ import annotations

from ...oauth.authorization import authorization_url, redirect_uri
from .. import actions
from ..effects import show_address
from ..port.effects import bind_first_port
from . import progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...model.provider import Provider
    from ..interpretation import (
        Interpretation,
        NoDeviceCodes,
        PortBound,
        Problem,
        PushedAuthorization,
        ReceivedKeys,
        ReceivedMetadata,
        ReceivedResource,
        RegisteredClient,
        UnverifiedTokens,
    )
    from ..state import LoginData


# Guards


def needs_resource_metadata(login: LoginData, _: Interpretation) -> bool:
    """The metadata of a protected resource names the provider."""
    return login.options.provider.needs_resource_metadata


def has_other_resource_address(login: LoginData, _: Interpretation) -> bool:
    """The resource's metadata may be at another address, which was not tried yet."""
    return login.metadata_address + 1 < len(login.options.provider.resource_metadata_addresses)


def needs_metadata(login: LoginData, _: Interpretation) -> bool:
    """The provider's endpoints are in its metadata."""
    return login.options.provider.needs_discovery


def has_other_address(login: LoginData, _: Interpretation) -> bool:
    """The metadata may be at another address, which was not tried yet."""
    from ...server.metadata import metadata_urls  # noqa: PLC0415 - not for the default provider

    return login.metadata_address + 1 < len(metadata_urls(login.options.provider.issuer or ""))


def wants_device_code(login: LoginData, _: Interpretation) -> bool:
    """The person signs in with a device code."""
    return login.wants_device_code


def must_register(login: LoginData, _: Interpretation) -> bool:
    """There is no client yet. The login registers one, because no callback will bring it."""
    provider = login.options.provider
    return not provider.client_id and not provider.dialect.issues_clients


def must_register_for_code(login: LoginData, meaning: Interpretation) -> bool:
    """There is no client yet, and the person signs in with a device code."""
    return login.wants_device_code and must_register(login, meaning)


def must_push(login: LoginData, _: Interpretation) -> bool:
    """The authorization request is pushed to the provider."""
    return login.options.provider.require_pushed_authorization_requests


# The metadata of a protected resource


def read_resource(login: LoginData, _: Interpretation) -> None:
    """Request the resource's metadata at the first address (RFC 9728 section 3)."""
    _request_resource_metadata(login)


def read_resource_for_code(login: LoginData, _: Interpretation) -> None:
    """Request the resource's metadata at the first address, for a login with a device code."""
    login.wants_device_code = True
    _request_resource_metadata(login)


def read_resource_elsewhere(login: LoginData, _: Interpretation) -> None:
    """Request the resource's metadata at the next address."""
    login.metadata_address += 1
    _request_resource_metadata(login)


def _request_resource_metadata(login: LoginData) -> None:
    from ...oauth.metadata import metadata_request  # noqa: PLC0415 - as the other effects

    url = login.options.provider.resource_metadata_addresses[login.metadata_address]
    login.report(progress.DiscoveringResource(url=url))
    login.send(metadata_request(url))


def discover_named_server(login: LoginData, meaning: ReceivedResource) -> None:
    """Note the provider that the resource names, and request its metadata."""
    found = meaning.metadata
    provider = login.options.provider.named_by(found)
    _discover_found(login, provider, found.resource)


def discover_at_origin(login: LoginData, _: Interpretation) -> None:
    """Take the origin of the resource for the provider, and request its metadata."""
    from ...server.resource import origin_issuer  # noqa: PLC0415 - as the other effects

    provider = login.options.provider
    assert provider.protected_resource is not None
    issuer = origin_issuer(provider.protected_resource)
    _discover_found(login, provider.__replace__(issuer=issuer), provider.protected_resource)


def _discover_found(login: LoginData, provider: Provider, resource: str) -> None:
    login.options = login.options.__replace__(provider=provider, resource=login.options.resource or (resource,))
    login.use_registration()
    login.metadata_address = 0
    _request_metadata(login)


# The provider's metadata


def discover(login: LoginData, _: Interpretation) -> None:
    """Request the provider's metadata (OpenID Connect Discovery 1.0 section 4)."""
    _request_metadata(login)


def discover_for_device_code(login: LoginData, _: Interpretation) -> None:
    """Request the provider's metadata, for a login with a device code."""
    login.wants_device_code = True
    _request_metadata(login)


def discover_elsewhere(login: LoginData, _: Interpretation) -> None:
    """Request the metadata at the next address (RFC 8414 sections 3.1 and 5)."""
    login.metadata_address += 1
    _request_metadata(login)


def _request_metadata(login: LoginData) -> None:
    from ...oauth.metadata import metadata_request  # noqa: PLC0415 - not for the default provider
    from ...server.metadata import metadata_urls  # noqa: PLC0415

    url = metadata_urls(login.options.provider.issuer or "")[login.metadata_address]
    login.report(progress.Discovering(url=url))
    login.send(metadata_request(url))


def bind_after_discovery(login: LoginData, meaning: ReceivedMetadata) -> None:
    """Note the provider's endpoints, and bind the first port."""
    note_provider(login, meaning)
    bind_first_port(login, meaning)


def register_after_discovery(login: LoginData, meaning: ReceivedMetadata) -> None:
    """Note the provider's endpoints, and register a client that uses device codes."""
    note_provider(login, meaning)
    register(login, meaning)


def get_code_after_discovery(login: LoginData, meaning: ReceivedMetadata) -> None:
    """Note the provider's endpoints, and request a device code."""
    from ..device_code.effects import request_device_code  # noqa: PLC0415 - not for the default provider

    note_provider(login, meaning)
    request_device_code(login, meaning)


def turn_to_browser(login: LoginData, meaning: NoDeviceCodes) -> None:
    """Note the provider's endpoints, and continue with a login in the browser."""
    from ..device_code.effects import use_browser_instead  # noqa: PLC0415 - not for the default provider

    note_provider(login, meaning)
    use_browser_instead(login, meaning)


def note_provider(login: LoginData, meaning: ReceivedMetadata | NoDeviceCodes) -> None:
    """Note what the metadata says about the provider."""
    login.options = login.options.__replace__(provider=meaning.provider)


# A client of this installation


def register_for_device_code(login: LoginData, meaning: Interpretation) -> None:
    """Register a client that uses device codes."""
    login.wants_device_code = True
    register(login, meaning)


def register_with_port(login: LoginData, meaning: PortBound) -> None:
    """Register a client with the callback port that is open."""
    login.listen_on(meaning.port)
    register(login, meaning)


def register(login: LoginData, _: Interpretation) -> None:
    """Register a client (RFC 7591 section 3.1)."""
    from ...oauth.registration import registration_request  # noqa: PLC0415 - not for the default provider

    provider = login.options.provider
    assert provider.registration_endpoint is not None
    assert provider.registration is not None
    login.report(progress.RegisteringClient())
    uri = None if login.wants_device_code else redirect_uri(login.options, login.port)
    metadata = provider.registration
    if provider.protected_resource is not None:
        # Servers of such resources refuse scopes that the client is not registered for.
        metadata = metadata.covering(login.options.requested_scopes)
    login.send(registration_request(provider.registration_endpoint, metadata, uri))


def save_registration(login: LoginData, meaning: RegisteredClient) -> None:
    """Store the registration before it is used."""
    provider = login.options.provider.registered(meaning.registration)
    login.options = login.options.__replace__(provider=provider)
    login.out.append(actions.SaveRegistration(registration=meaning.registration))


# A pushed authorization request


def push_with_port(login: LoginData, meaning: PortBound) -> None:
    """Push the authorization request, with the callback port that is open."""
    login.listen_on(meaning.port)
    push(login, meaning)


def push(login: LoginData, _: Interpretation) -> None:
    """Push the authorization request (RFC 9126 section 2.1)."""
    from ...oauth.authorization import authorization_parameters  # noqa: PLC0415 - not for the default provider
    from ...oauth.client_authentication import authenticated  # noqa: PLC0415
    from ...oauth.pushed_request import push_request  # noqa: PLC0415

    provider = login.options.provider
    assert provider.pushed_authorization_request_endpoint is not None
    login.report(progress.PushingRequest())
    parameters = authorization_parameters(login.options, login.secrets, login.port)
    request = push_request(provider.pushed_authorization_request_endpoint, parameters)
    login.send(authenticated(request, provider, keeps_client_id=True))


def await_callback_of_client(login: LoginData, _: Interpretation) -> None:
    """Show the authorization request of the registered client, and start the deadline."""
    show_address(login, authorization_url(login.options, login.secrets, login.port))


def await_callback_of_pushed(login: LoginData, meaning: PushedAuthorization) -> None:
    """Show the address with the reference to the pushed request, and start the deadline."""
    from ...oauth.pushed_request import authorization_url_for  # noqa: PLC0415 - not for the default provider

    provider, login.request_uri = login.options.provider, meaning.request_uri
    url = authorization_url_for(provider.authorization_endpoint, provider.client_id, meaning.request_uri)
    show_address(login, url)


# The provider's keys


def keep_keys(login: LoginData, meaning: ReceivedKeys) -> None:
    """Keep the keys until the tokens come."""
    login.keys = meaning.keys


def report_keys_delayed(login: LoginData, meaning: Problem) -> None:
    """Report that the keys could not be fetched ahead of time."""
    login.report(progress.KeysDelayed(message=meaning.message))


def fetch_keys(login: LoginData, meaning: UnverifiedTokens) -> None:
    """Fetch the keys, while the tokens wait for them."""
    from .keys import request_keys  # noqa: PLC0415 - not for the default provider

    login.stop_waiting_for_person()
    login.unverified = meaning
    login.report(progress.FetchingKeys())
    request_keys(login, ahead=False)

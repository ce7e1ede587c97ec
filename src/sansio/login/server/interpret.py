"""Interpret the responses about the provider itself: its metadata, a registration, a pushed request, and its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...base.text import DRIVER_TEXT_LIMIT, clean_text, safe_url
from ...oauth.keys import KeysProblem, read_keys
from ...oauth.metadata import MetadataProblem, read_metadata, read_resource_metadata
from ...oauth.pushed_request import PushedRequest, read_pushed
from ...oauth.registration import read_registration
from ...server.metadata import endpoint_elsewhere, metadata_urls
from ...server.registration import Registration
from ..interpret_tokens import check_tokens
from ..interpretation import (
    NoDeviceCodes,
    Problem,
    PushedAuthorization,
    ReceivedKeys,
    ReceivedMetadata,
    ReceivedResource,
    RegisteredClient,
)
from ..states import LoginState, Trigger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from ..events import TokenRequestFailed, TokenResponseReceived
    from ..interpretation import Interpretation
    from ..state import LoginData

_REGISTER_BY_HAND: Final = ": register a client there by hand, and give its client_id"
_FAILED: Final[Mapping[LoginState, Trigger]] = {
    LoginState.DISCOVERING_RESOURCE: Trigger.DISCOVERY_FAILED,
    LoginState.DISCOVERING: Trigger.DISCOVERY_FAILED,
    LoginState.REGISTERING: Trigger.REGISTRATION_FAILED,
    LoginState.PUSHING_REQUEST: Trigger.PUSH_FAILED,
}
"""The trigger of a failed request, by the state of the login. In all other states the request was for the keys."""


def interpret_server_failure(event: TokenRequestFailed, login: LoginData) -> Problem:
    """Interpret a request about the provider that got no response."""
    return _problem(event.message, login)


def interpret_server_response(event: TokenResponseReceived, login: LoginData) -> Interpretation:
    """Interpret the response to a request about the provider."""
    match login.state:
        case LoginState.DISCOVERING_RESOURCE:
            return _resource_metadata(event, login)
        case LoginState.DISCOVERING:
            return _metadata(event, login)
        case LoginState.REGISTERING:
            return _registration(event, login)
        case LoginState.PUSHING_REQUEST:
            return _pushed(event, login)
        case _:
            return _keys(event, login)


def _resource_metadata(event: TokenResponseReceived, login: LoginData) -> Interpretation:
    found = read_resource_metadata(event, login.options.provider.protected_resource or "")
    if isinstance(found, MetadataProblem):
        trigger = Trigger.METADATA_NOT_FOUND if found.is_missing else Trigger.DISCOVERY_FAILED
        return _problem(found.message, login, trigger)
    return ReceivedResource(trigger=Trigger.RESOURCE_METADATA_RECEIVED, metadata=found)


def _metadata(event: TokenResponseReceived, login: LoginData) -> Interpretation:
    provider = login.options.provider
    found = read_metadata(event, provider.issuer or "", tenant_template=provider.issuer_has_tenant)
    if isinstance(found, MetadataProblem):
        trigger = Trigger.METADATA_NOT_FOUND if found.is_missing else Trigger.DISCOVERY_FAILED
        return _problem(found.message, login, trigger)
    completed = provider.completed(found)
    elsewhere = endpoint_elsewhere(found) if provider.dialect.endpoints_at_issuer else ""
    if elsewhere:
        return _problem(f"{elsewhere} in the provider's metadata is not at the issuer's host", login)
    if provider.dialect.issues_clients and completed.require_pushed_authorization_requests:
        return _problem("the provider wants pushed requests, and the first login has no client to push one", login)
    lacking = completed.lacking
    if not completed.id_token_signing_alg_values_supported and completed.jwks_uri and login.options.wants_id_token:
        lacking = "algorithm for signatures that is accepted here"
    if lacking:
        advice = _REGISTER_BY_HAND if lacking == "registration_endpoint" else ""
        return _problem(f"the provider's metadata has no {lacking}{advice}", login)
    if login.wants_device_code and completed.device_code is None:
        message = f"{_address(login)}: the provider's metadata has no device_authorization_endpoint"
        return NoDeviceCodes(trigger=Trigger.DEVICE_CODE_NOT_ENABLED, message=message, provider=completed)
    return ReceivedMetadata(trigger=Trigger.METADATA_RECEIVED, provider=completed)


def _registration(event: TokenResponseReceived, login: LoginData) -> Interpretation:
    from ...oauth.authorization import redirect_uri  # noqa: PLC0415 - as the other effects

    options = login.options
    uri = None if login.wants_device_code else redirect_uri(options, login.port)
    found = read_registration(event, login.known_secrets(), issuer=options.provider.origin, redirect_uri=uri)
    if isinstance(found, Registration):
        return RegisteredClient(trigger=Trigger.CLIENT_REGISTERED, registration=found)
    return _problem(found.message, login)


def _pushed(event: TokenResponseReceived, login: LoginData) -> Interpretation:
    found = read_pushed(event, login.known_secrets())
    if isinstance(found, PushedRequest):
        return PushedAuthorization(trigger=Trigger.REQUEST_PUSHED, request_uri=found.request_uri)
    return _problem(found.message, login)


def _keys(event: TokenResponseReceived, login: LoginData) -> Interpretation:
    found = read_keys(event)
    if isinstance(found, KeysProblem):
        return _problem(found.message, login)
    if not found.keys and login.unverified is not None:
        return _problem("the provider has no keys at the moment", login)
    if login.unverified is None:
        return ReceivedKeys(trigger=Trigger.KEYS_RECEIVED, keys=found)
    return check_tokens(login.unverified.tokens, login.unverified.response, login, fetched=found)


def _problem(message: str, login: LoginData, trigger: Trigger | None = None) -> Problem:
    """Return a problem that names the endpoint. The message may be that of a driver, or repeat secrets."""
    message = clean_text(message, hide=login.known_secrets(), limit=DRIVER_TEXT_LIMIT)
    trigger = trigger or _FAILED.get(login.state, Trigger.KEYS_UNAVAILABLE)
    return Problem(trigger=trigger, message=f"{_address(login)}: {message}")


def _address(login: LoginData) -> str:
    provider = login.options.provider
    match login.state:
        case LoginState.DISCOVERING_RESOURCE:
            url: str | None = provider.resource_metadata_addresses[login.metadata_address]
        case LoginState.DISCOVERING:
            url = metadata_urls(provider.issuer or "")[login.metadata_address]
        case LoginState.REGISTERING:
            url = provider.registration_endpoint
        case LoginState.PUSHING_REQUEST:
            url = provider.pushed_authorization_request_endpoint
        case _:
            url = provider.jwks_uri
    return safe_url(url or "")

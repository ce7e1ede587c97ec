"""Device codes: the requests. `device_code_responses` reads the responses.

There are two dialects. RFC 8628 is the OAuth 2.0 device authorization grant. Codex has a protocol of its own: the
bodies are JSON, the statuses 403 and 404 mean "not yet", and the last poll brings an authorization code together with
the verifier of its challenge.
"""

from __future__ import annotations

from ..base.http import Encoding, HttpRequest
from ..base.records import Record, hidden
from ..server.endpoints import DeviceCodeDialect
from .client_authentication import authenticated
from .token_requests import TOKEN_EXCHANGE_TIMEOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..base.http import Form
    from ..model.options import LoginOptions
    from ..model.provider import Provider
    from ..server.endpoints import DeviceCodeEndpoints

CODE_REQUEST_TIMEOUT: Final = 30.0
"""Time limit of the request for a code, in seconds."""
POLL_TIMEOUT: Final = 15.0
"""Time limit of a poll, in seconds."""
SLOW_DOWN: Final = 5.0
"""Seconds that ``slow_down`` adds to the interval, for all later polls (RFC 8628 section 3.5)."""
LONGEST_BACK_OFF: Final = 30.0
"""The most seconds between two polls while the provider does not respond, unless the interval is longer."""

_GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_CODEX: Final = DeviceCodeDialect.CODEX


class DeviceCode(Record):
    """A code for the person to enter."""

    device_code: str = hidden()
    """Identifies this login to the provider. (Codex calls it ``device_auth_id``.)"""
    user_code: str = hidden()
    """The code that the person enters."""
    verification_url: str
    """The page where the person enters it."""
    complete_url: str | None = hidden(default=None)
    """The same page with the code filled in."""
    expires_in: float
    """Seconds for which the code is valid."""
    interval: float
    """Seconds to wait between two polls."""


class DeviceGrant(Record):
    """The result of the last poll in Codex's dialect."""

    code: str = hidden()
    code_verifier: str = hidden()


def code_request(options: LoginOptions) -> HttpRequest:
    """Return the request for a code (RFC 8628 section 3.1).

    Args:
        options: The provider, the scopes and the resources.
    """
    provider = options.provider
    endpoints = endpoints_of(provider)
    form: Form = (("client_id", provider.client_id),)
    if endpoints.dialect is not _CODEX:
        scope = " ".join(options.requested_scopes)
        form = (
            *form,
            *((("scope", scope),) if scope else ()),
            *(("resource", each) for each in options.requested_resources),
        )
    request = authenticated(_request(endpoints, endpoints.code_endpoint, form, CODE_REQUEST_TIMEOUT), provider)
    # Some servers want the client id here from a client that authenticates, too. RFC 8628 section 3.1 allows it.
    return request if request.authorization is None else request.__replace__(form=form)


def poll_request(provider: Provider, device: DeviceCode) -> HttpRequest:
    """Return the request that asks whether the person has entered the code (RFC 8628 section 3.4)."""
    endpoints = endpoints_of(provider)
    form: Form = (("device_auth_id", device.device_code), ("user_code", device.user_code))
    if endpoints.dialect is not _CODEX:
        form = (("grant_type", _GRANT_TYPE), ("device_code", device.device_code), ("client_id", provider.client_id))
    return authenticated(_request(endpoints, poll_endpoint(provider), form, POLL_TIMEOUT), provider)


def poll_endpoint(provider: Provider) -> str:
    """Return the address of the polls."""
    return endpoints_of(provider).poll_endpoint or provider.token_endpoint


def grant_exchange(provider: Provider, grant: DeviceGrant) -> HttpRequest:
    """Return the token request for the authorization code of the last poll."""
    redirect_uri = endpoints_of(provider).redirect_uri
    assert redirect_uri is not None
    return HttpRequest(
        url=provider.token_endpoint,
        form=(
            ("grant_type", "authorization_code"),
            ("client_id", provider.client_id),
            ("code", grant.code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", grant.code_verifier),
        ),
        timeout=TOKEN_EXCHANGE_TIMEOUT,
    )


def _request(endpoints: DeviceCodeEndpoints, url: str, form: Form, timeout: float) -> HttpRequest:
    encoding = Encoding.JSON if endpoints.dialect is _CODEX else Encoding.FORM
    return HttpRequest(url=url, form=form, encoding=encoding, timeout=timeout)


def endpoints_of(provider: Provider) -> DeviceCodeEndpoints:
    """Return the device code endpoints of a provider. The provider must have them."""
    assert provider.device_code is not None
    return provider.device_code

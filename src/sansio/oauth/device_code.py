"""Device codes: what is sent for one, and what the answers mean.

Two dialects. RFC 8628 is the OAuth 2.0 device authorization grant. Codex has a protocol of its own: JSON, "not yet" is
a status 403 or 404, and the last poll brings an authorization code together with the verifier of its challenge.
"""

from __future__ import annotations

from ..base.http import Encoding
from ..base.records import Record, hidden
from ..base.text import is_visible_ascii
from ..callback.requests import MAX_CODE
from ..login.interpretation import Interpretation
from ..login.states import Trigger
from ..model.provider import DeviceCodeDialect, is_verification_url
from . import token_responses as oauth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final, TypeGuard

    from ..base.http import Form
    from ..base.strict_json import JsonObject
    from ..login.events import TokenResponseReceived
    from ..model.provider import DeviceCodeEndpoints, Provider
    from ..model.tokens import TokenSet

CODE_REQUEST_TIMEOUT: Final = 30.0
POLL_TIMEOUT: Final = 15.0
DEFAULT_INTERVAL: Final = 5.0
"""Seconds between two polls, if the provider names none (RFC 8628 section 3.2)."""
SHORTEST_INTERVAL: Final = 1.0
LONGEST_INTERVAL: Final = 60.0
SLOW_DOWN: Final = 5.0
"""Seconds added to the interval for good, when the provider asks for it (RFC 8628 section 3.5)."""
LONGEST_BACK_OFF: Final = 30.0
"""Seconds between two polls while the provider does not answer, unless the interval is longer."""
DEFAULT_LIFETIME: Final = 900.0
LONGEST_LIFETIME: Final = 3600.0
MAX_USER_CODE: Final = 64

_GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_CODEX: Final = DeviceCodeDialect.CODEX
_ERRORS: Final[Mapping[str, Trigger]] = {
    "authorization_pending": Trigger.DEVICE_CODE_PENDING,
    "slow_down": Trigger.SLOW_DOWN_REQUESTED,
    "access_denied": Trigger.DEVICE_CODE_DENIED,
    "expired_token": Trigger.DEVICE_CODE_EXPIRED,
}
"""RFC 8628 section 3.5."""


class DeviceCode(Record):
    """A code for the person, and what belongs to it."""

    device_code: str = hidden()
    """Names this login to the provider. (Codex calls it ``device_auth_id``.)"""
    user_code: str = hidden()
    """What the person enters."""
    verification_url: str
    """Where the person enters it."""
    complete_url: str | None = hidden(default=None)
    """The same with the code filled in."""
    expires_in: float
    """Seconds."""
    interval: float
    """Seconds to wait between two polls."""


class DeviceGrant(Record):
    """What the last poll brings in Codex's dialect."""

    code: str = hidden()
    code_verifier: str = hidden()


class DeviceRequest(Record):
    """A request to an endpoint for device codes."""

    url: str
    form: Form = hidden()
    encoding: Encoding


def code_request(provider: Provider) -> DeviceRequest:
    """Ask for a code (RFC 8628 section 3.1)."""
    endpoints = endpoints_of(provider)
    if endpoints.dialect is _CODEX:
        form: Form = (("client_id", provider.client_id),)
        return DeviceRequest(url=endpoints.code_endpoint, form=form, encoding=Encoding.JSON)
    form = (("client_id", provider.client_id), ("scope", " ".join(provider.scopes)))
    return DeviceRequest(url=endpoints.code_endpoint, form=form, encoding=Encoding.FORM)


def poll_request(provider: Provider, device: DeviceCode) -> DeviceRequest:
    """Ask whether the code was used (RFC 8628 section 3.4)."""
    endpoints = endpoints_of(provider)
    url = endpoints.poll_endpoint or provider.token_endpoint
    if endpoints.dialect is _CODEX:
        form: Form = (("device_auth_id", device.device_code), ("user_code", device.user_code))
        return DeviceRequest(url=url, form=form, encoding=Encoding.JSON)
    form = (("grant_type", _GRANT_TYPE), ("device_code", device.device_code), ("client_id", provider.client_id))
    return DeviceRequest(url=url, form=form, encoding=Encoding.FORM)


def grant_exchange(provider: Provider, grant: DeviceGrant) -> Form:
    """The token request for the authorization code that a poll brought."""
    redirect_uri = endpoints_of(provider).redirect_uri
    assert redirect_uri is not None
    return (
        ("grant_type", "authorization_code"),
        ("client_id", provider.client_id),
        ("code", grant.code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", grant.code_verifier),
    )


def read_device_code(response: TokenResponseReceived, provider: Provider, hide: tuple[str, ...]) -> Interpretation:
    """Read the answer to a request for a code.

    Args:
        response: As received.
        provider: Whose dialect it is in.
        hide: Secrets that an error description might echo.
    """
    body = oauth.read_object(response)
    answer = oauth.judge(response, body, hide)
    if isinstance(answer, oauth.Rejected):
        # RFC 6749 section 5.2: this client may not use this grant.
        not_enabled = response.status == 404 or oauth.error_code(body) == "unauthorized_client"
        trigger = Trigger.DEVICE_CODE_NOT_ENABLED if not_enabled else Trigger.DEVICE_CODE_REFUSED
        return Interpretation(trigger=trigger, message=answer.message)
    if isinstance(answer, oauth.Malformed):
        return _malformed(answer.message)
    return _device_code(answer, endpoints_of(provider))


def read_poll(response: TokenResponseReceived, provider: Provider, hide: tuple[str, ...]) -> Interpretation | TokenSet:
    """Read the answer to a poll.

    Args:
        response: As received.
        provider: Whose dialect it is in.
        hide: Secrets that an error description might echo.

    Returns:
        The tokens, not checked yet, if the dialect delivers them; else what the answer means.
    """
    dialect = endpoints_of(provider).dialect
    body = oauth.read_object(response)
    answer = oauth.judge(response, body, hide)
    if isinstance(answer, oauth.Rejected):
        meaning = _refusal(response.status, oauth.error_code(body), dialect)
        return Interpretation(trigger=meaning, message=answer.message)
    if isinstance(answer, oauth.Malformed):
        return _malformed(answer.message)
    if dialect is _CODEX:
        return _grant(answer)
    tokens = oauth.token_set(answer)
    return _malformed(tokens.message) if isinstance(tokens, oauth.Malformed) else tokens


def _refusal(status: int, code: str, dialect: DeviceCodeDialect) -> Trigger:
    """What it means that a poll brought nothing."""
    trigger = _ERRORS.get(code)
    if trigger is None and dialect is _CODEX and status in (403, 404):
        trigger = Trigger.DEVICE_CODE_PENDING
    if trigger is not Trigger.SLOW_DOWN_REQUESTED and (status in (408, 425, 429) or status >= 500):
        trigger = Trigger.POLL_FAILED
    return trigger or Trigger.DEVICE_CODE_DENIED


def _device_code(answer: JsonObject, endpoints: DeviceCodeEndpoints) -> Interpretation:
    codex = endpoints.dialect is _CODEX
    device_code = answer.get("device_auth_id" if codex else "device_code")
    user_code = answer.get("user_code") or (answer.get("usercode") if codex else None)
    url = endpoints.verification_url or answer.get("verification_uri")
    complete_url = answer.get("verification_uri_complete")
    if not _is_code(device_code, MAX_CODE):
        return _malformed("no usable device code in the answer")
    if not _is_code(user_code, MAX_USER_CODE):
        return _malformed("no usable user code in the answer")
    if not is_verification_url(url):
        return _malformed("no usable verification address in the answer")
    lifetime = None if codex else answer.get("expires_in")
    device = DeviceCode(
        device_code=device_code,
        user_code=user_code,
        verification_url=url,
        complete_url=complete_url if is_verification_url(complete_url) else None,
        expires_in=_seconds(lifetime, DEFAULT_LIFETIME, LONGEST_LIFETIME),
        interval=_seconds(answer.get("interval"), DEFAULT_INTERVAL, LONGEST_INTERVAL),
    )
    return Interpretation(trigger=Trigger.DEVICE_CODE_RECEIVED, device_code=device)


def _grant(answer: JsonObject) -> Interpretation:
    code, code_verifier = answer.get("authorization_code"), answer.get("code_verifier")
    if not _is_code(code, MAX_CODE):
        return _malformed("no usable authorization_code in the answer")
    if not _is_code(code_verifier, MAX_CODE):
        return _malformed("no usable code_verifier in the answer")
    grant = DeviceGrant(code=code, code_verifier=code_verifier)
    return Interpretation(trigger=Trigger.DEVICE_CODE_AUTHORIZED, device_grant=grant)


def endpoints_of(provider: Provider) -> DeviceCodeEndpoints:
    """Those of a provider that has device codes: nobody starts such a login with another."""
    assert provider.device_code is not None
    return provider.device_code


def _is_code(value: object, longest: int) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= longest and is_visible_ascii(value)


def _seconds(value: object, default: float, longest: float) -> float:
    """A number of seconds, or the digits of one, within its bounds. Anything else is as good as nothing."""
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return default
    return float(max(SHORTEST_INTERVAL, min(value, longest)))


def _malformed(message: str) -> Interpretation:
    return Interpretation(trigger=Trigger.TOKEN_RESPONSE_MALFORMED, message=message)

"""Device codes: the requests, and what the responses mean.

There are two dialects. RFC 8628 is the OAuth 2.0 device authorization grant. Codex has a protocol of its own: the
bodies are JSON, the statuses 403 and 404 mean "not yet", and the last poll brings an authorization code together with
the verifier of its challenge.
"""

from __future__ import annotations

from enum import StrEnum

from ..base.http import Encoding, HttpRequest
from ..base.records import Record, hidden
from ..base.text import is_visible_ascii
from ..model.provider import DeviceCodeDialect, is_verification_url
from .authorization import MAX_CODE
from .token_requests import TOKEN_EXCHANGE_TIMEOUT
from .token_responses import Malformed, Rejected, error_code, judge, read_object, token_set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final, TypeGuard

    from ..base.http import Form, HttpResponse
    from ..base.strict_json import JsonObject
    from ..model.provider import DeviceCodeEndpoints, Provider
    from ..model.tokens import TokenSet

CODE_REQUEST_TIMEOUT: Final = 30.0
"""Time limit of the request for a code, in seconds."""
POLL_TIMEOUT: Final = 15.0
"""Time limit of a poll, in seconds."""
DEFAULT_INTERVAL: Final = 5.0
"""Seconds between two polls, if the provider names none (RFC 8628 section 3.2)."""
SHORTEST_INTERVAL: Final = 1.0
"""The least number of seconds between two polls, whatever the provider names."""
LONGEST_INTERVAL: Final = 60.0
"""The greatest number of seconds between two polls, whatever the provider names."""
SLOW_DOWN: Final = 5.0
"""Seconds that ``slow_down`` adds to the interval, for all later polls (RFC 8628 section 3.5)."""
LONGEST_BACK_OFF: Final = 30.0
"""The most seconds between two polls while the provider does not respond, unless the interval is longer."""
DEFAULT_LIFETIME: Final = 900.0
"""Seconds for which a code is valid, if the provider names none."""
LONGEST_LIFETIME: Final = 3600.0
"""The greatest number of seconds for which a code is used, whatever the provider names."""
MAX_USER_CODE: Final = 64
"""The most characters of a user code."""

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


class NotEnabled(Rejected):
    """The provider has no device codes for this client."""


class PollProblem(StrEnum):
    """Why a poll brought no tokens."""

    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    DENIED = "access_denied"
    EXPIRED = "expired_token"
    UNAVAILABLE = "unavailable"
    """The provider cannot answer at the moment."""


class PollRejected(Rejected):
    """A poll brought no tokens."""

    problem: PollProblem


_ERRORS: Final[Mapping[str, PollProblem]] = {
    problem.value: problem for problem in PollProblem if problem is not PollProblem.UNAVAILABLE
}
"""The error codes of RFC 8628 section 3.5."""


def code_request(provider: Provider) -> HttpRequest:
    """Return the request for a code (RFC 8628 section 3.1)."""
    endpoints = endpoints_of(provider)
    form: Form = (("client_id", provider.client_id),)
    if endpoints.dialect is not _CODEX:
        form = (*form, ("scope", " ".join(provider.scopes)))
    return _request(endpoints, endpoints.code_endpoint, form, CODE_REQUEST_TIMEOUT)


def poll_request(provider: Provider, device: DeviceCode) -> HttpRequest:
    """Return the request that asks whether the person has entered the code (RFC 8628 section 3.4)."""
    endpoints = endpoints_of(provider)
    form: Form = (("device_auth_id", device.device_code), ("user_code", device.user_code))
    if endpoints.dialect is not _CODEX:
        form = (("grant_type", _GRANT_TYPE), ("device_code", device.device_code), ("client_id", provider.client_id))
    return _request(endpoints, poll_endpoint(provider), form, POLL_TIMEOUT)


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


def read_device_code(
    response: HttpResponse, provider: Provider, hide: tuple[str, ...]
) -> DeviceCode | NotEnabled | Rejected | Malformed:
    """Read the response to a request for a code.

    Args:
        response: With any status.
        provider: Its dialect decides how the response is read.
        hide: Secrets that were sent. An error description may echo them.

    Returns:
        The code (RFC 8628 section 3.2), or why there is none.
    """
    body = read_object(response)
    answer = judge(response, body, hide)
    if isinstance(answer, Rejected):
        # RFC 6749 section 5.2: this client may not use this grant.
        not_enabled = response.status == 404 or error_code(body) == "unauthorized_client"
        return NotEnabled(message=answer.message) if not_enabled else answer
    return answer if isinstance(answer, Malformed) else _device_code(answer, endpoints_of(provider))


def read_poll(
    response: HttpResponse, provider: Provider, hide: tuple[str, ...]
) -> TokenSet | DeviceGrant | PollRejected | Malformed:
    """Read the response to a poll.

    Args:
        response: With any status.
        provider: Its dialect decides how the response is read.
        hide: Secrets that were sent. An error description may echo them.

    Returns:
        The tokens, not checked yet, or the authorization code in Codex's dialect. Otherwise why there are none.
    """
    dialect = endpoints_of(provider).dialect
    body = read_object(response)
    answer = judge(response, body, hide)
    if isinstance(answer, Rejected):
        problem = _poll_problem(response.status, error_code(body), dialect)
        return PollRejected(message=answer.message, problem=problem)
    if isinstance(answer, Malformed):
        return answer
    return _grant(answer) if dialect is _CODEX else token_set(answer)


def _request(endpoints: DeviceCodeEndpoints, url: str, form: Form, timeout: float) -> HttpRequest:
    encoding = Encoding.JSON if endpoints.dialect is _CODEX else Encoding.FORM
    return HttpRequest(url=url, form=form, encoding=encoding, timeout=timeout)


def _poll_problem(status: int, code: str, dialect: DeviceCodeDialect) -> PollProblem:
    problem = _ERRORS.get(code)
    if problem is None and dialect is _CODEX and status in (403, 404):
        problem = PollProblem.PENDING
    if problem is not PollProblem.SLOW_DOWN and (status in (408, 425, 429) or status >= 500):
        problem = PollProblem.UNAVAILABLE
    return problem or PollProblem.DENIED


def _device_code(answer: JsonObject, endpoints: DeviceCodeEndpoints) -> DeviceCode | Malformed:
    codex = endpoints.dialect is _CODEX
    device_code = answer.get("device_auth_id" if codex else "device_code")
    user_code = answer.get("user_code") or (answer.get("usercode") if codex else None)
    url = endpoints.verification_url or answer.get("verification_uri")
    complete_url = answer.get("verification_uri_complete")
    if not _is_code(device_code, MAX_CODE):
        return Malformed(message="no usable device code in the answer")
    if not _is_code(user_code, MAX_USER_CODE):
        return Malformed(message="no usable user code in the answer")
    if not is_verification_url(url):
        return Malformed(message="no usable verification address in the answer")
    lifetime = None if codex else answer.get("expires_in")
    return DeviceCode(
        device_code=device_code,
        user_code=user_code,
        verification_url=url,
        complete_url=complete_url if is_verification_url(complete_url) else None,
        expires_in=_seconds(lifetime, DEFAULT_LIFETIME, LONGEST_LIFETIME),
        interval=_seconds(answer.get("interval"), DEFAULT_INTERVAL, LONGEST_INTERVAL),
    )


def _grant(answer: JsonObject) -> DeviceGrant | Malformed:
    code, code_verifier = answer.get("authorization_code"), answer.get("code_verifier")
    if not _is_code(code, MAX_CODE):
        return Malformed(message="no usable authorization_code in the answer")
    if not _is_code(code_verifier, MAX_CODE):
        return Malformed(message="no usable code_verifier in the answer")
    return DeviceGrant(code=code, code_verifier=code_verifier)


def endpoints_of(provider: Provider) -> DeviceCodeEndpoints:
    """Return the device code endpoints of a provider. The provider must have them."""
    assert provider.device_code is not None
    return provider.device_code


def _is_code(value: object, longest: int) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= longest and is_visible_ascii(value)


def _seconds(value: object, default: float, longest: float) -> float:
    """Return a number of seconds, given as a number or as digits, within its bounds. Otherwise return the default."""
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return default
    return float(max(SHORTEST_INTERVAL, min(value, longest)))

"""Read the responses to requests for a device code, and to its polls."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ..base.http import retry_after
from ..base.text import is_printable, is_visible_ascii
from ..base.urls import is_verification_url
from ..server.endpoints import DeviceCodeDialect
from .authorization import is_code
from .device_code import DeviceCode, DeviceGrant, endpoints_of
from .responses import (
    NETWORK_PAGE,
    TOO_MANY_REQUESTS,
    Malformed,
    Rejected,
    error_code,
    is_overloaded,
    judge,
    read_object,
)
from .token_responses import token_set

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final, TypeGuard

    from ..base.http import HttpResponse
    from ..base.strict_json import JsonObject
    from ..model.provider import Provider
    from ..model.tokens import TokenSet
    from ..server.endpoints import DeviceCodeEndpoints

DEFAULT_INTERVAL: Final = 5.0
"""Seconds between two polls, if the provider names none (RFC 8628 section 3.2)."""
SHORTEST_INTERVAL: Final = 1.0
"""The least number of seconds between two polls, whatever the provider names."""
LONGEST_INTERVAL: Final = 60.0
"""The greatest number of seconds between two polls, whatever the provider names."""
DEFAULT_LIFETIME: Final = 900.0
"""Seconds for which a code is valid, if the provider names none."""
LONGEST_LIFETIME: Final = 3600.0
"""The greatest number of seconds for which a code is used, whatever the provider names."""
MAX_DEVICE_CODE: Final = 4096
"""The most characters of a device code, and of a code verifier."""
MAX_USER_CODE: Final = 64
"""The most characters of a user code."""

_CODEX: Final = DeviceCodeDialect.CODEX


class NotEnabled(Rejected):
    """The provider has no device codes for this client."""


class Postponed(Rejected):
    """The provider has had too many requests, and gives no code at the moment."""

    pause: float
    """Seconds to wait before the next request, at least 1."""


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


def read_device_code(
    response: HttpResponse, provider: Provider, hide: tuple[str, ...]
) -> DeviceCode | NotEnabled | Postponed | Rejected | Malformed:
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
        if response.status == TOO_MANY_REQUESTS:
            pause = retry_after(response)
            pause = DEFAULT_INTERVAL if pause is None else max(SHORTEST_INTERVAL, pause)
            return Postponed(message=answer.message, pause=pause)
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
    if answer == NETWORK_PAGE:
        # A network that wants a sign-in, or a proxy in front of the provider, sent it in place of the provider.
        return PollRejected(message=NETWORK_PAGE.message, problem=PollProblem.UNAVAILABLE)
    if isinstance(answer, Malformed):
        return answer
    return _grant(answer) if dialect is _CODEX else token_set(answer, provider)


def _poll_problem(status: int, code: str, dialect: DeviceCodeDialect) -> PollProblem:
    problem = _ERRORS.get(code)
    if problem is None and dialect is _CODEX and status in (403, 404):
        problem = PollProblem.PENDING
    if problem is not PollProblem.SLOW_DOWN and (status in (408, 425) or is_overloaded(status)):
        problem = PollProblem.UNAVAILABLE
    return problem or PollProblem.DENIED


def _device_code(answer: JsonObject, endpoints: DeviceCodeEndpoints) -> DeviceCode | Malformed:
    codex = endpoints.dialect is _CODEX
    device_code = answer.get("device_auth_id" if codex else "device_code")
    user_code = answer.get("user_code") or (answer.get("usercode") if codex else None)
    url = endpoints.verification_url or answer.get("verification_uri")
    complete_url = answer.get("verification_uri_complete")
    if not _is_code(device_code, MAX_DEVICE_CODE):
        return Malformed(message="no usable device code in the answer")
    if not is_user_code(user_code):
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
    if not isinstance(code, str) or not is_code(code):
        return Malformed(message="no usable authorization_code in the answer")
    if not _is_code(code_verifier, MAX_DEVICE_CODE):
        return Malformed(message="no usable code_verifier in the answer")
    return DeviceGrant(code=code, code_verifier=code_verifier)


def _is_code(value: object, longest: int) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= longest and is_visible_ascii(value)


def is_user_code(value: object) -> TypeGuard[str]:
    """Return whether a person can read and enter a code. It is shown exactly as it is, with its spaces."""
    return isinstance(value, str) and len(value) <= MAX_USER_CODE and value.strip() != "" and is_printable(value)


def _seconds(value: object, default: float, longest: float) -> float:
    """Return a number of seconds, given as a number or as digits, within its bounds. Otherwise return the default."""
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return default
    return float(max(SHORTEST_INTERVAL, min(value, longest)))

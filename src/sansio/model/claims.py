"""What the tokens say about the person, and whether the id token may be believed.

Signatures are not verified: the tokens come straight from the token endpoint over TLS (OpenID Connect Core 3.1.3.7,
point 6).
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode

from ..base.records import Record
from ..base.strict_json import JsonError, JsonObject, loads_object
from ..base.text import clean_text, same_secret
from ..login.events import header_values
from .provider import IdTokenPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..base.text import Secret
    from ..login.events import Headers
    from .provider import LoginOptions, LoginSecrets, Provider

MAX_PAYLOAD: Final = 64 * 1024
CLOCK_TOLERANCE: Final = 300.0
"""Seconds by which an id token may be past its ``exp``."""
LAST_MOMENT: Final = 1e12
"""Seconds since 1970 beyond which nothing is a date: an integer from JSON may be larger than any float."""

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_IMF_DATE: Final = rb"[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT"
_BASE64URL: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Account(Record):
    """Whose login it is."""

    account_id: str | None = None
    """The ChatGPT account, which is also the workspace."""
    email: str | None = None
    plan: str | None = None
    """From the id token: decides which credentials apply."""
    shown_plan: str | None = None
    """From the access token: for the page."""
    organization_id: str | None = None
    project_id: str | None = None
    needs_setup: bool = False
    """The person owns an organisation whose setup is not finished."""


class ClaimError(ValueError):
    """A token does not pass a check. The message names the check, never the token."""


def read_claims(token: Secret) -> JsonObject:
    """The payload of a JWT (RFC 7519), unverified.

    Raises:
        ClaimError: It is not a JWT, or its payload is over 64 KiB or no strict JSON object.
    """
    parts = token.reveal().split(".")
    if len(parts) != 3 or len(parts[1].rstrip("=")) * 3 // 4 > MAX_PAYLOAD:
        raise ClaimError("it is not a JWT of a usable size")
    problem = ""
    try:
        encoded = parts[1].rstrip("=")
        if not encoded or encoded.strip(_BASE64URL):
            raise ClaimError("its payload is not base64url")
        return loads_object(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except binascii.Error:
        problem = "its payload is not base64url"
    except JsonError as error:
        problem = f"its payload cannot be read: {error}"
    raise ClaimError(problem)


def check_id_token(
    claims: JsonObject, options: LoginOptions, secrets: LoginSecrets, headers: Headers, received_at: float
) -> None:
    """The checks of OpenID Connect Core 3.1.3.7 that need no key.

    Args:
        claims: The id token's payload.
        options: Whose policy says whether an absent claim is refused.
        secrets: For the nonce.
        headers: Those of the token response: a ``Date`` can show that our clock is wrong.
        received_at: Our clock, in seconds since 1970.

    Raises:
        ClaimError: Naming the claim that is wrong or missing.
    """
    provider = options.provider
    strict = provider.id_token_policy == IdTokenPolicy.STRICT
    for name in ("iss", "sub", "aud", "exp", "iat") if strict else ():
        if name not in claims:
            raise ClaimError(f"it has no {name}")
    if "iss" in claims and claims["iss"] != provider.issuer:
        raise ClaimError("its issuer (iss) is another provider")
    audience = claims.get("aud", provider.client_id)
    if provider.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise ClaimError("it was made for another client (aud)")
    if "azp" in claims and claims["azp"] != provider.client_id:
        raise ClaimError("it was given to another client (azp)")
    if "exp" in claims:
        _check_expiry(claims["exp"], headers, received_at)
    if provider.uses_nonce and ("nonce" in claims or strict):
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not same_secret(nonce, secrets.nonce):
            raise ClaimError("it belongs to another sign-in (nonce)")


def read_account(id_claims: JsonObject, access_claims: JsonObject, provider: Provider) -> Account:
    """Gather what is known of the account: from the id token first, then from the access token."""
    ours, other = _account_claims(id_claims, provider), _account_claims(access_claims, provider)

    def either(name: str) -> object:
        return ours[name] if name in ours else other.get(name)

    return Account(
        account_id=identifier(ours.get("chatgpt_account_id")),
        email=_text(id_claims.get("email")),
        plan=_text(ours.get("chatgpt_plan_type")),
        shown_plan=_text(other.get("chatgpt_plan_type")),
        organization_id=_text(either("organization_id")),
        project_id=_text(either("project_id")),
        needs_setup=either("is_org_owner") is True and either("completed_platform_onboarding") is not True,
    )


def expiry(claims: JsonObject) -> float | None:
    """When a token ends (RFC 7519 section 4.1.4), in seconds since 1970; None if it does not say in a usable way."""
    moment = claims.get("exp")
    if isinstance(moment, bool) or not isinstance(moment, (int, float)) or not abs(moment) < LAST_MOMENT:
        return None
    return moment


def workspace_allowed(account: Account, allowed_workspaces: tuple[str, ...]) -> bool:
    """Whether the account may sign in: its id is in the list, or there is no list."""
    return not allowed_workspaces or account.account_id in allowed_workspaces


def _account_claims(claims: JsonObject, provider: Provider) -> JsonObject:
    if provider.claims_namespace is None:
        return claims
    nested = claims.get(provider.claims_namespace)
    return nested if isinstance(nested, dict) else {}


def identifier(value: object) -> str | None:
    """What is compared, byte for byte: one that could not be shown as it is stands for nothing."""
    return value if isinstance(value, str) and value and clean_text(value) == value else None


def _text(value: object) -> str | None:
    """A claim that is shown and stored: a string without control characters, or nothing."""
    return (clean_text(value) or None) if isinstance(value, str) else None


def _check_expiry(claimed: object, headers: Headers, received_at: float) -> None:
    moment = expiry({"exp": claimed})
    if moment is None:
        raise ClaimError("its expiry (exp) is not a number")
    latest = moment + CLOCK_TOLERANCE
    if received_at <= latest:
        return
    theirs = _server_time(headers)
    if theirs is None or theirs > latest:
        raise ClaimError("it has expired (exp)")


def _server_time(headers: Headers) -> float | None:
    """The ``Date`` of an answer (RFC 9110 section 5.6.7), in seconds since 1970."""
    # The standard parser, email.utils, imports the socket module; this format has one form.
    import re  # noqa: PLC0415 - not needed before the URL is shown
    from datetime import UTC, datetime  # noqa: PLC0415

    values = header_values(headers, b"date")
    match = re.fullmatch(_IMF_DATE, values[0].strip()) if values else None
    if match is None or match[2].decode() not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(match[group]) for group in (1, 3, 4, 5, 6))
    try:
        moment = datetime(year, _MONTHS.index(match[2].decode()) + 1, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp()

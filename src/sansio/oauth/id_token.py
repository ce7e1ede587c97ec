"""The checks of an id token that need no key (OpenID Connect Core 3.1.3.7).

The signature is not verified: the token comes from the token endpoint over TLS (OpenID Connect Core 3.1.3.7, point 6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.http import header_values, read_date
from ..base.secret import same_secret
from ..model.claims import ClaimError, expiry
from ..server.endpoints import IdTokenPolicy

if TYPE_CHECKING:
    from typing import Final

    from ..base.http import Headers
    from ..base.strict_json import JsonObject
    from ..model.provider import Provider

CLOCK_TOLERANCE: Final = 300.0
"""Seconds by which an id token may be past its ``exp``."""

IDENTITY: Final = ("iss", "sub", "aud")
"""The claims that a refresh must not change."""


def check_id_token(
    claims: JsonObject, provider: Provider, *, nonce: str | None, headers: Headers, received_at: float
) -> None:
    """Check the claims of an id token (OpenID Connect Core section 3.1.3.7).

    Args:
        claims: The token's payload.
        provider: The issuer and the client. Its policy says whether a missing claim is refused.
        nonce: The nonce of the authorization request; None if none was sent.
        headers: The header fields of the token response. Their ``Date`` can show that our clock is wrong.
        received_at: When the response was received, by our clock, in seconds since 1970.

    Raises:
        ClaimError: A claim is wrong or missing. The message names the claim.
    """
    strict = provider.id_token_policy == IdTokenPolicy.STRICT
    if strict:
        _check_presence(claims)
    if "iss" in claims and provider.issuer is not None and claims["iss"] != expected_issuer(claims, provider):
        raise ClaimError("its issuer (iss) is another provider")
    audience = claims.get("aud", provider.client_id)
    if provider.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise ClaimError("it was made for another client (aud)")
    if provider.dialect.strict_id_tokens:
        _check_strictly(claims, headers, received_at)
    if "azp" in claims and claims["azp"] != provider.client_id:
        raise ClaimError("it was given to another client (azp)")
    if "exp" in claims:
        _check_expiry(claims["exp"], headers, received_at)
    if nonce is not None and ("nonce" in claims or strict):
        claimed = claims.get("nonce")
        if not isinstance(claimed, str) or not same_secret(claimed, nonce):
            raise ClaimError("it belongs to another sign-in (nonce)")


def check_refreshed(claims: JsonObject, before: JsonObject) -> None:
    """Check that the id token of a refresh is of the same sign-in as the one before (OpenID Connect Core section 12.2).

    Args:
        claims: The payload of the new id token.
        before: The payload of the id token that it replaces. Claims that one of the two lacks are not compared.

    Raises:
        ClaimError: The issuer, the person, the audience or the client that it was given to is another one. The message
            names the claim.
    """
    both = claims.keys() & before.keys()
    if "iss" in both and claims["iss"] != before["iss"]:
        raise ClaimError("is of another issuer (iss)")
    if "sub" in both and claims["sub"] != before["sub"]:
        raise ClaimError("is of another person (sub)")
    if "aud" in both and not _is_same_audience(claims["aud"], before["aud"]):
        raise ClaimError("was made for another client (aud)")
    if "azp" in claims and "aud" in before and claims["azp"] not in _parties(before):
        raise ClaimError("was given to another client (azp)")


def _parties(before: JsonObject) -> list[object]:
    """Return the clients that an id token was given to. One without ``azp`` was given to those in its audience."""
    audience = before["aud"]
    return [before["azp"]] if "azp" in before else audience if isinstance(audience, list) else [audience]


def _is_same_audience(audience: object, before: object) -> bool:
    """Compare two audiences. One member may be written alone, and the order means nothing (RFC 7519 section 4.1.3)."""
    new, old = (value if isinstance(value, list) else [value] for value in (audience, before))
    return all(member in old for member in new) and all(member in new for member in old)


def expected_issuer(claims: JsonObject, provider: Provider) -> str | None:
    """Return the issuer that a token must have. Microsoft's has the tenant of the person, which the token names.

    Args:
        claims: The payload of the token.
        provider: Says whether its issuer has a tenant.
    """
    issuer, tenant = provider.id_token_issuer or provider.issuer, claims.get("tid")
    if issuer is None or not provider.issuer_has_tenant or not isinstance(tenant, str):
        return issuer
    return issuer.replace("{tenantid}", tenant)


def check_age(claims: JsonObject, received_at: float, max_age: int) -> None:
    """Check how long ago the person signed in (OpenID Connect Core section 3.1.3.7, point 13).

    Args:
        claims: The payload of an id token.
        received_at: When it was received, by our clock, in seconds since 1970.
        max_age: The ``max_age`` of the authorization request, in seconds.

    Raises:
        ClaimError: It was longer ago, or the token does not say.
    """
    signed_in = expiry({"exp": claims.get("auth_time")})
    if signed_in is None:
        raise ClaimError("it does not say when the person signed in (auth_time)")
    if received_at - signed_in > max_age + CLOCK_TOLERANCE:
        raise ClaimError("the person signed in too long ago (auth_time)")


def _check_presence(claims: JsonObject) -> None:
    for name in ("iss", "sub", "aud", "exp", "iat"):
        if name not in claims:
            raise ClaimError(f"it has no {name}")
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise ClaimError("its subject (sub) is not a text, or is empty")


def _check_strictly(claims: JsonObject, headers: Headers, received_at: float) -> None:
    """Check what OpenID Connect recommends (section 3.1.3.7, points 4 and 10), and some providers keep to."""
    audience = claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and "azp" not in claims:
        raise ClaimError("it was made for several clients, and does not say which one it was given to (azp)")
    issued_at = expiry({"exp": claims["iat"]})
    theirs = _server_time(headers)
    if issued_at is None or issued_at - CLOCK_TOLERANCE > max(received_at, theirs or 0.0):
        raise ClaimError("the time at which it was issued (iat) is no time, or in the future")


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
    """Return the ``Date`` of a response (RFC 9110 section 5.6.7), in seconds since 1970; None without a usable one."""
    values = header_values(headers, b"date")
    return read_date(values[0]) if values else None

"""Read the claims of a JWT (RFC 7519).

Signatures are not verified, because the tokens come from the token endpoint over TLS (OpenID Connect Core section
3.1.3.7, point 6).
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING

from ..base.strict_json import JsonError, JsonObject, loads_object

if TYPE_CHECKING:
    from typing import Final

    from ..base.secret import Secret

MAX_PAYLOAD: Final = 64 * 1024
"""The most bytes of a payload."""
LAST_MOMENT: Final = 1e12
"""The end of the usable times, in seconds since 1970. An integer from JSON may be larger than any float."""

_BASE64URL: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class ClaimError(ValueError):
    """A token does not pass a check. The message names the check, never the token."""


def read_claims(token: Secret) -> JsonObject:
    """Return the payload of a JWT (RFC 7519 section 4). The signature is not verified.

    Raises:
        ClaimError: The token is not a JWT, or its payload is larger than 64 KiB or not a strict JSON object.
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


def expiry(claims: JsonObject) -> float | None:
    """Return when a token expires (RFC 7519 section 4.1.4), in seconds since 1970; None without a usable ``exp``."""
    moment = claims.get("exp")
    if isinstance(moment, bool) or not isinstance(moment, (int, float)) or not abs(moment) < LAST_MOMENT:
        return None
    return moment


def claims_of(token: Secret | None) -> JsonObject:
    """Return the claims of a token; empty if there is none, or if it is no JWT. An access token need not be one."""
    try:
        return read_claims(token) if token is not None else {}
    except ClaimError:
        return {}

"""State of the OpenID provider: what people granted, the codes and tokens that stand for it, and the signing keys."""

from __future__ import annotations

import hmac
import json
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..accounts import Person
    from .clients import Clients
    from .switches import Algorithm, IdTokenFault, OpenIdSwitches

Kind = Literal["code", "access_token", "refresh_token"]
_Key = RSAKey | ECKey | OKPKey


class Clock:
    """The time by which codes and tokens expire."""

    def __init__(self) -> None:
        self._offset = 0.0

    def now(self) -> float:
        """Return the time in seconds since some point in the past."""
        return time.monotonic() + self._offset

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._offset += seconds


@dataclass(slots=True, kw_only=True)
class Grant:
    """What a person granted to a client in one sign-in."""

    client_id: str
    person: Person
    scope: tuple[str, ...]
    resources: tuple[str, ...] = ()
    redirect_uri: str | None = None
    code_challenge: str | None = None
    nonce: str | None = None
    active: bool = True
    """False after it was revoked. None of its codes and tokens work then."""


@dataclass(slots=True, kw_only=True)
class Ticket:
    """A code or token."""

    kind: Kind
    grant: Grant
    scope: tuple[str, ...]
    end: float
    used: bool = False
    revoked: bool = False


class Tickets:
    """All codes and tokens that were issued."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tickets: dict[str, Ticket] = {}

    def issue(
        self,
        kind: Kind,
        grant: Grant,
        *,
        lifetime: float,
        scope: tuple[str, ...] | None = None,
        text: str | None = None,
    ) -> str:
        """Issue a code or token.

        Args:
            kind: What it is.
            grant: What it stands for.
            lifetime: Seconds until it expires.
            scope: The scopes of an access token, if they are fewer than those of the grant.
            text: The code or token; a random one if it is None.

        Returns:
            The code or token.
        """
        text = text or secrets.token_urlsafe(32)
        scope = grant.scope if scope is None else scope
        with self._lock:
            self._tickets[text] = Ticket(kind=kind, grant=grant, scope=scope, end=self._clock.now() + lifetime)
        return text

    def find(self, text: str, kind: Kind | None = None) -> Ticket | None:
        """Return a valid code or token, without using it; None if there is none of this kind."""
        with self._lock:
            ticket = self._tickets.get(text)
            return ticket if ticket is not None and kind in (None, ticket.kind) and self._is_valid(ticket) else None

    def redeem(self, text: str, kind: Kind, client_id: str) -> Ticket | None:
        """Use a code or token that works once.

        A second use means that two parties have it. The whole grant is then revoked (RFC 6749 section 4.1.2, RFC 9700
        section 4.14.2). A client cannot do so with a token of another client.

        Returns:
            The ticket; None if it is unknown, used, expired, revoked, or belongs to another client.
        """
        with self._lock:
            ticket = self._tickets.get(text)
            if ticket is None or ticket.kind != kind or ticket.grant.client_id != client_id:
                return None
            if ticket.used:
                ticket.grant.active = False
            if not self._is_valid(ticket):
                return None
            ticket.used = True
            return ticket

    def revoke(self, text: str, client_id: str) -> bool:
        """Revoke a token: an access token alone, a refresh token with its whole grant (RFC 7009 section 2.1).

        Returns:
            False if it belongs to another client; nothing is revoked then. True otherwise, also if it is unknown.
        """
        with self._lock:
            ticket = self._tickets.get(text)
            if ticket is None or ticket.kind == "code":
                return True
            if ticket.grant.client_id != client_id:
                return False
            ticket.revoked = True
            if ticket.kind == "refresh_token":
                ticket.grant.active = False
            return True

    def _is_valid(self, ticket: Ticket) -> bool:
        return ticket.grant.active and not ticket.used and not ticket.revoked and self._clock.now() < ticket.end


@dataclass(slots=True, kw_only=True)
class State:
    """What the endpoints share."""

    issuer: str = ""
    """Set when the provider starts."""
    switches: OpenIdSwitches
    clients: Clients
    clock: Clock
    keys: Keys
    tickets: Tickets


class Keys:
    """The signing keys of a provider. A key is generated when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generation = 0
        self._keys: dict[tuple[str, int], _Key] = {}
        self._oldest = 0
        """Keys of older generations are not published."""

    def rotate(self, *, keep_old: bool = True) -> None:
        """Sign with a new key from now on.

        Args:
            keep_old: Go on publishing the older keys.
        """
        with self._lock:
            self._generation += 1
            if not keep_old:
                self._oldest = self._generation

    def jwks(self, algorithm: Algorithm) -> dict[str, object]:
        """Return the public keys as a JWK set (RFC 7517 section 5), with the current key of an algorithm."""
        self._current(algorithm)
        with self._lock:
            published = {key.kid: key for (_, made), key in self._keys.items() if made >= self._oldest}
        return {"keys": [{**key.as_dict(private=False), "use": "sig"} for key in published.values()]}

    def sign(
        self,
        claims: Mapping[str, object],
        algorithm: Algorithm,
        *,
        kind: str = "JWT",
        fault: IdTokenFault | None = None,
    ) -> str:
        """Return a JWT (RFC 7519).

        Args:
            claims: Its claims.
            algorithm: Signs it.
            kind: The ``typ`` of the header.
            fault: What is wrong with header or signature.
        """
        key = self._current(algorithm)
        header: dict[str, Any] = {"alg": algorithm, "typ": kind, "kid": key.kid}
        if fault == "unknown_kid":
            header["kid"] = secrets.token_urlsafe(8)
        elif fault == "no_kid":
            del header["kid"]
        elif fault == "alg_none":
            return _encoded({**header, "alg": "none"}, claims) + "."
        elif fault == "alg_hs256":
            signed = _encoded({**header, "alg": "HS256"}, claims)
            return f"{signed}.{base64_of(hmac.digest(key.as_pem(private=False), signed.encode(), 'sha256'))}"
        token = _signed(header, claims, key)
        if fault == "signature":
            signed, _, signature = token.rpartition(".")
            token = f"{signed}.{signature[:10]}{'A' if signature[10] != 'A' else 'B'}{signature[11:]}"
        return token

    def _current(self, algorithm: Algorithm) -> _Key:
        family = {"ES256": "EC", "EdDSA": "OKP"}.get(algorithm, "RSA")
        with self._lock:
            name = family, self._generation
            if name not in self._keys:
                self._keys[name] = _generate(family, self._generation)
            return self._keys[name]


class _RsaKeys:
    """RSA keys of this process. They take long to generate, so all providers have the same ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: list[RSAKey] = []

    def get(self, number: int) -> RSAKey:
        with self._lock:
            while len(self._keys) <= number:
                self._keys.append(RSAKey.generate_key(2048, auto_kid=True))
            return self._keys[number]


_rsa_keys: Final = _RsaKeys()


def _generate(family: str, generation: int) -> _Key:
    if family == "EC":
        return ECKey.generate_key("P-256", auto_kid=True)
    return OKPKey.generate_key("Ed25519", auto_kid=True) if family == "OKP" else _rsa_keys.get(generation)


def _signed(header: dict[str, Any], claims: Mapping[str, object], key: _Key) -> str:
    if isinstance(key, OKPKey):  # joserfc warns of this name of the algorithm, which most servers still use
        signed = _encoded(header, claims)
        return f"{signed}.{base64_of(key.private_key.sign(signed.encode()))}"  # type: ignore[union-attr]
    return jwt.encode(header, dict(claims), key, algorithms=[header["alg"]])


def _encoded(header: Mapping[str, object], claims: Mapping[str, object]) -> str:
    return ".".join(base64_of(json.dumps(part).encode()) for part in (header, claims))


def base64_of(data: bytes) -> str:
    """Return bytes in base64url without padding (RFC 7515 section 2)."""
    return urlsafe_b64encode(data).decode("ascii").rstrip("=")

"""Signing keys, and JSON Web Tokens with and without faults."""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final, Literal

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

if TYPE_CHECKING:
    from collections.abc import Mapping

Algorithm = Literal["RS256", "ES256", "PS256", "EdDSA"]
IdTokenFault = Literal["signature", "unknown_kid", "no_kid", "alg_none", "alg_hs256"]
_Key = RSAKey | ECKey | OKPKey


class Keys:
    """The signing keys of a provider. A key is generated when it is first needed.

    Args:
        standby: How many keys are published before they sign anything.
    """

    def __init__(self, *, standby: int = 0) -> None:
        self._lock = threading.Lock()
        self._standby = standby
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

    def jwks(self, algorithm: Algorithm, *, current: bool = True) -> dict[str, object]:
        """Return the public keys as a JWK set (RFC 7517 section 5).

        Args:
            algorithm: The current key of this algorithm is among them.
            current: Set to False to leave out the keys that sign now.
        """
        for later in range(self._standby + 1):
            self._key(algorithm, later)
        with self._lock:
            kept = [(made, key) for (_, made), key in self._keys.items() if made >= self._oldest]
            published = {key.kid: key for made, key in kept if current or made != self._generation}
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
        key = self._key(algorithm)
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

    def _key(self, algorithm: Algorithm, later: int = 0) -> _Key:
        family = {"ES256": "EC", "EdDSA": "OKP"}.get(algorithm, "RSA")
        with self._lock:
            name = family, self._generation + later
            if name not in self._keys:
                self._keys[name] = _generate(*name)
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

"""Sign the id tokens of a trace, so that the second machine and every replay verify them like the real ones.

The keys in a trace are not the provider's. Each is the public half of a key that is no secret. Its signatures mean
nothing: a machine has that key only from the keys in a trace. If a real signature is right, the redacted token is
signed with that key. If it is wrong, so is that of the redacted token, or, if the keys come after the token, the keys
in the trace are others. All else decides as in the real login: an unknown ``kid``, an algorithm that is not accepted, a
header that cannot be read.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Final

from ...base.secret import Secret
from ...base.strict_json import loads_object
from ...oauth.keys import (
    SIGNATURE_ALGORITHMS,
    KeyUnknown,
    SignatureRefused,
    SignatureWrong,
    algorithm_of,
    read_header,
    verify_signature,
)

if TYPE_CHECKING:
    from ...base.strict_json import JsonObject
    from ...oauth.keys import KeySet
    from ..placeholders import Placeholders

ALGORITHM: Final = "EdDSA"
"""The algorithm of the signatures in a trace. They are always the same for the same token."""
KNOWN_ALGORITHMS: Final = (*SIGNATURE_ALGORITHMS, "none", "HS256", "HS384", "HS512")
"""The names of algorithms that a trace may hold."""
_PRIVATE: Final = b"loginmachine: a key for traces 1"
_PUBLIC: Final = "6G-mG6oz1KnKaLSv7cPcuUarGmLH2m0nfbMNiyJ8mPE"
"""The public half of `_PRIVATE`."""
_OTHER: Final = "_ZzQW6rB3_LstAg_2ABCGTKEvUKt4fcMx4V8Y3DwSAg"
"""The public half of another key, which has signed nothing."""
_WRONG: Final = "A" * 86
"""A signature that no key has made."""
_UNREADABLE: Final = "!"
"""Stands for a header that cannot be read."""


class Signatures:
    """The signatures of one login or refresh.

    What an event brings counts only after `settle`: the machine may have dropped the event as a late one.

    Args:
        placeholders: The placeholders of the login.
    """

    def __init__(self, placeholders: Placeholders) -> None:
        self._placeholders = placeholders
        self._keys: KeySet | None = None
        """The provider's keys, which the machine has."""
        self._token: Secret | None = None
        """The last id token, which may wait for the keys."""
        self._new_keys: KeySet | None = None
        self._new_token: Secret | None = None
        self.algorithms: tuple[str, ...] = ()
        """The algorithms that the real provider accepts."""

    def settle(self, *, counts: bool) -> None:
        """Note the keys, or the id token, of the last event.

        Args:
            counts: The machine did not drop the event.
        """
        if counts:
            self._keys, self._token = self._new_keys or self._keys, self._new_token or self._token
        self._new_keys = self._new_token = None

    def token(self, token: str, payload: str) -> str:
        """Return a redacted id token with a signature.

        Args:
            token: The real id token.
            payload: The redacted payload, encoded.
        """
        self._new_token = Secret(token)
        header, is_right = self._header(self._new_token)
        if header is None:
            return f"{_UNREADABLE}.{payload}.{_WRONG}"
        message = f"{_encoded(json.dumps(header).encode('ascii'))}.{payload}"
        return f"{message}.{_signature(message) if is_right else _WRONG}"

    def _header(self, token: Secret) -> tuple[JsonObject | None, bool]:
        """Return the redacted header of a token, None if it cannot be read, and whether the signature is to be right.

        Without keys, a signature is right until they come.
        """
        header: JsonObject | None = None
        is_made_here = False
        try:
            header = read_header(token.reveal().partition(".")[0])
            algorithm_of(header, self.algorithms)
            is_made_here = True
            if self._keys is not None:
                verify_signature(token, self._keys, self.algorithms)
        except KeyUnknown:
            pass
        except SignatureWrong:
            return self._redacted(header, is_made_here=True), False
        except SignatureRefused:
            return self._redacted(header, is_made_here=False), False
        return self._redacted(header, is_made_here=is_made_here), is_made_here

    def _redacted(self, header: JsonObject | None, *, is_made_here: bool) -> JsonObject | None:
        if header is None:
            return None
        redacted: JsonObject = {"crit": []} if "crit" in header else {}
        if is_made_here:
            redacted["alg"] = ALGORITHM
        elif "alg" in header:
            redacted["alg"] = header["alg"] if header["alg"] in KNOWN_ALGORITHMS else "other"
        kid = header.get("kid")
        if kid is not None:
            redacted["kid"] = self._kid(kid) if isinstance(kid, str) else 0
        return redacted

    def keys(self, found: KeySet) -> list[JsonObject]:
        """Return the keys that stand for the provider's, each with a name if that has one.

        Args:
            found: The provider's keys.
        """
        self._new_keys = found
        key = {"kty": "OKP", "crv": "Ed25519", **self._for_waiting(found)}
        names = [loads_object(text.encode()).get("kid") for text in found.keys]
        return [key if name is None else {**key, "kid": self._kid(name)} for name in names]

    def _for_waiting(self, found: KeySet) -> JsonObject:
        """Return the members of the keys that decide whether the token that waits for them is accepted."""
        try:
            if self._token is not None:
                verify_signature(self._token, found, self.algorithms)
        except KeyUnknown:
            pass
        except SignatureWrong:
            return {"x": _OTHER}
        except SignatureRefused:
            # No key fits the token, which no key with this algorithm does.
            return {"x": _PUBLIC, "alg": "other"}
        return {"x": _PUBLIC}

    def _kid(self, kid: str) -> str:
        return self._placeholders.of("kid", kid) if kid else ""


def _signature(message: str) -> str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - takes 50 ms

    return _encoded(Ed25519PrivateKey.from_private_bytes(_PRIVATE).sign(message.encode("ascii")))


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")

"""The provider's keys, and the signatures of id tokens (RFC 7515, 7517 and 7518).

The library that verifies is `joserfc`, which is loaded only for that. The rules that decide which key may verify which
token are here, so that nothing in a token can choose them.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING

from ..base.http import HttpRequest
from ..base.records import Record
from ..base.strict_json import JsonError, loads_object
from .endpoint_responses import DocumentProblem, read_document

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from ..base.http import HttpResponse
    from ..base.secret import Secret
    from ..base.strict_json import JsonObject

KEYS_TIMEOUT: Final = 15.0
"""Time limit of a request for keys, in seconds."""
MAX_KEYS: Final = 100
"""The most keys of a set that are used. A token without a ``kid`` is tried with each of them."""
MAX_MEMBER: Final = 4096
"""The most characters of a member of a key. A modulus of 16,384 bits has 2,731."""
MAX_HEADER: Final = 16 * 1024
"""The most characters of a token's header. It may hold certificates."""
SMALLEST_RSA: Final = 2048
"""The fewest bits of an RSA key (RFC 7518 sections 3.3 and 3.5)."""

_KEY_TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    **dict.fromkeys(("EdDSA", "Ed25519"), "OKP"),
}
"""The algorithms that are verified, each with its type of key (RFC 7518 section 3.1, RFC 8037, RFC 9864)."""
SIGNATURE_ALGORITHMS: Final = tuple(_KEY_TYPES)
"""The names of the algorithms that are verified. All of them have public keys."""
_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
"""The public members that each type of key must have."""
_OPTIONAL: Final = ("kid", "alg", "use")
_BASE64URL: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class SignatureRefused(ValueError):  # noqa: N818 - says what happened to the signature
    """The signature of an id token is not accepted. The message names the rule, never the token."""


class SignatureWrong(SignatureRefused):
    """No key of the provider has made the signature."""


class KeyUnknown(ValueError):  # noqa: N818 - says what is unknown
    """The set has no key with the name that the token gives. The provider may have new keys."""


class KeysProblem(DocumentProblem):
    """The provider's keys cannot be used."""


class KeySet(Record):
    """The public keys of a provider.

    Raises:
        ValueError: A key is not written as `read_keys` writes it.
    """

    keys: tuple[str, ...]
    """Each key as a JWK (RFC 7517 section 4) with its public members only, in JSON as `read_keys` writes it."""

    def _check(self) -> None:
        if not all(map(_is_written_here, self.keys)):
            raise ValueError("a key is not written as `read_keys` writes it")


def keys_request(jwks_uri: str) -> HttpRequest:
    """Return the request for the provider's keys."""
    return HttpRequest(url=jwks_uri, method="GET", timeout=KEYS_TIMEOUT)


def read_keys(response: HttpResponse) -> KeySet | KeysProblem:
    """Read the response to a request for keys (RFC 7517 section 5).

    Keys of other types, keys that are broken, and keys for encryption are left out. What is left may be nothing.

    Args:
        response: With any status.

    Returns:
        The keys, or why there are none.
    """
    document = read_document(response)
    if isinstance(document, DocumentProblem):
        return KeysProblem(**document.values())
    listed = document.get("keys")
    if not isinstance(listed, list):
        return KeysProblem(message="the provider's keys: keys is not a list (RFC 7517 section 5)")
    found = [text for text in map(_public, listed) if text]
    return KeySet(keys=tuple(found[:MAX_KEYS]))


def _public(key: object) -> str:
    """Return the public members of a key as JSON; empty if it cannot verify a signature."""
    import json  # noqa: PLC0415 - not needed before the URL is shown

    if not isinstance(key, dict) or key.get("use", "sig") != "sig" or not _may_verify(key.get("key_ops")):
        return ""
    members = _MEMBERS.get(key["kty"]) if isinstance(key.get("kty"), str) else None
    if members is None:
        return ""
    kept = ("kty", *members, *(name for name in _OPTIONAL if key.get(name) is not None))
    public = {name: key.get(name) for name in kept}
    is_usable = all(isinstance(value, str) and 0 < len(value) <= MAX_MEMBER for value in public.values())
    return json.dumps(public) if is_usable else ""


def _is_written_here(text: str) -> bool:
    try:
        return _public(loads_object(text.encode())) == text
    except ValueError:
        return False


def _may_verify(operations: object) -> bool:
    """Return whether a key's ``key_ops`` allow it to verify signatures (RFC 7517 section 4.3)."""
    return operations is None or (isinstance(operations, list) and "verify" in operations)


def verify_signature(id_token: Secret, keys: KeySet, algorithms: tuple[str, ...]) -> None:
    """Verify the signature of an id token (RFC 7515 section 5.2, OpenID Connect Core section 3.1.3.7).

    Args:
        id_token: The token. Its claims are not checked here.
        keys: The provider's keys.
        algorithms: The algorithms that the provider has named, or that the program allows. Those that are not in
            `SIGNATURE_ALGORITHMS` are never accepted, whatever is named: ``none``, and those with a shared secret.

    Raises:
        KeyUnknown: No key has the token's ``kid``. Fetch the keys once more, and try again.
        SignatureRefused: The signature is wrong, or the token breaks a rule.
    """
    parts = id_token.reveal().split(".")
    if len(parts) != 3:
        raise SignatureRefused("it is not a JWT with three parts")
    header = read_header(parts[0])
    algorithm = algorithm_of(header, algorithms)
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise SignatureRefused("its header names a key (kid) that is not a text")
    candidates = _candidates(keys, kid)
    fitting = [key for key in candidates if key["kty"] == _KEY_TYPES[algorithm] and key.get("alg") in (None, algorithm)]
    if not fitting:
        raise SignatureRefused("the provider has no key for its algorithm (alg)")
    strong = [key for key in fitting if key["kty"] != "RSA" or _bits(key["n"]) >= SMALLEST_RSA]
    if not strong:
        raise SignatureRefused(f"its key is too small: RSA keys have {SMALLEST_RSA} bits or more")
    signature = _decoded(parts[2])
    message = f"{parts[0]}.{parts[1]}".encode("utf-8", "surrogatepass")
    if signature is None or not any(_is_signed(message, signature, key, algorithm) for key in strong):
        raise SignatureWrong("its signature is wrong: no key of the provider has made it")


def read_header(encoded: str) -> JsonObject:
    """Read the header of a token (RFC 7515 section 4).

    Args:
        encoded: The first part of the token.

    Raises:
        SignatureRefused: It is no strict JSON object in base64url, or too long.
    """
    data = _decoded(encoded) if len(encoded) <= MAX_HEADER else None
    problem = "not base64url, or too long"
    try:
        if data is not None:
            return loads_object(data)
    except JsonError as error:
        problem = str(error)
    raise SignatureRefused(f"its header cannot be read: {problem}")


def algorithm_of(header: JsonObject, algorithms: tuple[str, ...]) -> str:
    """Return the algorithm of a token. It must be one of those that were chosen without the token.

    Args:
        header: The header of the token.
        algorithms: As for `verify_signature`.

    Raises:
        SignatureRefused: The token has another algorithm, or none, or its header has an extension.
    """
    if "crit" in header:
        raise SignatureRefused("its header has an extension that must be understood (crit), and none is known here")
    algorithm = header.get("alg")
    if algorithm == "none":
        raise SignatureRefused("it is not signed (alg is none)")
    if not isinstance(algorithm, str) or algorithm not in _KEY_TYPES:
        # With a shared secret (HS256), a public key would be enough to make a signature.
        raise SignatureRefused("its algorithm (alg) is none of those with public keys")
    if algorithm not in algorithms:
        raise SignatureRefused("its algorithm (alg) is none of those that are accepted from this provider")
    return algorithm


def _candidates(keys: KeySet, kid: str | None) -> list[dict[str, str]]:
    """Return the keys that a token may mean: those with its ``kid``, else those without one.

    A token without a ``kid`` may mean any key (OpenID Connect Core section 10.1).
    """
    known: list[dict[str, str]] = [loads_object(text.encode()) for text in keys.keys]
    named = [key for key in known if kid is None or key.get("kid") == kid]
    named = named or [key for key in known if "kid" not in key]
    if not named and kid is not None:
        raise KeyUnknown("the provider has no key with the name (kid) that its header gives")
    return named


def _decoded(encoded: str) -> bytes | None:
    """Return what base64url without padding stands for (RFC 7515 section 2); None for another text."""
    if encoded.strip(_BASE64URL):
        return None
    try:
        return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except binascii.Error:
        return None


def _bits(number: str) -> int:
    """Return how many bits a number in base64url has (RFC 7518 section 6.3.1.1)."""
    return int.from_bytes(_decoded(number) or b"", "big").bit_length()


def _is_signed(message: bytes, signature: bytes, jwk: dict[str, str], algorithm: str) -> bool:
    """Return whether a key has made a signature. A key that the library cannot use has not."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - takes 50 ms
    from joserfc.errors import JoseError  # noqa: PLC0415
    from joserfc.jwk import JWKRegistry  # noqa: PLC0415
    from joserfc.jws import JWSRegistry  # noqa: PLC0415

    # `joserfc.jws.deserialize_compact` would read the header once more, with an own limit of 512 bytes for it, and warn
    # about EdDSA, which many providers name.
    model = JWSRegistry.algorithms[algorithm]
    try:
        key = JWKRegistry.import_key({**jwk})
        # The type, the curve, and the use of the key fit the algorithm.
        model.check_key(key)
        return model.verify(message, signature, key)
    except (JoseError, UnsupportedAlgorithm, KeyError, ValueError):
        return False

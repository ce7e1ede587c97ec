"""How the provider's keys are read, and how they verify the signatures of id tokens."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import urlsafe_b64encode
from functools import cache
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry, serialize_compact

from loginmachine.sansio.base.http import HttpRequest
from loginmachine.sansio.base.secret import Secret
from loginmachine.sansio.oauth.keys import (
    SIGNATURE_ALGORITHMS,
    KeySet,
    KeysProblem,
    KeyUnknown,
    SignatureRefused,
    keys_request,
    read_keys,
    verify_signature,
)

from ..samples import answer

JOE = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
"""The payload of the examples of RFC 7515 appendix A."""
RFC_KEYS: dict[str, dict[str, str]] = {
    # RFC 7515 appendix A.2.
    "RS256": {
        "kty": "RSA",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR"
        "T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB"
        "dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia"
        "GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        "e": "AQAB",
    },
    # RFC 7515 appendix A.3.
    "ES256": {
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    },
    # RFC 8037 appendix A.2.
    "EdDSA": {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
    # RFC 7520 section 3.3.
    "PS384": {
        "kty": "RSA",
        "kid": "bilbo.baggins@hobbiton.example",
        "use": "sig",
        "n": "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRB"
        "SFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD"
        "1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_"
        "qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw",
        "e": "AQAB",
    },
}
RFC_TOKENS = {
    "RS256": f"eyJhbGciOiJSUzI1NiJ9.{JOE}."
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dn"
    "ZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC"
    "-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    "ES256": f"eyJhbGciOiJFUzI1NiJ9.{JOE}."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    # RFC 8037 appendix A.4.
    "EdDSA": "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    # RFC 7520 section 4.2.
    "PS384": "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9."
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGl"
    "mIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4."
    "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrh"
    "iUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA"
    "2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw",
}
"""Signed tokens of the specifications, made by others than the library under test."""
RSA, EC, OKP = RFC_KEYS["RS256"], RFC_KEYS["ES256"], RFC_KEYS["EdDSA"]
WRONG = "its signature is wrong: no key of the provider has made it"
CURVES: dict[str, Literal["P-256", "P-384", "P-521"]] = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


def key_set(*keys: object) -> KeySet:
    result = read_keys(answer(1, 200, json.dumps({"keys": keys}).encode()))
    assert isinstance(result, KeySet)
    return result


def refusal(token: str, keys: KeySet, *algorithms: str) -> str:
    """Return why a token is refused; empty if it is accepted."""
    try:
        verify_signature(Secret(token), keys, algorithms or SIGNATURE_ALGORITHMS)
    except (SignatureRefused, KeyUnknown) as error:
        return str(error)
    return ""


def private_key(algorithm: str, number: int = 1) -> RSAKey | ECKey | OKPKey:
    """Return a key for an algorithm. Another number means another key."""
    return made_key("RSA" if algorithm[1:2] == "S" and algorithm[0] != "E" else algorithm, number)


@cache
def made_key(kind: str, _number: int) -> RSAKey | ECKey | OKPKey:
    """Make a key once. The number only tells keys of one kind apart."""
    if kind == "RSA":
        return RSAKey.generate_key(2048)
    return ECKey.generate_key(CURVES[kind]) if kind in CURVES else OKPKey.generate_key("Ed25519")


def public(algorithm: str, number: int = 1, **members: Any) -> dict[str, Any]:
    return {**private_key(algorithm, number).as_dict(private=False), **members}


def encoded(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(algorithm: str, number: int = 1, **header: Any) -> str:
    """Return a token with a good signature."""
    start = f"{encoded({'alg': algorithm, **header})}.{encoded({'sub': 'canary-sub'})}"
    signature = JWSRegistry.algorithms[algorithm].sign(start.encode(), private_key(algorithm, number))
    return f"{start}.{encoded(signature)}"


# Reading keys


def test_the_request() -> None:
    url = "https://id.example/jwks"
    assert keys_request(url) == HttpRequest(url=url, method="GET", timeout=15.0)


def test_only_public_members_are_kept() -> None:
    private = {**RSA, "kid": "k", "alg": "RS256", "use": "sig", "d": "canary-d", "p": "canary-p", "x5c": ["canary"]}
    (kept,) = key_set(private).keys
    assert json.loads(kept) == {**RSA, "kid": "k", "alg": "RS256", "use": "sig"}


def test_a_member_that_is_null_is_as_absent() -> None:
    (kept,) = key_set({**EC, "kid": None, "alg": None, "use": "sig", "key_ops": None}).keys
    assert json.loads(kept) == {**EC, "use": "sig"}


@pytest.mark.parametrize(
    "broken",
    [
        *(None, 5, "RSA", [], {}, {"kty": 5}, {"kty": ["RSA"]}, {"kty": "oct", "k": "canary"}, {"kty": "unknown"}),
        *({**RSA, "use": "enc"}, {**RSA, "use": 5}, {**RSA, "use": None}),
        *({**RSA, "key_ops": ["encrypt"]}, {**RSA, "key_ops": "verify"}, {**RSA, "key_ops": []}),
        *({"kty": "RSA", "n": RSA["n"]}, {**RSA, "n": 5}, {**RSA, "n": ""}, {**RSA, "n": "A" * 4097}),
        *({**RSA, "kid": 5}, {**RSA, "kid": ""}, {**RSA, "alg": []}, {**EC, "crv": None}, {**OKP, "x": {}}),
    ],
)
def test_a_broken_key_is_skipped(broken: object) -> None:
    assert key_set(broken, {**EC, "key_ops": ["verify", "canary"]}) == key_set(EC)


def test_a_set_without_a_usable_key() -> None:
    assert key_set() == KeySet(keys=())
    assert refusal(RFC_TOKENS["RS256"], key_set()) == "the provider has no key for its algorithm (alg)"


def test_a_set_has_a_greatest_size() -> None:
    keys = key_set(*({**EC, "kid": str(number)} for number in range(101)))
    assert len(keys.keys) == 100
    assert json.loads(keys.keys[99])["kid"] == "99"


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, b"{}", "the provider's keys: keys is not a list (RFC 7517 section 5)"),
        (200, b'{"keys": {}}', "the provider's keys: keys is not a list (RFC 7517 section 5)"),
        (200, b'{"keys": [], "keys": []}', "the answer cannot be read: a duplicate member"),
        (200, b"<html>", "a web page instead of an answer: a sign-in page of the network?"),
        (302, b"", "the endpoint answered with a redirect (302), which is never followed"),
        (503, b"", "status 503, the provider has a problem"),
    ],
)
def test_no_keys(status: int, body: bytes, message: str) -> None:
    assert read_keys(answer(1, status, body)) == KeysProblem(message=message)


def test_keys_that_are_missing() -> None:
    assert read_keys(answer(1, 404, b"")) == KeysProblem(message="status 404", is_missing=True)


@pytest.mark.parametrize(
    "text", ["", "canary", "[]", "{}", json.dumps({**RSA, "d": "canary"}), json.dumps({**RSA, "use": "enc"}), "\ud800"]
)
def test_a_set_holds_only_what_was_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"^a key is not written as `read_keys` writes it$"):
        KeySet(keys=(text,))


# Good signatures


@pytest.mark.parametrize("algorithm", RFC_TOKENS)
def test_the_examples_of_the_specifications(algorithm: str) -> None:
    assert refusal(RFC_TOKENS[algorithm], key_set(RFC_KEYS[algorithm]), algorithm) == ""


@pytest.mark.parametrize("algorithm", RFC_TOKENS)
def test_the_examples_with_another_payload(algorithm: str) -> None:
    header, _, signature = RFC_TOKENS[algorithm].split(".")
    assert refusal(f"{header}.{encoded({'iss': 'jim'})}.{signature}", key_set(RFC_KEYS[algorithm])) == WRONG


@pytest.mark.parametrize("algorithm", SIGNATURE_ALGORITHMS)
def test_every_algorithm(algorithm: str) -> None:
    token = signed(algorithm, kid="k")
    assert refusal(token, key_set(public(algorithm, kid="k")), algorithm) == ""
    assert refusal(token, key_set(public(algorithm, kid="k", use="sig", alg=algorithm)), algorithm) == ""
    assert refusal(token, key_set(public(algorithm, 2, kid="k")), algorithm) == WRONG


def test_the_library_itself_makes_such_a_token() -> None:
    token = serialize_compact({"alg": "ES256", "typ": "JWT"}, b"{}", private_key("ES256"))
    assert refusal(token, key_set(public("ES256"))) == ""


@pytest.mark.parametrize(
    "header", [{"typ": "JWT"}, {"jku": "https://evil.example"}, {"x5c": ["c" * 9000]}, {"b64": True}]
)
def test_other_members_of_the_header_mean_nothing(header: dict[str, Any]) -> None:
    assert refusal(signed("ES256", **header), key_set(public("ES256"))) == ""


def test_a_key_in_the_header_is_not_used() -> None:
    token = signed("ES256", 2, jwk=public("ES256", 2))
    assert refusal(token, key_set(public("ES256", 1))) == WRONG


# Which key


def test_without_a_name_every_fitting_key_is_tried() -> None:
    keys = key_set(RSA, public("ES256", 2), public("ES256", 1, kid="any"), OKP)
    assert refusal(signed("ES256"), keys) == ""
    assert refusal(signed("ES256", 3), keys) == WRONG


def test_only_the_named_key_is_tried() -> None:
    keys = key_set(public("ES256", 1, kid="one"), public("ES256", 2, kid="two"))
    assert refusal(signed("ES256", 1, kid="one"), keys) == ""
    assert refusal(signed("ES256", 1, kid="two"), keys) == WRONG


def test_keys_of_one_name_are_told_apart_by_their_type() -> None:
    keys = key_set({**RSA, "kid": "k"}, public("ES256", 1, kid="k"))
    assert refusal(signed("ES256", 1, kid="k"), keys) == ""


def test_keys_without_a_name_may_be_meant_by_any() -> None:
    assert refusal(signed("ES256", 1, kid="k"), key_set(RSA, public("ES256"))) == ""
    assert refusal(signed("ES256", 1, kid="k"), key_set(public("ES256", 2))) == WRONG


@pytest.mark.parametrize("kid", ["canary", "", "K", "\ud800"])
def test_an_unknown_key(kid: str) -> None:
    with pytest.raises(KeyUnknown, match="no key with the name") as caught:
        verify_signature(Secret(signed("ES256", kid=kid)), key_set(public("ES256", kid="k")), ("ES256",))
    assert "canary" not in str(caught.value)


def test_a_named_key_in_an_empty_set_is_unknown() -> None:
    with pytest.raises(KeyUnknown):
        verify_signature(Secret(signed("ES256", kid="k")), key_set(), ("ES256",))


@pytest.mark.parametrize("key", [{**RSA, "kid": "k"}, {**EC, "kid": "k", "alg": "ES384"}, {**OKP, "kid": "k"}])
def test_a_named_key_that_does_not_fit(key: dict[str, str]) -> None:
    assert refusal(signed("ES256", kid="k"), key_set(key)) == "the provider has no key for its algorithm (alg)"


@pytest.mark.parametrize(
    "key",
    [
        {**EC, "crv": "P-384"},
        {**EC, "crv": "canary"},
        {**EC, "x": "AAAA"},
        {**EC, "x": "!!!!"},
        {**EC, "x": EC["y"]},
        public("ES384"),
        {**EC, "crv": "secp256k1"},
    ],
)
def test_a_key_that_the_library_cannot_use_is_skipped(key: dict[str, str]) -> None:
    assert refusal(signed("ES256"), key_set(key)) == WRONG
    assert refusal(signed("ES256"), key_set(key, public("ES256"))) == ""


@pytest.mark.parametrize("key", [{**OKP, "crv": "X25519"}, {**OKP, "crv": "Ed448"}, {**OKP, "x": "AAAA"}])
@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
def test_a_key_of_another_curve(algorithm: str, key: dict[str, str]) -> None:
    assert refusal(signed(algorithm), key_set(key)) == WRONG


@pytest.mark.parametrize("change", [{"e": "AA"}, {"e": "AQ"}, {"e": "!"}, {"n": RSA["n"][:-1] + "A"}])
def test_an_rsa_key_with_strange_numbers(change: dict[str, str]) -> None:
    assert refusal(RFC_TOKENS["RS256"], key_set({**RSA, **change})) == WRONG


@pytest.mark.parametrize("size", [256, 1024, 2040])
@pytest.mark.filterwarnings("error")
def test_a_small_rsa_key(size: int) -> None:
    small = {**RSA, "n": encoded((1 << (size - 1) | 1).to_bytes(size // 8, "big")), "kid": "k"}
    message = "its key is too small: RSA keys have 2048 bits or more"
    assert refusal(RFC_TOKENS["RS256"], key_set(small)) == message
    assert refusal(signed("RS256", kid="k"), key_set(small)) == message
    assert refusal(RFC_TOKENS["RS256"], key_set(small, RSA)) == ""


def test_zeros_do_not_make_a_small_key_large() -> None:
    small = {**RSA, "n": encoded(bytes(256) + (1 << 1023 | 1).to_bytes(128, "big"))}
    assert "too small" in refusal(RFC_TOKENS["RS256"], key_set(small))
    assert "too small" in refusal(RFC_TOKENS["RS256"], key_set({**RSA, "n": "!"}))


# Algorithms


def test_only_the_named_algorithms_are_accepted() -> None:
    keys = key_set(public("RS256"))
    message = "its algorithm (alg) is none of those that are accepted from this provider"
    assert refusal(signed("RS256"), keys, "PS256", "ES256") == message
    assert refusal(signed("RS256"), keys, "RS256") == ""


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "RS512"])
def test_the_algorithm_of_the_key_counts(algorithm: str) -> None:
    token = signed("PS256")
    expected = "" if algorithm == "PS256" else "the provider has no key for its algorithm (alg)"
    assert refusal(token, key_set(public("PS256", alg=algorithm))) == expected


@pytest.mark.parametrize("signature", ["", "AAAA"])
@pytest.mark.parametrize("named", [("none",), ("none", *SIGNATURE_ALGORITHMS)])
def test_a_token_that_is_not_signed(named: tuple[str, ...], signature: str) -> None:
    token = f"{encoded({'alg': 'none'})}.{JOE}.{signature}"
    assert refusal(token, key_set(RSA), *named) == "it is not signed (alg is none)"


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_public_key_used_as_a_shared_secret(algorithm: str) -> None:
    import hmac

    pem = private_key("RS256").as_pem(private=False)
    for secret in (pem, pem.strip(), json.dumps(public("RS256")).encode(), public("RS256")["n"].encode()):
        start = f"{encoded({'alg': algorithm, 'kid': 'k'})}.{JOE}"
        token = f"{start}.{encoded(hmac.digest(secret, start.encode(), f'sha{algorithm[2:]}'))}"
        keys = key_set(public("RS256", kid="k"), {"kty": "oct", "k": encoded(secret), "kid": "k"})
        assert refusal(token, keys, algorithm, "RS256") == "its algorithm (alg) is none of those with public keys"


@pytest.mark.parametrize(
    "algorithm", ["None", "NONE", "rs256", "RS1", "ES256K", "RSA-OAEP", "", None, 5, ["RS256"], {}]
)
def test_an_algorithm_that_is_not_known(algorithm: object) -> None:
    token = f"{encoded({'alg': algorithm})}.{JOE}.AAAA"
    assert refusal(token, key_set(RSA)) == "its algorithm (alg) is none of those with public keys"


# The token


@pytest.mark.parametrize("crit", [["b64"], ["exp"], [], "exp", None])
def test_an_extension_that_must_be_understood(crit: object) -> None:
    token = signed("ES256", crit=crit, b64=False, exp=1)
    assert refusal(token, key_set(public("ES256"))) == (
        "its header has an extension that must be understood (crit), and none is known here"
    )


@pytest.mark.parametrize("kid", [5, ["k"], {"k": 1}, True])
def test_a_name_that_is_no_text(kid: object) -> None:
    message = "its header names a key (kid) that is not a text"
    assert refusal(signed("ES256", kid=kid), key_set(public("ES256"))) == message


@pytest.mark.parametrize("token", ["", "canary", "a.b", "a.b.c.d", "a.b.c.d.e"])
def test_a_token_with_other_parts(token: str) -> None:
    assert refusal(token, key_set(RSA)) == "it is not a JWT with three parts"


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ("", "not JSON"),
        ("a", "not base64url, or too long"),
        ("e30=", "not base64url, or too long"),
        ("canary!", "not base64url, or too long"),
        ("\u00e9", "not base64url, or too long"),
        (encoded({"alg": "a" * 16_384}), "not base64url, or too long"),
        (encoded(b"canary"), "not JSON"),
        (encoded([]), "not a JSON object"),
        (encoded(b'{"alg": "none", "alg": "RS256"}'), "a duplicate member"),
        (encoded(b"\xff"), "not UTF-8"),
    ],
)
def test_a_header_that_cannot_be_read(header: str, rule: str) -> None:
    assert refusal(f"{header}.{JOE}.AAAA", key_set(RSA)) == f"its header cannot be read: {rule}"


def test_a_signature_that_is_changed() -> None:
    start, _, signature = signed("RS256").rpartition(".")
    other = signature[:-3] + ("AAA" if not signature.endswith("AAA") else "BBB")
    for changed in ("", other, signature[:-4], signature + "AAAA", signature + "=", signature + "\n", "!", "\ud800"):
        assert refusal(f"{start}.{changed}", key_set(public("RS256"))) == WRONG


def test_a_payload_that_no_text_can_be() -> None:
    header, _, signature = signed("RS256").split(".")
    assert refusal(f"{header}.\ud800.{signature}", key_set(public("RS256"))) == WRONG


def test_an_elliptic_signature_in_der_is_refused() -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey

    key = private_key("ES256").private_key
    assert isinstance(key, EllipticCurvePrivateKey)
    start, _, _ = signed("ES256").rpartition(".")
    assert (
        refusal(f"{start}.{encoded(key.sign(start.encode(), ECDSA(hashes.SHA256())))}", key_set(public("ES256")))
        == WRONG
    )
    assert refusal(f"{start}.{encoded(bytes(64))}", key_set(public("ES256"))) == WRONG


def test_no_message_and_no_traceback_has_the_token() -> None:
    import traceback

    for token in (signed("ES256", 2, kid="canary-kid"), f"canary.{JOE}.canary", "canary"):
        with pytest.raises((SignatureRefused, KeyUnknown)) as caught:
            verify_signature(Secret(token), key_set(public("ES256", kid="k")), ("ES256",))
        text = "".join(traceback.format_exception(caught.value))
        assert token not in text
        assert "canary-kid" not in text
        assert caught.value.__context__ is None


def test_the_library_is_loaded_only_to_verify() -> None:
    code = (
        "import sys, loginmachine.sansio.oauth.keys as keys\n"
        "keys.KeySet(keys=())\n"
        "assert not {'joserfc', 'cryptography'} & {name.partition('.')[0] for name in sys.modules}"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=50).returncode == 0


# Anything

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NUMBERS = st.binary(max_size=300).map(encoded)
MEMBERS = st.fixed_dictionaries(
    {"kty": st.sampled_from(["RSA", "EC", "OKP", "oct"]) | JSON},
    optional={
        "crv": st.sampled_from(["P-256", "P-384", "P-521", "Ed25519", "Ed448", "X25519", "secp256k1"]) | JSON,
        **dict.fromkeys(("n", "e", "x", "y", "d"), NUMBERS | JSON),
        "alg": st.sampled_from(SIGNATURE_ALGORITHMS) | JSON,
        "use": st.just("sig") | JSON,
        "key_ops": st.just(["verify"]) | JSON,
    },
)


@settings(max_examples=300, deadline=None)
@given(st.lists(MEMBERS | JSON, max_size=3), st.sampled_from(SIGNATURE_ALGORITHMS), st.binary(max_size=300))
def test_any_keys_are_read_and_verify_nothing(keys: list[Any], algorithm: str, signature: bytes) -> None:
    token = f"{encoded({'alg': algorithm})}.{JOE}.{encoded(signature)}"
    assert refusal(token, key_set(*keys)) != ""


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "crit", "typ"]), JSON | st.sampled_from(SIGNATURE_ALGORITHMS)),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_any_token_is_refused(header: dict[str, Any], payload: str, signature: str) -> None:
    assert refusal(f"{encoded(header)}.{payload}.{signature}", key_set(RSA, EC, OKP)) != ""

"""Reading the responses of the token endpoint (docs/design/threats.md)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loginmachine.sansio import Provider, Secret
from loginmachine.sansio.model.tokens import TokenSet
from loginmachine.sansio.oauth.responses import Malformed, Rejected
from loginmachine.sansio.oauth.token_responses import read_api_key, read_tokens

from ..samples import ACCESS_TOKEN, CODE, ID_TOKEN, REFRESH_TOKEN, STATE, VERIFIER, answer, token_json

GOOD = TokenSet(id_token=Secret(ID_TOKEN), access_token=Secret(ACCESS_TOKEN), refresh_token=Secret(REFRESH_TOKEN))
CHATGPT = Provider.codex()
HIDE = (STATE, VERIFIER, CODE, "")
JSON = (b"Content-Type", b"application/json")


def read(
    body: bytes | None = None, status: int = 200, *headers: tuple[bytes, bytes]
) -> TokenSet | Rejected | Malformed:
    return read_tokens(answer(1, status, body, (JSON, *headers)), CHATGPT, HIDE)


def malformed(message: str) -> Malformed:
    return Malformed(message=message)


def rejected(message: str) -> Rejected:
    return Rejected(message=message)


def words_for(status: int) -> str:
    return f"status {status}{', the provider has a problem' if status >= 500 else ''}"


def test_good_tokens() -> None:
    assert read() == GOOD


def test_other_members_are_ignored() -> None:
    assert read(token_json(scope="openid", extra={"a": [1, None]})) == GOOD


def test_a_byte_order_mark_is_skipped() -> None:
    assert read(b"\xef\xbb\xbf" + token_json()) == GOOD


SHAPES = ["-1", "true", "null", "[]", "{}", '"soon"', "1e300", "9" * 40, "1e999", "9" * 5000]


@pytest.mark.parametrize(("shape", "seconds"), [("3600", 3600.0), ('"3600"', 3600.0), ("3.5", 3.5), ("0", 0.0)])
def test_the_lifetime_is_a_number_or_digits_as_text(shape: str, seconds: float) -> None:
    """RFC 6749 section 5.1. Some servers write the number as text."""
    body = token_json()[:-1] + f', "expires_in": {shape}}}'.encode()
    assert read(body) == GOOD.__replace__(expires_in=seconds)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape[:8])
def test_an_unusable_lifetime_never_fails_a_login(shape: str) -> None:
    assert read(token_json()[:-1] + f', "expires_in": {shape}}}'.encode()) == GOOD


@pytest.mark.parametrize("token_type", ["bearer", "Bearer", "BEARER"])
def test_a_bearer_token_in_any_case(token_type: str) -> None:
    assert read(token_json(token_type=token_type)) == GOOD


@pytest.mark.parametrize("token_type", ["mac", "DPoP", "", "bearer ", 1, ["bearer"], {}])
def test_any_other_token_type_is_malformed(token_type: object) -> None:
    assert read(token_json(token_type=token_type)) == malformed("the answer's token_type is not bearer")


@pytest.mark.parametrize("name", ["id_token", "access_token", "refresh_token"])
@pytest.mark.parametrize(
    "value", ["", None, 1, True, ["t"], {"t": 1}, "a\x00b", "a\nb", "a\tb", "a\x7fb", "caf\u00e9", "\ud800", "\u202e"]
)
def test_an_empty_unprintable_or_mistyped_token_is_malformed(name: str, value: object) -> None:
    assert read(token_json(**{name: value})) == malformed(f"no usable {name} in the answer")


@pytest.mark.parametrize("name", ["id_token", "access_token", "refresh_token"])
def test_a_missing_token_is_malformed(name: str) -> None:
    tokens = json.loads(token_json())
    del tokens[name]
    assert read(json.dumps(tokens).encode()) == malformed(f"no usable {name} in the answer")


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 399])
def test_a_redirect_is_malformed_and_its_location_is_not_shown(status: int) -> None:
    location = (b"Location", b"https://evil.example/?secret")
    assert read(token_json(), status, location) == malformed(
        f"the endpoint answered with a redirect ({status}), which is never followed"
    )


CODED = "the answer has a content coding that was not asked for"


@pytest.mark.parametrize("coding", [b"gzip", b"GZIP", b"br", b"deflate", b"identity, gzip", b"x"])
@pytest.mark.parametrize("name", [b"Content-Encoding", b"content-encoding"])
def test_a_content_coding_is_malformed(name: bytes, coding: bytes) -> None:
    assert read(token_json(), 200, (name, coding)) == malformed(CODED)


@pytest.mark.parametrize("coding", [b"identity", b"Identity", b" IDENTITY ", b""])
def test_no_coding_at_all(coding: bytes) -> None:
    assert isinstance(read(token_json(), 200, (b"Content-Encoding", coding)), TokenSet)


def test_a_content_coding_in_a_second_field_is_malformed() -> None:
    fields = ((b"Content-Encoding", b"identity"), (b"Content-Encoding", b"gzip"))
    assert read(token_json(), 200, *fields) == malformed(CODED)


UNREADABLE: list[tuple[bytes, str]] = [
    (b"", "not JSON"),
    (b"{", "not JSON"),
    (token_json() + b"x", "not JSON"),
    (token_json() + token_json(), "not JSON"),
    (b'{"id_token": "a\nb"}', "not JSON"),
    (token_json().decode().encode("utf-16"), "not UTF-8"),
    (token_json().decode().encode("utf-16-le"), "not JSON"),
    (b'{"id_token": "\xff"}', "not UTF-8"),
    (b'{"id_token": "\xed\xa0\x80"}', "not UTF-8"),
    (b'{"access_token": "a", "access_token": "a"}', "a duplicate member"),
    (b'{"x": {"y": 1, "y": 2}}', "a duplicate member"),
    (b'{"expires_in": NaN}', "a number that JSON does not know"),
    (b'{"expires_in": -Infinity}', "a number that JSON does not know"),
    (b"[" * 200_000, "nested too deeply"),
    (b'{"a":' * 200_000, "nested too deeply"),
    (b"[]", "not a JSON object"),
    (b"null", "not a JSON object"),
    (b'"tokens"', "not a JSON object"),
    (b"1", "not a JSON object"),
]


@pytest.mark.parametrize(("body", "problem"), UNREADABLE, ids=lambda value: repr(value[:24]))
def test_an_unreadable_answer_is_malformed(body: bytes, problem: str) -> None:
    assert read(body) == malformed(f"the answer cannot be read: {problem}")


@pytest.mark.parametrize(("body", "problem"), UNREADABLE, ids=lambda value: repr(value[:24]))
def test_an_unreadable_refusal_is_a_refusal_whose_body_is_not_shown(body: bytes, problem: str) -> None:
    del problem
    assert read(body, 400) == rejected("status 400")


def test_more_than_1_mib_is_malformed() -> None:
    size = 1_048_576
    assert read(token_json().ljust(size)) == GOOD
    assert read(token_json().ljust(size + 1)) == malformed("the answer is larger than 1 MiB")
    assert read(token_json().ljust(size + 1), 500) == rejected("status 500, the provider has a problem")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"the code has expired", ": the code has expired"),
        (b"  no\r\n\x1b[31mway ", ": no\ufffd\ufffd\ufffd[31mway"),
        ("kein gültiger Code".encode(), ": kein gültiger Code"),
        (f"bad {CODE}".encode(), ": bad [redacted]"),
        (b"[proxy] denied", ": [proxy] denied"),
        (b"x" * 5000, f": {'x' * 255}\u2026"),
        (b"\xff no", ""),
        (b" \n ", ""),
        (b'{"error": "cut', ""),
        (b'"no" is no', ': "no" is no'),
    ],
)
def test_a_refusal_in_plain_text_is_shown(body: bytes, words: str) -> None:
    problem = "not UTF-8" if b"\xff" in body else "not JSON"
    for kind in (b"text/plain", b"Text/Plain; charset=utf-8"):
        headers = ((b"Content-TYPE", kind),)
        for status in (400, 401):
            assert read_tokens(answer(1, status, body, headers), CHATGPT, HIDE) == rejected(f"status {status}{words}")
        trouble = f"status 503, the provider has a problem{words}"
        assert read_tokens(answer(1, 503, body, headers), CHATGPT, HIDE) == rejected(trouble)
        assert read_tokens(answer(1, 200, body, headers), CHATGPT, HIDE) == malformed(
            f"the answer cannot be read: {problem}"
        )


def test_a_web_page_is_named_and_not_shown() -> None:
    page = rejected("status 400, a web page instead of an answer")
    assert read(b"  <!doctype html><p>sorry", 400) == page
    for kind in (b"text/html", b"TEXT/HTML; charset=utf-8"):
        assert read_tokens(answer(1, 400, b"sorry", ((b"content-type", kind),)), CHATGPT, HIDE) == page


@pytest.mark.parametrize("kind", [b"application/json", b"", b"image/png"])
def test_a_body_of_another_type_is_not_shown(kind: bytes) -> None:
    assert read_tokens(answer(1, 400, b"sorry", ((b"content-type", kind),)), CHATGPT, HIDE) == rejected("status 400")
    assert read_tokens(answer(1, 400, b"sorry", ()), CHATGPT, HIDE) == rejected("status 400")


def test_a_text_with_a_content_coding_is_not_shown() -> None:
    response = answer(1, 400, b"sorry", ((b"content-type", b"text/plain"), (b"content-encoding", b"gzip")))
    assert read_tokens(response, CHATGPT, HIDE) == rejected("status 400")


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"error": "invalid_grant", "error_description": "it is old"}, ": invalid_grant: it is old"),
    ({"error": "invalid_grant"}, ": invalid_grant"),
    ({"error": "invalid_grant", "error_description": 5}, ": invalid_grant"),
    ({"error": {"code": "token_expired", "message": "sign in"}}, ": token_expired: sign in"),
    ({"error": {"message": "sign in"}}, ": sign in"),
    ({"error": {"code": "token_expired", "message": None}}, ": token_expired"),
    ({"error": {}}, ""),
    ({"code": "token_expired"}, ": token_expired"),
    ({"error": "first", "code": "second"}, ": first"),
    ({"error": 5}, ""),
    ({"error": ["a"]}, ""),
    ({"error": True, "error_description": "why"}, ": why"),
    ({"message": "not a form that we know"}, ""),
    ({"code": 5}, ""),
    ({}, ""),
]


@pytest.mark.parametrize(("body", "words"), REFUSALS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503, 199])
def test_an_error_status_is_a_refusal_in_three_formats(body: dict[str, Any], words: str, status: int) -> None:
    assert read(json.dumps(body).encode(), status) == rejected(f"{words_for(status)}{words}")


PAGES: list[tuple[bytes, tuple[bytes, bytes] | None]] = [
    (b"<html>", None),
    (b"\xef\xbb\xbf \r\n<!DOCTYPE html><title>Welcome</title>", None),
    (b"Welcome to the airport", (b"Content-Type", b"Text/HTML; charset=utf-8")),
    (b"", (b"content-type", b"application/xhtml+xml")),
]


@pytest.mark.parametrize(("body", "field"), PAGES)
def test_a_web_page_is_not_an_answer(body: bytes, field: tuple[bytes, bytes] | None) -> None:
    fields = () if field is None else (field,)
    assert read(body, 200, *fields) == malformed("a web page instead of an answer: a sign-in page of the network?")
    assert read(body, 403, *fields) == rejected("status 403, a web page instead of an answer")
    assert read(body, 502, *fields) == rejected("status 502, the provider has a problem")


def test_json_that_is_called_html_is_read() -> None:
    assert read(token_json(), 200, (b"Content-Type", b"text/html")) == GOOD
    assert read(b'{"error": "slow"}', 400, (b"Content-Type", b"text/html")) == rejected("status 400: slow")


def test_a_network_that_wants_a_sign_in_is_not_the_provider() -> None:
    assert read(b"<html>", 511) == rejected("status 511, the network wants you to sign in to it")


@pytest.mark.parametrize("status", [201, 202, 203, 204, 205, 206, 226, 299])
def test_tokens_come_with_status_200_only(status: int) -> None:
    """RFC 6749 section 5.1."""
    words = f"the endpoint answered with status {status}, and tokens come with 200"
    assert read(status=status) == malformed(words)
    assert read(b"", status) == malformed(words)
    assert read_key(b'{"access_token": "key"}', status) == malformed(words)
    assert read(b'{"error": "x"}', status) == rejected(f"status {status}: x")


@pytest.mark.parametrize("error", ["invalid_grant", 5, {}, {"code": "x"}, False])
def test_200_with_an_error_is_a_refusal(error: object) -> None:
    result = read(token_json(error=error))
    assert isinstance(result, Rejected)
    assert result.message.startswith("status 200")


@pytest.mark.parametrize("error", [None, ""])
def test_an_error_without_a_value_is_no_error(error: object) -> None:
    assert read(token_json(error=error)) == GOOD


@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_delay_that_the_endpoint_asks_for_is_in_the_message(status: int) -> None:
    body = b'{"error": "slow_down"}'
    assert read(body, status, (b"Retry-After", b"120")) == rejected(
        f"{words_for(status)}: slow_down (retry after: 120)"
    )
    assert read(b"", status, (b"retry-after", b"\x1b[2J\xe9" + b"x" * 50)) == rejected(
        f"{words_for(status)} (retry after: \ufffd[2J\u00e9{'x' * 34}\u2026)"
    )


def test_a_delay_after_a_final_refusal_is_not_in_the_message() -> None:
    assert read(b"", 400, (b"Retry-After", b"120")) == rejected("status 400")


def test_an_echo_of_our_secrets_is_masked() -> None:
    echo = f"bad {CODE} and canary-code-4%2F0AbC.d~e and {VERIFIER} and {STATE}"
    body = json.dumps({"error": "e", "error_description": echo}).encode()
    words = "status 400: e: bad [redacted] and [redacted] and [redacted] and [redacted]"
    assert read(body, 400) == rejected(words)
    words = "status 503, the provider has a problem (retry after: [redacted])"
    assert read(b"", 503, (b"Retry-After", CODE.encode())) == rejected(words)


def test_error_words_are_cut_and_made_safe_to_show() -> None:
    long = json.dumps({"error": "x" * 300}).encode()
    assert read(long, 400) == rejected(f"status 400: {'x' * 255}\u2026")
    hostile = json.dumps({"error": "\x1b]0;title\x07\u202e\ud800"}).encode()
    assert read(hostile, 400) == rejected("status 400: \ufffd]0;title\ufffd\ufffd\ufffd")


# The API key


def read_key(body: bytes, status: int = 200) -> Secret | Rejected | Malformed:
    return read_api_key(answer(2, status, body), HIDE)


def test_the_api_key_is_the_access_token() -> None:
    assert read_key(b'{"access_token": "sk-1"}') == Secret("sk-1")


@pytest.mark.parametrize("value", ['""', "null", "1", '"two\\nlines"', '"\\ud800"'])
def test_an_unusable_api_key(value: str) -> None:
    body = f'{{"access_token": {value}}}'.encode()
    assert read_key(body) == malformed("no usable access_token in the answer")
    assert read_key(b"{}") == malformed("no usable access_token in the answer")


def test_no_api_key() -> None:
    assert read_key(b'{"error": "invalid_request"}', 400) == rejected("status 400: invalid_request")
    assert read_key(b"", 307) == malformed("the endpoint answered with a redirect (307), which is never followed")


PLAIN = Provider.oauth(
    authorization_endpoint="https://id.example/authorize",
    token_endpoint="https://id.example/token",
    client_id="client-1",
)


def read_plain(members: dict[str, Any], provider: Provider = PLAIN) -> TokenSet | Rejected | Malformed:
    return read_tokens(answer(1, 200, json.dumps(members).encode(), (JSON,)), provider, HIDE)


def test_only_the_access_token_must_come() -> None:
    """RFC 6749 section 5.1: the refresh token is optional, and only OpenID Connect has an id token."""
    assert read_plain({"access_token": "a-1"}) == TokenSet(access_token=Secret("a-1"))
    assert read_plain({"access_token": "a-1", "refresh_token": "", "id_token": None}) == TokenSet(
        access_token=Secret("a-1")
    )
    assert read_plain({"refresh_token": "r-1"}) == malformed("no usable access_token in the answer")
    assert read_plain({"access_token": "a-1", "id_token": 5}) == malformed("no usable id_token in the answer")


@pytest.mark.parametrize(
    ("scope", "scopes"), [("a b", ("a", "b")), ("a  b a", ("a", "b")), ("", ()), ([], None), ("a\n", None), (5, None)]
)
def test_the_granted_scopes(scope: object, scopes: tuple[str, ...] | None) -> None:
    assert read_plain({"access_token": "a-1", "scope": scope}) == TokenSet(access_token=Secret("a-1"), scope=scopes)


def test_a_provider_says_how_its_scopes_are_separated() -> None:
    github = PLAIN.__replace__(scope_separator=",")
    expected = TokenSet(access_token=Secret("a-1"), scope=("repo", "user"))
    assert read_plain({"access_token": "a-1", "scope": "repo,user"}, github) == expected


def test_members_that_no_standard_describes_are_kept_apart() -> None:
    read = read_plain({"access_token": "a-1", "token_type": "Bearer", "instance_url": "https://eu.example", "n": [1]})
    assert read == TokenSet(
        access_token=Secret("a-1"), extra=Secret('{"instance_url": "https://eu.example", "n": [1]}')
    )
    assert "eu.example" not in repr(read)


def test_another_type_of_token_is_accepted_where_the_provider_lists_it() -> None:
    members = {"access_token": "a-1", "token_type": "MAC"}
    assert read_plain(members) == malformed("the answer's token_type is not bearer")
    assert read_plain(members, PLAIN.__replace__(token_types=("bearer", "mac"))) == TokenSet(access_token=Secret("a-1"))


FORM = (b"Content-Type", b"application/x-www-form-urlencoded; charset=utf-8")


def test_a_form_is_read_where_the_provider_sends_those() -> None:
    response = answer(1, 200, b"access_token=a-1&scope=repo%2Cuser&token_type=bearer&expires_in=60", (FORM,))
    forms = PLAIN.__replace__(has_form_answers=True, scope_separator=",")
    expected = TokenSet(access_token=Secret("a-1"), scope=("repo", "user"), expires_in=60.0)
    assert read_tokens(response, forms, HIDE) == expected
    assert read_tokens(response, PLAIN, HIDE) == malformed("the answer cannot be read: not JSON")
    as_json = answer(1, 200, b'{"access_token": "a-1"}', (JSON,))
    assert read_tokens(as_json, forms, HIDE) == TokenSet(access_token=Secret("a-1"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"access_token=a&access_token=b", "a name twice"),
        (b"access_token=\xff", "not a form"),
        (b"&".join(b"a%d=1" % number for number in range(101)), "not a form"),
    ],
    ids=["twice", "bytes", "many"],
)
def test_a_form_that_cannot_be_used(body: bytes, reason: str) -> None:
    forms = PLAIN.__replace__(has_form_answers=True)
    assert read_tokens(answer(1, 200, body, (FORM,)), forms, HIDE) == malformed(f"the answer cannot be read: {reason}")
    large = answer(1, 200, b"a=" + b"b" * 1_048_575, (FORM,))
    assert read_tokens(large, forms, HIDE) == malformed("the answer is larger than 1 MiB")


def test_an_error_in_a_form_with_status_200_is_an_error() -> None:
    """GitHub answers like that."""
    response = answer(1, 200, b"error=bad_verification_code&error_description=It+is+old", (FORM,))
    assert read_tokens(response, PLAIN.__replace__(has_form_answers=True), HIDE) == rejected(
        "status 200: bad_verification_code: It is old"
    )

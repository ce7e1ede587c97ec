"""How the responses to requests for a device code, and to its polls, are read, in both dialects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loginmachine.sansio import Secret
from loginmachine.sansio.model.tokens import TokenSet
from loginmachine.sansio.oauth.device_code import DeviceCode, DeviceGrant
from loginmachine.sansio.oauth.device_code_responses import (
    NotEnabled,
    PollRejected,
    Postponed,
    read_device_code,
    read_poll,
)
from loginmachine.sansio.oauth.responses import Malformed, Rejected
from loginmachine.sansio.server.endpoints import DeviceCodeEndpoints

from ..callback.asking import CHATGPT
from ..samples import DEVICE_URL, OTHER_PROVIDER, answer

RFC8628 = OTHER_PROVIDER.__replace__(
    scopes=("openid", "profile"), device_code=DeviceCodeEndpoints(code_endpoint="https://id.example/device")
)
DEVICE = DeviceCode(
    device_code="d-1", user_code="WDJB-MJHT", verification_url="https://id.example/go", expires_in=900.0, interval=5.0
)
CODEX_ANSWER = {"device_auth_id": "d-1", "user_code": "ABCD-12345", "interval": "5"}
RFC_ANSWER = {
    "device_code": "d-1",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://id.example/go",
    "verification_uri_complete": "https://id.example/go?user_code=WDJB-MJHT",
    "expires_in": 1800,
    "interval": 7,
}
CODE_OF_BOTH = json.dumps({**RFC_ANSWER, **CODEX_ANSWER}).encode()
"""A response that both dialects could use."""
GRANT = {"authorization_code": "ac-1", "code_challenge": "c", "code_verifier": "v-1"}
CODEX, RFC = "codex", "rfc8628"
PROVIDERS = {CODEX: CHATGPT, RFC: RFC8628}


def code_result(
    body: dict[str, Any] | bytes, dialect: str = CODEX, status: int = 200
) -> DeviceCode | Rejected | Malformed:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_device_code(answer(1, status, raw), PROVIDERS[dialect], ("canary",))


def device(body: dict[str, Any], dialect: str = CODEX) -> DeviceCode:
    result = code_result(body, dialect)
    assert isinstance(result, DeviceCode)
    return result


def poll_result(
    body: dict[str, Any] | bytes, dialect: str = CODEX, status: int = 200
) -> TokenSet | DeviceGrant | PollRejected | Malformed:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_poll(answer(2, status, raw), PROVIDERS[dialect], ("canary",))


def polled(body: dict[str, Any] | bytes, dialect: str = CODEX, status: int = 200) -> tuple[str, str]:
    """Return the problem of a poll, and its message."""
    result = poll_result(body, dialect, status)
    assert isinstance(result, PollRejected | Malformed)
    return ("malformed" if isinstance(result, Malformed) else result.problem), result.message


# The code


def test_a_code_of_codex() -> None:
    assert device(CODEX_ANSWER) == DeviceCode(
        device_code="d-1", user_code="ABCD-12345", verification_url=DEVICE_URL, expires_in=900.0, interval=5.0
    )


def test_a_code_of_rfc_8628() -> None:
    assert device(RFC_ANSWER, RFC) == DeviceCode(
        device_code="d-1",
        user_code="WDJB-MJHT",
        verification_url="https://id.example/go",
        complete_url="https://id.example/go?user_code=WDJB-MJHT",
        expires_in=1800.0,
        interval=7.0,
    )


def test_codex_has_another_name_for_the_user_code() -> None:
    assert device({"device_auth_id": "d-1", "usercode": "ABCD"}).user_code == "ABCD"


def test_the_address_to_open_in_codex_does_not_come_from_the_response() -> None:
    assert device({**CODEX_ANSWER, "verification_uri": "https://evil.example"}).verification_url == DEVICE_URL


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [
        ("5", 5.0),
        (7, 7.0),
        (2.5, 2.5),
        ("0", 1.0),
        (0, 1.0),
        (-3, 1.0),
        ("61", 60.0),
        (1e300, 60.0),
        ("99999999999", 5.0),
        ("-1", 5.0),
        ("5s", 5.0),
        ("\u0665", 5.0),
        ("", 5.0),
        (None, 5.0),
        (True, 5.0),
        ([5], 5.0),
    ],
)
@pytest.mark.parametrize(("dialect", "body"), [(CODEX, CODEX_ANSWER), (RFC, RFC_ANSWER)])
def test_the_interval(dialect: str, body: dict[str, Any], interval: object, seconds: float) -> None:
    assert device({**body, "interval": interval}, dialect).interval == seconds


@pytest.mark.parametrize(
    ("expires_in", "seconds"), [(1, 1.0), (0, 1.0), ("60", 60.0), (7200, 3600.0), (None, 900.0), ("soon", 900.0)]
)
def test_the_lifetime(expires_in: object, seconds: float) -> None:
    assert device({**RFC_ANSWER, "expires_in": expires_in}, RFC).expires_in == seconds
    assert device({**CODEX_ANSWER, "expires_in": expires_in}).expires_in == 900.0


@pytest.mark.parametrize("value", ["WDJB MJHT", " WDJB  MJHT ", "\u0416\u0429\u042f 12", "a-b_c.d"])
@pytest.mark.parametrize(("dialect", "body"), [(CODEX, CODEX_ANSWER), (RFC, RFC_ANSWER)])
def test_a_user_code_is_shown_exactly_as_it_is(dialect: str, body: dict[str, Any], value: str) -> None:
    assert device({**body, "user_code": value}, dialect).user_code == value


@pytest.mark.parametrize(
    "value", [None, "", "  ", 5, "a\x1b[2J", "a\n", "a\x85", "a\u202eb", "a\u200bb", "\ud800", "a" * 65, ["a"]]
)
@pytest.mark.parametrize(("dialect", "body"), [(CODEX, CODEX_ANSWER), (RFC, RFC_ANSWER)])
def test_a_user_code_that_cannot_be_entered(dialect: str, body: dict[str, Any], value: object) -> None:
    assert code_result({**body, "user_code": value}, dialect) == Malformed(message="no usable user code in the answer")


@pytest.mark.parametrize("value", [None, "", 5, "two words", "\u00e9", "a" * 4097])
@pytest.mark.parametrize(
    ("dialect", "body", "name"), [(CODEX, CODEX_ANSWER, "device_auth_id"), (RFC, RFC_ANSWER, "device_code")]
)
def test_a_device_code_that_cannot_be_sent(dialect: str, body: dict[str, Any], name: str, value: object) -> None:
    assert code_result({**body, name: value}, dialect) == Malformed(message="no usable device code in the answer")


@pytest.mark.parametrize(
    "url",
    [None, "", 5, "http://id.example", "javascript:alert(1)", "https://id.example/\x1b[2J", "https://a@b.example"],
)
def test_an_address_that_must_not_be_shown(url: object) -> None:
    assert code_result({**RFC_ANSWER, "verification_uri": url}, RFC) == Malformed(
        message="no usable verification address in the answer"
    )
    assert device({**RFC_ANSWER, "verification_uri_complete": url}, RFC).complete_url is None


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (404, b"", NotEnabled, "status 404"),
        (404, b'{"error": {"code": "nope"}}', NotEnabled, "status 404: nope"),
        (400, b'{"error": "unauthorized_client"}', NotEnabled, "status 400: unauthorized_client"),
        (403, b"<html>", Rejected, "status 403, a web page instead of an answer"),
        (400, b'{"error": "invalid_scope", "error_description": "no canary"}', Rejected, None),
        (503, b"", Rejected, "status 503, the provider has a problem"),
        (200, b'{"error": "invalid_client"}', Rejected, "status 200: invalid_client"),
        (307, b"", Malformed, None),
        (200, b"<html>", Malformed, "a web page instead of an answer: a sign-in page of the network?"),
        (200, b"[]", Malformed, "the answer cannot be read: not a JSON object"),
        (201, CODE_OF_BOTH, Malformed, "the endpoint answered with status 201, and tokens come with 200"),
        (202, CODE_OF_BOTH, Malformed, "the endpoint answered with status 202, and tokens come with 200"),
        (206, CODE_OF_BOTH, Malformed, "the endpoint answered with status 206, and tokens come with 200"),
    ],
)
@pytest.mark.parametrize("dialect", [CODEX, RFC])
def test_no_code(dialect: str, status: int, body: bytes, kind: type[Rejected | Malformed], message: str | None) -> None:
    result = code_result(body, dialect, status)
    assert type(result) is kind
    assert "canary" not in result.message
    assert message is None or result.message == message


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ((), 5.0),
        (((b"Retry-After", b"30"),), 30.0),
        (((b"Retry-After", b"0"),), 1.0),
        (((b"Retry-After", b"soon"),), 5.0),
        (((b"Date", b"Wed, 18 Nov 2026 11:06:40 GMT"), (b"Retry-After", b"Wed, 18 Nov 2026 11:07:00 GMT")), 20.0),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error": "slow_down"}', b'{"error": "unauthorized_client"}'])
@pytest.mark.parametrize("dialect", [CODEX, RFC])
def test_too_many_requests_for_a_code(
    dialect: str, body: bytes, headers: tuple[tuple[bytes, bytes], ...], pause: float
) -> None:
    """RFC 6585 section 4."""
    result = read_device_code(answer(1, 429, body, headers, 1795000000.0), PROVIDERS[dialect], ())
    assert isinstance(result, Postponed)
    assert result.pause == pause
    assert result.message.startswith("status 429")


# Polls


def test_a_grant_of_codex() -> None:
    assert poll_result(GRANT) == DeviceGrant(code="ac-1", code_verifier="v-1")


def test_tokens_of_rfc_8628() -> None:
    tokens = poll_result({"id_token": "i", "access_token": "a", "refresh_token": "r", "token_type": "Bearer"}, RFC)
    assert isinstance(tokens, TokenSet)
    assert tokens == TokenSet(id_token=Secret("i"), access_token=Secret("a"), refresh_token=Secret("r"))


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b'{"error": {"code": "deviceauth_authorization_unknown"}}'])
def test_not_yet_in_codex(status: int, body: bytes) -> None:
    assert polled(body, CODEX, status)[0] == "authorization_pending"


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        ("authorization_pending", "authorization_pending"),
        ("slow_down", "slow_down"),
        ("access_denied", "access_denied"),
        ("expired_token", "expired_token"),
        ("invalid_grant", "access_denied"),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize("dialect", [CODEX, RFC])
def test_the_errors_of_rfc_8628(dialect: str, status: int, error: str, problem: str) -> None:
    assert polled({"error": error}, dialect, status) == (problem, f"status {status}: {error}")


@pytest.mark.parametrize(
    "body",
    [{"error": "access_denied"}, {"error": {"code": "access_denied", "message": "no"}}, {"code": "access_denied"}],
)
def test_a_refusal_may_have_the_status_of_not_yet(body: dict[str, Any]) -> None:
    assert polled(body, CODEX, 403)[0] == "access_denied"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error": "access_denied"}', b'{"error": 5}'])
@pytest.mark.parametrize("dialect", [CODEX, RFC])
def test_problems_that_may_pass(dialect: str, body: bytes, status: int) -> None:
    assert polled(body, dialect, status)[0] == "unavailable"


@pytest.mark.parametrize("body", [b"<html>", b"\xef\xbb\xbf <!DOCTYPE html><p>Sign in to the network"])
@pytest.mark.parametrize("dialect", [CODEX, RFC])
def test_a_web_page_in_place_of_the_answer_to_a_poll(dialect: str, body: bytes) -> None:
    """As with status 502, the provider has not answered, and the device code may still be good."""
    words = "a web page instead of an answer: a sign-in page of the network?"
    assert polled(body, dialect) == ("unavailable", words)


def test_slow_down_may_come_as_429() -> None:
    assert polled({"error": "slow_down"}, RFC, 429)[0] == "slow_down"


@pytest.mark.parametrize("status", [400, 401, 410, 418])
@pytest.mark.parametrize("dialect", [CODEX, RFC])
def test_any_other_refusal_is_final(dialect: str, status: int) -> None:
    assert polled(b"", dialect, status) == ("access_denied", f"status {status}")


@pytest.mark.parametrize("status", [403, 404])
def test_403_and_404_are_refusals_in_rfc_8628(status: int) -> None:
    assert polled(b"", RFC, status)[0] == "access_denied"


@pytest.mark.parametrize(
    ("dialect", "status", "body", "message"),
    [
        (CODEX, 302, b"", "the endpoint answered with a redirect (302), which is never followed"),
        (RFC, 307, b"", "the endpoint answered with a redirect (307), which is never followed"),
        (CODEX, 200, b"{}", "no usable authorization_code in the answer"),
        (CODEX, 200, b'{"authorization_code": "a\\tb"}', "no usable authorization_code in the answer"),
        (CODEX, 200, b'{"authorization_code": 5}', "no usable authorization_code in the answer"),
        (CODEX, 206, b"{}", "the endpoint answered with status 206, and tokens come with 200"),
        (RFC, 202, b"", "the endpoint answered with status 202, and tokens come with 200"),
        (CODEX, 200, b'{"authorization_code": "a"}', "no usable code_verifier in the answer"),
        (CODEX, 200, b'{"authorization_code": "a", "code_verifier": 5}', "no usable code_verifier in the answer"),
        (RFC, 200, b"{}", "no usable id_token in the answer"),
        (RFC, 200, b"", "the answer cannot be read: not JSON"),
    ],
)
def test_unusable_responses(dialect: str, status: int, body: bytes, message: str) -> None:
    assert polled(body, dialect, status) == ("malformed", message)


def test_an_echoed_secret_is_masked() -> None:
    assert polled({"error": "e", "error_description": "canary"}, RFC, 400)[1] == "status 400: e: [redacted]"

"""Device codes of the OpenID provider (RFC 8628)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from ..support import claims
from .support import SCOPE, Program, error_of, fields_of

if TYPE_CHECKING:
    import httpx


def issued(program: Program, **form: Any) -> dict[str, Any]:
    answer = program.device(**{"scope": SCOPE, **form})
    assert answer.status_code == 200
    content: dict[str, Any] = answer.json()
    return content


def enter(program: Program, user_code: str) -> httpx.Response:
    url = f"{program.provider.issuer}/account/device"
    return program.http.get(url, params={"user_code": user_code})


@pytest.mark.parametrize("name", ["client", "confidential_client", "post_client"])
def test_a_device_code_is_issued(program: Program, name: str) -> None:
    program.client = getattr(program.provider, name)
    found = issued(program)
    assert set(found) == {
        "device_code",
        "user_code",
        "verification_uri",
        "verification_uri_complete",
        "expires_in",
        "interval",
    }
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", found["user_code"])
    assert (found["expires_in"], found["interval"]) == (900, 5)
    assert fields_of(found["verification_uri_complete"]) == {"user_code": found["user_code"]}
    assert found["verification_uri_complete"].startswith(found["verification_uri"] + "?")


def test_the_person_enters_the_code_and_signs_in(program: Program) -> None:
    found = issued(program)
    assert "Enter your code" in program.http.get(found["verification_uri"]).text
    assert error_of(program.poll(found["device_code"])) == (400, "authorization_pending")
    page = enter(program, f" {found['user_code'].lower()} ")
    assert f"native, which shows the code {found['user_code']}" in page.text
    assert "You are signed in" in program.decide(page, email="grace@example.com").text
    program.provider.advance(5)
    tokens = program.poll(found["device_code"]).json()
    assert (tokens["scope"], claims(tokens["id_token"])["email"]) == (SCOPE, "grace@example.com")
    assert "nonce" not in claims(tokens["id_token"])
    assert program.refresh(tokens["refresh_token"]).status_code == 200
    assert error_of(program.poll(found["device_code"])) == (400, "invalid_grant")


def test_the_complete_address_shows_the_login_form(program: Program) -> None:
    found = issued(program)
    page = program.http.get(found["verification_uri_complete"])
    assert "You are signed in" in program.decide(page).text
    assert program.poll(found["device_code"]).status_code == 200


def test_the_person_refuses(program: Program) -> None:
    found = issued(program)
    assert "You have refused" in program.decide(enter(program, found["user_code"]), decision="refuse").text
    for _ in range(2):
        assert error_of(program.poll(found["device_code"])) == (400, "access_denied")
        program.provider.advance(5)


def test_a_code_can_be_entered_once(program: Program) -> None:
    found = issued(program)
    program.decide(enter(program, found["user_code"]))
    for code in (found["user_code"], "BBBB-BBBB", ""):
        answer = enter(program, code)
        assert answer.status_code == 422
        assert "unknown, or no longer valid" in answer.text


def test_polling_too_fast_makes_the_interval_longer(program: Program) -> None:
    code = issued(program)["device_code"]
    advance = program.provider.advance
    assert error_of(program.poll(code)) == (400, "authorization_pending")
    advance(4)
    assert error_of(program.poll(code)) == (400, "slow_down")
    advance(9)
    assert error_of(program.poll(code)) == (400, "slow_down")
    advance(15)
    assert error_of(program.poll(code)) == (400, "authorization_pending")


def test_a_device_code_expires(program: Program) -> None:
    program.provider.switches.device_lifetime = 30
    found = issued(program)
    assert found["expires_in"] == 30
    program.provider.advance(30)
    assert error_of(program.poll(found["device_code"])) == (400, "expired_token")
    assert enter(program, found["user_code"]).status_code == 422


def test_a_device_code_belongs_to_its_client(program: Program) -> None:
    program.provider.switches.consent = "automatic"
    code = issued(program)["device_code"]
    other = Program(program.provider, program.http, program.provider.post_client)
    assert error_of(other.poll(code)) == (400, "invalid_grant")
    assert program.poll(code).status_code == 200
    assert error_of(program.poll("unknown")) == (400, "invalid_grant")


@pytest.mark.parametrize(("consent", "expected"), [("automatic", (200, None)), ("refused", (400, "access_denied"))])
def test_consent_without_a_form(program: Program, consent: Any, expected: tuple[int, str | None]) -> None:
    program.provider.switches.consent = consent
    answer = program.poll(issued(program)["device_code"])
    assert (answer.status_code, answer.json().get("error")) == expected


def test_optional_members_can_be_missing(program: Program) -> None:
    program.provider.switches.verification_uri_complete = False
    program.provider.switches.device_interval = None
    found = issued(program)
    assert set(found) == {"device_code", "user_code", "verification_uri", "expires_in"}
    program.poll(found["device_code"])
    program.provider.advance(4)
    assert error_of(program.poll(found["device_code"])) == (400, "slow_down")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "unknown"}, (400, "invalid_scope")),
        ({"resource": "relative"}, (400, "invalid_target")),
        ({"client_id": "another"}, (401, "invalid_client")),
        ({"scope": ["a", "b"]}, (400, "invalid_request")),
    ],
)
def test_wrong_requests_are_refused(program: Program, form: dict[str, Any], error: tuple[int, str]) -> None:
    assert error_of(program.device(**form)) == error


def test_withheld_scopes_are_not_granted(program: Program) -> None:
    program.provider.switches.consent = "automatic"
    program.provider.switches.withheld_scopes = {"email"}
    assert program.poll(issued(program, scope="openid email")["device_code"]).json()["scope"] == "openid"

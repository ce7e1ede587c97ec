"""Device codes of the demo provider, over real HTTP on loopback."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from loginmachine.demo import device_code as demo_device
from loginmachine.demo.server import DemoProvider

from .support import CLIENT, client_of
from .support import Person as BrowserPerson

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

API = "/api/accounts/deviceauth"


class Person:
    """A program that polls, and a person with a browser."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def ask(self, **changes: object) -> httpx.Response:
        return self.client.post(f"{API}/usercode", json={"client_id": CLIENT, **changes})

    def poll(self, code: dict[str, str], **changes: object) -> httpx.Response:
        members = {"device_auth_id": code["device_auth_id"], "user_code": code["user_code"]}
        return self.client.post(f"{API}/token", json={**members, **changes})

    def enter(self, user_code: str) -> httpx.Response:
        return self.client.get("/codex/device", params={"user_code": user_code})

    def decide(self, user_code: str, decision: str = "sign-in") -> httpx.Response:
        form = self.client.get(self.enter(user_code).headers["Location"])
        return self.client.get(BrowserPerson(self.client).decide(form, decision=decision).headers["Location"])


@pytest.fixture
def person() -> Iterator[Person]:
    with DemoProvider() as provider, client_of(provider) as client:
        yield Person(client)


def error(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["error"]


def test_a_code_can_be_used_once(person: Person) -> None:
    code = person.ask().json()
    assert re.fullmatch(r"[B-Z]{4}-[B-Z]{4}", code["user_code"])
    assert error(person.poll(code)) == (403, "authorization_pending")
    page = person.decide(code["user_code"].lower())
    assert (page.status_code, "You are signed in" in page.text) == (200, True)
    grant = person.poll(code).json()
    form = {
        "grant_type": "authorization_code",
        "client_id": CLIENT,
        "code": grant["authorization_code"],
        "redirect_uri": f"{person.client.base_url}".rstrip("/") + "/deviceauth/callback",
        "code_verifier": grant["code_verifier"],
    }
    tokens = person.client.post("/oauth/token", data=form)
    assert {"id_token", "access_token", "refresh_token"} <= tokens.json().keys()
    assert error(person.poll(code)) == (400, "expired_token")
    assert person.enter(code["user_code"]).status_code == 422


def test_the_person_refuses(person: Person) -> None:
    code = person.ask().json()
    assert "You have refused" in person.decide(code["user_code"], "refuse").text
    assert error(person.poll(code)) == (400, "access_denied")


def test_the_form_warns(person: Person) -> None:
    form = person.client.get("/codex/device")
    assert form.status_code == 200
    assert "Never enter a code that someone else gave you." in form.text
    assert "default-src 'none'" in form.headers["Content-Security-Policy"]


@pytest.mark.parametrize("user_code", ["", "WRNG-CODE", "\u00e9", "<b>"])
def test_unknown_code(person: Person, user_code: str) -> None:
    person.ask()
    answer = person.enter(user_code)
    assert (answer.status_code, "This code is unknown" in answer.text) == (422, True)
    assert "<b>" not in answer.text


def test_expired_code(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_device, "LIFETIME", 0.0)
    code = person.ask().json()
    assert person.enter(code["user_code"]).status_code == 422
    assert error(person.poll(code)) == (400, "expired_token")


@pytest.mark.parametrize("changes", [{"client_id": "another"}, {"client_id": None}, {"client_id": 5}])
def test_unknown_client(person: Person, changes: dict[str, object]) -> None:
    assert error(person.ask(**changes)) == (401, "invalid_client")


@pytest.mark.parametrize(
    "changes", [{"user_code": "WRNG-CODE"}, {"device_auth_id": "another"}, {"device_auth_id": None}, {"user_code": 5}]
)
def test_a_poll_needs_the_matching_code_and_id(person: Person, changes: dict[str, object]) -> None:
    code = person.ask().json()
    person.decide(code["user_code"])
    assert error(person.poll(code, **changes)) == (400, "expired_token")


def test_malformed_bodies(person: Person) -> None:
    for path in ("usercode", "token"):
        assert person.client.post(f"{API}/{path}", content=b"{").status_code >= 400
        assert person.client.post(f"{API}/{path}", json=[1]).status_code >= 400


def test_callback_with_an_unknown_state(person: Person) -> None:
    answer = person.client.get("/deviceauth/callback", params={"code": "c", "state": "s"})
    assert (answer.status_code, "This sign-in is unknown" in answer.text) == (400, True)


def test_the_state_is_not_the_device_auth_id(person: Person) -> None:
    code = person.ask().json()
    query = parse_qs(urlsplit(person.enter(code["user_code"]).headers["Location"]).query)
    assert query["state"] != [code["device_auth_id"]]


def test_the_oldest_codes_are_dropped(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_device, "_MAX_WAITING", 2)
    first, second, third = (person.ask().json() for _ in range(3))
    assert [person.enter(code["user_code"]).status_code for code in (first, second, third)] == [422, 303, 303]

"""The authorization endpoint of the demo provider: requests, login form, callback."""

from __future__ import annotations

import contextlib
import re
from urllib.parse import urlencode

import httpx
import pytest

from loginmachine.demo.server import DemoProvider

from .support import (
    PASSWORD,
    REQUEST,
    STATE,
    Person,
    callback,
    client_of,
)


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        "http://127.0.0.1:1455/auth/callback/",
        "http://127.0.0.1:1455/auth/other",
        "http://127.0.0.1:1455/auth/callback?x=1",
        "http://127.0.0.1:1455/auth/callback#x",
        "http://127.0.0.1:1455/auth/callback\n",
        "http://127.0.0.1:1455/auth/%63allback",
        "http://127.0.0.1/auth/callback",
        "http://127.0.0.1:0/auth/callback",
        "http://127.0.0.1:65536/auth/callback",
        "http://127.0.0.2:1455/auth/callback",
        "http://[::1]:1455/auth/callback",
        "http://LOCALHOST:1455/auth/callback",
        "https://127.0.0.1:1455/auth/callback",
        "http://example.com:1455/auth/callback",
        "http://127.0.0.1.example.com:1455/auth/callback",
        "http://user@127.0.0.1:1455/auth/callback",
        "http://127.0.0.1:1455@example.com/auth/callback",
        'http://"><script>:1455/auth/callback',
        "javascript:alert(1)",
    ],
)
def test_an_invalid_redirect_uri_gets_a_page_and_no_redirect(person: Person, uri: str | None) -> None:
    answer = person.ask(redirect_uri=uri)
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "<h1>This sign-in cannot go on</h1>" in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize("client_id", [None, "", "someone-else", '"><script>'])
def test_an_unknown_client_gets_a_page_and_no_redirect(person: Person, client_id: str | None) -> None:
    answer = person.ask(client_id=client_id)
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "openid everything"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_errors_are_sent_to_the_callback(
    person: Person, provider: DemoProvider, changes: dict[str, str | None], error: str
) -> None:
    answer = callback(person.ask(**changes))
    answer.pop("error_description", None)
    assert answer == {"error": error, "state": STATE, "iss": provider.issuer}


@pytest.mark.parametrize("state", [None, ""])
def test_a_missing_state_is_sent_to_the_callback(person: Person, provider: DemoProvider, state: str | None) -> None:
    answer = callback(person.ask(state=state))
    answer.pop("error_description")
    assert answer == {"error": "invalid_request", "iss": provider.issuer}


@pytest.mark.parametrize("name", ["response_type", "client_id", "redirect_uri", "state", "scope"])
def test_a_repeated_parameter_gets_a_page(person: Person, name: str) -> None:
    query = urlencode([*REQUEST.items(), (name, REQUEST[name])])
    answer = person.client.get(f"/oauth/authorize?{query}")
    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.parametrize("response_type", [None, "", 'co"de', "c\u00f6de"])
def test_an_odd_response_type_is_not_a_server_error(person: Person, response_type: str | None) -> None:
    assert person.ask(response_type=response_type).status_code in (302, 400)


# The form


def test_the_form_has_labels_and_a_notice(person: Person) -> None:
    page = person.ask().text
    for name in ("email", "password"):
        assert f'<label for="{name}">' in page
        assert f'<input id="{name}" name="{name}" type="{name}"' in page
    assert '<html lang="en">' in page
    assert "This is a demonstration." in page
    assert "127.0.0.1:1455" in page
    assert "<script" not in page


def test_headers_of_the_form(person: Person) -> None:
    headers = person.ask().headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert re.fullmatch(
        r"loginmachine_demo=[\w-]{43}; HttpOnly; Path=/oauth/authorize; SameSite=Lax", headers["Set-Cookie"]
    )


def test_a_second_form_keeps_the_session(person: Person) -> None:
    first = person.ask()
    assert "Set-Cookie" not in person.ask().headers
    assert person.decide(first).status_code == 302


def test_the_person_refuses(person: Person, provider: DemoProvider) -> None:
    answer = callback(person.decide(person.ask(), decision="refuse", email="", password=""))
    answer.pop("error_description")
    assert answer == {"error": "access_denied", "state": STATE, "iss": provider.issuer}


@pytest.mark.parametrize("token", ["", "wrong", "\u00e9"])
def test_a_bad_csrf_token_is_refused(person: Person, token: str) -> None:
    answer = person.decide(person.ask(), csrf_token=token)
    assert answer.status_code == 403
    assert "Location" not in answer.headers


def test_a_csrf_token_of_another_session_is_refused(person: Person, provider: DemoProvider) -> None:
    with client_of(provider) as other:
        form = Person(other).ask()
    person.ask()
    assert person.decide(form).status_code == 403


def test_a_form_without_cookie_is_refused(person: Person) -> None:
    form = person.ask()
    person.client.cookies.clear()
    assert person.decide(form).status_code == 403


def test_the_oldest_sessions_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loginmachine.demo.server._MAX_SESSIONS", 2)
    with DemoProvider() as other, contextlib.ExitStack() as stack:
        people = [Person(stack.enter_context(client_of(other))) for _ in range(3)]
        forms = [person.ask() for person in people]
        decisions = [person.decide(form).status_code for person, form in zip(people, forms, strict=True)]
    assert decisions == [403, 302, 302]


@pytest.mark.parametrize("changes", [{"email": ""}, {"email": "ada"}, {"email": "a@\x1b"}, {"password": ""}])
def test_an_empty_field_shows_the_form_again(person: Person, changes: dict[str, str]) -> None:
    again = person.decide(person.ask(), **changes)
    assert again.status_code == 422
    assert 'role="alert"' in again.text
    assert PASSWORD not in again.text
    assert person.decide(again).status_code == 302


def test_what_was_typed_is_escaped(person: Person) -> None:
    again = person.decide(person.ask(), email='"><script>@x', password="")
    assert "<script>" not in again.text
    assert "&quot;&gt;&lt;script&gt;@x" in again.text


def test_a_changed_request_is_checked_again(person: Person) -> None:
    form = person.ask()
    url = str(form.request.url).replace("code_challenge_method=S256", "code_challenge_method=plain")
    form.request.url = httpx.URL(url)
    assert callback(person.decide(form))["error"] == "invalid_request"

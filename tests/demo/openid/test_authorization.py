"""The OpenID provider's authorization endpoint, with and without pushed requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from loginmachine.demo.openid.clients import Client
from loginmachine.demo.openid.provider import OpenIdProvider

from ..support import CALLBACK, callback, http_client
from .support import STATE, Program, callback_error, error_of

if TYPE_CHECKING:
    import httpx

# The person decides


def test_the_callback_has_code_state_and_issuer(program: Program) -> None:
    answer = callback(program.decide(program.ask()))
    assert set(answer) == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == (STATE, program.provider.issuer)
    assert program.redeem(answer["code"]).status_code == 200


def test_no_state_is_returned_if_none_was_sent(program: Program) -> None:
    assert set(callback(program.decide(program.ask(state=None)))) == {"code", "iss"}


def test_the_person_refuses(program: Program) -> None:
    assert callback_error(program.decide(program.ask(), decision="refuse")) == "access_denied"


def test_the_form_names_the_program_and_has_the_login_hint(program: Program) -> None:
    page = program.ask(login_hint='grace"@example.com')
    assert page.status_code == 200
    assert "native at 127.0.0.1:1455" in page.text
    assert 'value="grace&quot;@example.com"' in page.text


@pytest.mark.parametrize("changes", [{"email": "nobody"}, {"password": ""}, {"email": "a@b\x07c"}])
def test_an_unusable_form_is_shown_again(program: Program, changes: dict[str, str]) -> None:
    answer = program.decide(program.ask(), **changes)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert set(callback(program.decide(answer))) == {"code", "state", "iss"}


def test_a_form_of_another_browser_is_refused(program: Program) -> None:
    page = program.ask()
    assert program.decide(page, csrf_token="other").status_code == 403
    program.http.cookies.clear()
    assert program.decide(page).status_code == 403


def test_the_oldest_of_many_sessions_is_forgotten(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loginmachine.demo.shared.sessions._MAX_SESSIONS", 2)
    first = program.ask()
    with http_client() as second, http_client() as third:
        pages = [Program(program.provider, client) for client in (second, third)]
        others = [(other, other.ask()) for other in pages]
        assert program.decide(first).status_code == 403
        for other, page in others:
            assert callback(other.decide(page))["code"]


def test_consent_without_a_form(program: Program) -> None:
    program.provider.switches.consent = "automatic"
    assert set(callback(program.ask())) == {"code", "state", "iss"}
    program.provider.switches.consent = "refused"
    assert callback_error(program.ask()) == "access_denied"


def test_an_error_on_demand(program: Program) -> None:
    program.provider.switches.authorization_error = "temporarily_unavailable"
    assert callback_error(program.ask()) == "temporarily_unavailable"


@pytest.mark.parametrize(
    ("switch", "issuer", "supported"), [("other", "https://other.example", True), ("none", None, False)]
)
def test_the_issuer_of_the_callback_can_be_wrong(
    program: Program, switch: Any, issuer: str | None, *, supported: bool
) -> None:
    program.provider.switches.consent = "automatic"
    program.provider.switches.callback_issuer = switch
    assert callback(program.ask()).get("iss") == issuer
    metadata = program.http.get(f"{program.provider.issuer}/.well-known/openid-configuration").json()
    assert metadata["authorization_response_iss_parameter_supported"] is supported


# Requests that never reach the callback


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "another"},
        {"client_id": ["native", "native"]},
        {"redirect_uri": None},
        {"redirect_uri": [CALLBACK, CALLBACK]},
        {"redirect_uri": "http://127.0.0.1:1455/other"},
        {"redirect_uri": "http://127.0.0.1:1455/auth/callback?a=1"},
        {"redirect_uri": "http://127.0.0.1:1455/auth/callback#a"},
        {"redirect_uri": "http://127.0.0.1:65536/auth/callback"},
        {"redirect_uri": "http://127.0.0.1:0/auth/callback"},
        {"redirect_uri": "http://127.0.0.1:01455/auth/callback"},
        {"redirect_uri": "http://127.0.0.2:1455/auth/callback"},
        {"redirect_uri": "http://127.0.0.1@evil.example/auth/callback"},
        {"redirect_uri": "https://127.0.0.1:1455/auth/callback"},
        {"redirect_uri": "https://evil.example/auth/callback"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:unknown"},
    ],
)
def test_wrong_clients_and_redirect_uris_are_not_redirected(program: Program, changes: dict[str, Any]) -> None:
    program.provider.switches.consent = "automatic"
    answer = program.ask(**changes)
    assert answer.status_code == 400
    assert "This sign-in cannot go on" in answer.text
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://127.0.0.1:1/auth/callback",
        "http://127.0.0.1:65535/callback",
        "http://127.0.0.1/",
        "http://127.0.0.1:8080",
        "http://localhost:1455/auth/callback",
        "http://[::1]:1455/auth/callback",
    ],
)
def test_any_port_on_loopback_is_allowed(program: Program, redirect_uri: str) -> None:
    assert program.redeem(program.code(redirect_uri=redirect_uri), redirect_uri=redirect_uri).status_code == 200


def test_redirect_uris_of_another_client(http: httpx.Client) -> None:
    own = "https://app.example/cb?tenant=1"
    fixed = "http://localhost:4000/cb"
    client = Client(client_id="app", redirect_uris=(own, fixed, "http://127.0.0.1:4000/cb"))
    with OpenIdProvider(clients=[client]) as provider:
        program = Program(provider, http, client)
        answer = callback_of(program, own)
        assert answer["tenant"] == "1"
        assert callback_of(program, fixed)
        assert callback_of(program, "http://127.0.0.1:5000/cb")
        # The RFC frees the ports of addresses, not that of a name.
        for wrong in ("http://localhost:5000/cb", "https://app.example/cb", CALLBACK):
            assert program.ask(redirect_uri=wrong).status_code == 400


def callback_of(program: Program, redirect_uri: str) -> dict[str, str]:
    program.provider.switches.consent = "automatic"
    location = program.ask(redirect_uri=redirect_uri).headers["Location"]
    assert location.startswith(redirect_uri)
    return dict(parse_qsl(urlsplit(location).query))


# Parameters


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "openid unknown"}, "invalid_scope"),
        ({"nonce": ["a", "b"]}, "invalid_request"),
        ({"x": ["a", "b"]}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "quickly"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"resource": "not-absolute"}, "invalid_target"),
        ({"resource": "https://api.example/#a"}, "invalid_target"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    ],
)
def test_wrong_parameters_are_reported_to_the_callback(program: Program, changes: dict[str, Any], error: str) -> None:
    program.provider.switches.consent = "automatic"
    assert callback_error(program.ask(**changes)) == error


@pytest.mark.parametrize(
    "changes",
    [
        {"response_mode": "query"},
        {"prompt": "login consent"},
        {"prompt": "select_account"},
        {"audience": "https://api.example", "acr_values": "1", "ui_locales": "de"},
        {"resource": ["https://a.example/", "urn:b"]},
        {"nonce": ""},
        {"scope": None},
    ],
)
def test_optional_parameters_are_accepted(program: Program, changes: dict[str, Any]) -> None:
    assert program.tokens(**changes)["access_token"]


def test_a_client_without_the_grant_type_is_refused(http: httpx.Client) -> None:
    client = Client(client_id="tv", grant_types=("refresh_token",))
    with OpenIdProvider(clients=[client]) as provider:
        assert callback_error(Program(provider, http, client).ask()) == "unauthorized_client"


# Requests that must not show a page


def test_prompt_none_needs_a_sign_in(program: Program) -> None:
    assert callback_error(program.ask(prompt="none")) == "login_required"


def test_prompt_none_after_a_sign_in(program: Program) -> None:
    program.redeem(callback(program.decide(program.ask(scope="openid")))["code"])
    answer = program.redeem(callback(program.ask(scope="openid", prompt="none"))["code"])
    assert answer.json()["id_token"]
    assert callback_error(program.ask(scope="openid email", prompt="none")) == "consent_required"
    assert callback_error(program.ask(scope="openid", prompt="none", login_hint="x@example.com")) == "login_required"
    assert callback(program.ask(scope="openid", prompt="none", login_hint="ada@example.com"))["code"]


def test_consent_is_for_one_client(program: Program) -> None:
    program.decide(program.ask())
    other = Program(program.provider, program.http, program.provider.post_client)
    assert callback_error(other.ask(prompt="none")) == "consent_required"


def test_max_age_limits_the_age_of_a_sign_in(program: Program) -> None:
    program.decide(program.ask())
    program.provider.advance(100)
    assert callback(program.ask(prompt="none", max_age="200"))["code"]
    assert callback_error(program.ask(prompt="none", max_age="99")) == "login_required"
    assert callback_error(program.ask(prompt="none", max_age="0")) == "login_required"


def test_a_sign_in_without_prompt_shows_the_form_again(program: Program) -> None:
    program.decide(program.ask())
    assert program.ask().status_code == 200


# Pushed authorization requests (RFC 9126)


def push(program: Program, **changes: Any) -> httpx.Response:
    form = program.parameters(changes)
    if program.client.token_endpoint_auth_method == "client_secret_basic":
        del form["client_id"]
    return program.post("pushed_authorization_request_endpoint", form)


def pull(program: Program, request_uri: str, **changes: Any) -> httpx.Response:
    params = {"client_id": program.client.client_id, "request_uri": request_uri, **changes}
    return program.http.get(program.url("authorization_endpoint"), params=params)


@pytest.mark.parametrize("name", ["client", "confidential_client", "post_client"])
def test_a_pushed_request_works_once(program: Program, name: str) -> None:
    program.client = getattr(program.provider, name)
    answer = push(program)
    assert (answer.status_code, answer.json()["expires_in"]) == (201, 60)
    request_uri = answer.json()["request_uri"]
    assert request_uri.startswith("urn:ietf:params:oauth:request_uri:")
    page = pull(program, request_uri)
    assert page.status_code == 200
    found = callback(program.decide(page))
    assert found["state"] == STATE
    assert program.redeem(found["code"]).status_code == 200
    assert pull(program, request_uri).status_code == 400


def test_parameters_beside_a_pushed_request_are_ignored(program: Program) -> None:
    program.provider.switches.consent = "automatic"
    request_uri = push(program, scope="openid").json()["request_uri"]
    found = callback(pull(program, request_uri, scope="openid email", state="other"))
    assert found["state"] == STATE
    assert program.redeem(found["code"]).json()["scope"] == "openid"


def test_a_pushed_request_belongs_to_its_client_and_expires(program: Program) -> None:
    program.provider.switches.consent = "automatic"
    request_uri = push(program).json()["request_uri"]
    assert pull(program, request_uri, client_id="native-post").status_code == 400
    assert pull(program, request_uri, client_id="").status_code == 400
    program.provider.advance(60)
    assert pull(program, request_uri).status_code == 400


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"scope": "unknown"}, (400, "invalid_scope")),
        ({"redirect_uri": "https://evil.example/"}, (400, "invalid_request")),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, (400, "invalid_request")),
        ({"client_id": "another"}, (401, "invalid_client")),
        ({"code_challenge": None}, (400, "invalid_request")),
    ],
)
def test_wrong_pushed_requests_are_refused(
    program: Program, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert error_of(push(program, **changes)) == expected


def test_a_pushed_request_needs_the_clients_authentication(program: Program) -> None:
    url = program.url("pushed_authorization_request_endpoint")
    answer = program.http.post(url, data=program.parameters({"client_id": "native-basic"}))
    assert error_of(answer) == (401, "invalid_client")


def test_pushed_requests_can_be_required(program: Program) -> None:
    program.provider.switches.require_pushed_authorization_requests = True
    program.provider.switches.consent = "automatic"
    assert program.ask().status_code == 400
    assert callback(pull(program, push(program).json()["request_uri"]))["code"]


def test_the_endpoints_own_query_must_be_kept(program: Program) -> None:
    program.provider.switches.endpoint_query = "p=b2c_1&x=%20"
    program.provider.switches.consent = "automatic"
    url = program.url("authorization_endpoint")
    assert url.endswith("/authorize?p=b2c_1&x=%20")
    assert program.ask().status_code == 400  # httpx replaces the query
    assert callback(program.http.get(url, params=[*parse_qsl(urlsplit(url).query), *pairs(program)]))["code"]


def pairs(program: Program) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in program.parameters({}).items()]

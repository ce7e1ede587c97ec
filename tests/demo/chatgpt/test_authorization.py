"""The imitation's authorization endpoint: what the callback has, what a person decides, what is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from loginmachine.demo.browser import BrowsingError, sign_in
from loginmachine.demo.chatgpt.browser import Visitor

from .support import BOOTSTRAP, CALLBACK, PLAN, SCOPE, Attempt, Program, error_of

if TYPE_CHECKING:
    import httpx

    from loginmachine.demo.chatgpt.provider import ChatGptProvider
    from loginmachine.demo.chatgpt.switches import ClientIdInCallback

SORTED = f"{PLAN} email offline_access openid profile resource.invoke"


def opened(attempt: Attempt) -> httpx.Response:
    return attempt.program.http.get(attempt.url)


def parameters_of(answer: httpx.Response) -> dict[str, str]:
    base, _, query = answer.headers["Location"].partition("?")
    assert (answer.status_code, base) == (302, CALLBACK)
    return dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True))


# The callback


def test_the_first_callback_is_in_the_documented_order(program: Program) -> None:
    attempt = program.first()
    callback = attempt.visit()
    assert [name for name, _ in callback] == ["code", "scope", "state", "client_id"]
    (_, code), scope, state, (_, client_id) = callback
    assert (scope, state) == (("scope", SORTED), ("state", attempt.request["state"]))
    assert re.fullmatch(r"oaiapp_[A-Za-z0-9_-]{8,}", client_id)
    assert len(code) >= 32
    assert program.rules() == []


def test_the_later_callback_has_no_client_id(program: Program) -> None:
    client_id, tokens = program.register()
    attempt = program.later(client_id, id_token_hint=tokens["id_token"], login_hint="ada@example.com")
    assert [name for name, _ in attempt.visit()] == ["code", "scope", "state"]
    assert [found.client_id for found in program.provider.registrations] == [client_id]
    assert program.rules() == []


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("none", []),
        ("bootstrap", [BOOTSTRAP]),
        ("empty", [""]),
        ("twice", ["ISSUED", "oaiapp_another"]),
        ("control_characters", ["oaiapp_a\r\n\x00b"]),
        ("other", ["oaiapp_another"]),
        ("issued", ["ISSUED"]),
    ],
)
def test_the_client_id_of_a_callback(program: Program, kind: ClientIdInCallback, values: list[str]) -> None:
    program.provider.switches.client_id_in_callback = kind
    found = [value for name, value in program.first().visit() if name == "client_id"]
    (registration,) = program.provider.registrations
    assert found == [registration.client_id if value == "ISSUED" else value for value in values]


def test_a_callback_has_a_client_id_of_three_hundred_characters(program: Program) -> None:
    program.provider.switches.client_id_in_callback = "long"
    assert len(dict(program.first().visit())["client_id"]) == 300


def test_other_parameters_of_a_callback(program: Program) -> None:
    switches = program.provider.switches
    switches.scope_in_callback, switches.callback_issuer = False, "own"
    switches.callback_parameters = {"session_state": "x"}
    names = [name for name, _ in program.first().visit()]
    assert names == ["code", "state", "client_id", "iss", "session_state"]
    switches.callback_issuer = "other"
    assert dict(program.first().visit())["iss"] == "https://stranger.example"


# The person


def test_a_person_chooses_workspace_name_and_permissions(program: Program) -> None:
    visitor = Visitor(
        email="grace@example.com", workspace="Analytical Engines", agent_name="Grace's program", declined=(PLAN,)
    )
    callback = program.first().visit(visitor)
    (found,) = program.provider.registrations
    assert (found.person.email, found.workspace) == ("grace@example.com", "Analytical Engines")
    assert found.agent_name == "Grace's program"
    assert dict(callback)["scope"] == "email offline_access openid profile resource.invoke"


def test_the_suggested_name_is_in_the_form(program: Program) -> None:
    assert 'value="my program"' in opened(program.first()).text
    program.first().visit()
    assert program.provider.registrations[0].agent_name == "my program"


def test_a_person_cancels(program: Program) -> None:
    attempt = program.first()
    callback = attempt.visit(Visitor(approves=False))
    assert callback == [("error", "access_denied"), ("state", attempt.request["state"])]
    assert program.provider.registrations == ()


@pytest.mark.parametrize("field", ["email", "password", "agent_name", "workspace"])
def test_an_incomplete_form_is_shown_again(program: Program, field: str) -> None:
    attempt = program.first()
    page = opened(attempt).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    fields = {"csrf_token": token[1], "email": "ada@example.com", "password": "x", "agent_name": "x"}
    fields |= {"workspace": "Personal", "decision": "approve", field: ""}
    answer = program.http.post(attempt.url, data=fields)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("kind", ["first", "account", "consent"])
def test_a_form_of_another_browser_is_refused(program: Program, kind: str) -> None:
    client_id, _ = program.register()
    attempts = {
        "first": program.first(),
        "account": program.later(client_id),
        "consent": program.later(client_id, prompt="consent"),
    }
    answer = program.http.post(attempts[kind].url, data={"csrf_token": "x", "decision": "approve"})
    assert answer.status_code == 403


def test_without_a_hint_the_person_selects_the_account(program: Program) -> None:
    client_id, _ = program.register()
    assert "Continue as ada@example.com" in opened(program.later(client_id)).text
    assert "code" in dict(program.later(client_id).visit())
    declined = program.later(client_id).visit(Visitor(approves=False))
    assert dict(declined)["error"] == "access_denied"


def test_a_login_hint_alone_does_not_skip_the_selection(program: Program) -> None:
    client_id, _ = program.register()
    assert opened(program.later(client_id, login_hint="ada@example.com")).status_code == 200


def test_with_an_id_token_hint_no_page_is_shown(program: Program) -> None:
    client_id, tokens = program.register()
    attempt = program.later(client_id, id_token_hint=tokens["id_token"])
    assert "code" in parameters_of(opened(attempt))


def test_the_permissions_stay_until_the_person_is_asked_again(program: Program) -> None:
    client_id, tokens = program.register(Visitor(declined=(PLAN, "resource.invoke", "offline_access")))
    assert tokens["scope"] == "email openid profile"
    again = program.later(client_id, id_token_hint=tokens["id_token"])
    assert again.redeem(again.visit()).json()["scope"] == "email openid profile"
    enabling = program.later(client_id, id_token_hint=tokens["id_token"], prompt="consent")
    assert enabling.redeem(enabling.visit()).json()["scope"] == SORTED
    refused = program.later(client_id, id_token_hint=tokens["id_token"], prompt="consent")
    assert dict(refused.visit(Visitor(approves=False)))["error"] == "access_denied"
    assert program.provider.registrations[0].scope == tuple(SCOPE.split())
    assert program.rules() == []


@pytest.mark.parametrize("consent", ["automatic", "declined"])
def test_a_person_need_not_be_asked(program: Program, consent: Any) -> None:
    switches = program.provider.switches
    switches.consent, switches.email, switches.workspace = consent, "grace@example.com", "Analytical Engines"
    found = parameters_of(opened(program.first()))
    if consent == "declined":
        assert found["error"] == "access_denied"
        return
    (registration,) = program.provider.registrations
    assert (registration.person.email, registration.workspace) == ("grace@example.com", "Analytical Engines")
    switches.declined_scopes = (PLAN,)
    assert parameters_of(opened(program.later(registration.client_id)))["scope"] == SORTED
    asked = parameters_of(opened(program.later(registration.client_id, prompt="consent")))
    assert PLAN not in asked["scope"].split()


def test_every_response_can_be_an_error(program: Program) -> None:
    program.provider.switches.authorization_error = "server_error"
    attempt = program.first()
    assert parameters_of(opened(attempt)) == {"error": "server_error", "state": attempt.request["state"]}


# What a documented client does not send


@pytest.mark.parametrize(
    "changes",
    [
        {"agent_name_hint": None},
        {"agent_name_hint": "x" * 121},
        {"agent_name_hint": "a\nb"},
        {"ext_agent_host_id": None},
        {"ext_agent_host_id": "ada@example.com"},
        {"ext_agent_host_id": "urn:uuid:5f0c2f9e-3c1b-1d8e-9a57-0d3b6f2e8c11"},
        {"ext_agent_host_id": "did:web:example.com"},
        {"response_type": "token"},
        {"scope": "openid profile email"},
        {"scope": f"{SCOPE} phone"},
        {"resource": None},
        {"resource": "https://api.openai.com/v1/"},
        {"state": None},
        {"state": "short"},
        {"nonce": None},
        {"nonce": "short"},
        {"code_challenge": "x"},
        {"code_challenge_method": "plain"},
        {"prompt": "consent"},
        {"login_hint": "ada@example.com"},
        {"id_token_hint": "x"},
        {"force_reconsent": "true"},
        {"originator": "codex_cli_rs"},
    ],
)
def test_a_wrong_first_request_is_an_error(program: Program, changes: dict[str, Any]) -> None:
    assert "error" in parameters_of(opened(program.first(**changes)))
    assert len(program.rules()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"agent_name_hint": "my program"},
        {"login_hint": "grace@example.com"},
        {"id_token_hint": "x"},
        {"prompt": "login"},
        {"force_reconsent": "true"},
        {"scope": f"openid {PLAN}"},
        {"ext_agent_host_id": None},
    ],
)
def test_a_wrong_later_request_is_an_error(program: Program, changes: dict[str, Any]) -> None:
    client_id, _ = program.register()
    request = {"client_id": client_id, "agent_name_hint": None, **changes}
    assert "error" in parameters_of(opened(program.first(**request)))
    assert len(program.rules()) == 1


@pytest.mark.parametrize(
    "host_id",
    [
        "urn:ietf:params:oauth:jwk-thumbprint:sha-256:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        "urn:uuid:5f0c2f9e-3c1b-4d8e-9a57-0d3b6f2e8c11",
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
    ],
)
def test_the_three_forms_of_a_host_id(program: Program, host_id: str) -> None:
    program.first(ext_agent_host_id=host_id).visit()
    assert program.provider.registrations[0].host_ids == (host_id,)
    assert program.rules() == []


def test_a_client_is_used_on_several_hosts(program: Program) -> None:
    client_id, _ = program.register()
    other = "urn:uuid:0c0c2f9e-3c1b-4d8e-9a57-0d3b6f2e8c11"
    program.later(client_id, ext_agent_host_id=other).visit()
    assert program.provider.registrations[0].host_ids[1:] == (other,)


@pytest.mark.parametrize("name", ["state", "nonce", "code_challenge"])
def test_random_values_are_new_at_each_attempt(program: Program, name: str) -> None:
    attempt = program.first()
    attempt.visit()
    assert parameters_of(opened(program.first(**{name: attempt.request[name]})))["error"] == "invalid_request"
    assert len(program.rules()) == 1


def test_a_repeated_parameter_is_an_error(program: Program) -> None:
    answer = program.http.get(f"{program.first().url}&scope=openid")
    assert parameters_of(answer)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://localhost:1/auth/callback",
        "http://[::1]:1/auth/callback",
        "http://127.0.0.1:1/callback",
        "http://127.0.0.1/auth/callback",
        "http://127.0.0.1:65536/auth/callback",
        "https://127.0.0.1:1/auth/callback",
        None,
    ],
)
def test_another_redirect_uri_is_refused_on_a_page(program: Program, redirect_uri: str | None) -> None:
    answer = opened(program.first(redirect_uri=redirect_uri))
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "Error code: invalid_re" in answer.text
    assert re.search(r"Request: req_[0-9a-f]{16}", answer.text)
    assert len(program.rules()) == 1


def test_any_port_will_do(program: Program) -> None:
    client_id, tokens = program.register()
    other = CALLBACK.replace(":1/", ":65535/")
    attempt = program.later(client_id, id_token_hint=tokens["id_token"], redirect_uri=other)
    assert attempt.redeem(attempt.visit()).status_code == 200
    assert program.rules() == []


def test_an_unknown_client_is_refused_on_a_page(program: Program) -> None:
    answer = opened(program.later("oaiapp_unknown"))
    assert (answer.status_code, "Error code: invalid_client" in answer.text) == (400, True)
    assert program.rules() == ["The client_id was never issued here."]


def test_a_hint_of_another_account_is_an_error(program: Program) -> None:
    _, others = program.register(Visitor(email="grace@example.com"))
    client_id, _ = program.register()
    answer = opened(program.later(client_id, id_token_hint=others["id_token"]))
    assert parameters_of(answer)["error"] == "invalid_request"
    assert program.rules() == ["The id_token_hint belongs to another account."]


def test_a_hint_after_a_sign_out_is_an_error(program: Program) -> None:
    client_id, tokens = program.register()
    program.revoke(client_id, tokens["refresh_token"])
    answer = opened(program.later(client_id, id_token_hint=tokens["id_token"]))
    assert parameters_of(answer)["error"] == "invalid_request"
    assert program.rules() == ["The id_token_hint is left out after a sign-out."]
    assert "code" in dict(program.later(client_id, login_hint="ada@example.com").visit())


# A program that the person disconnected


def test_a_disconnected_program_signs_in_again(program: Program) -> None:
    client_id, tokens = program.register()
    program.provider.disconnect(client_id)
    attempt = program.later(client_id, id_token_hint=tokens["id_token"])
    assert "Review permissions" in opened(attempt).text
    assert attempt.redeem(attempt.visit()).status_code == 200
    assert program.rules() == []


def test_a_disconnected_program_may_be_unknown(program: Program) -> None:
    client_id, tokens = program.register()
    program.provider.switches.after_disconnection = "unknown"
    program.provider.disconnect(client_id)
    with pytest.raises(BrowsingError, match=r"/api/accounts/authorize answered with status 400$"):
        program.later(client_id).visit()
    assert error_of(program.refresh(client_id, tokens["refresh_token"])) == (401, "invalid_client")
    assert program.rules() == []


def test_only_a_registered_program_is_disconnected(provider: ChatGptProvider) -> None:
    with pytest.raises(KeyError):
        provider.disconnect("oaiapp_unknown")


# Browsers


def test_the_browser_of_the_demo_signs_in(program: Program) -> None:
    attempt = program.first()
    with pytest.raises(BrowsingError, match=r"^no answer from 127\.0\.0\.1:1/auth/callback"):
        sign_in(attempt.url, email="ada@example.com", password="any")
    assert len(program.provider.registrations) == 1


@pytest.mark.timeout(120)
def test_chromium_shows_the_pages(program: Program) -> None:
    from ...e2e.test_chromium import browser_page  # skips without Chromium
    from ..openid.test_browser import listening

    with listening("127.0.0.1") as listener, browser_page() as page:
        errors: list[str] = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(program.first(redirect_uri=listener.address).url)
        page.get_by_label("Email").fill("grace@example.com")
        page.get_by_label("Password").fill("any")
        page.get_by_label("Workspace").select_option("Analytical Engines")
        page.get_by_label("Use your ChatGPT plan").uncheck()
        page.get_by_role("button", name="Approve").click()
        page.wait_for_url("**/auth/callback*")
        assert [text for text in errors if "Content Security Policy" in text] == []
    client_id = listener.received["client_id"]
    assert urlsplit(listener.address).path == "/auth/callback"
    (registration,) = program.provider.registrations
    assert (registration.client_id, registration.workspace) == (client_id, "Analytical Engines")
    assert PLAN not in registration.scope

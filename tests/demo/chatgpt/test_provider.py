"""The imitation as a server: metadata, scripted answers, and the stand-in for the interface of the models."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from loginmachine.demo.chatgpt.provider import ChatGptProvider
from loginmachine.demo.chatgpt.switches import ChatGptSwitches
from loginmachine.demo.shared.answers import Answer

from .support import PLAN, Program, error_of

if TYPE_CHECKING:
    from loginmachine.demo.chatgpt.switches import Endpoint


@pytest.fixture(autouse=True)
def nobody_decides(program: Program) -> None:
    program.provider.switches.consent = "automatic"


def events_of(answer: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in answer.text.removesuffix("\n\n").split("\n\n"):
        event, data = block.split("\n")
        content = json.loads(data.removeprefix("data: "))
        assert content["type"] == event.removeprefix("event: ")
        found.append((content["type"], content))
    return found


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


# Metadata


def test_the_metadata_has_the_documented_members(program: Program) -> None:
    issuer = program.provider.issuer
    answer = program.http.get(f"{issuer}/.well-known/openid-configuration").json()
    assert answer["issuer"] == issuer
    assert answer["authorization_endpoint"] == f"{issuer}/api/accounts/authorize"
    assert answer["token_endpoint"] == f"{issuer}/api/accounts/oauth/token"
    assert answer["revocation_endpoint"] == f"{issuer}/api/accounts/oauth/revoke"
    assert answer["jwks_uri"] == f"{issuer}/.well-known/jwks.json"
    assert answer["id_token_signing_alg_values_supported"] == ["RS256"]
    absent = {"registration_endpoint", "device_authorization_endpoint"}
    absent |= {"authorization_response_iss_parameter_supported", "grant_types_supported"}
    assert absent.isdisjoint(answer)


def test_metadata_are_replaced_and_removed(program: Program) -> None:
    program.provider.switches.metadata = {"issuer": "https://other.example", "revocation_endpoint": None}
    answer = program.http.get(f"{program.provider.issuer}/.well-known/openid-configuration").json()
    assert answer["issuer"] == "https://other.example"
    assert "revocation_endpoint" not in answer


def test_the_program_that_follows_the_documentation_violates_nothing(program: Program) -> None:
    program.provider.switches.refresh_pause = -1.0
    client_id, tokens = program.register()
    renewed = program.refresh(client_id, tokens["refresh_token"]).json()
    later = program.later(client_id, id_token_hint=renewed["id_token"], login_hint="ada@example.com")
    latest = later.redeem(later.visit()).json()
    assert program.models(latest["access_token"]).status_code == 200
    assert program.respond(latest["access_token"]).status_code == 200
    assert program.revoke(client_id, latest["refresh_token"]).status_code == 200
    assert program.provider.violations == ()


# Scripted answers


@pytest.mark.parametrize(
    ("answer", "status", "content"),
    [
        (Answer.error("invalid_grant"), 400, {"error": "invalid_grant"}),
        (Answer.error("refresh_token_reused", status=401), 401, {"error": "refresh_token_reused"}),
    ],
)
def test_an_endpoint_sends_another_answer_once(
    program: Program, answer: Answer, status: int, content: dict[str, str]
) -> None:
    program.provider.answer_next("token", answer)
    attempt = program.first()
    callback = attempt.visit()
    found = attempt.redeem(callback)
    assert (found.status_code, found.json()) == (status, content)
    assert attempt.redeem(callback).status_code == 200


def test_an_error_can_be_an_object(program: Program) -> None:
    program.provider.switches.answers = {"token": Answer.error_object("invalid_client", status=401)}
    attempt = program.first()
    callback = attempt.visit()
    for _ in range(2):
        found = attempt.redeem(callback)
        assert code_of(found) == (401, "invalid_client")
        assert set(found.json()["error"]) == {"code", "message", "type", "param"}


def test_an_answer_can_ask_to_wait(program: Program) -> None:
    program.provider.answer_next("jwks", Answer.error("rate_limited", status=429).after(7))
    assert program.http.get(program.url("jwks_uri")).headers["Retry-After"] == "7"


def test_an_endpoint_can_be_silent(program: Program) -> None:
    program.provider.switches.delays = {"jwks": 3600.0}
    with pytest.raises(httpx.ReadTimeout):
        program.http.get(program.url("jwks_uri"), timeout=0.05)


def test_a_response_can_be_held_after_the_request_was_handled(program: Program) -> None:
    program.provider.switches.refresh_pause = -1.0
    client_id, tokens = program.register()
    program.provider.answer_next("token", Answer.held())
    program.http.timeout = httpx.Timeout(10, read=0.05)
    with pytest.raises(httpx.ReadTimeout):
        program.refresh(client_id, tokens["refresh_token"])
    assert dict(program.provider.wait_for("token", count=2).form)["refresh_token"] == tokens["refresh_token"]
    assert not program.provider.is_active(tokens["refresh_token"])


def test_a_held_response_is_released(program: Program) -> None:
    program.provider.answer_next("jwks", Answer.held())
    url, found = program.url("jwks_uri"), []
    thread = threading.Thread(target=lambda: found.append(program.http.get(url).status_code))
    thread.start()
    program.provider.wait_for("jwks")
    assert found == []
    program.provider.release()
    thread.join()
    assert found == [200]


def test_requests_are_waited_for(program: Program) -> None:
    with pytest.raises(TimeoutError, match=r"^jwks has received 0 of 1 requests$"):
        program.provider.wait_for("jwks", seconds=0.01)
    url = program.url("jwks_uri")
    thread = threading.Thread(target=program.http.get, args=(url,))
    thread.start()
    assert program.provider.wait_for("jwks").path == "/.well-known/jwks.json"
    thread.join()


@pytest.mark.parametrize("endpoint", ["openid_configuration", "jwks", "models"])
def test_every_request_is_recorded(program: Program, endpoint: Endpoint) -> None:
    paths = {
        "openid_configuration": "/.well-known/openid-configuration",
        "jwks": "/.well-known/jwks.json",
        "models": "/v1/models",
    }
    program.http.get(f"{program.provider.issuer}{paths[endpoint]}")
    (request,) = program.provider.requests_to(endpoint)
    assert (request.method, request.path) == ("GET", paths[endpoint])
    assert program.http.get(f"{program.provider.issuer}/unknown").status_code == 404
    assert program.provider.requests[-1].endpoint is None


def test_everything_that_was_issued_is_known(program: Program) -> None:
    attempt = program.first()
    callback = attempt.visit()
    tokens = attempt.redeem(callback).json()
    secrets = {dict(callback)["code"], tokens["access_token"], tokens["refresh_token"], tokens["id_token"]}
    assert set(program.provider.tokens) == secrets


def test_other_host_names_are_refused(program: Program) -> None:
    answer = program.http.get(f"{program.provider.issuer}/.well-known/jwks.json", headers={"Host": "evil.example"})
    assert answer.status_code == 400


def test_nothing_stays_after_the_end() -> None:
    before = threading.active_count()
    with ChatGptProvider(switches=ChatGptSwitches(consent="automatic")) as provider:
        assert provider.switches.consent == "automatic"
    assert threading.active_count() <= before
    with pytest.raises(AttributeError):
        provider.switches.unknown = 1  # type: ignore[attr-defined]


# The interface of the models


def test_the_models_are_listed(program: Program) -> None:
    _, tokens = program.register()
    models = program.models(tokens["access_token"]).json()["models"]
    assert [(model["slug"], model["visibility"]) for model in models] == [
        ("gpt-demo", "list"),
        ("gpt-demo-mini", "list"),
        ("gpt-demo-old", "hide"),
    ]
    assert all(set(model) == {"slug", "display_name", "visibility"} for model in models)


def test_an_answer_is_streamed(program: Program) -> None:
    _, tokens = program.register()
    answer = program.respond(tokens["access_token"])
    assert answer.headers["Content-Type"] == "text/event-stream"
    events = events_of(answer)
    assert [kind for kind, _ in events[:2]] == ["response.created", "response.output_text.delta"]
    text = "".join(content.get("delta", "") for _, content in events)
    assert text == "This is the demonstration."
    assert (events[-1][0], events[-1][1]["response"]["status"]) == ("response.completed", "completed")


def test_a_stream_can_lack_its_type(program: Program) -> None:
    program.provider.switches.stream_content_type = False
    _, tokens = program.register()
    answer = program.respond(tokens["access_token"])
    assert "Content-Type" not in answer.headers
    assert events_of(answer)[-1][0] == "response.completed"


def test_a_stream_can_fail(program: Program) -> None:
    program.provider.switches.stream_failure = "subscription_sharing_usage_limit_exceeded"
    _, tokens = program.register()
    kind, content = events_of(program.respond(tokens["access_token"]))[-1]
    assert kind == "response.failed"
    assert content["response"]["error"]["code"] == "subscription_sharing_usage_limit_exceeded"


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"store": True}, "store"),
        ({"store": None}, "store"),
        ({"stream": False}, "stream"),
        ({"temperature": 1}, "temperature"),
        ({"previous_response_id": "x"}, "previous_response_id"),
    ],
)
def test_what_a_plan_does_not_include_is_refused(program: Program, changes: dict[str, Any], param: str) -> None:
    _, tokens = program.register()
    answer = program.respond(tokens["access_token"], **changes)
    assert code_of(answer) == (400, "subscription_sharing_unsupported_capability")
    assert answer.json()["error"]["param"] == param


def test_a_request_needs_a_list_of_inputs(program: Program) -> None:
    _, tokens = program.register()
    assert program.respond(tokens["access_token"], input="Hello").status_code == 400


def test_a_wrong_method_has_no_route(program: Program) -> None:
    answer = program.http.post(f"{program.provider.api}/models")
    assert code_of(answer) == (403, "subscription_sharing_route_not_supported")
    assert len(program.rules()) == 1


@pytest.mark.parametrize("header", ["", "Bearer unknown", "Basic dTpw"])
def test_an_unknown_token_is_refused(program: Program, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    answer = program.http.get(f"{program.provider.api}/models", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Unauthorized"})
    assert len(program.rules()) == 1


def test_tokens_of_other_kinds_are_refused(program: Program) -> None:
    _, tokens = program.register()
    assert [program.models(tokens[name]).status_code for name in ("refresh_token", "id_token")] == [401, 401]
    assert len(program.rules()) == 2


def test_an_ended_token_is_refused(program: Program) -> None:
    _, tokens = program.register()
    program.provider.advance(3600)
    assert program.models(tokens["access_token"]).json() == {"detail": "Unauthorized"}
    assert program.rules() == []


def test_a_token_without_the_plan_is_refused(program: Program) -> None:
    program.provider.switches.declined_scopes = (PLAN,)
    _, tokens = program.register()
    assert program.models(tokens["access_token"]).json() == {"detail": "Unauthorized"}


def test_a_disconnected_program_is_refused(program: Program) -> None:
    client_id, tokens = program.register()
    program.provider.disconnect(client_id)
    assert code_of(program.models(tokens["access_token"])) == (401, "subscription_sharing_invalid_user")
    assert error_of(program.refresh(client_id, tokens["refresh_token"])) == (400, "invalid_grant")

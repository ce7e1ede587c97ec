"""The imitation's token endpoint and revocation endpoint."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from joserfc.errors import BadSignatureError, InvalidKeyIdError

from loginmachine.demo.chatgpt.browser import Visitor
from loginmachine.demo.shared.answers import Answer

from .support import BOOTSTRAP, PLAN, RESOURCE, Program, error_of

if TYPE_CHECKING:
    from loginmachine.demo.shared.signing import IdTokenFault

SORTED = f"{PLAN} email offline_access openid profile resource.invoke"
MEMBERS = {"access_token", "refresh_token", "id_token", "token_type", "expires_in", "scope", "earliest_refresh_at"}


@pytest.fixture(autouse=True)
def nobody_decides(program: Program) -> None:
    program.provider.switches.consent = "automatic"
    program.provider.switches.refresh_pause = -1.0


# The exchange of a code


def test_the_seven_members_of_a_token_response(program: Program) -> None:
    _, tokens = program.register()
    assert set(tokens) == MEMBERS
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 3600, SORTED)


def test_the_claims_of_an_id_token(program: Program) -> None:
    attempt, before = program.first(), int(time.time())
    callback = attempt.visit()
    claims = program.verified(attempt.redeem(callback).json()["id_token"])
    assert claims["iss"] == program.provider.issuer
    assert claims["aud"] == [dict(callback)["client_id"]]
    assert claims["nonce"] == attempt.request["nonce"]
    assert claims["exp"] - claims["iat"] == 3600
    assert before <= claims["iat"] <= time.time()
    assert (claims["email"], claims["email_verified"], claims["name"]) == ("ada@example.com", True, "Ada")
    assert claims["sub"].startswith("user-")


def test_the_ten_claims_of_an_access_token(program: Program) -> None:
    client_id, tokens = program.register()
    claims = program.verified(tokens["access_token"])
    names = {"sub", "aud", "client_id", "scope", "https://api.openai.com/auth", "iss", "iat", "exp", "nbf", "jti"}
    assert set(claims) == names
    assert (claims["aud"], claims["client_id"], claims["scope"]) == (RESOURCE, client_id, SORTED)
    assert set(claims["https://api.openai.com/auth"]) == {"per_user_salt", "encrypted_auth_metadata"}


@pytest.mark.parametrize(
    ("declined", "members"),
    [
        ((PLAN, "resource.invoke", "offline_access"), MEMBERS - {"refresh_token"}),
        ((PLAN, "resource.invoke"), MEMBERS),
    ],
)
def test_a_declined_plan(program: Program, declined: tuple[str, ...], members: set[str]) -> None:
    program.provider.switches.declined_scopes = declined
    _, tokens = program.register()
    assert set(tokens) == members
    assert PLAN not in tokens["scope"]
    program.provider.switches.access_token_without_plan = False
    _, tokens = program.register()
    assert set(tokens) == members - {"access_token", "expires_in", "earliest_refresh_at"}


@pytest.mark.parametrize(
    ("changes", "error", "rules"),
    [
        ({"client_id": BOOTSTRAP}, (401, "invalid_client"), 1),
        ({"client_id": "oaiapp_unknown"}, (401, "invalid_client"), 1),
        ({"resource": None}, (400, "invalid_request"), 1),
        ({"resource": "https://api.openai.com"}, (400, "invalid_target"), 1),
        ({"redirect_uri": "http://127.0.0.1:2/auth/callback"}, (400, "invalid_grant"), 1),
        ({"code_verifier": "x" * 43}, (400, "invalid_grant"), 1),
        ({"code_verifier": "x" * 42}, (400, "invalid_request"), 1),
        ({"code": "unknown"}, (400, "invalid_grant"), 1),
        ({"client_secret": "x"}, (400, "invalid_request"), 1),
        ({"grant_type": "password"}, (400, "unsupported_grant_type"), 1),
    ],
)
def test_a_wrong_exchange_is_refused(
    program: Program, changes: dict[str, Any], error: tuple[int, str], rules: int
) -> None:
    attempt = program.first()
    assert error_of(attempt.redeem(attempt.visit(), **changes)) == error
    assert len(program.rules()) == rules


def test_a_code_works_once(program: Program) -> None:
    attempt = program.first()
    callback = attempt.visit()
    tokens = attempt.redeem(callback).json()
    assert error_of(attempt.redeem(callback)) == (400, "invalid_grant")
    assert not program.provider.is_active(tokens["access_token"])
    assert len(program.rules()) == 1


def test_a_code_belongs_to_its_client(program: Program) -> None:
    client_id, _ = program.register()
    attempt = program.first()
    assert error_of(attempt.redeem(attempt.visit(), client_id=client_id)) == (400, "invalid_grant")
    assert len(program.rules()) == 1


def test_a_code_expires(program: Program) -> None:
    attempt = program.first()
    callback = attempt.visit()
    program.provider.advance(60)
    assert error_of(attempt.redeem(callback)) == (400, "invalid_grant")
    assert program.rules() == []


@pytest.mark.parametrize("member", ["token_endpoint", "revocation_endpoint"])
def test_json_is_refused(program: Program, member: str) -> None:
    client_id, tokens = program.register()
    body = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": tokens["refresh_token"]}
    assert error_of(program.http.post(program.url(member), json=body)) == (400, "invalid_request")
    assert program.provider.is_active(tokens["refresh_token"])
    assert len(program.rules()) == 1


@pytest.mark.parametrize("member", ["token_endpoint", "revocation_endpoint"])
def test_a_public_client_has_no_authorization_header(program: Program, member: str) -> None:
    answer = program.http.post(program.url(member), data={"client_id": "x"}, auth=("x", ""))
    assert error_of(answer) == (400, "invalid_request")
    assert len(program.rules()) == 1


def test_a_wrong_method_is_recorded(program: Program) -> None:
    assert program.http.get(program.url("token_endpoint")).status_code == 405
    assert len(program.rules()) == 1


# ID tokens with faults


@pytest.mark.parametrize("fault", ["signature", "alg_none", "alg_hs256", "unknown_kid"])
def test_an_id_token_with_a_fault_does_not_verify(program: Program, fault: IdTokenFault) -> None:
    program.provider.switches.id_token_fault = fault
    _, tokens = program.register()
    errors = {"signature": BadSignatureError, "unknown_kid": InvalidKeyIdError}
    with pytest.raises(errors.get(fault, Exception)):
        program.verified(tokens["id_token"])


def test_the_signing_key_may_come_at_the_second_fetch(program: Program) -> None:
    program.provider.switches.key_sets_without_current = 1
    _, tokens = program.register()
    with pytest.raises(InvalidKeyIdError):
        program.verified(tokens["id_token"])
    assert program.verified(tokens["id_token"])["email"] == "ada@example.com"


def test_two_keys_are_published(program: Program) -> None:
    keys = program.http.get(program.url("jwks_uri")).json()["keys"]
    assert [(key["kty"], key["use"]) for key in keys] == [("RSA", "sig")] * 2
    assert [len(base64.urlsafe_b64decode(key["n"] + "==")) for key in keys] == [256, 256]
    _, tokens = program.register()
    program.provider.rotate_keys()
    _, others = program.register()
    kids = [json.loads(base64.urlsafe_b64decode(text["id_token"].split(".")[0] + "==")) for text in (tokens, others)]
    assert [kid["kid"] for kid in kids] == [key["kid"] for key in keys]
    assert program.verified(tokens["id_token"])["sub"] == program.verified(others["id_token"])["sub"]


def test_claims_are_replaced(program: Program) -> None:
    program.provider.switches.id_token_claims = {"aud": BOOTSTRAP, "nonce": None}
    claims = program.verified(program.register()[1]["id_token"])
    assert claims["aud"] == BOOTSTRAP
    assert "nonce" not in claims
    program.provider.switches.id_token_claims = {}
    program.provider.switches.audience = "text"
    client_id, tokens = program.register()
    assert program.verified(tokens["id_token"])["aud"] == client_id


# Refreshes


def test_a_refresh_rotates(program: Program) -> None:
    client_id, first = program.register()
    second = program.refresh(client_id, first["refresh_token"]).json()
    assert set(second) == MEMBERS
    assert second["refresh_token"] != first["refresh_token"]
    assert "nonce" not in program.verified(second["id_token"])
    assert program.refresh(client_id, second["refresh_token"]).status_code == 200
    assert program.rules() == []


def test_a_refresh_may_have_fewer_members(program: Program) -> None:
    switches = program.provider.switches
    switches.scope_at_refresh = switches.id_token_at_refresh = False
    client_id, first = program.register()
    assert set(program.refresh(client_id, first["refresh_token"]).json()) == MEMBERS - {"id_token", "scope"}


def test_a_refresh_token_may_stay(program: Program) -> None:
    program.provider.switches.refresh_token_at_refresh = False
    client_id, first = program.register()
    for _ in range(2):
        assert "refresh_token" not in program.refresh(client_id, first["refresh_token"]).json()
    assert program.rules() == []


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"resource": None}, "invalid_request"),
        ({"resource": "https://other.example"}, "invalid_target"),
        ({"scope": "openid"}, "invalid_request"),
        ({"client_id": None}, "invalid_request"),
        ({"refresh_token": "unknown"}, "invalid_refresh_token"),
    ],
)
def test_a_wrong_refresh_is_refused(program: Program, changes: dict[str, Any], error: str) -> None:
    client_id, tokens = program.register()
    assert error_of(program.refresh(client_id, tokens["refresh_token"], **changes)) == (400, error)
    assert program.provider.is_active(tokens["refresh_token"])
    assert len(program.rules()) == 1


@pytest.mark.parametrize("client_id", [BOOTSTRAP, "oaiapp_unknown"])
def test_only_an_issued_client_refreshes(program: Program, client_id: str) -> None:
    _, tokens = program.register()
    assert error_of(program.refresh(client_id, tokens["refresh_token"])) == (401, "invalid_client")
    assert len(program.rules()) == 1


def test_a_refresh_token_belongs_to_its_client(program: Program) -> None:
    _, tokens = program.register()
    other, _ = program.register()
    assert error_of(program.refresh(other, tokens["refresh_token"])) == (400, "invalid_refresh_token")
    assert program.provider.is_active(tokens["refresh_token"])
    assert len(program.rules()) == 1


def test_a_spent_refresh_token_is_refused(program: Program) -> None:
    client_id, first = program.register()
    second = program.refresh(client_id, first["refresh_token"]).json()
    assert error_of(program.refresh(client_id, first["refresh_token"])) == (400, "refresh_token_reused")
    assert program.provider.is_active(second["refresh_token"])
    assert program.rules() == ["A refresh token is used once."]


@pytest.mark.parametrize("lost", [Answer.cut(), Answer.dropped(handled=True)])
def test_a_response_can_be_lost_after_the_token_was_spent(program: Program, lost: Answer) -> None:
    client_id, first = program.register()
    program.provider.answer_next("token", lost)
    with pytest.raises(httpx.RemoteProtocolError):
        program.refresh(client_id, first["refresh_token"])
    assert error_of(program.refresh(client_id, first["refresh_token"])) == (400, "refresh_token_reused")
    assert program.rules() == []


def test_a_connection_can_end_before_the_token_is_spent(program: Program) -> None:
    client_id, first = program.register()
    program.provider.answer_next("token", Answer.dropped())
    with pytest.raises(httpx.RemoteProtocolError):
        program.refresh(client_id, first["refresh_token"])
    assert program.refresh(client_id, first["refresh_token"]).status_code == 200


def test_of_two_refreshes_at_once_one_succeeds(program: Program) -> None:
    client_id, first = program.register()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: program.refresh(client_id, first["refresh_token"]).status_code, range(2)))
    assert sorted(answers) == [200, 400]
    assert program.rules() == ["A refresh token is used once."]


def test_a_refresh_token_expires(program: Program) -> None:
    client_id, tokens = program.register()
    program.provider.advance(30 * 86400)
    assert error_of(program.refresh(client_id, tokens["refresh_token"])) == (400, "token_expired")
    assert program.rules() == []


def test_a_refresh_takes_a_scope_away(program: Program) -> None:
    client_id, tokens = program.register()
    program.provider.switches.lost_scopes = (PLAN,)
    renewed = program.refresh(client_id, tokens["refresh_token"]).json()
    assert renewed["scope"] == "email offline_access openid profile resource.invoke"
    assert program.models(renewed["access_token"]).status_code == 401


def test_a_disconnected_program_cannot_refresh(program: Program) -> None:
    client_id, tokens = program.register()
    program.provider.disconnect(client_id)
    assert error_of(program.refresh(client_id, tokens["refresh_token"])) == (400, "invalid_grant")
    assert program.rules() == []


# earliest_refresh_at


@pytest.mark.parametrize("form", ["iso", "seconds"])
def test_an_early_refresh_is_refused(program: Program, form: str) -> None:
    switches = program.provider.switches
    switches.refresh_pause, switches.earliest_refresh_at = 3240.0, form
    before = time.time()
    client_id, tokens = program.register()
    written = tokens["earliest_refresh_at"]
    at = datetime.fromisoformat(written).timestamp() if form == "iso" else written
    assert before + 3239 < at < time.time() + 3241
    assert error_of(program.refresh(client_id, tokens["refresh_token"])) == (429, "temporarily_unavailable")
    assert program.rules() == ["A refresh comes after earliest_refresh_at."]
    program.provider.advance(3240)
    assert program.refresh(client_id, tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("written", [None, "garbage", [1], -1])
def test_a_time_that_cannot_be_read_binds_nobody(program: Program, written: object) -> None:
    switches = program.provider.switches
    switches.refresh_pause, switches.earliest_refresh_at = 3240.0, written
    client_id, tokens = program.register()
    assert tokens["earliest_refresh_at"] == written
    assert program.refresh(client_id, tokens["refresh_token"]).status_code == 200
    switches.earliest_refresh_at = "absent"
    assert "earliest_refresh_at" not in program.register()[1]


# Revocation


def test_a_sign_out_ends_a_grant(program: Program) -> None:
    client_id, tokens = program.register()
    for _ in range(2):  # the second time the token is not valid any more
        answer = program.revoke(client_id, tokens["refresh_token"])
        assert (answer.status_code, answer.content) == (200, b"")
    assert program.revoke(client_id, "unknown").status_code == 200
    assert program.rules() == []
    assert not program.provider.is_active(tokens["access_token"])
    answer = program.refresh(client_id, tokens["refresh_token"])
    assert error_of(answer) == (400, "refresh_token_invalidated")
    assert len(program.rules()) == 1
    assert program.provider.registrations[0].connected


@pytest.mark.parametrize(
    "changes", [{"token_type_hint": None}, {"token_type_hint": "access_token"}, {"client_id": None}, {"resource": "x"}]
)
def test_a_wrong_revocation_is_refused(program: Program, changes: dict[str, Any]) -> None:
    client_id, tokens = program.register()
    assert error_of(program.revoke(client_id, tokens["refresh_token"], **changes)) == (400, "invalid_request")
    assert program.provider.is_active(tokens["refresh_token"])
    assert len(program.rules()) == 1


def test_a_sign_out_is_for_the_own_refresh_token(program: Program) -> None:
    client_id, tokens = program.register()
    other, _ = program.register()
    assert error_of(program.revoke(client_id, tokens["access_token"])) == (400, "invalid_request")
    assert error_of(program.revoke(other, tokens["refresh_token"])) == (400, "invalid_request")
    assert program.provider.is_active(tokens["refresh_token"])
    assert len(program.rules()) == 2


# Accounts


def test_one_person_has_several_clients(program: Program) -> None:
    program.provider.switches.consent = "form"
    accounts = [
        program.register(Visitor()),
        program.register(Visitor(workspace="Analytical Engines")),
        program.register(Visitor(email="grace@example.com")),
    ]
    assert len({client_id for client_id, _ in accounts}) == 3
    subjects = [jwt_subject(tokens["id_token"]) for _, tokens in accounts]
    assert subjects[0] == subjects[1] != subjects[2]
    for client_id, tokens in accounts:
        assert program.refresh(client_id, tokens["refresh_token"]).status_code == 200


def jwt_subject(token: str) -> object:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"]

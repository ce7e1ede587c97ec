"""Sign-outs: the revocation and what stays. Programs that use the interface of the models."""

from __future__ import annotations

import json

import httpx
import pytest

from loginmachine.demo.shared.answers import Answer

from .support import GRACE, Computer

# These commands use one driver.
pytestmark = pytest.mark.parametrize("computer", ["threaded"], indirect=True)

BUSY = Answer.json({}, status=503)


def cleared(computer: Computer, client_id: str) -> None:
    stored = "".join(computer.files().values())
    assert [token[:6] for token in computer.provider.tokens if token in stored] == []
    assert client_id in stored
    status = computer.json("status")
    assert (status["signed_in"], status["client_id"]) == (False, client_id)
    assert status["email"] == "ada@example.com"
    assert computer.call("status")[0] == 1


# cases 68 to 70
@pytest.mark.parametrize(
    ("answers", "requests", "revoked"),
    [
        ([], 1, True),
        ([BUSY, BUSY], 3, True),
        ([BUSY, BUSY, BUSY], 3, False),
        ([Answer.dropped(), Answer.dropped()], 3, True),
        ([Answer.error("invalid_request")], 1, False),
    ],
)
def test_a_sign_out(computer: Computer, answers: list[Answer], requests: int, *, revoked: bool) -> None:
    client_id = computer.signed_in()["client_id"]
    computer.provider.answer_next("revocation", *answers)
    code, out, err = computer.call("logout", "--json")
    assert code == 0, err
    assert json.loads(out)["revoked"] is revoked
    sent = [dict(request.form) for request in computer.provider.requests_to("revocation")]
    assert len(sent) == requests
    assert {form["token_type_hint"] for form in sent} == {"refresh_token"}
    assert {form["client_id"] for form in sent} == {client_id}
    cleared(computer, client_id)


def test_a_sign_out_that_is_not_confirmed_says_what_to_do(computer: Computer) -> None:
    computer.signed_in()
    computer.provider.switches.answers = {"revocation": Answer.error("invalid_request")}
    code, out, err = computer.call("logout")
    assert code == 0
    assert "chatgpt.com" in out + err


def test_a_provider_without_revocation(computer: Computer) -> None:  # case 71
    computer.provider.switches.metadata = {"revocation_endpoint": None}
    client_id = computer.signed_in()["client_id"]
    assert computer.json("logout")["revoked"] in (False, None)
    cleared(computer, client_id)


def test_a_token_that_is_not_valid_any_more(computer: Computer) -> None:  # case 72
    client_id = computer.signed_in()["client_id"]
    computer.provider.disconnect(client_id)
    assert computer.json("logout")["revoked"] is True
    cleared(computer, client_id)


def test_a_second_sign_out_sends_nothing(computer: Computer) -> None:
    computer.signed_in()
    for _ in range(2):
        computer.call("logout")
    assert len(computer.provider.requests_to("revocation")) == 1


def test_one_of_two_accounts_is_signed_out(computer: Computer) -> None:
    first = computer.signed_in()["client_id"]
    second = computer.signed_in("--new-account", browse=GRACE)["client_id"]
    assert computer.call("logout", "--account", first)[0] == 0
    assert computer.token()
    signed_in = {account["client_id"]: account["signed_in"] for account in computer.accounts()}
    assert signed_in == {first: False, second: True}


# The interface of the models


def models(computer: Computer, token: str) -> httpx.Response:
    with httpx.Client(trust_env=False, verify=False) as client:
        return client.get(f"{computer.provider.api}/models", headers={"Authorization": f"Bearer {token}"})


def test_a_token_lists_models(computer: Computer) -> None:
    computer.signed_in()
    assert models(computer, computer.token()).status_code == 200
    computer.refresh()
    assert models(computer, computer.token()).status_code == 200


def test_the_user_is_not_valid_any_more(computer: Computer) -> None:  # case 76
    client_id = computer.signed_in()["client_id"]
    token = computer.token()
    computer.provider.disconnect(client_id)
    answer = models(computer, token)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "subscription_sharing_invalid_user")
    # Only the refresh decides about the sign-in.
    assert computer.token() == token
    assert computer.refresh()[0] == 1
    assert computer.call("token")[0] == 1

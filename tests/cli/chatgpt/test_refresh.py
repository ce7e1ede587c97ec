"""Refreshes: what the answer may lack, what is final, what is not, and processes that refresh at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from loginmachine.demo.shared.answers import Answer

from ..conftest import started

if TYPE_CHECKING:
    from collections.abc import Callable

    from .support import Computer

# These commands use one driver.
pytestmark = pytest.mark.parametrize("computer", ["threaded"], indirect=True)

FINAL = (
    "invalid_grant",
    "invalid_refresh_token",
    "token_expired",
    "refresh_token_expired",
    "refresh_token_invalidated",
    "refresh_token_reused",
)
TRANSIENT = {
    "too many": Answer.error("rate_limited", status=429).after(7),
    "no word": Answer.json({}, status=429),
    "server": Answer.error("server_error", status=503),
    "page": Answer.html(status=502),
    "page with success": Answer.html(),
    "unknown": Answer.error("unknown_error"),
    "unauthorized": Answer.json({}, status=401),
    "dropped": Answer.dropped(),
}


def refreshes(computer: Computer) -> int:
    return len(computer.forms("refresh_token"))


def signed_out(computer: Computer) -> None:
    """Check that the tokens are cleared and that the client is kept."""
    (registration,) = computer.provider.registrations
    stored = "".join(computer.files().values())
    assert [token[:6] for token in computer.provider.tokens if token in stored] == []
    (account,) = computer.accounts()
    assert (account["signed_in"], account["client_id"]) == (False, registration.client_id)
    status = computer.json("status")
    assert (status["signed_in"], status["client_id"]) == (False, registration.client_id)
    assert computer.call("status")[0] == 1
    code, _, err = computer.call("token")
    assert (code, "loginmachine login --provider chatgpt" in err) == (1, True)


# What an answer may lack


# cases 46 to 50
@pytest.mark.parametrize("earliest", ["iso", "seconds", None, "absent", "garbage", [], -1, 1e308, True, "9" * 5000])
def test_a_refresh_without_scope_and_id_token(computer: Computer, earliest: object) -> None:
    switches = computer.provider.switches
    switches.scope_at_refresh = switches.id_token_at_refresh = False
    switches.earliest_refresh_at = earliest
    done = computer.signed_in()
    before = computer.token()
    for _ in range(2):
        code, answer = computer.refresh()
        assert (code, answer["outcome"]) == (0, "refreshed")
    assert computer.token() != before
    (account,) = computer.accounts()
    assert (sorted(account["scopes"]), account["plan_enabled"]) == (sorted(done["scopes"]), True)
    assert (account["email"], account["subject"]) == (done["email"], done["subject"])
    computer.signed_in()
    assert "id_token_hint" in computer.asked()[-1]


def test_a_refresh_is_a_form_without_scope(computer: Computer) -> None:
    client_id = computer.signed_in()["client_id"]
    computer.refresh()
    (form,) = computer.forms("refresh_token")
    assert set(form) == {"grant_type", "client_id", "refresh_token", "resource"}
    assert (form["client_id"], form["resource"]) == (client_id, "https://api.openai.com/v1")


def test_a_refresh_token_that_stays(computer: Computer) -> None:  # case 63
    computer.provider.switches.refresh_token_at_refresh = False
    computer.signed_in()
    for _ in range(2):
        assert computer.refresh()[0] == 0
    tokens = [form["refresh_token"] for form in computer.forms("refresh_token")]
    assert tokens[0] == tokens[1]


# Too early


@pytest.mark.parametrize("form", ["iso", "seconds"])
def test_a_refresh_that_is_too_early_is_not_sent(computer: Computer, form: str) -> None:  # case 51
    switches = computer.provider.switches
    switches.refresh_pause, switches.earliest_refresh_at = 3240.0, form
    computer.signed_in()
    token = computer.token()
    code, answer = computer.refresh()
    assert (code, answer["outcome"]) == (0, "kept")
    assert answer["message"]
    assert refreshes(computer) == 0
    assert computer.token() == token


def test_an_ended_token_that_cannot_be_renewed_yet(computer: Computer) -> None:  # case 52
    switches = computer.provider.switches
    switches.refresh_pause, switches.expires_in = 3240.0, 0
    computer.signed_in()
    code, out, err = computer.call("token")
    assert (code, out, bool(err)) == (1, "", True)
    assert computer.refresh()[0] == 1
    assert refreshes(computer) == 0
    (account,) = computer.accounts()
    assert account["signed_in"]


# Errors


# case 53
@pytest.mark.parametrize(
    "answer_of",
    [
        lambda error: Answer.error(error, status=400),
        lambda error: Answer.error(error, status=401),
        lambda error: Answer.error_object(error, status=400),
        lambda error: Answer.error_object(error, status=401),
    ],
)
@pytest.mark.parametrize("error", FINAL)
def test_a_final_error_signs_the_person_out(computer: Computer, error: str, answer_of: Callable[[str], Answer]) -> None:
    computer.signed_in()
    computer.provider.answer_next("token", answer_of(error))
    code, answer = computer.refresh()
    assert (code, answer["outcome"]) == (1, "failed")
    assert refreshes(computer) == 1
    signed_out(computer)
    assert refreshes(computer) == 1


# case 54
@pytest.mark.parametrize(
    "answer", [Answer.error("invalid_client", status=401), Answer.error_object("invalid_client", status=400)]
)
def test_a_client_that_is_refused_keeps_its_tokens(computer: Computer, answer: Answer) -> None:
    computer.signed_in()
    token = computer.token()
    computer.provider.answer_next("token", answer)
    code, _, err = computer.call("refresh")
    assert code == 1
    assert "client" in err
    assert computer.token() == token
    assert computer.refresh()[0] == 0


# cases 55 to 57
@pytest.mark.parametrize("name", TRANSIENT)
def test_a_transient_error_keeps_everything(computer: Computer, name: str) -> None:
    computer.signed_in()
    token = computer.token()
    computer.provider.answer_next("token", TRANSIENT[name])
    code, answer = computer.refresh()
    assert (code, answer["outcome"]) in {(0, "kept"), (1, "failed")}
    assert answer["message"]
    assert refreshes(computer) == 1
    assert computer.token() == token
    code, answer = computer.refresh()
    assert (code, answer["outcome"]) == (0, "refreshed")


@pytest.mark.parametrize("lost", [Answer.cut(), Answer.dropped(handled=True)])
def test_an_answer_that_is_lost_after_the_token_was_spent(computer: Computer, lost: Answer) -> None:  # case 59
    computer.signed_in()
    token = computer.token()
    computer.provider.answer_next("token", lost)
    code, answer = computer.refresh()
    assert (code, answer["outcome"]) in {(0, "kept"), (1, "failed")}
    assert refreshes(computer) == 1
    assert computer.token() == token
    # The next explicit call tries the old token once, and learns that it is spent.
    code, answer = computer.refresh()
    assert (code, answer["outcome"], refreshes(computer)) == (1, "failed", 2)
    signed_out(computer)


def test_an_answer_that_is_lost_before_the_token_was_spent(computer: Computer) -> None:
    computer.signed_in()
    computer.provider.answer_next("token", Answer.dropped())
    computer.refresh()
    code, answer = computer.refresh()
    assert (code, answer["outcome"], refreshes(computer)) == (0, "refreshed", 2)


def test_a_spent_refresh_token_is_final(computer: Computer) -> None:  # case 66
    computer.signed_in()
    copies = {computer.home / name: content for name, content in computer.files().items() if "oaiapp_" in content}
    assert computer.refresh()[0] == 0
    for path, content in copies.items():
        path.write_text(content)
    computer.provider.answer_next("token", Answer.error("refresh_token_reused"))
    assert computer.refresh()[1]["outcome"] == "failed"
    signed_out(computer)


# ID tokens in a refresh


def test_another_person_in_a_refresh(computer: Computer) -> None:  # case 61
    done = computer.signed_in()
    token = computer.token()
    computer.provider.switches.id_token_claims = {"sub": "user-another"}
    code, answer = computer.refresh()
    assert (code, answer["outcome"]) == (1, "failed")
    (account,) = computer.accounts()
    assert account["subject"] == done["subject"]
    assert computer.token() == token


def test_the_same_person_in_a_refresh(computer: Computer) -> None:  # case 60
    done = computer.signed_in()
    assert computer.refresh()[0] == 0
    (account,) = computer.accounts()
    assert account["subject"] == done["subject"]


@pytest.mark.parametrize("answer", [Answer.json({}, status=503), Answer.dropped(), Answer.json({"keys": []})])
def test_keys_that_are_out_of_reach_lose_no_token(computer: Computer, answer: Answer) -> None:  # case 62
    computer.signed_in()
    computer.provider.switches.answers = {"jwks": answer}
    computer.refresh()
    computer.provider.switches.answers = {}
    code, _ = computer.refresh()
    assert code == 0
    computer.refresh()
    used = [form["refresh_token"] for form in computer.forms("refresh_token")]
    assert len(used) == len(set(used)) >= 2
    (account,) = computer.accounts()
    assert account["signed_in"]


# Processes at once


def test_two_processes_refresh_once(computer: Computer) -> None:  # case 65
    computer.provider.switches.expires_in = 0
    computer.signed_in()
    computer.provider.switches.expires_in = 3600
    computer.provider.switches.delays = {"token": 0.3}
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: started("token", **computer.folders), range(3)))
    assert [code for code, _, _ in results] == [0, 0, 0], results
    assert len({out for _, out, _ in results}) == 1
    assert refreshes(computer) == 1


def test_the_record_of_a_token_is_json_that_nobody_else_reads(computer: Computer) -> None:
    computer.signed_in()
    files = [computer.home / name for name, content in computer.files().items() if "oaiapp_" in content]
    assert files
    for path in files:
        assert path.stat().st_mode & 0o077 == 0
        json.loads(path.read_text())
    for folder in {path.parent for path in files}:
        assert folder.stat().st_mode & 0o077 == 0

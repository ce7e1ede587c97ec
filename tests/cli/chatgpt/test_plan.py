"""Use of the plan: declined, enabled later, lost in a refresh, and what the command says about it."""

from __future__ import annotations

from typing import Any

import pytest

from loginmachine.demo.chatgpt.browser import Visitor

from .support import ADA, PLAN, SCOPES, Computer

IDENTITY = ["openid", "profile", "email"]
NO_PLAN = Visitor(declined=(PLAN, "resource.invoke", "offline_access"))
NO_PLAN_BUT_OFFLINE = Visitor(declined=(PLAN, "resource.invoke"))
USAGE = "https://chatgpt.com/settings/usage"


@pytest.mark.parametrize(
    ("visitor", "scopes"), [(NO_PLAN, IDENTITY), (NO_PLAN_BUT_OFFLINE, [*IDENTITY, "offline_access"])]
)
def test_a_person_declines_the_plan(computer: Computer, visitor: Visitor, scopes: list[str]) -> None:  # cases 14, 15
    done = computer.signed_in(browse=visitor)
    assert (done["plan_enabled"], sorted(done["scopes"])) == (False, sorted(scopes))
    (account,) = computer.accounts()
    assert (account["plan_enabled"], account["signed_in"], account["default"]) == (False, True, True)
    code, out, _ = computer.call("status")
    assert code == 0
    how = f"loginmachine login --provider chatgpt --issuer {computer.provider.issuer} --account {done['client_id']}"
    assert f"run: {how} --enable-plan\n" in out


def test_an_identity_without_an_access_token(computer: Computer) -> None:  # case 16
    computer.provider.switches.access_token_without_plan = False
    done = computer.signed_in(browse=NO_PLAN)
    assert (done["plan_enabled"], done["email"]) == (False, "ada@example.com")
    code, out, err = computer.call("token")
    assert (code, out) == (1, "")
    assert "--enable-plan" in err


@pytest.mark.parametrize(("visitor", "enabled"), [(ADA, True), (NO_PLAN, False)])
def test_the_plan_is_enabled_later(computer: Computer, visitor: Visitor, *, enabled: bool) -> None:  # cases 42, 43
    client_id = computer.signed_in(browse=NO_PLAN)["client_id"]
    done = computer.signed_in("--enable-plan", browse=visitor)
    assert (done["client_id"], done["plan_enabled"]) == (client_id, enabled)
    request = computer.asked()[-1]
    assert (request["prompt"], request["client_id"]) == ("consent", client_id)
    assert request["scope"].split(" ") == SCOPES
    assert len(computer.provider.registrations) == 1


@pytest.mark.parametrize("options", [(), ("--new-account",)])
def test_a_first_sign_in_asks_for_the_plan_anyway(computer: Computer, options: tuple[str, ...]) -> None:
    assert computer.signed_in("--enable-plan", *options)["plan_enabled"] is True
    (request,) = computer.asked()
    assert request["client_id"] == "dynamic_agent_client"
    assert request.keys() & {"prompt", "login_hint"} == set()


def test_a_person_who_cancels_the_question_keeps_the_sign_in(computer: Computer) -> None:
    computer.signed_in(browse=NO_PLAN)
    before = computer.accounts()
    assert computer.login("--enable-plan", browse=Visitor(approves=False)).category == "provider_callback_error"
    assert computer.accounts() == before


def test_an_ordinary_sign_in_does_not_ask_again(computer: Computer) -> None:
    computer.signed_in(browse=NO_PLAN)
    assert computer.signed_in()["plan_enabled"] is False
    assert "prompt" not in computer.asked()[-1]


def test_a_refresh_loses_the_plan(computer: Computer) -> None:  # case 64
    computer.signed_in()
    computer.provider.switches.lost_scopes = (PLAN,)
    code, _ = computer.refresh()
    assert code == 0
    (account,) = computer.accounts()
    assert (account["plan_enabled"], account["signed_in"]) == (False, True)
    assert "--enable-plan" in computer.call("status")[1]


def test_the_use_of_the_plan_is_explained_once(computer: Computer) -> None:
    arguments: list[Any] = [computer.login() for _ in range(2)]
    assert [USAGE in login.err for login in arguments] == [True, False]
    computer.call("logout")
    assert USAGE not in computer.login().err
    assert USAGE in computer.call("status")[1]


def test_the_use_of_the_plan_is_explained_when_it_begins(computer: Computer) -> None:
    assert USAGE not in computer.login(browse=NO_PLAN).err
    assert USAGE in computer.login("--enable-plan").err

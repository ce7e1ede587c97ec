"""The account of a login: what the tokens say of it, and whether its workspace is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from loginmachine.sansio import Provider
from loginmachine.sansio.model.account import Account, read_account, workspace_allowed

from ..samples import NAMESPACE, with_dialect

CHATGPT = Provider.codex()


def account(id_claims: dict[str, Any], access_claims: dict[str, Any], **top: Any) -> Account:
    return read_account({**top, NAMESPACE: id_claims}, {NAMESPACE: access_claims}, CHATGPT)


def test_everything_that_is_known_of_an_account() -> None:
    ours = {
        "chatgpt_account_id": "acc-1",
        "chatgpt_plan_type": "pro",
        "organization_id": "org-1",
        "project_id": "proj-1",
        "completed_platform_onboarding": False,
        "is_org_owner": True,
    }
    assert account(ours, {"chatgpt_plan_type": "team"}, email="ada@example.org") == Account(
        account_id="acc-1",
        email="ada@example.org",
        plan="pro",
        shown_plan="team",
        organization_id="org-1",
        project_id="proj-1",
        needs_setup=True,
    )


def test_the_account_and_the_stored_plan_come_from_the_id_token_only() -> None:
    other = {"chatgpt_account_id": "acc-2", "chatgpt_plan_type": "plus"}
    assert account({}, other) == Account(shown_plan="plus")


def test_the_organisation_comes_from_the_id_token_first() -> None:
    other = {"organization_id": "org-2", "project_id": "proj-2", "is_org_owner": True}
    assert account({}, other) == Account(organization_id="org-2", project_id="proj-2", needs_setup=True)
    mixed = account({"organization_id": "org-1", "is_org_owner": False}, other)
    assert mixed == Account(organization_id="org-1", project_id="proj-2", needs_setup=False)


@pytest.mark.parametrize(
    ("owner", "onboarded", "needs_setup"),
    [
        (True, False, True),
        (True, None, True),
        (True, True, False),
        (False, False, False),
        (None, False, False),
        ("true", False, False),
        (1, False, False),
    ],
)
def test_who_needs_setup(owner: object, onboarded: object, *, needs_setup: bool) -> None:
    claims = {"is_org_owner": owner, "completed_platform_onboarding": onboarded}
    known = {name: value for name, value in claims.items() if value is not None}
    assert account(known, {}).needs_setup is needs_setup


@pytest.mark.parametrize("value", [None, 1, True, ["a"], {"a": 1}, "", "  "])
def test_claims_of_another_type_are_unknown(value: object) -> None:
    names = ("chatgpt_account_id", "chatgpt_plan_type", "organization_id", "project_id")
    assert account(dict.fromkeys(names, value), {}, email=value) == Account()


@pytest.mark.parametrize("value", [None, "x", ["x"], 1])
def test_a_namespace_that_is_no_object_is_empty(value: object) -> None:
    assert read_account({NAMESPACE: value}, {}, CHATGPT) == Account()
    assert read_account({}, {}, CHATGPT) == Account()


def test_claims_of_a_provider_without_a_namespace_are_at_the_top() -> None:
    provider = with_dialect(CHATGPT, claims_namespace=None)
    assert read_account({"chatgpt_account_id": "acc-1", "email": "e"}, {}, provider) == Account(
        account_id="acc-1", email="e"
    )


def test_claims_are_made_safe_to_show() -> None:
    assert account({}, {}, email="ada\x1b[2J\u202e@example.org").email == "ada\ufffd[2J\ufffd@example.org"


@pytest.mark.parametrize(
    ("account_id", "allowed", "expected"),
    [
        ("acc-1", (), True),
        (None, (), True),
        ("acc-1", ("acc-1",), True),
        ("acc-1", ("acc-0", "acc-1"), True),
        ("acc-0", ("acc-0", "acc-1"), True),
        ("acc-2", ("acc-0", "acc-1"), False),
        ("acc-1", ("acc-10",), False),
        ("acc-1", ("ACC-1",), False),
        ("acc-1", ("acc-1 ",), False),
        (None, ("acc-1",), False),
    ],
)
def test_allowed_workspaces(account_id: str | None, allowed: tuple[str, ...], *, expected: bool) -> None:
    assert workspace_allowed(Account(account_id=account_id), allowed) is expected

"""The success page belongs to the browser that was redirected to it: other programs on this machine do not get it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.sansio import LoginMachine, LoginSecrets
from loginmachine.sansio.login.actions import CloseListener, Respond
from loginmachine.sansio.login.events import ClientGone, CredentialsSaved, ResponseSent

from .. import samples
from ..playbook import AnyResponse, Playbook
from ..samples import STATE, SUCCESS, VERIFIER, answer, api_key_answer, callback, drive, get, machine_in

if TYPE_CHECKING:
    from loginmachine.sansio.login.actions import Action

NEEDS_SETUP = {"completed_platform_onboarding": False, "is_org_owner": True}
WITHOUT_ITS_KEY = [
    "/success",
    "/success?x=y",
    "/success?key=canary-success-key",
    "/success/",
    "/success/canary-success-ke",
    "/success/canary-success-keyx",
    "/success/canary-success-key/",
    "/success/CANARY-SUCCESS-KEY",
    "/success/canary%2Dsuccess-key",
    "/success/\u00e9",
    "/success//canary-success-key",
    "//success/canary-success-key",
    "/canary-success-key",
    f"/success/{STATE}",
    "http://127.0.0.1:1455/success",
]


def succeeded(secrets: LoginSecrets) -> tuple[LoginMachine, str]:
    """Return a login that has succeeded, for an account that has to be set up, and where it redirects to."""
    login = samples.machine(secrets=secrets)
    claims = {**samples.ID_CLAIMS, samples.NAMESPACE: {**samples.ACCOUNT_CLAIMS, **NEEDS_SETUP}}
    tokens = samples.token_json(id_token=samples.jwt(claims, "canary-id-token"))
    drive(login, *samples.PATHS["awaiting_callback"], callback(f"code=c&state={secrets.state}"))
    drive(login, answer(body=tokens), api_key_answer())
    return login, location(login.handle(CredentialsSaved()))


def location(actions: list[Action]) -> str:
    """Return where the response redirects to."""
    (response,) = (action for action in actions if isinstance(action, Respond))
    return dict(response.headers)[b"Location"].decode()


def body(actions: list[Action]) -> str:
    (response,) = (action for action in actions if isinstance(action, Respond))
    return response.body.decode()


@pytest.mark.parametrize("target", WITHOUT_ITS_KEY)
def test_nothing_is_shown_without_the_key(target: str) -> None:
    login, page = succeeded(samples.SECRETS)
    assert page == SUCCESS
    for request_id in range(2, 30):
        actions = login.handle(get(target, request_id))
        assert [action.status for action in actions if isinstance(action, Respond)] == [404]
        assert body(actions) == "Not found.\n"
        # It is not the last page either: the listener stays open for the browser that was redirected.
        assert login.handle(ResponseSent(request_id=request_id)) == []
    login.handle(ResponseSent(request_id=1))
    page_actions = login.handle(get(page, 40))
    assert "org-setup" in body(page_actions)
    assert isinstance(login.handle(ResponseSent(request_id=40))[-1], CloseListener)


def test_a_stranger_who_leaves_changes_nothing_either() -> None:
    login = machine_in("succeeded")
    assert Playbook(login) >> get("/success", 2) << AnyResponse(2, 404) >> ClientGone(request_id=2)


def test_another_code_does_not_lead_to_the_success_page() -> None:
    """Other users of this machine can read `state` in the arguments of the browser's launcher."""
    login = machine_in("succeeded")
    for request_id, query in enumerate((f"code=x&state={STATE}", f"error=x&state={STATE}", f"state={STATE}"), 2):
        actions = login.handle(callback(query, request_id))
        assert [action.status for action in actions if isinstance(action, Respond)] == [409]
        assert "success" not in repr([action.values() for action in actions])
        assert login.handle(ResponseSent(request_id=request_id)) == []


def test_the_same_callback_again_leads_to_the_success_page() -> None:
    login = machine_in("succeeded")
    assert location(login.handle(callback(request_id=2))) == SUCCESS


def test_each_login_has_its_own_address() -> None:
    pages = [succeeded(LoginSecrets.generate())[1] for _ in range(3)]
    assert len(set(pages)) == 3
    assert all(page.startswith("/success/") and len(page) >= len("/success/") + 43 for page in pages)


def test_secrets_without_a_key_derive_one_from_the_verifier() -> None:
    one, same, other = (
        succeeded(LoginSecrets(state=state, code_verifier=verifier))
        for state, verifier in ((STATE, VERIFIER), ("another-state", VERIFIER), (STATE, VERIFIER[:-1] + "x"))
    )
    assert one[1] == same[1] != other[1]
    assert len(one[1]) == len("/success/") + 43
    assert VERIFIER not in one[1]
    assert samples.CHALLENGE not in one[1]
    assert "org-setup" in body(one[0].handle(get(one[1], 2)))


def test_the_key_is_shown_nowhere() -> None:
    assert samples.SUCCESS_KEY not in repr(samples.SECRETS)
    with pytest.raises(ValueError, match=r"^the success_key must be letters") as caught:
        LoginSecrets(state=STATE, code_verifier=VERIFIER, success_key="canary/key")
    assert "canary" not in str(caught.value)

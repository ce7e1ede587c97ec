"""The first sign-in, which registers a client: the callback, the exchange, and what is left after each failure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.demo.chatgpt.browser import Visitor
from loginmachine.demo.chatgpt.switches import SCOPES as REQUESTED
from loginmachine.demo.shared.answers import Answer

from .support import ADA, SCOPES, Computer, open_page, query_of, with_changes, with_drivers

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine.demo.chatgpt.provider import ChatGptProvider
    from loginmachine.demo.chatgpt.switches import ClientIdInCallback

BOOTSTRAP = "dynamic_agent_client"
DECLINES = Visitor(approves=False)


def only_client(provider: ChatGptProvider) -> str:
    (registration,) = provider.registrations
    return registration.client_id


def nothing_is_stored(computer: Computer) -> None:
    assert computer.accounts() == []
    assert computer.call("token")[0] == 1


def renewed_with(computer: Computer, client_id: str) -> None:
    """Sign in again, with a client that was issued before."""
    requests = len(computer.asked())
    assert computer.signed_in()["client_id"] == client_id
    (request,) = computer.asked()[requests:]
    assert request["client_id"] == client_id
    assert "agent_name_hint" not in request
    assert only_client(computer.provider) == client_id


# The callback


@pytest.mark.parametrize("audience", ["list", "text"])
@pytest.mark.parametrize("scope", [True, False])
def test_a_person_signs_in(computer: Computer, audience: Any, *, scope: bool) -> None:  # cases 1 to 3
    switches = computer.provider.switches
    switches.audience, switches.scope_in_callback = audience, scope
    done = computer.signed_in()
    assert (done["provider"], done["client_id"]) == ("chatgpt", only_client(computer.provider))
    assert (done["email"], done["plan_enabled"]) == ("ada@example.com", True)
    assert sorted(done["scopes"]) == sorted(SCOPES)
    assert done["subject"].startswith("user-")
    assert (done["account_id"], done["plan"]) == (None, None)
    assert computer.provider.is_active(computer.token())


def test_the_first_request_is_the_documented_one(computer: Computer) -> None:
    computer.signed_in()
    (request,) = computer.asked()
    assert request["client_id"] == BOOTSTRAP
    assert request["agent_name_hint"] == "loginmachine"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/auth/callback", request["redirect_uri"])
    assert request["scope"].split(" ") == list(REQUESTED)
    assert "prompt" not in request
    assert len(computer.forms("authorization_code")) == 1


@pytest.mark.parametrize("kind", ["none", "bootstrap", "empty", "long", "control_characters"])
def test_a_callback_without_a_usable_client_id(computer: Computer, kind: ClientIdInCallback) -> None:  # cases 4, 5, 7
    computer.provider.switches.client_id_in_callback = kind
    login = computer.login()
    assert (login.code, login.category) == (1, "registration_failed")
    assert computer.forms("authorization_code") == []
    nothing_is_stored(computer)
    computer.provider.switches.client_id_in_callback = "documented"
    computer.signed_in()
    assert [request["client_id"] for request in computer.asked()] == [BOOTSTRAP, BOOTSTRAP]


def test_a_callback_with_two_client_ids_is_refused_and_the_login_goes_on(computer: Computer) -> None:  # case 6
    computer.provider.switches.client_id_in_callback = "twice"
    pages = []

    def browse(url: str) -> str:
        callback = ADA.callback(url)
        pages.append(open_page(callback))
        return open_page(with_changes(callback, client_id=only_client(computer.provider)))

    assert computer.signed_in(browse=browse)["client_id"] == only_client(computer.provider)
    assert pages[0].endswith("answered with status 400")


def test_a_person_declines_and_then_approves(computer: Computer) -> None:  # case 8
    login = computer.login(browse=DECLINES)
    assert (login.code, login.category) == (1, "provider_callback_error")
    assert computer.forms("authorization_code") == []
    nothing_is_stored(computer)
    computer.signed_in()
    first, second = computer.asked()
    fresh = ("state", "nonce", "code_challenge")
    assert [name for name in fresh if first[name] == second[name]] == []
    assert first["ext_agent_host_id"] == second["ext_agent_host_id"]


@pytest.mark.parametrize(
    ("computer", "stray"),
    with_drivers(
        [
            lambda callback: with_changes(callback, state="wrong", code="", client_id="", error="access_denied"),
            lambda callback: with_changes(callback, state="wrong"),
            lambda callback: with_changes(callback, state="st\u00e4te"),
            lambda callback: with_changes(callback, state=""),
            lambda callback: with_changes(callback, state="wrong", client_id="oaiapp_stranger"),
            lambda callback: callback.partition("?")[0],
        ]
    ),
    indirect=["computer"],
)
def test_a_callback_with_another_state_does_not_end_a_login(
    computer: Computer, stray: Callable[[str], str]
) -> None:  # cases 9 and 10
    pages = []

    def browse(url: str) -> str:
        callback = ADA.callback(url)
        pages.append(open_page(stray(callback)))
        return open_page(callback)

    assert computer.signed_in(browse=browse)["client_id"] == only_client(computer.provider)
    assert re.search(r"answered with status 4\d\d$", pages[0])


def test_a_callback_may_have_an_issuer_and_unknown_parameters(computer: Computer) -> None:  # cases 11 and 13
    switches = computer.provider.switches
    switches.callback_issuer, switches.callback_parameters = "own", {"session_state": "x", "hd": "example.com"}
    computer.signed_in()


def test_a_callback_of_another_issuer_is_refused(computer: Computer) -> None:  # case 12
    computer.provider.switches.callback_issuer = "other"
    login = computer.login()
    assert (login.code, login.category) == (1, "issuer_mismatch")
    assert computer.forms("authorization_code") == []
    nothing_is_stored(computer)


def test_another_error_in_the_callback(computer: Computer) -> None:
    computer.provider.switches.authorization_error = "temporarily_unavailable"
    assert computer.login().category == "provider_callback_error"
    nothing_is_stored(computer)


# The exchange


@pytest.mark.parametrize(
    ("answer", "category"),
    [
        (Answer.error("invalid_grant"), "token_endpoint_rejected"),  # case 17
        (Answer.error_object("invalid_grant"), "token_endpoint_rejected"),
        (Answer.dropped(), "token_exchange_request"),  # case 18
        (Answer.dropped(handled=True), "token_exchange_request"),
        (Answer.cut(), "token_exchange_request"),
        (Answer.error("server_error", status=503), "token_endpoint_rejected"),
        (Answer.html(status=502), "token_endpoint_rejected"),
        (Answer.json([]), "token_response_malformed"),
    ],
)
def test_after_a_failed_exchange_no_second_client_is_registered(
    computer: Computer, answer: Answer, category: str
) -> None:
    computer.provider.answer_next("token", answer)
    login = computer.login()
    assert (login.code, login.category) == (1, category)
    nothing_is_stored(computer)
    renewed_with(computer, only_client(computer.provider))


@pytest.mark.parametrize(
    "answer", [Answer.error("invalid_client", status=401), Answer.error_object("invalid_client", status=400)]
)
def test_a_client_that_the_provider_does_not_accept(computer: Computer, answer: Answer) -> None:  # cases 19 and 20
    computer.provider.answer_next("token", answer)
    login = computer.login()
    assert (login.code, login.category) == (1, "token_endpoint_rejected")
    assert len(computer.forms("authorization_code")) == 1
    words = "The provider has refused the client of this sign-in. If it does so again, run: "
    assert f"{words}loginmachine login {' '.join(computer.at)} --new-account\n" in login.err
    # The pending client is refused: another account registers anew.
    computer.signed_in("--new-account")
    assert len(computer.provider.registrations) == 2


def test_a_pending_client_is_used_for_a_new_account(computer: Computer) -> None:
    computer.provider.answer_next("token", Answer.error("invalid_grant"))
    assert computer.login().code == 1
    done = computer.signed_in("--new-account")
    assert done["client_id"] == only_client(computer.provider)


def test_a_failed_exchange_shows_no_secret_and_stores_none(computer: Computer) -> None:
    computer.provider.answer_next("token", Answer.dropped(handled=True))
    computer.login()
    (form,) = computer.forms("authorization_code")
    stored = "".join(computer.files().values())
    kept = {name for name in ("code", "code_verifier") if form[name] in stored}
    assert kept == set()
    assert [token[:6] for token in computer.provider.tokens if token in stored] == []


# The address that the browser gets


def test_the_printed_address_is_the_authorization_request(computer: Computer) -> None:
    login = computer.login()
    (listening,) = [event for event in login.events if event["event"] == "listening"]
    assert listening["url"].startswith(f"{computer.provider.issuer}/api/accounts/authorize?")
    assert query_of(listening["url"]) == computer.asked()[0]

"""A login at a provider that issues a client in the callback: the bootstrap client never exchanges a code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.sansio import LoginFailure, LoginSuccess, Secret, UnexpectedEvent
from loginmachine.sansio.login.actions import AbortTokenRequest, Respond, SaveCredentials, SaveRegistration
from loginmachine.sansio.login.actions import SendTokenRequest as Send
from loginmachine.sansio.login.events import (
    CallbackPasted,
    CancelRequested,
    ClientGone,
    CredentialsSaved,
    RegistrationSaved,
    RegistrationSaveFailed,
    Started,
)
from loginmachine.sansio.login.progress import PasteRefused
from loginmachine.sansio.model.entry import serialise_entry
from loginmachine.sansio.server.registration import Registration

from ...chatgpt_samples import (
    BOOTSTRAP,
    FIRST,
    HOST_ID,
    ISSUED,
    LATER,
    OPTIONS,
    PROVIDER,
    REGISTRATION,
    RESOURCE,
    came_back,
    exchanging,
    found,
    in_browser,
    machine,
    tokens,
)
from ...samples import CODE, STATE, VERIFIER, answer, callback, drive, everything_in, no_answer
from ...server_samples import BOUND, ISSUER, REDIRECT_URI, TOKEN_URL, keys, other_keys, signed

if TYPE_CHECKING:
    from loginmachine.sansio import LoginMachine

EXCHANGE = (
    ("grant_type", "authorization_code"),
    ("client_id", ISSUED),
    ("code", CODE),
    ("redirect_uri", REDIRECT_URI),
    ("code_verifier", VERIFIER),
    ("resource", RESOURCE),
)
FIRST_ADDRESS = (
    "https://id.example/authorize?response_type=code&client_id=dynamic_agent_client&agent_name_hint=A+program"
    "&ext_agent_host_id=urn%3Auuid%3A5f0c2f9e-3c1b-4d8e-9a57-0d3b6f2e8c11"
    "&redirect_uri=http%3A%2F%2F127.0.0.1%3A50000%2Fauth%2Fcallback"
    "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    "&state=canary-state-Xk3vQ9"
    "&scope=openid+profile+email+offline_access+resource.invoke+chatgpt.tokens.use.direct"
    "&nonce=canary-nonce-7Zp2&resource=https%3A%2F%2Fapi.openai.com%2Fv1"
)
LATER_ADDRESS = FIRST_ADDRESS.replace("client_id=dynamic_agent_client&agent_name_hint=A+program", f"client_id={ISSUED}")


def failure_of(login: LoginMachine) -> tuple[str, str]:
    assert isinstance(login.outcome, LoginFailure)
    return login.outcome.category, login.outcome.message


def sent(actions: list[Any]) -> list[Send]:
    return [action for action in actions if isinstance(action, Send)]


def test_the_first_login_names_the_program_and_the_host() -> None:
    assert in_browser().auth_url == FIRST_ADDRESS


def test_a_later_login_has_the_issued_client_and_no_name() -> None:
    assert in_browser(LATER).auth_url == LATER_ADDRESS


def test_the_persons_word_asks_for_consent() -> None:
    assert "&prompt=consent&" in str(in_browser(LATER, prompt="consent").auth_url)


def test_the_first_request_has_nothing_that_is_about_an_account() -> None:
    assert in_browser(prompt="consent", login_hint="ada@example.org").auth_url == FIRST_ADDRESS


def test_without_a_host_id_there_is_no_login() -> None:
    login = machine()
    with pytest.raises(UnexpectedEvent):
        login.handle(Started())
    assert login.state == "idle"
    login = machine(OPTIONS.__replace__(host_id=HOST_ID))
    drive(login, Started(), found(), BOUND)
    assert login.auth_url == FIRST_ADDRESS


def test_the_issued_client_is_stored_before_the_code_is_exchanged() -> None:
    login = in_browser()
    actions = login.handle(came_back())
    assert login.state == "saving_client"
    assert [action for action in actions if isinstance(action, SaveRegistration)] == [
        SaveRegistration(registration=REGISTRATION)
    ]
    assert sent(actions) == []
    (exchange,) = sent(login.handle(RegistrationSaved()))
    assert (exchange.url, exchange.form) == (TOKEN_URL, EXCHANGE)


@pytest.mark.parametrize("started", [FIRST, LATER], ids=["first", "later"])
def test_the_bootstrap_client_is_in_no_request(started: Started) -> None:
    login = machine()
    actions = drive(login, started, found(), BOUND, came_back(), RegistrationSaved(), tokens(), keys(4))
    assert BOOTSTRAP not in everything_in(sent(actions))
    (save,) = [action for action in actions if isinstance(action, SaveCredentials)]
    assert BOOTSTRAP.encode() not in serialise_entry(save.credentials)
    assert (BOOTSTRAP in str(login.auth_url)) == (started is FIRST)


def test_the_credentials_record_the_issued_client() -> None:
    login = exchanging()
    drive(login, tokens(), keys(4), CredentialsSaved())
    assert isinstance(login.outcome, LoginSuccess)
    stored = login.outcome.credentials.tokens
    assert stored is not None
    assert stored.provider is not None
    assert (stored.provider.client_id, stored.provider.jwks_uri) == (ISSUED, "https://id.example/keys")
    assert stored.resource == (RESOURCE,)
    assert stored.plan_enabled is True
    assert (login.outcome.account.account_id, login.outcome.account.plan) == (None, None)


@pytest.mark.parametrize("client_id", [None, "", BOOTSTRAP, "x" * 257, "a%0Ab", "a%20b", "%C3%A9"])
def test_a_first_callback_without_an_issued_client(client_id: str | None) -> None:
    login = in_browser()
    actions = login.handle(came_back(client_id))
    assert failure_of(login)[0] == "registration_failed"
    assert not any(isinstance(action, SaveRegistration) for action in actions)
    assert sent(actions) == []


def test_two_clients_are_refused_and_the_login_goes_on() -> None:
    login = in_browser()
    (refusal,) = login.handle(came_back(more="&client_id=oaiapp_other"))
    assert isinstance(refusal, Respond)
    assert (refusal.status, login.state) == (400, "awaiting_callback")


@pytest.mark.parametrize("client_id", [None, "", ISSUED])
def test_a_later_callback_names_the_client_or_none(client_id: str | None) -> None:
    login = in_browser(LATER)
    actions = login.handle(came_back(client_id))
    assert SaveRegistration(registration=REGISTRATION) in actions


@pytest.mark.parametrize("client_id", ["oaiapp_other", BOOTSTRAP, ISSUED.upper()])
def test_a_later_callback_with_another_client(client_id: str) -> None:
    login = in_browser(LATER)
    actions = login.handle(came_back(client_id))
    assert failure_of(login) == (
        "registration_failed",
        "the callback names another client than the one that was sent, and nothing was exchanged",
    )
    assert not any(isinstance(action, (SaveRegistration, Send)) for action in actions)


def test_a_declined_sign_in_is_judged_before_the_client() -> None:
    login = in_browser()
    login.handle(callback(f"error=access_denied&state={STATE}", port=50000))
    assert failure_of(login) == ("provider_callback_error", "access_denied")


@pytest.mark.parametrize("query", ["code=x&state=wrong", "error=access_denied&state=%E9", "error=access_denied"])
def test_a_wrong_state_does_not_use_up_the_login(query: str) -> None:
    login = in_browser()
    login.handle(callback(query, port=50000))
    assert login.state == "awaiting_callback"
    login.handle(came_back(request_id=2))
    assert login.state == "saving_client"


def test_the_issuer_in_the_callback_is_compared() -> None:
    login = in_browser()
    login.handle(came_back(more=f"&iss={ISSUER}&unknown=1"))
    assert login.state == "saving_client"
    login = in_browser()
    login.handle(came_back(more="&iss=https://stranger.example"))
    assert failure_of(login)[0] == "issuer_mismatch"


def test_the_client_cannot_be_stored() -> None:
    login = in_browser()
    login.handle(came_back())
    actions = login.handle(RegistrationSaveFailed(message="disk full"))
    assert failure_of(login) == ("persist_failed", "disk full")
    assert sent(actions) == []


def test_while_the_client_is_stored_the_login_can_be_cancelled() -> None:
    login = in_browser()
    drive(login, came_back(), came_back(request_id=2), ClientGone(request_id=2))
    (conflict,) = login.handle(callback(f"code=other&state={STATE}&client_id={ISSUED}", 3, port=50000))
    assert isinstance(conflict, Respond)
    assert conflict.status == 409
    drive(login, CancelRequested())
    assert login.state == "cancelled"
    assert login.handle(RegistrationSaved()) == []


def test_keys_that_come_meanwhile_are_kept_and_others_aborted() -> None:
    login = in_browser()
    drive(login, came_back(), keys(2))
    assert AbortTokenRequest(exchange_id=2) not in login.handle(RegistrationSaved())
    assert login.handle(tokens())[-1] == AnyOf(SaveCredentials)
    login = in_browser()
    login.handle(came_back())
    assert AbortTokenRequest(exchange_id=2) in login.handle(RegistrationSaved())


class AnyOf:
    """Equals every action of a type."""

    def __init__(self, kind: type) -> None:
        self.kind = kind

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, self.kind)


def test_a_provider_that_refuses_the_client_is_noted() -> None:
    login = exchanging()
    actions = login.handle(answer(3, 401, b'{"error": "invalid_client"}'))
    assert failure_of(login)[0] == "token_endpoint_rejected"
    refused = Registration(issuer=ISSUER, client_id=ISSUED, is_refused=True)
    assert SaveRegistration(registration=refused) in actions
    login = exchanging()
    actions = login.handle(answer(3, 400, b'{"error": {"code": "invalid_client", "message": "no"}}'))
    assert SaveRegistration(registration=refused) in actions


OVERLOADED = answer(3, 503, b'{"error": "invalid_client"}')


@pytest.mark.parametrize("event", [answer(3, 400, b'{"error": "invalid_grant"}'), OVERLOADED, no_answer()])
def test_another_trouble_of_the_exchange_leaves_the_client_as_it_is(event: Any) -> None:
    login = exchanging()
    actions = login.handle(event.__replace__(exchange_id=3))
    assert isinstance(login.outcome, LoginFailure)
    assert not any(isinstance(action, SaveRegistration) for action in actions)


# The id token

PROBLEMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://stranger.example"},
    "the bootstrap client": {"aud": BOOTSTRAP},
    "two audiences without azp": {"aud": [ISSUED, "other"]},
    "azp of another": {"azp": "other"},
    "expired": {"exp": 1_794_990_000},
    "issued in the future": {"iat": 1_795_009_000},
    "issued at no time": {"iat": "yesterday"},
    "no nonce": {"nonce": None},
    "another nonce": {"nonce": "canary-other"},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a number as subject": {"sub": 7},
}


@pytest.mark.parametrize("claims", PROBLEMS.values(), ids=PROBLEMS)
def test_an_id_token_that_is_refused(claims: dict[str, Any]) -> None:
    login = exchanging()
    login.handle(tokens(claims=claims))
    assert failure_of(login)[0] == "id_token_invalid"


def test_the_audience_may_be_a_text_and_several_need_azp() -> None:
    for claims in ({"aud": ISSUED}, {"aud": [ISSUED, "other"], "azp": ISSUED}):
        login = exchanging()
        drive(login, tokens(claims=claims), keys(4))
        assert login.state == "saving_credentials"


def test_a_signature_is_always_verified() -> None:
    forged = exchanging()
    drive(forged, tokens(id_token=signed("key-3", {"kid": "key-1"}, aud=ISSUED)), keys(4))
    assert failure_of(forged)[0] == "id_token_invalid"
    login = machine()
    drive(login, FIRST, found(jwks_uri=None))
    assert failure_of(login) == (
        "discovery_failed",
        "https://id.example/.well-known/openid-configuration: the provider's metadata has no jwks_uri",
    )


@pytest.mark.parametrize("response", [answer(4, 503), answer(4, 200, b'{"keys": []}'), no_answer()])
def test_keys_out_of_reach_are_no_false_identity(response: Any) -> None:
    login = exchanging()
    drive(login, tokens(), response.__replace__(exchange_id=4))
    assert failure_of(login)[0] == "keys_unavailable"


def test_an_unknown_key_is_looked_for_once_more() -> None:
    login = in_browser()
    drive(login, other_keys(2), came_back(), RegistrationSaved(), tokens())
    assert login.state == "fetching_keys"
    drive(login, keys(4))
    assert login.state == "saving_credentials"


def test_another_person_does_not_replace_the_account() -> None:
    login = exchanging(LATER)
    login.handle(tokens(claims={"sub": "user-2"}))
    category, message = failure_of(login)
    assert category == "id_token_invalid"
    assert message.endswith("it is of another person (sub) than the account that this sign-in was to renew")


# Metadata


@pytest.mark.parametrize("member", ["authorization_endpoint", "token_endpoint", "revocation_endpoint", "jwks_uri"])
@pytest.mark.parametrize("url", ["https://evil.example/x", "https://id.example:444/x"])
def test_every_endpoint_is_the_issuers(member: str, url: str) -> None:
    login = machine()
    drive(login, FIRST, found(**{member: url}))
    category, message = failure_of(login)
    assert category == "discovery_failed"
    assert message.endswith(f": {member} in the provider's metadata is not at the issuer's host")


def test_the_usual_port_may_be_written() -> None:
    login = machine()
    drive(login, FIRST, found(token_endpoint="https://id.example:443/token"))
    assert login.state == "binding"


def test_the_first_request_cannot_be_pushed() -> None:
    login = machine()
    drive(login, FIRST, found(require_pushed_authorization_requests=True))
    assert failure_of(login)[0] == "discovery_failed"


# Plan use, and identities


def test_a_declined_plan_is_a_success() -> None:
    login = exchanging()
    drive(login, tokens(scope="openid profile email", refresh_token=None), keys(4), CredentialsSaved())
    assert isinstance(login.outcome, LoginSuccess)
    stored = login.outcome.credentials.tokens
    assert stored is not None
    assert (stored.plan_enabled, stored.scope) == (False, ("openid", "profile", "email"))


def test_without_an_access_token_there_is_an_identity() -> None:
    login = exchanging()
    changes: dict[str, Any] = {"scope": "openid", "refresh_token": None, "access_token": None, "expires_in": None}
    drive(login, tokens(**changes), keys(4), CredentialsSaved())
    assert isinstance(login.outcome, LoginSuccess)
    stored = login.outcome.credentials.tokens
    assert stored is not None
    assert stored.access_token == Secret("")


def test_another_provider_must_give_an_access_token() -> None:
    standard = PROVIDER.dialect.__replace__(has_optional_access_token=False)
    login = machine(OPTIONS.__replace__(provider=PROVIDER.__replace__(dialect=standard)))
    drive(login, FIRST, found(), BOUND, came_back(), RegistrationSaved(), tokens(access_token=None))
    assert failure_of(login)[0] == "token_response_malformed"


# Pasted addresses


def pasted(login: LoginMachine, query: str) -> list[Any]:
    return login.handle(CallbackPasted(text=f"{REDIRECT_URI}?{query}"))


@pytest.mark.parametrize("end", ["", "&client_id=", "&client_id=oaia", "&client_id=oaiapp_"])
def test_a_pasted_address_without_its_end_can_be_pasted_again(end: str) -> None:
    login = in_browser()
    (report,) = pasted(login, f"code={CODE}&scope=openid&state={STATE}{end}")
    assert isinstance(report.phase, PasteRefused)
    assert (report.phase.problem, login.state) == ("incomplete", "awaiting_callback")
    pasted(login, f"code={CODE}&scope=openid&state={STATE}&client_id={ISSUED}")
    assert login.state == "saving_client"


def test_a_later_login_needs_no_client_in_a_pasted_address() -> None:
    login = in_browser(LATER)
    (report,) = pasted(login, f"code={CODE}&state={STATE}&client_id=oaiapp_7Q")
    assert report.phase.problem == "incomplete"
    pasted(login, f"code={CODE}&state={STATE}")
    assert login.state == "saving_client"

"""The id token is verified with the provider's keys, which are fetched while the person is in the browser."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from loginmachine.sansio import LoginFailure, LoginOptions, LoginSuccess, Provider
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.actions import (
    AbortTokenRequest,
    CloseListener,
    Finish,
    Respond,
    SaveCredentials,
    SendTokenRequest,
    StartTimer,
    StopTimer,
    Timer,
)
from loginmachine.sansio.login.events import ClientGone, CredentialsSaved, RegistrationSaved, Started
from loginmachine.sansio.login.failures import LoginFailureCategory, LoginFailureStep
from loginmachine.sansio.login.progress import CallbackReceived, ExchangingCode, SavingCredentials, Succeeded
from loginmachine.sansio.login.server.progress import FetchingKeys, KeysDelayed
from loginmachine.sansio.login.states import Trigger

from ...playbook import AnyAction, AnyProblem, AnyResponse, Playbook, reply, reported
from ...samples import (
    CODE,
    NAMESPACE,
    NOW,
    OPTIONS,
    POLL_DUE,
    REFRESH_TOKEN,
    VERIFIER,
    answer,
    api_key_answer,
    callback,
    drive,
    jwt,
    machine,
    no_answer,
    pasted,
    token_json,
)
from ...server_samples import (
    ACCESS_TOKEN,
    BOUND,
    CALLBACK,
    CLAIMS,
    ISSUER,
    KEYS_URL,
    METADATA_URL,
    OPENID,
    REDIRECT_URI,
    REGISTERING,
    TOKEN_URL,
    key,
    keys,
    metadata,
    registered,
    server_machine,
    server_machine_in,
    signed,
    tokens,
)

if TYPE_CHECKING:
    from loginmachine import LoginMachine
    from loginmachine.sansio.login.events import Event


def keys_request(number: int) -> SendTokenRequest:
    return SendTokenRequest(exchange_id=number, url=KEYS_URL, method="GET", timeout=15.0)


def code_exchange(number: int) -> SendTokenRequest:
    return SendTokenRequest(
        exchange_id=number,
        url=TOKEN_URL,
        form=(
            ("grant_type", "authorization_code"),
            ("client_id", "native"),
            ("code", CODE),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ),
        timeout=30.0,
    )


def failed(category: str, message: str, trigger: Trigger, step: str = "exchange_token") -> LoginFailure:
    return LoginFailure(
        step=LoginFailureStep(step), category=LoginFailureCategory(category), message=message, trigger=trigger
    )


def with_keys(*names: str, options: LoginOptions = OPENID) -> LoginMachine:
    """Return a login that waits for its tokens, with these keys: request 2 brought them, request 3 is for the code."""
    login = server_machine(options)
    drive(login, Started(), metadata(), BOUND, keys(2, *names), CALLBACK)
    return login


def sent_by(login: LoginMachine, *events: Event) -> list[str]:
    return [action.url for action in drive(login, *events) if isinstance(action, SendTokenRequest)]


def why(login: LoginMachine) -> str:
    """Return why the id token was refused. Nothing was stored."""
    assert isinstance(login.outcome, LoginFailure)
    message = login.outcome.message
    assert login.outcome == failed("id_token_invalid", message, Trigger.ID_TOKEN_REFUSED)
    return message.removeprefix("the id token was refused: ")


# When the keys are fetched


def test_keys_that_came_ahead_of_the_callback() -> None:
    assert (
        Playbook(server_machine_in("awaiting_callback"))
        >> keys(2)
        >> CALLBACK
        << StopTimer(timer=Timer.DEADLINE)
        << reported(CallbackReceived())
        << reported(ExchangingCode())
        << code_exchange(3)
        >> reply(tokens)
        << reported(SavingCredentials())
        << AnyAction(SaveCredentials)
    )


def test_keys_that_are_not_there_when_the_callback_comes() -> None:
    """The code is exchanged first, because it is valid for a short time. At most one request is outstanding."""
    assert (
        Playbook(server_machine_in("awaiting_callback"))
        >> CALLBACK
        << StopTimer(timer=Timer.DEADLINE)
        << reported(CallbackReceived())
        << reported(ExchangingCode())
        << AbortTokenRequest(exchange_id=2)
        << code_exchange(3)
        >> reply(tokens)
        << reported(FetchingKeys())
        << keys_request(4)
        >> reply(keys)
        << reported(SavingCredentials())
        << AnyAction(SaveCredentials)
        >> CredentialsSaved()
        << reported(Succeeded(account_id=None, email="ada@example.org", plan=None))
        << AnyResponse(1, 302)
        << AnyAction(Finish)
        << AnyAction(StartTimer)
    )


def test_the_same_for_a_pasted_address() -> None:
    login = server_machine_in("awaiting_callback")
    actions = drive(login, pasted(port=50000))
    assert actions[-2:] == [AbortTokenRequest(exchange_id=2), code_exchange(3)]


def test_the_provider_has_changed_its_keys() -> None:
    """An unknown ``kid`` means that the keys are fetched once more, and only once."""
    login = with_keys("key-2")
    assert sent_by(login, tokens(3)) == [KEYS_URL]
    assert login.state == "fetching_keys"
    assert sent_by(login, keys(4, "key-2")) == []
    assert why(login) == "the provider has no key with the name (kid) that its header gives"


def test_the_new_key_verifies() -> None:
    login = with_keys("key-2")
    drive(login, tokens(3), keys(4, "key-2", "key-1"))
    assert login.state == "saving_credentials"


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (answer(2, 503), "status 503, the provider has a problem"),
        (answer(2, 302), "the endpoint answered with a redirect (302), which is never followed"),
        (answer(2, body=b"{}"), "the provider's keys: keys is not a list (RFC 7517 section 5)"),
        (no_answer(TransportProblem.TIMEOUT, 2, "15 s passed"), "15 s passed"),
    ],
)
def test_keys_that_did_not_come_ahead_are_fetched_when_they_are_needed(response: Event, words: str) -> None:
    assert (
        Playbook(server_machine_in("awaiting_callback"))
        >> response
        << reported(KeysDelayed(message=f"{KEYS_URL}: {words}"))
        >> CALLBACK
        << StopTimer(timer=Timer.DEADLINE)
        << reported(CallbackReceived())
        << reported(ExchangingCode())
        << code_exchange(3)
        >> reply(tokens)
        << reported(FetchingKeys())
        << keys_request(4)
        >> reply(keys)
        << reported(SavingCredentials())
        << AnyAction(SaveCredentials)
    )


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (answer(4, 503), "status 503, the provider has a problem"),
        (answer(4, 404), "status 404"),
        (answer(4, body=b"<html>"), "a web page instead of an answer: a sign-in page of the network?"),
        (answer(4, body=b" " * 1024 * 1024 + b"{}"), "the answer is larger than 1 MiB"),
        (no_answer(TransportProblem.CONNECT, 4, "no route"), "no route"),
    ],
)
def test_without_keys_nothing_is_stored(response: Event, words: str) -> None:
    failure = failed("keys_unavailable", f"{KEYS_URL}: {words}", Trigger.KEYS_UNAVAILABLE, "fetch_keys")
    assert (
        Playbook(server_machine_in("fetching_keys"))
        >> response
        << AnyProblem("fetch_keys", "keys_unavailable", fatal=True)
        << AnyResponse(1, 502)
        << Finish(outcome=failure)
        << AnyAction(StartTimer)
    )


def test_a_message_about_the_keys_does_not_show_the_tokens() -> None:
    login = server_machine_in("fetching_keys")
    drive(login, no_answer(TransportProblem.REQUEST, 4, f"{ACCESS_TOKEN} {REFRESH_TOKEN} {signed()}"))
    assert isinstance(login.outcome, LoginFailure)
    assert not {ACCESS_TOKEN, REFRESH_TOKEN, signed()} & set(login.outcome.message.split())


def test_a_browser_that_leaves_while_the_keys_are_fetched() -> None:
    login = server_machine_in("fetching_keys")
    assert drive(login, ClientGone(request_id=1)) == []
    actions = drive(login, keys(4), CredentialsSaved())
    assert isinstance(login.outcome, LoginSuccess)
    assert not any(isinstance(action, Respond) for action in actions)


def test_the_keys_are_not_asked_for_where_the_provider_has_none() -> None:
    login = server_machine()
    assert sent_by(login, Started(), metadata(jwks_uri=None), BOUND, CALLBACK, tokens(2)) == [METADATA_URL, TOKEN_URL]
    assert login.state == "saving_credentials"


def test_the_default_provider_asks_for_no_keys() -> None:
    assert OPTIONS.provider.jwks_uri is None


# What the signature must be


def part(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(**header: Any) -> str:
    return f"{part({'alg': 'none', **header})}.{part(CLAIMS)}."


def by_public_key() -> str:
    """Return a token that anyone can make: its shared secret is the provider's public key (RFC 8725 section 3.1)."""
    content = f"{part({'alg': 'HS256', 'kid': 'key-1'})}.{part(CLAIMS)}"
    signature = hmac.digest(key("key-1").as_pem(private=False), content.encode(), "sha256")
    return f"{content}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def changed() -> str:
    """Return a token with claims that were changed after it was signed."""
    header, _, signature = signed().split(".")
    return f"{header}.{part({**CLAIMS, 'email': 'eve@example.org'})}.{signature}"


REFUSED: dict[str, tuple[str, str]] = {
    "claims that were changed": (changed(), "its signature is wrong: no key of the provider has made it"),
    "another key under the right name": (
        signed("key-2", {"kid": "key-1"}),
        "its signature is wrong: no key of the provider has made it",
    ),
    "no signature": (f"{signed().rpartition('.')[0]}.", "its signature is wrong: no key of the provider has made it"),
    "alg none": (unsigned(), "it is not signed (alg is none)"),
    "alg none and a kid": (unsigned(kid="key-1"), "it is not signed (alg is none)"),
    "a shared secret": (by_public_key(), "its algorithm (alg) is none of those with public keys"),
    "an algorithm that the provider does not name": (
        f"{part({'alg': 'EdDSA', 'kid': 'key-1'})}.{part(CLAIMS)}.AA",
        "its algorithm (alg) is none of those that are accepted from this provider",
    ),
    "a key in the token": (
        signed("key-2", {"kid": "key-1", "jwk": {"kty": "EC"}}),
        "its signature is wrong: no key of the provider has made it",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_signature_that_is_refused(what: str) -> None:
    id_token, words = REFUSED[what]
    login = with_keys()
    assert sent_by(login, tokens(3, id_token)) == []
    assert why(login) == words


@pytest.mark.parametrize("what", REFUSED)
def test_a_signature_that_is_refused_when_the_keys_come_late(what: str) -> None:
    id_token, words = REFUSED[what]
    login = server_machine_in("exchanging_code")
    assert sent_by(login, tokens(3, id_token)) == [KEYS_URL]
    drive(login, keys(4))
    assert why(login) == words


def test_the_claims_are_checked_before_keys_are_fetched() -> None:
    login = server_machine_in("exchanging_code")
    assert sent_by(login, tokens(3, signed(aud="another"))) == []
    assert why(login) == "it was made for another client (aud)"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"iss": "https://evil.example"}, "its issuer (iss) is another provider"),
        ({"aud": ["other"]}, "it was made for another client (aud)"),
        ({"nonce": "other"}, "it belongs to another sign-in (nonce)"),
        ({"nonce": None}, "it belongs to another sign-in (nonce)"),
        ({"sub": None}, "it has no sub"),
        ({"exp": NOW - 301}, "expired"),
    ],
)
def test_a_good_signature_does_not_help_wrong_claims(changes: dict[str, Any], words: str) -> None:
    login = with_keys()
    drive(login, tokens(3, signed(**changes)))
    assert words in why(login)


# max_age

MAX_AGE = OPENID.__replace__(max_age=60)


@pytest.mark.parametrize(
    ("auth_time", "is_refused"), [(NOW - 30, False), (NOW - 100, False), (NOW - 1000, True), (None, True)]
)
def test_how_long_ago_the_person_signed_in(auth_time: float | None, *, is_refused: bool) -> None:
    login = with_keys(options=MAX_AGE)
    assert dict(login_parameters(login))["max_age"] == "60"
    drive(login, tokens(3, signed(auth_time=auth_time)))
    assert login.state == ("failed" if is_refused else "saving_credentials")
    if is_refused:
        assert "auth_time" in why(login)


def login_parameters(login: LoginMachine) -> list[tuple[str, str]]:
    assert login.auth_url is not None
    return parse_qsl(urlsplit(login.auth_url).query)


def test_with_a_device_code_nobody_was_asked_for_an_age_or_a_nonce() -> None:
    login = server_machine_in("polling_device_code", max_age=60)
    drive(login, POLL_DUE, tokens(3, signed(nonce=None)), keys(4))
    assert login.state == "saving_credentials"


# With a device code


def test_the_keys_are_fetched_when_the_device_code_was_used() -> None:
    assert (
        Playbook(server_machine_in("polling_device_code"))
        >> POLL_DUE
        << AnyAction(SendTokenRequest)
        >> reply(tokens)
        << StopTimer(timer=Timer.DEVICE_CODE_EXPIRY)
        << reported(FetchingKeys())
        << keys_request(4)
        >> reply(keys)
        << reported(SavingCredentials())
        << AnyAction(SaveCredentials)
        >> CredentialsSaved()
        << reported(Succeeded(account_id=None, email="ada@example.org", plan=None))
        << AnyAction(Finish)
        << CloseListener()
    )


def test_a_device_login_without_keys_ends() -> None:
    login = server_machine_in("polling_device_code")
    drive(login, POLL_DUE, tokens(3), answer(4, 500))
    assert isinstance(login.outcome, LoginFailure)
    assert login.outcome.category == "keys_unavailable"


def test_a_device_login_with_a_wrong_signature_ends() -> None:
    login = server_machine_in("polling_device_code")
    drive(login, POLL_DUE, tokens(3, changed()), keys(4))
    assert why(login) == "its signature is wrong: no key of the provider has made it"


# Tokens that came or did not come


def test_an_id_token_that_was_asked_for_and_did_not_come() -> None:
    login = with_keys()
    drive(login, tokens(3, None))
    assert why(login) == "none came, although it was asked for"


def test_an_id_token_that_was_not_asked_for_is_verified_all_the_same() -> None:
    login = with_keys(options=OPENID.__replace__(scopes=("repo",)))
    drive(login, tokens(3, changed()))
    assert "signature" in why(login)


def saved(login: LoginMachine, *events: Event) -> Any:
    """Return the tokens that are stored after these events."""
    (action,) = [action for action in drive(login, *events) if isinstance(action, SaveCredentials)]
    assert action.credentials.auth_mode == "oauth"
    assert action.credentials.api_key is None
    return action.credentials.tokens


def test_a_login_without_an_id_token_and_a_refresh_token() -> None:
    login = with_keys(options=OPENID.__replace__(scopes=("repo",)))
    stored = saved(login, tokens(3, None, refresh_token=None))
    assert (stored.id_token, stored.refresh_token) == (None, None)
    assert stored.access_token.reveal() == ACCESS_TOKEN
    (report, *_) = login.handle(CredentialsSaved())
    assert report == reported(Succeeded(account_id=None, email=None, plan=None))


def test_what_is_recorded_with_the_tokens() -> None:
    login = with_keys(options=OPENID.__replace__(resource=("https://api.example",)))
    stored = saved(login, tokens(3, scope="openid email", instance_url="https://eu.example"))
    assert stored.expiry == NOW + 3600
    assert stored.scope == ("openid", "email")
    assert stored.resource == ("https://api.example",)
    assert stored.extra.reveal() == '{"instance_url": "https://eu.example"}'
    provider = stored.provider
    assert (provider.issuer, provider.client_id) == (ISSUER, "native")
    assert (provider.token_endpoint, provider.jwks_uri) == (TOKEN_URL, KEYS_URL)
    assert provider.revocation_endpoint == "https://id.example/revoke"


@pytest.mark.parametrize(
    ("lifetime", "expiry"),
    [(3600, NOW + 3600), ("3600", NOW + 3600), (0, NOW), (None, None), (-1, None), (True, None), ("soon", None)],
)
def test_the_lifetime_of_the_access_token(lifetime: object, expiry: float | None) -> None:
    assert saved(with_keys(), tokens(3, expires_in=lifetime)).expiry == expiry


def test_without_a_scope_in_the_answer_that_of_the_request_is_recorded() -> None:
    assert saved(with_keys(), tokens(3)).scope == ("openid", "profile", "email", "offline_access")


def test_the_registered_client_is_recorded() -> None:
    login = server_machine(REGISTERING)
    drive(login, Started(), metadata(), BOUND, registered(client_secret="s"), RegistrationSaved(), CALLBACK)
    stored = saved(login, tokens(4), keys(5))
    assert stored.provider.client_id == "native"
    assert stored.provider.client_secret.reveal() == "s"
    assert stored.provider.token_endpoint_auth_method == "client_secret_basic"


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER", None])
def test_the_type_of_the_token(token_type: str | None) -> None:
    assert saved(with_keys(), tokens(3, token_type=token_type))


@pytest.mark.parametrize("token_type", ["DPoP", "mac", "", 7])
def test_another_type_of_token_is_refused(token_type: object) -> None:
    login = with_keys()
    drive(login, tokens(3, token_type=token_type))
    assert isinstance(login.outcome, LoginFailure)
    assert login.outcome.category == "token_response_malformed"


# Scopes


def test_scopes_that_are_missing_are_said() -> None:
    login = with_keys()
    drive(login, tokens(3, scope="openid email"))
    (report, *_) = login.handle(CredentialsSaved())
    assert report == reported(
        Succeeded(account_id=None, email="ada@example.org", plan=None, missing_scopes=("profile",))
    )


@pytest.mark.parametrize("late", [False, True])
def test_a_scope_without_which_the_login_fails(*, late: bool) -> None:
    options = OPENID.__replace__(required_scopes=("repo", "email"))
    if late:
        login = server_machine_in("exchanging_code", required_scopes=("repo", "email"))
        drive(login, tokens(3, scope="openid email"), keys(4))
    else:
        login = with_keys(options=options)
        drive(login, tokens(3, scope="openid email"))
    message = "the provider did not grant: repo"
    assert login.outcome == failed("scope_insufficient", message, Trigger.SCOPE_MISSING, "validate_callback")


def test_a_required_scope_is_asked_for() -> None:
    login = with_keys(options=OPENID.__replace__(required_scopes=("repo",)))
    assert dict(login_parameters(login))["scope"] == "openid profile email offline_access repo"
    drive(login, tokens(3, scope="openid profile email offline_access repo"))
    assert login.state == "saving_credentials"


def test_a_required_scope_that_is_missing_with_a_device_code() -> None:
    login = server_machine_in("polling_device_code", required_scopes=("repo",))
    drive(login, POLL_DUE, tokens(3, None, scope="openid"))
    assert why(login) == "none came, although it was asked for"
    login = server_machine_in("polling_device_code", required_scopes=("repo",), scopes=())
    drive(login, POLL_DUE, tokens(3, None, scope="read"))
    assert isinstance(login.outcome, LoginFailure)
    assert login.outcome.category == "scope_insufficient"


# Workspaces and API keys, for a dialect that demands signatures


@pytest.mark.parametrize("late", [False, True])
def test_an_api_key_whether_the_keys_come_early_or_late(*, late: bool) -> None:
    provider = OPTIONS.provider.__replace__(jwks_uri=KEYS_URL, id_token_signing_alg_values_supported=("ES256",))
    login = machine(LoginOptions(provider=provider))
    drive(login, Started(), BOUND.__replace__(port=1455), *(() if late else (keys(1),)), callback(), _chatgpt_tokens(2))
    if late:
        drive(login, keys(3))
    assert login.state == "exchanging_api_key"
    drive(login, api_key_answer(4 if late else 3))
    assert login.state == "saving_credentials"


def _chatgpt_tokens(exchange_id: int) -> Event:
    claims: dict[str, Any] = {"iss": "https://auth.openai.com", "aud": OPTIONS.provider.client_id}
    return answer(exchange_id, body=token_json(id_token=signed(**claims)))


def test_a_workspace_that_may_not_sign_in_after_late_keys() -> None:
    provider = Provider.openid(ISSUER, client_id="native")
    provider = provider.__replace__(dialect=provider.dialect.__replace__(claims_namespace=NAMESPACE))
    login = server_machine(LoginOptions(provider=provider, allowed_workspaces=("acc-1",)))
    claims: dict[str, Any] = {NAMESPACE: {"chatgpt_account_id": "acc-2"}}
    drive(login, Started(), metadata(), BOUND, CALLBACK, tokens(3, signed(**claims)), keys(4))
    assert isinstance(login.outcome, LoginFailure)
    assert login.outcome.category == "workspace_restriction"


def test_a_token_that_is_no_token_fetches_no_keys() -> None:
    login = server_machine_in("exchanging_code")
    assert sent_by(login, tokens(3, "no token")) == []
    assert isinstance(login.outcome, LoginFailure)
    assert login.outcome.category == "id_token_invalid"
    assert jwt({}) not in login.outcome.message

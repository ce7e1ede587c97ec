"""Whole logins that succeed, from the first event to the last action."""

from __future__ import annotations

from loginmachine.sansio import Credentials, LoginOptions, LoginState, LoginSuccess, Provider, Secret, Tokens
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.actions import (
    Bind,
    CloseListener,
    Finish,
    OpenBrowser,
    ReportProgress,
    SaveCredentials,
    SendTokenRequest,
    StartTimer,
    StopTimer,
    Timer,
)
from loginmachine.sansio.login.events import (
    Bound,
    BrowserFailed,
    BrowserOpened,
    CredentialsSaved,
    ResponseSent,
    Started,
)
from loginmachine.sansio.login.progress import (
    ApiKeyUnavailable,
    Binding,
    BrowserLaunched,
    CallbackReceived,
    ExchangingApiKey,
    ExchangingCode,
    Listening,
    OpeningBrowser,
    SavingCredentials,
    Succeeded,
)
from loginmachine.sansio.model.account import Account
from loginmachine.sansio.model.provenance import Provenance

from .. import samples
from ..playbook import AnyAction, AnyProblem, AnyResponse, Playbook, reply, reported
from ..samples import (
    ACCESS_TOKEN,
    AUTH_URL,
    ID_TOKEN,
    PROVENANCE,
    REFRESH_TOKEN,
    SUCCESS,
    TOKEN_ENDPOINT,
    api_key_answer,
    get,
)

CREDENTIALS = Credentials(
    auth_mode="chatgpt",
    api_key=Secret("sk-canary-api-key"),
    tokens=Tokens(
        id_token=Secret(ID_TOKEN),
        access_token=Secret(ACCESS_TOKEN),
        refresh_token=Secret(REFRESH_TOKEN),
        account_id="acc-1",
        provenance=PROVENANCE,
    ),
    last_refresh="2026-11-18T11:06:40.000000Z",
)
ACCOUNT = Account(account_id="acc-1", email="ada@example.org", plan="pro", shown_plan="plus")
CODE_FORM = (
    ("grant_type", "authorization_code"),
    ("client_id", "app_EMoamEEZ73f0CkXaXp7hrann"),
    ("code", "canary-code-4/0AbC.d~e"),
    ("redirect_uri", "http://127.0.0.1:1455/auth/callback"),
    ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
)
API_KEY_FORM = (
    ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
    ("client_id", "app_EMoamEEZ73f0CkXaXp7hrann"),
    ("requested_token", "openai-api-key"),
    ("subject_token", ID_TOKEN),
    ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
)
CODE_EXCHANGE = SendTokenRequest(exchange_id=1, url=TOKEN_ENDPOINT, form=CODE_FORM, timeout=30.0)
API_KEY_EXCHANGE = SendTokenRequest(exchange_id=2, url=TOKEN_ENDPOINT, form=API_KEY_FORM, timeout=10.0)
SUCCEEDED = Succeeded(account_id="acc-1", email="ada@example.org", plan="pro")


def test_a_login_with_an_api_key() -> None:
    login = samples.machine()
    outcome = LoginSuccess(credentials=CREDENTIALS, account=ACCOUNT)
    assert (
        Playbook(login)
        >> Started()
        << reported(Binding(port=1455, attempt=1))
        << Bind(port=1455, attempt=1)
        >> Bound(port=1455)
        << reported(Listening(url=AUTH_URL, port=1455))
        << StartTimer(timer=Timer.DEADLINE, seconds=600.0)
        << reported(OpeningBrowser())
        << OpenBrowser(url=AUTH_URL)
        >> BrowserOpened()
        << reported(BrowserLaunched())
        >> samples.callback(request_id=1)
        << StopTimer(timer=Timer.DEADLINE)
        << reported(CallbackReceived())
        << reported(ExchangingCode())
        << CODE_EXCHANGE
        >> reply()
        << reported(ExchangingApiKey())
        << API_KEY_EXCHANGE
        >> reply(api_key_answer)
        << reported(SavingCredentials())
        << SaveCredentials(credentials=CREDENTIALS)
        >> CredentialsSaved()
        << reported(SUCCEEDED)
        << AnyResponse(1, 302)
        << Finish(outcome=outcome)
        << StartTimer(timer=Timer.LINGER, seconds=2.0)
        >> ResponseSent(request_id=1)
        >> get(SUCCESS, 2)
        << AnyResponse(2, 200)
        >> ResponseSent(request_id=2)
        << StopTimer(timer=Timer.LINGER)
        << CloseListener()
    )
    assert login.state is LoginState.SUCCEEDED
    assert login.outcome == outcome


def test_a_login_without_an_api_key_says_why_and_goes_on() -> None:
    without = CREDENTIALS.__replace__(api_key=None)
    told = "https://auth.openai.com/oauth/token: status 403: insufficient_permissions"
    assert (
        Playbook(samples.machine_in("exchanging_api_key"))
        >> samples.answer(2, 403, b'{"error": "insufficient_permissions"}')
        << reported(ApiKeyUnavailable(message=told))
        << reported(SavingCredentials())
        << SaveCredentials(credentials=without)
        >> CredentialsSaved()
        << reported(SUCCEEDED)
        << AnyResponse(1, 302)
        << Finish(outcome=LoginSuccess(credentials=without, account=ACCOUNT))
        << StartTimer(timer=Timer.LINGER, seconds=2.0)
    )


def test_an_api_key_exchange_without_an_answer_does_not_fail_the_login() -> None:
    told = "https://auth.openai.com/oauth/token: no answer in time"
    assert (
        Playbook(samples.machine_in("exchanging_api_key"))
        >> samples.no_answer(TransportProblem.TIMEOUT, 2, "no answer in time")
        << reported(ApiKeyUnavailable(message=told))
        << reported(SavingCredentials())
        << SaveCredentials(credentials=CREDENTIALS.__replace__(api_key=None))
    )


def test_an_unusable_api_key_does_not_fail_the_login() -> None:
    told = "https://auth.openai.com/oauth/token: no usable access_token in the answer"
    assert (
        Playbook(samples.machine_in("exchanging_api_key"))
        >> samples.answer(2, body=b'{"access_token": "two\\nlines"}')
        << reported(ApiKeyUnavailable(message=told))
        << reported(SavingCredentials())
        << SaveCredentials(credentials=CREDENTIALS.__replace__(api_key=None))
    )


def test_a_provider_without_api_keys_is_not_asked_for_one() -> None:
    options = LoginOptions(provider=samples.OTHER_PROVIDER)
    login = samples.machine(options)
    samples.drive(login, Started(), Bound(port=40000), samples.callback(port=40000))
    id_token = samples.jwt(
        {"iss": "https://id.example", "sub": "u", "aud": "client-1", "exp": samples.NOW + 60, "iat": samples.NOW}
    )
    tokens = Tokens(
        id_token=Secret(id_token),
        access_token=Secret("opaque"),
        refresh_token=Secret("refresh"),
        provenance=Provenance(issuer="https://id.example", client_id="client-1"),
    )
    credentials = Credentials(tokens=tokens, last_refresh="2026-11-18T11:06:40.000000Z")
    body = samples.token_json(id_token=id_token, access_token="opaque", refresh_token="refresh")
    assert (
        Playbook(login)
        >> samples.answer(1, body=body)
        << reported(SavingCredentials())
        << SaveCredentials(credentials=credentials)
        >> CredentialsSaved()
        << reported(Succeeded(account_id=None, email=None, plan=None))
        << AnyResponse(1, 302)
        << Finish(outcome=LoginSuccess(credentials=credentials, account=Account()))
        << StartTimer(timer=Timer.LINGER, seconds=2.0)
    )


def test_a_login_without_browser_and_without_deadline_just_listens() -> None:
    options = samples.OPTIONS.__replace__(open_browser=False, deadline=None)
    assert (
        Playbook(samples.machine(options))
        >> Started()
        << AnyAction(ReportProgress)
        << Bind(port=1455, attempt=1)
        >> Bound(port=1455)
        << reported(Listening(url=AUTH_URL, port=1455))
        >> samples.callback()
        << reported(CallbackReceived())
        << reported(ExchangingCode())
        << CODE_EXCHANGE
    )


def test_a_chosen_deadline() -> None:
    login = samples.machine_in("binding", samples.OPTIONS.__replace__(deadline=12.5, open_browser=False))
    assert (
        Playbook(login)
        >> Bound(port=1455)
        << reported(Listening(url=AUTH_URL, port=1455))
        << StartTimer(timer=Timer.DEADLINE, seconds=12.5)
    )


def test_a_browser_that_cannot_be_opened_does_not_end_the_login() -> None:
    login = samples.machine_in("awaiting_callback")
    assert (
        Playbook(login)
        >> BrowserFailed(message="no display")
        << AnyProblem("open_browser", "browser_launch_failed", fatal=False)
        >> samples.callback()
        << StopTimer(timer=Timer.DEADLINE)
        << reported(CallbackReceived())
        << reported(ExchangingCode())
        << CODE_EXCHANGE
    )


def test_the_browser_may_be_reported_after_the_callback() -> None:
    login = samples.machine_in("saving_credentials")
    assert Playbook(login) >> BrowserOpened() << reported(BrowserLaunched())


def test_token_requests_go_to_the_mirror() -> None:
    options = LoginOptions(provider=Provider.codex(issuer="http://127.0.0.1:9000/"))
    login = samples.machine(options)
    samples.drive(login, Started(), Bound(port=1455))
    form = CODE_FORM
    assert (
        Playbook(login)
        >> samples.callback()
        << StopTimer(timer=Timer.DEADLINE)
        << reported(CallbackReceived())
        << reported(ExchangingCode())
        << SendTokenRequest(exchange_id=1, url="http://127.0.0.1:9000/oauth/token", form=form, timeout=30.0)
    )


def test_one_machine_moves_many_logins_that_do_not_touch_each_other() -> None:
    first, second = samples.machine_in("exchanging_code"), samples.machine_in("binding")
    samples.drive(first, samples.no_answer())
    assert (first.state, second.state) == (LoginState.FAILED, LoginState.BINDING)

"""Which token is revoked, when, and what the response means."""

from __future__ import annotations

import pytest

from loginmachine.sansio import Credentials, LoginOptions, Provider, Secret, Tokens
from loginmachine.sansio.base.http import Encoding, HttpRequest, HttpRequestFailed, HttpResponse, TransportProblem
from loginmachine.sansio.login.actions import Finish, ReportProgress, RevokeToken, StartTimer, Timer
from loginmachine.sansio.login.events import CancelRequested, CredentialsSaved, SaveFailed
from loginmachine.sansio.oauth.revocation import NOT_AWAITED, read_revocation, revocation

from .. import samples
from ..playbook import Answered, Kind, Playbook, Problem
from ..samples import OLD, OLD_REFRESH_TOKEN, PATHS, REFRESH_TOKEN, everything_in, machine_in

ENDPOINT = "https://auth.openai.com/oauth/revoke"
CHATGPT = Provider.chatgpt()
REVOKE_OLD = HttpRequest(
    url=ENDPOINT,
    form=(
        ("token", "canary-old-refresh"),
        ("token_type_hint", "refresh_token"),
        ("client_id", "app_EMoamEEZ73f0CkXaXp7hrann"),
    ),
    encoding=Encoding.JSON,
    timeout=5.0,
)


def tokens(refresh: str, access: str = "canary-old-access") -> Credentials:
    return Credentials(
        tokens=Tokens(id_token=Secret("i"), access_token=Secret(access), refresh_token=Secret(refresh)),
    )


def test_the_refresh_token_is_revoked() -> None:
    assert revocation(CHATGPT, OLD) == REVOKE_OLD
    assert "canary" not in repr(REVOKE_OLD)


def test_the_access_token_is_revoked_if_it_is_the_only_one() -> None:
    request = revocation(CHATGPT, tokens(""))
    assert request is not None
    assert request.form[:2] == (("token", "canary-old-access"), ("token_type_hint", "access_token"))


def test_another_provider_has_its_own_endpoint_and_encoding() -> None:
    provider = samples.OTHER_PROVIDER.__replace__(revocation_endpoint="https://id.example/revoke")
    request = revocation(provider, OLD)
    assert request is not None
    assert (request.url, request.encoding) == ("https://id.example/revoke", Encoding.FORM)
    assert request.form[2] == ("client_id", "client-1")


def test_an_endpoint_is_checked_like_the_others() -> None:
    with pytest.raises(ValueError, match="must be https"):
        samples.OTHER_PROVIDER.__replace__(revocation_endpoint="http://id.example/revoke")


@pytest.mark.parametrize("mode", ["chatgpt", "apikey", None])
def test_tokens_of_any_kind_of_login_are_revoked(mode: str | None) -> None:
    assert revocation(CHATGPT, OLD.__replace__(auth_mode=mode), samples_key()) == REVOKE_OLD


def samples_key() -> Credentials:
    return Credentials(auth_mode="apikey", api_key=Secret("sk"))


@pytest.mark.parametrize(
    ("provider", "old", "new"),
    [
        pytest.param(samples.OTHER_PROVIDER, OLD, None, id="the provider has no endpoint"),
        pytest.param(CHATGPT, None, None, id="nothing was stored"),
        pytest.param(CHATGPT, samples_key(), None, id="an API key is no token"),
        pytest.param(CHATGPT, tokens("", ""), None, id="empty tokens"),
        pytest.param(CHATGPT, OLD.__replace__(auth_mode="chatgptAuthTokens"), None, id="tokens of another program"),
        pytest.param(CHATGPT, OLD, tokens(OLD_REFRESH_TOKEN, "other"), id="the same refresh token is in use"),
        pytest.param(CHATGPT, tokens(""), tokens("new"), id="the same access token is in use"),
    ],
)
def test_nothing_to_revoke(provider: Provider, old: Credentials | None, new: Credentials | None) -> None:
    assert revocation(provider, old, new) is None


def response(status: int, body: bytes = b"") -> HttpResponse:
    return HttpResponse(status=status, headers=(), body=body, received_at=1_800_000_000.0)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (response(200), ""),
        (response(200, b"anything"), ""),
        (response(204), f"{ENDPOINT}: status 204"),
        (response(302), f"{ENDPOINT}: status 302"),
        (response(400, b'{"error": "canary"}'), f"{ENDPOINT}: status 400"),
        (response(503), f"{ENDPOINT}: status 503"),
        (
            HttpRequestFailed(kind=TransportProblem.CONNECT, message="no connection"),
            f"{ENDPOINT}: no connection",
        ),
        (NOT_AWAITED, f"{ENDPOINT}: the program did not wait for the answer"),
    ],
)
def test_the_answer(answer: HttpResponse | HttpRequestFailed, problem: str) -> None:
    assert read_revocation(REVOKE_OLD, answer) == problem


# In a login


def test_the_replaced_token_is_revoked_after_the_result_is_delivered() -> None:
    assert (
        Playbook(machine_in("saving_credentials"))
        >> CredentialsSaved(replaced=OLD)
        << Kind(ReportProgress)
        << Answered(1, 302)
        << Kind(Finish)
        << RevokeToken(**REVOKE_OLD.values())
        << StartTimer(timer=Timer.LINGER, seconds=2.0)
        >> CancelRequested()
    )


@pytest.mark.parametrize(
    "saved",
    [CredentialsSaved(), CredentialsSaved(replaced=tokens(REFRESH_TOKEN)), CredentialsSaved(replaced=samples_key())],
)
def test_nothing_is_revoked_if_nothing_was_replaced(saved: CredentialsSaved) -> None:
    actions = machine_in("saving_credentials").handle(saved)
    assert not [action for action in actions if isinstance(action, RevokeToken)]


def test_nothing_is_revoked_at_a_provider_without_revocation() -> None:
    options = LoginOptions(provider=CHATGPT.__replace__(revocation_endpoint=None))
    actions = machine_in("saving_credentials", options).handle(CredentialsSaved(replaced=OLD))
    assert not [action for action in actions if isinstance(action, RevokeToken)]


def test_a_login_that_fails_revokes_nothing() -> None:
    assert (
        Playbook(machine_in("saving_credentials"))
        >> SaveFailed(message="full")
        << Problem("persist_credentials", "persist_failed", fatal=True)
        << Answered(1, 500)
        << Kind(Finish)
        << StartTimer(timer=Timer.LINGER, seconds=2.0)
        >> CredentialsSaved(replaced=OLD)
    )


@pytest.mark.parametrize("state", [state for state in PATHS if state not in ("saving_credentials", "idle")])
def test_no_other_action_holds_the_replaced_token(state: str) -> None:
    login = machine_in(state)
    actions = samples.drive(login, CancelRequested())
    assert OLD_REFRESH_TOKEN not in everything_in(tuple(actions))


def test_no_repr_shows_the_replaced_token() -> None:
    event = CredentialsSaved(replaced=OLD)
    assert "canary" not in repr(event)
    login = machine_in("saving_credentials")
    assert "canary" not in repr(login.handle(event))

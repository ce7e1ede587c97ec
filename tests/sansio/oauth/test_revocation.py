"""Which token is revoked, when, and what the response means."""

from __future__ import annotations

import pytest

from loginmachine.sansio import AuthMode, Credentials, LoginOptions, Provider, Secret, Tokens
from loginmachine.sansio.base.http import Encoding, HttpRequestFailed, HttpResponse, TransportProblem
from loginmachine.sansio.login.actions import Finish, ReportProgress, RevokeToken, StartTimer, Timer
from loginmachine.sansio.login.events import CancelRequested, CredentialsSaved, SaveFailed
from loginmachine.sansio.model.provenance import Provenance
from loginmachine.sansio.oauth.revocation import read_revocation, revocation

from .. import samples
from ..playbook import AnyAction, AnyProblem, AnyResponse, Playbook
from ..samples import OLD, OLD_REFRESH_TOKEN, PATHS, REFRESH_TOKEN, everything_in, machine_in, with_dialect

ENDPOINT = "https://auth.openai.com/oauth/revoke"
CHATGPT = Provider.codex()
REVOKE_OLD = RevokeToken(
    url=ENDPOINT,
    form=(
        ("token", "canary-old-refresh"),
        ("token_type_hint", "refresh_token"),
        ("client_id", "app_EMoamEEZ73f0CkXaXp7hrann"),
    ),
    encoding=Encoding.JSON,
    timeout=5.0,
)


def response(status: int, body: bytes) -> HttpResponse:
    return HttpResponse(status=status, headers=(), body=body, received_at=0.0)


def tokens(refresh: str, access: str = "canary-old-access") -> Credentials:
    return Credentials(
        tokens=Tokens(id_token=Secret("i"), access_token=Secret(access), refresh_token=Secret(refresh)),
    )


def test_the_refresh_token() -> None:
    request = revocation(CHATGPT, OLD)
    assert request is not None
    assert RevokeToken(**request.values()) == REVOKE_OLD
    assert "canary" not in repr(request)


def test_the_access_token_where_there_is_no_other() -> None:
    request = revocation(CHATGPT, tokens(""))
    assert request is not None
    assert request.form[:2] == (("token", "canary-old-access"), ("token_type_hint", "access_token"))


def test_tokens_that_a_standard_server_issued() -> None:
    provider = Provider.openid(
        "https://id.example", client_id="native", revocation_endpoint="https://id.example/revoke"
    )
    issued = Tokens(access_token=Secret("canary-access"), refresh_token=Secret("canary-refresh"), provider=provider)
    request = revocation(provider, Credentials(auth_mode=AuthMode.OAUTH, tokens=issued))
    assert request is not None
    assert request.form[:2] == (("token", "canary-refresh"), ("token_type_hint", "refresh_token"))


def test_another_provider_has_its_own_endpoint_and_client() -> None:
    provider = samples.OTHER_PROVIDER.__replace__(revocation_endpoint="https://id.example/revoke")
    assert OLD.tokens is not None
    origin = Provenance(issuer=provider.origin, client_id=provider.client_id)
    request = revocation(provider, OLD.__replace__(tokens=OLD.tokens.__replace__(provenance=origin)))
    assert request is not None
    assert (request.url, request.encoding) == ("https://id.example/revoke", Encoding.FORM)
    assert request.form[2] == ("client_id", "client-1")


def test_an_endpoint_is_checked_like_the_others() -> None:
    with pytest.raises(ValueError, match="must be https"):
        samples.OTHER_PROVIDER.__replace__(revocation_endpoint="http://id.example/revoke")


@pytest.mark.parametrize("mode", ["chatgpt", "apikey", None])
def test_tokens_of_any_login_are_revoked(mode: str | None) -> None:
    request = revocation(CHATGPT, OLD.__replace__(auth_mode=mode), samples_key())
    assert request is not None
    assert request.form == REVOKE_OLD.form


def samples_key() -> Credentials:
    return Credentials(auth_mode="apikey", api_key=Secret("sk"))


@pytest.mark.parametrize(
    ("provider", "old", "new"),
    [
        pytest.param(samples.OTHER_PROVIDER, OLD, None, id="the provider cannot"),
        pytest.param(CHATGPT, None, None, id="nothing was stored"),
        pytest.param(CHATGPT, samples_key(), None, id="an API key is no token"),
        pytest.param(CHATGPT, tokens("", ""), None, id="empty tokens"),
        pytest.param(CHATGPT, OLD.__replace__(auth_mode="chatgptAuthTokens"), None, id="somebody else's tokens"),
        pytest.param(CHATGPT, OLD, tokens(OLD_REFRESH_TOKEN, "other"), id="the same refresh token is in use"),
        pytest.param(CHATGPT, tokens(""), tokens("new"), id="the same access token is in use"),
    ],
)
def test_nothing_to_revoke(provider: Provider, old: Credentials | None, new: Credentials | None) -> None:
    assert revocation(provider, old, new) is None


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        (response(200, b""), ""),
        (response(200, b"anything"), ""),
        (response(200, b"\n<!DOCTYPE html>"), f"{ENDPOINT}: a web page instead of an answer"),
        (response(204, b""), f"{ENDPOINT}: status 204"),
        (response(302, b""), f"{ENDPOINT}: status 302"),
        (response(400, b'{"error": "canary"}'), f"{ENDPOINT}: status 400"),
        (response(503, b""), f"{ENDPOINT}: status 503"),
        (HttpRequestFailed(kind=TransportProblem.CONNECT, message="no connection"), f"{ENDPOINT}: no connection"),
    ],
)
def test_the_response(result: HttpResponse | HttpRequestFailed, problem: str) -> None:
    assert read_revocation(REVOKE_OLD, result) == problem


# In a login


def test_the_replaced_token_is_revoked_when_the_caller_has_its_result() -> None:
    assert (
        Playbook(machine_in("saving_credentials"))
        >> CredentialsSaved(replaced=OLD)
        << AnyAction(ReportProgress)
        << AnyResponse(1, 302)
        << AnyAction(Finish)
        << REVOKE_OLD
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


def test_a_provider_that_cannot_revoke() -> None:
    options = LoginOptions(provider=CHATGPT.__replace__(revocation_endpoint=None))
    actions = machine_in("saving_credentials", options).handle(CredentialsSaved(replaced=OLD))
    assert not [action for action in actions if isinstance(action, RevokeToken)]


def test_a_login_that_fails_revokes_nothing() -> None:
    assert (
        Playbook(machine_in("saving_credentials"))
        >> SaveFailed(message="full")
        << AnyProblem("persist_credentials", "persist_failed", fatal=True)
        << AnyResponse(1, 500)
        << AnyAction(Finish)
        << StartTimer(timer=Timer.LINGER, seconds=2.0)
        >> CredentialsSaved(replaced=OLD)
    )


@pytest.mark.parametrize("state", [state for state in PATHS if state not in ("saving_credentials", "idle")])
def test_no_other_action_holds_the_replaced_tokens(state: str) -> None:
    login = machine_in(state)
    ordered = samples.drive(login, CancelRequested())
    assert OLD_REFRESH_TOKEN not in everything_in(tuple(ordered))


def test_no_repr_shows_the_replaced_tokens() -> None:
    event = CredentialsSaved(replaced=OLD)
    assert "canary" not in repr(event)
    login = machine_in("saving_credentials")
    assert "canary" not in repr(login.handle(event))


def test_tokens_of_another_provider_are_not_sent() -> None:
    assert OLD.tokens is not None
    theirs = OLD.tokens.__replace__(provenance=Provenance(issuer="https://id.example", client_id="client-1"))
    assert revocation(CHATGPT, OLD.__replace__(tokens=theirs)) is None


def test_replaced_tokens_are_revoked_at_a_provider_like_codex_only() -> None:
    """Elsewhere the old and the new tokens may share one grant."""
    new = tokens("another-refresh", "another-access")
    assert revocation(CHATGPT, OLD, new) is not None
    provider = with_dialect(CHATGPT, revokes_replaced_tokens=False)
    assert revocation(provider, OLD, new) is None
    assert revocation(provider, OLD) is not None

"""The credentials that apply, by rule (docs/design/files.md)."""

from __future__ import annotations

import pytest

from loginmachine import Credentials, Provider, Secret
from loginmachine.sansio.refresh.effective import Applicable, applicable, has_ended
from loginmachine.sansio.refresh.failures import RefreshFailureCategory
from loginmachine.sansio.refresh.outcome import Refusal, digest_of

from ..samples import NAMESPACE, jwt
from .samples import stored

PROVIDER = Provider.codex()
KEY = Secret("sk-1")


def of_plan(plan: str | None, **changes: object) -> Credentials:
    """Return what an older version stored for an account with this plan and an API key."""
    claims = {} if plan is None else {NAMESPACE: {"chatgpt_plan_type": plan}}
    return stored("access", id_token=jwt(claims), auth_mode=None, api_key=KEY).__replace__(**changes)


@pytest.mark.parametrize(
    ("credentials", "mode", "bearer"),
    [
        (of_plan("free"), "chatgpt", "access"),
        (of_plan("plus"), "chatgpt", "access"),
        (of_plan("pro"), "chatgpt", "access"),
        (of_plan("team"), "chatgpt", "access"),
        (of_plan("pro", api_key=None), "chatgpt", "access"),
        (of_plan("enterprise"), "apikey", "sk-1"),
        (of_plan("business"), "apikey", "sk-1"),
        (of_plan("edu"), "apikey", "sk-1"),
        (of_plan("something_new"), "apikey", "sk-1"),
        (of_plan(None), "apikey", "sk-1"),
        (of_plan("enterprise", api_key=None), "chatgpt", "access"),
        (of_plan("enterprise", auth_mode="chatgpt"), "chatgpt", "access"),
        (of_plan("plus", auth_mode="apikey"), "apikey", "sk-1"),
        (of_plan("plus", tokens=None), "apikey", "sk-1"),
        (stored("access", id_token="no jwt", auth_mode=None, api_key=KEY), "apikey", "sk-1"),
        (of_plan("plus", auth_mode="agentIdentity"), "agentIdentity", None),
        (of_plan("plus", auth_mode="apikey", api_key=None), "apikey", None),
        (of_plan("plus", auth_mode="chatgpt", tokens=None), "chatgpt", None),
        (Credentials(auth_mode=None), "chatgpt", None),
    ],
)
def test_stored_credentials_come_first(credentials: Credentials, mode: str, bearer: str | None) -> None:
    choice = applicable(credentials, PROVIDER, environment_key="sk-environment")
    assert choice is not None
    assert (choice.mode, choice.credentials, choice.from_environment) == (mode, credentials, False)
    assert (choice.bearer.reveal() if choice.bearer else None) == bearer


def test_the_environment_is_used_when_nothing_is_stored() -> None:
    choice = applicable(None, PROVIDER, environment_key=" sk-environment\n")
    assert choice is not None
    assert choice.from_environment
    assert choice.bearer == Secret("sk-environment")
    assert choice.credentials == Credentials.from_api_key(Secret("sk-environment"))
    assert "sk-environment" not in repr(choice)


@pytest.mark.parametrize("key", [None, "", " \n"])
def test_without_both_no_credentials_apply(key: str | None) -> None:
    assert applicable(None, PROVIDER, environment_key=key) is None


# Whether the sign-in has ended

OTHER = Provider.codex(issuer="http://127.0.0.1:1", client_id="another")
TOKENS = stored("access")


def refusal(provider: Provider = PROVIDER) -> Refusal:
    return Refusal(digest=digest_of(TOKENS, provider), category=RefreshFailureCategory.REFRESH_TOKEN_REJECTED)


def using(credentials: Credentials, mode: str = "chatgpt") -> Applicable:
    return Applicable(mode=mode, credentials=credentials)


def test_a_sign_in_whose_refresh_token_was_refused_has_ended() -> None:
    assert has_ended(using(TOKENS), refusal())
    assert has_ended(using(TOKENS), refusal(OTHER), OTHER)


@pytest.mark.parametrize(
    ("applies", "known", "provider"),
    [
        (None, refusal(), None),
        (using(TOKENS), None, None),
        (using(TOKENS, "apikey"), refusal(), None),
        (using(TOKENS.__replace__(tokens=None)), refusal(), None),
        # The same token of a new sign-in, or for another provider.
        (using(TOKENS.__replace__(last_refresh="2027-01-01T00:00:00Z")), refusal(), None),
        (using(TOKENS), refusal(), OTHER),
        (using(TOKENS), refusal(OTHER), None),
    ],
)
def test_another_sign_in_has_not_ended(
    applies: Applicable | None, known: Refusal | None, provider: Provider | None
) -> None:
    assert not has_ended(applies, known, provider)

"""A refreshed id token is of the same sign-in as the one before (OpenID Connect Core 12.2)."""

from __future__ import annotations

from typing import Any

import pytest

from loginmachine import RefreshFailure, RefreshMachine, RefreshSuccess
from loginmachine.sansio.login.events import CredentialsSaved
from loginmachine.sansio.refresh.actions import Deliver, RememberRefusal
from loginmachine.sansio.refresh.events import LockTaken
from loginmachine.sansio.server.endpoints import IdTokenPolicy

from ..playbook import AnyAction, Playbook
from ..samples import ID_CLAIMS, ID_TOKEN, jwt
from .samples import (
    NEW,
    NOW_TEXT,
    OLD,
    OTHER_ACCOUNT,
    OVER,
    PROVIDER,
    RELEASE,
    WANTED,
    answered,
    failure_of,
    loaded,
    machine,
    stored,
    tell,
)

STRICT = PROVIDER.__replace__(id_token_policy=IdTokenPolicy.STRICT)


def claimed(**changes: Any) -> str:
    """An id token with other claims than the stored one. A claim that is None is left out."""
    claims = {**ID_CLAIMS, **changes}
    return jwt({name: value for name, value in claims.items() if value is not None}, "canary-newer-id-token")


def refreshed(id_token: str, before: str = ID_TOKEN, refresh: RefreshMachine | None = None) -> RefreshMachine:
    """A refresh after the answer of the token endpoint."""
    refresh = refresh or machine()
    credentials = stored(OVER, id_token=before)
    tell(refresh, WANTED, loaded(credentials), LockTaken(), loaded(credentials))
    tell(refresh, answered(access_token=NEW, refresh_token="canary-new-refresh", id_token=id_token))
    return refresh


def stored_id_token(refresh: RefreshMachine, before: str = ID_TOKEN) -> str:
    """The id token that is stored after a refresh that succeeds."""
    tell(refresh, loaded(stored(OVER, id_token=before)), CredentialsSaved())
    assert isinstance(refresh.outcome, RefreshSuccess)
    credentials = refresh.outcome.credentials
    assert credentials.tokens is not None
    assert credentials.tokens.id_token is not None
    expected = stored(NEW, "canary-new-refresh", id_token=credentials.tokens.id_token.reveal(), last_refresh=NOW_TEXT)
    assert credentials == expected
    return credentials.tokens.id_token.reveal()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"iss": "https://id.example"}, "the new id token is of another issuer (iss)"),
        ({"iss": "https://auth.openai.com/"}, "the new id token is of another issuer (iss)"),
        ({"sub": "user-2"}, "the new id token is of another person (sub)"),
        ({"sub": ["user-1"]}, "the new id token is of another person (sub)"),
        ({"aud": "client-2"}, "the new id token was made for another client (aud)"),
        ({"aud": []}, "the new id token was made for another client (aud)"),
        ({"aud": [*ID_CLAIMS["aud"], "client-2"]}, "the new id token was made for another client (aud)"),
        ({"aud": {"a": 1}}, "the new id token was made for another client (aud)"),
        ({"azp": "client-2"}, "the new id token was given to another client (azp)"),
        ({"azp": 5}, "the new id token was given to another client (azp)"),
    ],
)
def test_another_sign_in_is_refused(changes: dict[str, Any], words: str) -> None:
    refresh = refreshed(claimed(**changes))
    assert failure_of(refresh) == ("account_changed", words, True)
    assert refresh.state == "failed"


@pytest.mark.parametrize("account_id", ["acc-1", None])
def test_tokens_of_another_account_are_refused(account_id: str | None) -> None:
    before = stored(OVER)
    assert before.tokens is not None
    before = before.__replace__(tokens=before.tokens.__replace__(account_id=account_id))
    refresh = machine()
    tell(refresh, WANTED, loaded(before), LockTaken(), loaded(before))
    answer = answered(access_token=NEW, refresh_token="canary-new-refresh", id_token=OTHER_ACCOUNT)
    assert Playbook(refresh) >> answer << AnyAction(RememberRefusal) << RELEASE << AnyAction(Deliver)
    assert failure_of(refresh) == ("account_changed", "the new id token is of another account", True)


def test_the_old_access_token_is_used_as_long_as_it_lasts() -> None:
    """It is the right person's, although the new tokens are not."""
    refresh = machine()
    tell(refresh, WANTED, loaded(stored()), LockTaken(), loaded(stored()))
    tell(refresh, answered(access_token=NEW, id_token=OTHER_ACCOUNT))
    assert isinstance(refresh.outcome, RefreshSuccess)
    assert (refresh.outcome.token.reveal(), refresh.outcome.delivery) == (OLD, "kept")
    assert refresh.outcome.failure is not None
    assert refresh.outcome.failure.category == "account_changed"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ID_CLAIMS["aud"], ID_CLAIMS["aud"][0]),
        (ID_CLAIMS["aud"][0], ID_CLAIMS["aud"]),
        (["a", "b"], ["b", "a"]),
        (["a", "b"], ["b", "a", "a"]),
        ({"a": 1}, {"a": 1}),
    ],
)
def test_the_same_audience_may_be_written_differently(before: object, after: object) -> None:
    new = claimed(aud=after)
    assert stored_id_token(refreshed(new, claimed(aud=before)), claimed(aud=before)) == new


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ({"aud": ["a", "b"], "azp": "a"}, {"azp": "a"}, True),
        ({"aud": ["a", "b"], "azp": "a"}, {"azp": "b"}, False),
        ({"aud": ["a", "b"], "azp": "a"}, {}, True),
        ({"aud": "a"}, {"azp": "a"}, True),
        ({"aud": ["a"]}, {"azp": "b"}, False),
    ],
)
def test_the_client_that_a_token_was_given_to_stays(
    before: dict[str, Any],
    after: dict[str, Any],
    is_same: bool,  # noqa: FBT001 - a parameter
) -> None:
    refresh = refreshed(claimed(aud=before["aud"], **after), claimed(**before))
    assert refresh.state == ("reading_before_saving" if is_same else "failed")


@pytest.mark.parametrize("changes", [{"iat": 5}, {"exp": 5}, {"email": None}, {"nonce": "n"}, {"auth_time": 5}])
def test_other_claims_may_change(changes: dict[str, Any]) -> None:
    new = claimed(**changes)
    assert stored_id_token(refreshed(new)) == new


@pytest.mark.parametrize("name", ["iss", "sub", "aud"])
def test_a_claim_that_is_missing_takes_no_others_place(name: str) -> None:
    """The old id token is kept, so that the next refresh is compared with it. The other tokens are not lost."""
    assert stored_id_token(refreshed(claimed(**{name: None}))) == ID_TOKEN


@pytest.mark.parametrize("name", ["iss", "sub", "aud"])
def test_where_the_provider_must_send_it_a_missing_claim_is_refused(name: str) -> None:
    refresh = refreshed(claimed(**{name: None}), refresh=RefreshMachine(STRICT))
    assert failure_of(refresh) == ("account_changed", f"the new id token has no {name}", True)


@pytest.mark.parametrize("name", ["iss", "sub", "aud"])
def test_a_claim_that_was_missing_before_is_taken(name: str) -> None:
    before, new = claimed(**{name: None}), claimed()
    assert stored_id_token(refreshed(new, before), before) == new
    assert stored_id_token(refreshed(before, before), before) == before


def test_nothing_of_a_refused_answer_is_kept() -> None:
    refresh = refreshed(claimed(sub="user-2"))
    assert isinstance(refresh.outcome, RefreshFailure)
    assert "user-2" not in refresh.outcome.describe()
    assert (refresh.memory.unsaved, refresh.memory.received) == (None, None)

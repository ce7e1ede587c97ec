"""Refresh tokens that work once: nothing of an answer may be lost, and nothing is used before it is verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import RefreshMachine
from loginmachine.sansio import Credentials, Secret
from loginmachine.sansio.login.actions import SaveCredentials, SendTokenRequest
from loginmachine.sansio.login.events import CredentialsSaved, SaveFailed
from loginmachine.sansio.refresh.actions import ForgetTokens, ReleaseLock, RememberRefusal, Warn
from loginmachine.sansio.refresh.events import LoadFailed, LockTaken
from loginmachine.sansio.refresh.outcome import Delivery, RefreshSuccess, due_at

from ..chatgpt_samples import ISSUED, RESOURCE
from ..samples import NOW, answer
from ..server_samples import keys as keys_of
from ..server_samples import signed
from .one_use_samples import DUE, ID_TOKEN, IDENTITY, KEYS, OVER, loaded, new_tokens, stored
from .samples import FORCED, WANTED, answered, failure_of, rejected, tell, unanswered

if TYPE_CHECKING:
    from loginmachine.sansio.refresh.actions import RefreshAction
    from loginmachine.sansio.refresh.events import RefreshEvent


def to_mark(credentials: Credentials = OVER, wanted: RefreshEvent = WANTED) -> tuple[RefreshMachine, Credentials]:
    """Return a refresh that stores its mark, and the credentials with the mark."""
    refresh = RefreshMachine(None)
    actions = tell(refresh, wanted, loaded(credentials), LockTaken(), loaded(credentials))
    assert refresh.state == "saving_mark"
    return refresh, saved_by(actions)


def to_answer(credentials: Credentials = OVER, wanted: RefreshEvent = WANTED) -> tuple[RefreshMachine, Credentials]:
    """Return a refresh that waits for new tokens, and what is stored."""
    refresh, marked = to_mark(credentials, wanted)
    refresh.handle(CredentialsSaved())
    return refresh, marked


def saved_by(actions: list[RefreshAction]) -> Credentials:
    (save,) = [action for action in actions if isinstance(action, SaveCredentials)]
    return save.credentials


def requests(actions: list[RefreshAction]) -> list[str]:
    return [action.url for action in actions if isinstance(action, SendTokenRequest)]


def refreshed_of(refresh: RefreshMachine) -> RefreshSuccess:
    assert isinstance(refresh.outcome, RefreshSuccess), refresh.outcome
    return refresh.outcome


# The mark


def test_a_mark_is_stored_before_the_refresh_token_is_sent() -> None:
    refresh, marked = to_mark()
    assert marked.tokens is not None
    assert marked.tokens.refresh_sent_at == NOW
    assert marked.__replace__(tokens=marked.tokens.__replace__(refresh_sent_at=None)) == loaded(OVER).credentials
    (exchange,) = refresh.handle(CredentialsSaved())
    assert isinstance(exchange, SendTokenRequest)
    assert exchange.form == (
        ("client_id", ISSUED),
        ("grant_type", "refresh_token"),
        ("refresh_token", "canary-old-refresh"),
        ("resource", RESOURCE),
    )
    assert exchange.encoding == "form"


def test_without_a_mark_nothing_is_sent() -> None:
    refresh, _ = to_mark()
    assert requests(refresh.handle(SaveFailed(message="disk full"))) == []
    assert failure_of(refresh) == ("store_unavailable", "disk full", False)
    refresh, _ = to_mark(DUE)
    refresh.handle(SaveFailed(message="disk full"))
    assert refreshed_of(refresh).delivery is Delivery.KEPT


def test_after_an_unclear_outcome_others_wait_a_while_before_they_try() -> None:
    marked = stored(refresh_sent_at=NOW - 10.0)
    refresh = RefreshMachine(None)
    tell(refresh, WANTED, loaded(marked))
    assert (refreshed_of(refresh).delivery, refreshed_of(refresh).message) == (
        Delivery.KEPT,
        "the last try was a moment ago",
    )
    to_mark(stored(refresh_sent_at=NOW - 31.0))


@pytest.mark.parametrize("wanted", [FORCED, rejected("canary-old-access")], ids=["forced", "rejected"])
def test_an_explicit_call_tries_the_old_token_at_once(wanted: RefreshEvent) -> None:
    refresh, _ = to_answer(stored(refresh_sent_at=NOW - 1.0), wanted)
    tell(refresh, unanswered())
    assert failure_of(refresh)[0] == "refresh_unavailable"


# The answer


def test_tokens_without_an_id_token_need_no_keys() -> None:
    refresh, marked = to_answer()
    actions = tell(refresh, new_tokens(None), loaded(marked))
    new = saved_by(actions)
    assert new.tokens is not None
    assert (new.unverified, new.tokens.refresh_sent_at, new.tokens.id_token) == (None, None, Secret(ID_TOKEN))
    refresh.handle(CredentialsSaved())
    assert refreshed_of(refresh).token == Secret("canary-new-access")


def test_tokens_are_stored_apart_before_the_keys_are_fetched() -> None:
    refresh, marked = to_answer()
    apart = saved_by(tell(refresh, new_tokens(), loaded(marked)))
    assert apart.tokens is not None
    assert apart.tokens.access_token == Secret("canary-old-access")
    assert apart.tokens.refresh_sent_at is None
    assert apart.unverified is not None
    assert apart.unverified.tokens is not None
    assert apart.unverified.tokens.refresh_token == Secret("canary-new-refresh")
    assert requests(refresh.handle(CredentialsSaved())) == ["https://id.example/keys"]
    new = saved_by(tell(refresh, KEYS, loaded(apart)))
    assert new == loaded(apart.unverified).credentials
    refresh.handle(CredentialsSaved())
    assert refreshed_of(refresh).delivery is Delivery.REFRESHED
    assert refreshed_of(refresh).token == Secret("canary-new-access")


def apart_of(credentials: Credentials = OVER) -> Credentials:
    """Return what is stored while the keys are out of reach."""
    refresh, marked = to_answer(credentials)
    apart = saved_by(tell(refresh, new_tokens(), loaded(marked)))
    tell(refresh, CredentialsSaved(), answer(1, 503))
    return apart


def test_without_keys_the_new_tokens_wait() -> None:
    refresh, marked = to_answer()
    tell(refresh, new_tokens(), loaded(marked), CredentialsSaved(), answer(1, 503))
    assert failure_of(refresh)[0::2] == ("refresh_unavailable", False)
    refresh, marked = to_answer(DUE)
    tell(refresh, new_tokens(), loaded(marked), CredentialsSaved(), unanswered())
    assert (refreshed_of(refresh).delivery, refreshed_of(refresh).token) == (
        Delivery.KEPT,
        Secret("canary-old-access"),
    )


def test_the_next_refresh_verifies_them_and_sends_no_refresh_token() -> None:
    apart = apart_of()
    refresh = RefreshMachine(None)
    actions = tell(refresh, WANTED, loaded(apart), LockTaken(), loaded(apart))
    assert requests(actions) == ["https://id.example/keys"]
    new = saved_by(tell(refresh, KEYS, loaded(apart)))
    assert new.tokens is not None
    assert new.tokens.refresh_token == Secret("canary-new-refresh")
    refresh.handle(CredentialsSaved())
    assert refreshed_of(refresh).delivery is Delivery.REFRESHED


def test_a_key_that_the_provider_does_not_have_yet() -> None:
    apart = apart_of()
    refresh = RefreshMachine(None)
    tell(refresh, WANTED, loaded(apart), LockTaken(), loaded(apart), keys_of(1, "key-2"))
    assert failure_of(refresh)[0] == "refresh_unavailable"


def test_waiting_tokens_with_a_wrong_signature_are_never_used() -> None:
    refresh, marked = to_answer()
    forged = signed("key-3", {"kid": "key-1"}, **IDENTITY)
    tell(refresh, new_tokens(forged), loaded(marked), CredentialsSaved(), KEYS)
    assert failure_of(refresh)[0] == "account_changed"
    refresh, marked = to_answer(DUE)
    actions = tell(refresh, new_tokens(forged), loaded(marked), CredentialsSaved(), KEYS)
    assert refreshed_of(refresh).failure is not None
    assert any(isinstance(action, RememberRefusal) for action in actions)


STRANGERS: list[dict[str, Any]] = [
    {"sub": "user-2"},
    {"aud": ["other"]},
    {"azp": "other"},
    {"iss": "https://stranger.example"},
]


@pytest.mark.parametrize("claims", STRANGERS)
def test_tokens_of_another_sign_in_replace_nothing(claims: dict[str, Any]) -> None:
    refresh, _ = to_answer()
    actions = refresh.handle(new_tokens(signed(**{**IDENTITY, **claims})))
    assert failure_of(refresh)[0] == "account_changed"
    assert not any(isinstance(action, SaveCredentials) for action in actions)


def test_waiting_tokens_are_compared_with_the_account_once_more() -> None:
    apart = apart_of()
    assert apart.unverified is not None
    assert apart.unverified.tokens is not None
    other = apart.unverified.tokens.__replace__(id_token=Secret(signed(**{**IDENTITY, "sub": "user-2"})))
    apart = apart.__replace__(unverified=apart.unverified.__replace__(tokens=other))
    refresh = RefreshMachine(None)
    tell(refresh, WANTED, loaded(apart), LockTaken(), loaded(apart), KEYS)
    assert failure_of(refresh) == ("account_changed", "the new id token is of another person (sub)", True)


@pytest.mark.parametrize("trouble", [SaveFailed(message="disk full"), LoadFailed(failed_at=NOW, message="gone")])
def test_new_tokens_that_cannot_be_stored_are_verified_and_kept_in_memory(trouble: RefreshEvent) -> None:
    refresh, marked = to_answer()
    before = (new_tokens(), loaded(marked)) if isinstance(trouble, SaveFailed) else (new_tokens(),)
    actions = tell(refresh, *before, trouble)
    assert requests(actions) == ["https://id.example/keys"]
    tell(refresh, KEYS, loaded(marked), SaveFailed(message="disk full"))
    assert (refreshed_of(refresh).is_stored, refreshed_of(refresh).token) == (False, Secret("canary-new-access"))
    assert refresh.memory.unsaved is not None
    assert refresh.memory.unsaved.unverified is None


# Refusals


@pytest.mark.parametrize(
    "code",
    [
        *("invalid_grant", "invalid_refresh_token", "token_expired", "refresh_token_expired"),
        *("refresh_token_invalidated", "refresh_token_reused"),
    ],
)
@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("in_object", [False, True], ids=["text", "object"])
def test_a_final_refusal_removes_the_tokens(code: str, status: int, in_object: bool) -> None:  # noqa: FBT001 - a parameter
    refresh, marked = to_answer(DUE)
    error = {"code": code, "message": "no", "type": "x", "param": None} if in_object else code
    actions = tell(refresh, answered(status, error=error), loaded(marked))
    assert ForgetTokens() in actions
    assert actions.index(ForgetTokens()) < actions.index(ReleaseLock())
    assert failure_of(refresh)[0::2] == ("refresh_token_rejected", True)


@pytest.mark.parametrize(
    "response",
    [
        answered(401, error="invalid_client"),
        answered(429, error="slow"),
        answered(503, error="no"),
        answered(429, error="invalid_grant"),
        answered(500, error={"code": "refresh_token_reused"}),
        answered(503, error="token_expired"),
        answer(1, 502, b"<html>", headers=((b"Content-Type", b"text/html"),)),
        answer(1, 401, b""),
        unanswered(),
    ],
)
def test_every_other_trouble_keeps_the_tokens(response: RefreshEvent) -> None:
    refresh, _ = to_answer(DUE)
    actions = refresh.handle(response)
    assert ForgetTokens() not in actions
    assert refreshed_of(refresh).delivery is Delivery.KEPT


def test_what_another_process_has_stored_meanwhile_is_adopted() -> None:
    refresh, _ = to_answer(DUE)
    theirs = stored(3600.0, access_token=Secret("canary-their-access"), refresh_token=Secret("canary-their-refresh"))
    actions = tell(refresh, answered(401, error="refresh_token_reused"), loaded(theirs))
    assert ForgetTokens() not in actions
    assert refreshed_of(refresh).delivery is Delivery.ADOPTED


# The earliest moment

LATER = '"2026-11-18T12:00:40Z"'
"""54 minutes after `NOW`."""


def test_too_early_keeps_the_token_while_it_lasts() -> None:
    credentials = stored(3600.0, extra=LATER)
    refresh = RefreshMachine(None)
    actions = tell(refresh, FORCED, loaded(credentials))
    assert requests(actions) == []
    done = refreshed_of(refresh)
    assert (done.delivery, done.message) == (
        Delivery.KEPT,
        "the provider accepts no refresh before 2026-11-18T12:00:40Z",
    )


@pytest.mark.parametrize(
    ("ends", "wanted"), [(-60.0, WANTED), (-60.0, FORCED), (3600.0, rejected("canary-old-access"))]
)
def test_too_early_without_a_token_is_a_passing_failure(ends: float, wanted: RefreshEvent) -> None:
    refresh = RefreshMachine(None)
    tell(refresh, wanted, loaded(stored(ends, extra=LATER)))
    assert failure_of(refresh) == (
        "refresh_unavailable",
        "the provider accepts no refresh before 2026-11-18T12:00:40Z",
        False,
    )


@pytest.mark.parametrize("extra", ["null", '"soon"', "[]", "1e300", "true", '"2026-11-18T11:06:40Z"', "1795000000"])
def test_a_moment_that_is_past_or_none_delays_nothing(extra: str) -> None:
    to_mark(stored(3600.0, extra=extra), FORCED)


def test_the_latest_moment_of_all_can_be_shown() -> None:
    refresh = RefreshMachine(None)
    tell(refresh, FORCED, loaded(stored(extra="999999999999")))
    assert refreshed_of(refresh).message == "the provider accepts no refresh before a time after the year 9999"


def test_an_automatic_refresh_waits_for_the_moment_but_not_beyond_the_end() -> None:
    for extra, due in (
        ('"2026-11-18T12:03:20Z"', NOW + 3400.0),
        ('"2026-11-19T00:00:00Z"', NOW + 3600.0),
        ("null", NOW + 3300.0),
    ):
        tokens = stored(3600.0, extra=extra).tokens
        assert tokens is not None
        assert due_at(tokens, NOW) == due


# Plan use


def test_a_plan_that_is_lost_in_a_refresh_is_said() -> None:
    refresh, marked = to_answer()
    actions = tell(refresh, new_tokens(None, scope="openid profile email"), loaded(marked), CredentialsSaved())
    assert Warn(message="the provider no longer grants the use of the plan: plan use is off") in actions
    tokens = refreshed_of(refresh).credentials.tokens
    assert tokens is not None
    assert tokens.plan_enabled is False


def test_a_refresh_without_scopes_changes_no_grant() -> None:
    refresh, marked = to_answer()
    actions = tell(refresh, new_tokens(None), loaded(marked), CredentialsSaved())
    assert not any(isinstance(action, Warn) for action in actions)
    tokens = refreshed_of(refresh).credentials.tokens
    assert tokens is not None
    assert tokens.plan_enabled is True


def test_an_identity_gives_no_token() -> None:
    refresh = RefreshMachine(None)
    tell(refresh, WANTED, loaded(stored(access_token=Secret(""), refresh_token=None)))
    assert failure_of(refresh) == (
        "credentials_unsupported",
        "the sign-in only says who the person is, and the provider gave no access token",
        True,
    )

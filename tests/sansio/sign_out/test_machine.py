"""A sign-out: the table is sound, and each story ends as it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine import Credentials, Provider, Secret
from loginmachine.sansio import UnexpectedEvent
from loginmachine.sansio.base.http import Encoding
from loginmachine.sansio.model.overrides import EndpointOverrides
from loginmachine.sansio.model.provenance import Provenance
from loginmachine.sansio.refresh.actions import LoadCredentials
from loginmachine.sansio.refresh.events import LoadFailed
from loginmachine.sansio.sign_out import SignOutMachine
from loginmachine.sansio.sign_out.actions import EndSignOut, RemoveCredentials, ReportRemoval, RevokeTokens
from loginmachine.sansio.sign_out.events import CredentialsRemoved, RemovalFailed, RevocationEnded, SignOutWanted
from loginmachine.sansio.sign_out.outcome import SignOutFailure, SignOutFailureCategory, SignOutResult
from loginmachine.sansio.sign_out.state import SignOutData
from loginmachine.sansio.sign_out.states import SignOutState, SignOutTrigger
from loginmachine.sansio.sign_out.table import SIGN_OUT_ROWS

from ..refresh.samples import API_KEY_ONLY, PROVIDER, loaded, stored

if TYPE_CHECKING:
    from loginmachine.sansio.sign_out.actions import SignOutAction
    from loginmachine.sansio.sign_out.events import SignOutEvent
    from loginmachine.sansio.sign_out.outcome import SignOutOutcome

TOKENS = stored()
REVOKE = RevokeTokens(
    url="https://auth.openai.com/oauth/revoke",
    form=(
        ("token", "canary-old-refresh"),
        ("token_type_hint", "refresh_token"),
        ("client_id", "app_EMoamEEZ73f0CkXaXp7hrann"),
    ),
    encoding=Encoding.JSON,
    timeout=5.0,
)
SIGNED_OUT, NOT_SIGNED_IN = ReportRemoval(was_signed_in=True), ReportRemoval(was_signed_in=False)
WANTED = SignOutWanted()
REMOVED = CredentialsRemoved(removed=TOKENS)
EVENTS: dict[str, SignOutEvent] = {
    "wanted": WANTED,
    "loaded": loaded(TOKENS),
    "load_failed": LoadFailed(failed_at=1_795_000_000.0, message="denied"),
    "removed": REMOVED,
    "removal_failed": RemovalFailed(message="denied"),
    "revocation_ended": RevocationEnded(problem=""),
}
PATHS: dict[str, tuple[SignOutEvent, ...]] = {
    "idle": (),
    "checking": (WANTED,),
    "removing": (WANTED, loaded(TOKENS)),
    "revoking": (WANTED, loaded(TOKENS), REMOVED),
    "succeeded": (WANTED, loaded(None), CredentialsRemoved(removed=None)),
    "failed": (WANTED, loaded(TOKENS), RemovalFailed(message="denied")),
}
TAKEN = {
    "idle": {"wanted"},
    "checking": {"loaded", "load_failed"},
    "removing": {"removed", "removal_failed"},
    "revoking": {"revocation_ended"},
}


def issued_by(issuer: str, client_id: str | None) -> Credentials:
    assert TOKENS.tokens is not None
    provenance = Provenance(issuer=issuer, client_id=client_id)
    return TOKENS.__replace__(tokens=TOKENS.tokens.__replace__(provenance=provenance))


def tell(
    *events: SignOutEvent, provider: Provider | None = PROVIDER
) -> tuple[list[SignOutAction], SignOutOutcome | None]:
    """Give events to a sign-out. Return the actions after the last one, and the outcome."""
    machine = SignOutMachine(provider)
    actions: list[SignOutAction] = []
    for event in events:
        actions = machine.handle(event)
    if machine.outcome is not None:
        assert actions[-1] == EndSignOut(outcome=machine.outcome)
        return actions[:-1], machine.outcome
    return actions, None


@pytest.mark.parametrize("state", PATHS)
@pytest.mark.parametrize("event", EVENTS)
def test_each_event_in_each_state(state: str, event: str) -> None:
    machine = SignOutMachine(PROVIDER)
    for each in PATHS[state]:
        machine.handle(each)
    assert (machine.state, repr(machine)) == (state, f"<SignOutMachine {state}>")
    if state in ("succeeded", "failed"):
        assert machine.handle(EVENTS[event]) == []
    elif event in TAKEN[state]:
        assert machine.handle(EVENTS[event]) != []
        assert machine.last_trigger is not None
        return
    else:
        with pytest.raises(UnexpectedEvent):
            machine.handle(EVENTS[event])
    assert (machine.state, machine.last_trigger) == (state, None)


def test_the_table_uses_every_state_and_trigger() -> None:
    assert {state for row in SIGN_OUT_ROWS for state in (*row.source, row.dest)} == set(SignOutState)
    assert {row.trigger for row in SIGN_OUT_ROWS} == set(SignOutTrigger)
    final = {SignOutState.SUCCEEDED, SignOutState.FAILED}
    assert [row for row in SIGN_OUT_ROWS if final & set(row.source)] == []
    assert all(row.effect.__doc__ for row in SIGN_OUT_ROWS)


def test_the_store_is_read_only_for_a_named_provider() -> None:
    assert tell(WANTED) == ([LoadCredentials()], None)
    assert tell(WANTED, provider=None) == ([RemoveCredentials()], None)
    assert tell(WANTED, loaded(TOKENS)) == ([RemoveCredentials()], None)
    assert tell(WANTED, loaded(API_KEY_ONLY)) == ([RemoveCredentials()], None)
    assert tell(WANTED, LoadFailed(failed_at=1_795_000_000.0, message="broken")) == ([RemoveCredentials()], None)


def test_credentials_of_another_provider_are_kept() -> None:
    _, outcome = tell(WANTED, loaded(issued_by("https://id.example", "client-1")))
    assert isinstance(outcome, SignOutFailure)
    assert outcome.category is SignOutFailureCategory.PROVIDER_MISMATCH
    assert outcome.message.startswith("the credentials are kept, because they were issued by https://id.example (")


def test_credentials_that_cannot_be_removed() -> None:
    failure = SignOutFailure(category=SignOutFailureCategory.REMOVAL_FAILED, message="read\ufffdonly")
    assert tell(WANTED, loaded(TOKENS), RemovalFailed(message="read\x1bonly")) == ([], failure)


def test_revocation() -> None:
    before = (WANTED, loaded(TOKENS), REMOVED)
    assert tell(*before) == ([SIGNED_OUT, REVOKE], None)
    assert tell(*before, RevocationEnded(problem="")) == ([], SignOutResult(removed=TOKENS, is_revoked=True))
    not_confirmed = SignOutResult(removed=TOKENS, is_revoked=False, problem="no answer")
    assert tell(*before, RevocationEnded(problem="no answer")) == ([], not_confirmed)


@pytest.mark.parametrize("removed", [None, API_KEY_ONLY, Credentials(auth_mode=None, api_key=Secret("k"))])
def test_nothing_to_revoke(removed: Credentials | None) -> None:
    reported = SIGNED_OUT if removed else NOT_SIGNED_IN
    assert tell(WANTED, loaded(removed), CredentialsRemoved(removed=removed)) == (
        [reported],
        SignOutResult(removed=removed),
    )


def test_the_recorded_provider_revokes() -> None:
    actions, _ = tell(WANTED, CredentialsRemoved(removed=issued_by("https://id.example", "client-1")), provider=None)
    assert isinstance(actions[1], RevokeTokens)
    assert (actions[1].url, actions[1].form[-1]) == ("https://id.example/oauth/revoke", ("client_id", "client-1"))


def test_tokens_of_an_unknown_provider_are_sent_nowhere() -> None:
    removed = issued_by("https://id.example", None)
    problem = "the provider that issued the tokens is not known"
    assert tell(WANTED, CredentialsRemoved(removed=removed), provider=None) == (
        [SIGNED_OUT],
        SignOutResult(removed=removed, is_revoked=False, problem=problem),
    )


def test_a_provider_without_a_revocation_endpoint() -> None:
    provider = PROVIDER.__replace__(revocation_endpoint=None)
    assert tell(WANTED, loaded(TOKENS), REMOVED, provider=provider) == ([SIGNED_OUT], SignOutResult(removed=TOKENS))


@pytest.mark.parametrize("provider", [PROVIDER, None], ids=["named", "recorded"])
def test_tokens_that_are_to_be_kept_are_not_revoked(provider: Provider | None) -> None:
    checked = () if provider is None else (loaded(TOKENS),)
    assert tell(SignOutWanted(keeps_tokens=True), *checked, REMOVED, provider=provider) == (
        [SIGNED_OUT],
        SignOutResult(removed=TOKENS, is_revoked=None),
    )


def test_the_log_of_the_engine_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        tell(WANTED, loaded(TOKENS), REMOVED, RevocationEnded(problem=""))
    assert "canary" not in caplog.text
    assert repr(SignOutData(PROVIDER, EndpointOverrides())) == "<SignOut idle>"

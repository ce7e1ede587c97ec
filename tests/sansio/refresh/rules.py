"""The rules that hold after every event of a refresh (docs/design/invariants.md), as checks of one step.

The random sequences in `test_invariants` and the exploration in `tests.model` check each step against them. A rule that
is added to `RULES` needs a broken step in `test_rules`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from loginmachine import RefreshFailure, RefreshSuccess
from loginmachine.sansio.login.actions import SaveCredentials, SendTokenRequest
from loginmachine.sansio.login.events import CredentialsSaved, SaveFailed, TokenResponseReceived
from loginmachine.sansio.refresh.actions import (
    Deliver,
    ForgetTokens,
    LoadCredentials,
    ReleaseLock,
    RememberRefusal,
    TakeLock,
)
from loginmachine.sansio.refresh.events import AccessTokenWanted, CredentialsLoaded, LoadFailed, LockTaken
from loginmachine.sansio.refresh.outcome import Delivery
from loginmachine.sansio.refresh.states import RefreshState

from ..rules import insist
from ..samples import NOW, everything_in
from .samples import CANARIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine import Credentials, RefreshMachine, Secret
    from loginmachine.sansio.refresh.actions import RefreshAction
    from loginmachine.sansio.refresh.events import RefreshEvent
    from loginmachine.sansio.refresh.outcome import RefreshMemory, RefreshOutcome

    Rule = Callable[["RefreshStep", "RefreshLedger"], bool]
    """Its docstring is the rule, with its number in docs/design/invariants.md."""

FINAL: Final = (RefreshState.SUCCEEDED, RefreshState.FAILED)
ANSWERED: Final = (LoadCredentials, TakeLock, SendTokenRequest, SaveCredentials)
"""The actions that an event answers."""
_LOCKED: Final = (SendTokenRequest, SaveCredentials, RememberRefusal, ForgetTokens)
NEW_FOR: Final = 60.0
"""Seconds for which a token that was just received is used, even if it has ended by our clock."""


class RefreshLedger(NamedTuple):
    """What was seen of a refresh so far."""

    wanted: AccessTokenWanted | None = None
    now: float = NOW
    """The time of the last event that has one."""
    first: Secret | None = None
    """The access token that was in the store first, or in the memory."""
    store: Credentials | None = None
    """What was in the store when it was read last."""
    waiting: Credentials | None = None
    """The last tokens that waited there for the provider's keys, beside the others."""
    refused: str = ""
    """The digest of the refused refresh token that the store remembered then."""
    unsaved: Credentials | None = None
    """The tokens that were in the memory only, after the event before."""
    replaces: Secret | None = None
    """The refresh token in the store that they replace."""
    sent_for: Secret | None = None
    """The refresh token that was in the store when a token request was sent."""
    received: str = ""
    """The access token that the provider has just issued."""
    received_at: float = NOW
    """When the response came."""
    locked: bool = False
    requests: int = 0
    saves: int = 0
    ends: int = 0

    def key(self) -> tuple[object, ...]:
        """Return the ledger, to compare it. After the end nothing of it matters."""
        return ("ended", self.ends) if self.ends else tuple(self)


class RefreshStep(NamedTuple):
    """One event that a refresh accepted in some state, and the result."""

    event: RefreshEvent
    actions: list[RefreshAction]
    before: RefreshState
    after: RefreshState
    outcome: RefreshOutcome | None
    memory: RefreshMemory
    """The memory after the event."""
    digest: str
    """What identifies the refresh token that is sent; empty if none is sent."""
    endpoint: str
    """The token endpoint of the provider that issued it; empty if none is sent."""
    known: RefreshLedger
    """The ledger before the event."""


def start(memory: RefreshMemory | None) -> RefreshLedger:
    """Return the ledger of a refresh before its first event."""
    if memory is None:
        return RefreshLedger()
    return RefreshLedger(unsaved=memory.unsaved, replaces=memory.replaces)


def step_of(
    refresh: RefreshMachine,
    event: RefreshEvent,
    actions: list[RefreshAction],
    before: RefreshState,
    known: RefreshLedger,
) -> RefreshStep:
    """Return the step that has just led to the state of this machine."""
    data = refresh._refresh
    sends = bool(_exchanges(actions))
    return RefreshStep(
        event=event,
        actions=actions,
        before=before,
        after=refresh.state,
        outcome=refresh.outcome,
        memory=refresh.memory,
        digest=data.digest() if sends else "",
        endpoint=data.provider.token_endpoint if sends else "",
        known=known,
    )


def checked(step: RefreshStep) -> RefreshLedger:
    """Check a step against every rule.

    Returns:
        The ledger after the step.

    Raises:
        BrokenRuleError: With the rule's number and sentence.
    """
    now = note(step)
    for rule in RULES:
        insist(f"rule {rule.__doc__}", holds=rule(step, now))
    return now


def note(step: RefreshStep) -> RefreshLedger:
    """Return the ledger after a step.

    Raises:
        BrokenRuleError: An action contradicts the ledger: the lock is taken twice, or released but not held.
    """
    known, event = step.known, step.event
    if known.ends:
        insist("rule R1: After Deliver there are no more actions.", holds=not step.actions)
        return known
    locked = known.locked or isinstance(event, LockTaken)
    if isinstance(event, AccessTokenWanted):
        known = known._replace(wanted=event)
    if isinstance(event, CredentialsLoaded):
        known = known._replace(
            now=event.loaded_at, store=event.credentials, refused=event.refusal.digest if event.refusal else ""
        )
        waiting = event.credentials.unverified if event.credentials else None
        known = known._replace(first=known.first or _access_token(_applying(known)), waiting=waiting or known.waiting)
    if isinstance(event, LoadFailed):
        known = known._replace(now=event.failed_at)
    if isinstance(event, TokenResponseReceived) and step.before is RefreshState.FETCHING_KEYS:
        known = known._replace(now=event.received_at)
    elif isinstance(event, TokenResponseReceived):
        known = known._replace(now=event.received_at, received_at=event.received_at, received=_issued(event))
    for action in step.actions:
        if isinstance(action, TakeLock):
            insist("rule R3: The lock is taken, but held already.", holds=not locked)
        if isinstance(action, ReleaseLock):
            insist("rule R3: The lock is released, but not held.", holds=locked)
            locked = False
    sends = len(_exchanges(step.actions))
    return known._replace(
        locked=locked,
        unsaved=step.memory.unsaved,
        replaces=step.memory.replaces,
        sent_for=_refresh_token(known.store) if sends else known.sent_for,
        requests=known.requests + sends,
        saves=known.saves + sum(not _is_beside(saved, known.store) for saved in _saved(step.actions)),
        ends=known.ends + sum(isinstance(action, Deliver) for action in step.actions),
    )


def _exchanges(actions: list[RefreshAction]) -> list[SendTokenRequest]:
    """Return the requests that send a refresh token. A request for the provider's keys sends nothing."""
    return [action for action in actions if isinstance(action, SendTokenRequest) and action.method != "GET"]


def _saved(actions: list[RefreshAction]) -> list[Credentials]:
    return [action.credentials for action in actions if isinstance(action, SaveCredentials)]


def _is_beside(credentials: Credentials, store: Credentials | None) -> bool:
    """Whether the stored tokens are saved: with a mark, or with new ones beside them that wait for the keys."""
    is_same = _refresh_token(credentials) == _refresh_token(store)
    return is_same and (credentials.unverified is not None or _is_marked(credentials))


def _is_marked(credentials: Credentials) -> bool:
    return credentials.tokens is not None and credentials.tokens.refresh_sent_at is not None


def _issued(event: TokenResponseReceived) -> str:
    content = json.loads(event.body) if event.body.startswith(b"{") else {}
    return str(content.get("access_token", ""))


def _access_token(credentials: Credentials | None) -> Secret | None:
    return credentials.tokens.access_token if credentials and credentials.tokens else None


def _refresh_token(credentials: Credentials | None) -> Secret | None:
    return credentials.tokens.refresh_token if credentials and credentials.tokens else None


def _applying(known: RefreshLedger) -> Credentials | None:
    """Return the stored credentials, or newer ones in the memory."""
    token = _refresh_token(known.store)
    return known.unsaved if known.unsaved and token is not None and token == known.replaces else known.store


# The rules


def one_end(step: RefreshStep, now: RefreshLedger) -> bool:
    """R1: Deliver comes exactly once, last, with the outcome, and the state agrees. A final state is never left."""
    over = step.after in FINAL
    delivered = [action.outcome for action in step.actions if isinstance(action, Deliver)]
    last = not any(isinstance(action, Deliver) for action in step.actions[:-1])
    kinds = {RefreshState.SUCCEEDED: RefreshSuccess, RefreshState.FAILED: RefreshFailure}
    return (
        now.ends == over
        and last
        and all(outcome == step.outcome for outcome in delivered)
        and type(step.outcome) is kinds.get(step.after, type(None))
        and (step.before not in FINAL or step.after is step.before)
    )


def one_at_a_time(step: RefreshStep, _: RefreshLedger) -> bool:
    """R2: Before the outcome exactly one action waits for an event, after it none."""
    return sum(isinstance(action, ANSWERED) for action in step.actions) == (step.after not in FINAL)


def released(step: RefreshStep, now: RefreshLedger) -> bool:
    """R3: The lock is released before Deliver, and not earlier."""
    return not now.locked if step.after in FINAL else now.locked or not step.known.locked


def under_the_lock(step: RefreshStep, now: RefreshLedger) -> bool:
    """R4: Only under the lock is a refresh token sent or its refusal remembered, and are credentials saved."""
    held = step.known.locked or now.locked
    return held or not any(isinstance(a, _LOCKED) for a in step.actions)


def sent_once(step: RefreshStep, now: RefreshLedger) -> bool:
    """R5: A refresh token is sent at most once, to the server that issued it, and not if it was refused before."""
    requests = _exchanges(step.actions)
    token = _refresh_token(_applying(now._replace(unsaved=step.known.unsaved, replaces=step.known.replaces)))
    return now.requests <= 1 and all(
        request.url == step.endpoint
        and token is not None
        and dict(request.form).get("refresh_token") == token.reveal()
        and step.digest not in (now.refused, step.memory.refused)
        for request in requests
    )


def nothing_is_overwritten(step: RefreshStep, now: RefreshLedger) -> bool:
    """R6: Credentials are saved at most once, and only while the store holds what they replace, or the same."""
    token, store = _refresh_token(now.store), now.store
    replaced = token is not None and token in (now.sent_for, step.known.replaces)
    return now.saves <= 1 and all(
        replaced or saved in (store, now.waiting) or _is_beside(saved, store) for saved in _saved(step.actions)
    )


def nothing_is_lost(step: RefreshStep, now: RefreshLedger) -> bool:
    """R7: New tokens stay in the memory until they are saved, or until the store holds other credentials."""
    not_saved = isinstance(step.event, SaveFailed) and step.before is RefreshState.SAVING_CREDENTIALS
    unread = isinstance(step.event, LoadFailed) and step.before is RefreshState.READING_BEFORE_SAVING
    if (not_saved or unread) and step.after is RefreshState.FETCHING_KEYS:
        return step.memory.unsaved is not None
    if not_saved or unread:
        return isinstance(step.outcome, RefreshSuccess) and (
            not step.outcome.is_stored and step.memory.unsaved == step.outcome.credentials
        )
    dropped = step.known.unsaved is not None and step.memory.unsaved != step.known.unsaved
    return not dropped or isinstance(step.event, CredentialsSaved) or _refresh_token(now.store) != step.known.replaces


def unwanted_tokens_stay(step: RefreshStep, now: RefreshLedger) -> bool:
    """R8: A token that was rejected, or the old one of a forced refresh, is not delivered unless issued again.

    The old one is also delivered if the provider accepts no refresh yet.
    """
    if not isinstance(step.outcome, RefreshSuccess) or now.wanted is None:
        return True
    tokens = step.outcome.credentials.tokens
    earliest = tokens.earliest_refresh() if tokens is not None else None
    if earliest is not None and now.now < earliest and step.outcome.token != now.wanted.rejected:
        return True
    unwanted = (now.wanted.rejected, now.first if now.wanted.forced else None)
    return step.outcome.token not in unwanted or step.outcome.token.reveal() == now.received


def delivered_tokens_last(step: RefreshStep, now: RefreshLedger) -> bool:
    """R9: An access token that has ended is not delivered, unless it was received less than a minute ago."""
    # A token that a response did not renew may end while the credentials are saved: then it ended after the response.
    if not isinstance(step.outcome, RefreshSuccess):
        return True
    credentials = step.outcome.credentials
    if credentials.tokens is None or step.outcome.token != credentials.tokens.access_token:
        return True
    ends, stored = credentials.tokens.expires_at(), credentials.last_refresh_time()
    at = now.received_at if step.outcome.delivery is Delivery.REFRESHED else now.now
    moments = [stored.timestamp()] if stored else []
    if step.outcome.token == step.memory.received:
        moments.append(step.memory.received_at)
    return ends is None or ends > at or any(0 <= at - moment < NEW_FOR for moment in moments)


def secrets_stay_in_their_place(step: RefreshStep, _: RefreshLedger) -> bool:
    """R10: Tokens leave only in a token request, to the store and to the caller."""
    return not any(
        secret in everything_in(action)
        for action in step.actions
        if not isinstance(action, (SendTokenRequest, SaveCredentials, Deliver))
        for secret in CANARIES
    )


RULES: Final[tuple[Rule, ...]] = (
    one_end,
    one_at_a_time,
    released,
    under_the_lock,
    sent_once,
    nothing_is_overwritten,
    nothing_is_lost,
    unwanted_tokens_stay,
    delivered_tokens_last,
    secrets_stay_in_their_place,
)

"""One refresh's data, and what happens at each row of its table.

Effects only set fields and append actions, so they cannot fail half-way.
"""

from __future__ import annotations

from ..base.http import Encoding
from ..login import actions
from ..oauth import token_requests
from . import actions as refresh_actions
from .effective import applicable
from .events import AccessTokenWanted
from .failures import REFRESH_FAILURES, RefreshFailure
from .outcome import Delivery, RefreshMemory, RefreshSuccess
from .table import RefreshState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..base.secret import Secret
    from ..model.credentials import Credentials, Tokens
    from ..model.provider import Provider
    from .interpret import RefreshStep
    from .outcome import RefreshOutcome

NEW_FOR: Final = 60.0
"""Seconds for which a token that was just received is not renewed again, whatever our clock makes of its end."""
LOCK_SLICE: Final = 0.25
"""Seconds to wait for the lock before the store is looked at again."""
PATIENCE: Final = 4.0
"""Seconds to wait for the lock while the old token still lasts: nobody is kept waiting for five."""
LONGEST_WAIT: Final = token_requests.REFRESH_TIMEOUT + 10.0
"""Seconds to wait for the lock otherwise: whoever holds it has had their answer by then."""


class Refresh:
    """The model that the table's engine moves. Plain data, apart from `out`, which collects actions."""

    __slots__ = (
        "_state",
        "credentials",
        "environment_key",
        "exchanged",
        "failure",
        "locked",
        "memory",
        "now",
        "out",
        "outcome",
        "provider",
        "refreshed",
        "seen",
        "stored",
        "unwanted",
        "waited",
        "wanted",
    )

    def __init__(self, provider: Provider, memory: RefreshMemory, environment_key: str | None) -> None:
        self.provider = provider
        self.memory = memory
        self.environment_key = environment_key
        self.out: list[refresh_actions.RefreshAction] = []
        self._state = RefreshState.IDLE
        self.wanted = AccessTokenWanted()
        self.now = 0.0
        """The time that was last told."""
        self.credentials: Credentials | None = None
        """Those that count: what is stored, or what could not be."""
        self.stored: Secret | None = None
        """The refresh token in the store when the lock was taken."""
        self.seen: Secret | None = None
        """The access token at first sight: another one is somebody's renewal."""
        self.unwanted: Secret | None = None
        """The access token that will not do, whatever it says."""
        self.refreshed: Credentials | None = None
        """The credentials to be stored."""
        self.failure: RefreshFailure | None = None
        """How it ends, unless the store says that the refresh token was used by somebody else."""
        self.waited = 0.0
        """Seconds for which the lock was waited for."""
        self.locked = False
        self.exchanged = False
        """The token request was sent."""
        self.outcome: RefreshOutcome | None = None

    def __repr__(self) -> str:
        # The engine logs this.
        return f"<Refresh {self._state}>"

    @property
    def state(self) -> RefreshState:
        """Where the table has brought it."""
        return self._state

    def note(self, step: RefreshStep) -> None:
        """What an event tells, whatever it means."""
        if step.now is not None:
            self.now = step.now
        if step.loaded:
            self.credentials = step.credentials

    def lasts_at(self, tokens: Tokens, now: float) -> bool:
        """An access token is not known to be over."""
        ends = tokens.expires_at()
        return ends is None or ends > now or self.is_new(tokens, now)

    def is_new(self, tokens: Tokens, now: float) -> bool:
        """They were received a moment ago: if our clock says that they are over, it is wrong."""
        return tokens.access_token == self.memory.received and 0 <= now - self.memory.received_at < NEW_FOR

    def known_secrets(self) -> tuple[str, ...]:
        """What the other side may echo."""
        return tuple(secret for held in (self.credentials, self.refreshed) if held for secret in held.secrets())


class RefreshEffects(Refresh):
    """The words of the table."""

    __slots__ = ()

    # Guards

    def still_lasts(self, _: RefreshStep) -> bool:
        """The old token can be handed out once more."""
        tokens = self.credentials.tokens if self.credentials else None
        return tokens is not None and tokens.access_token != self.unwanted and self.lasts_at(tokens, self.now)

    def may_wait(self, step: RefreshStep) -> bool:
        """Whoever holds the lock has had no time yet to finish."""
        return self.waited < (PATIENCE if self.still_lasts(step) else LONGEST_WAIT)

    # What is stored

    def load(self, _: RefreshStep) -> None:
        self.out.append(refresh_actions.LoadCredentials())

    def take_lock(self, step: RefreshStep) -> None:
        if self.seen is None:
            assert step.credentials is not None
            assert step.credentials.tokens is not None
            self.seen = step.credentials.tokens.access_token
            self.unwanted = self.seen if self.wanted.forced else self.wanted.rejected
        self.waited += LOCK_SLICE
        self.out.append(refresh_actions.TakeLock(timeout=LOCK_SLICE))

    def load_locked(self, step: RefreshStep) -> None:
        self.locked = True
        self.load(step)

    # Old tokens to new

    def exchange(self, step: RefreshStep) -> None:
        assert self.credentials is not None
        assert self.credentials.tokens is not None
        self.stored = step.stored
        self.exchanged = True
        form = token_requests.refresh_request(self.provider, self.credentials.tokens.refresh_token)
        self.out.append(
            actions.SendTokenRequest(
                exchange_id=1,
                url=self.provider.token_endpoint,
                form=form,
                encoding=Encoding.JSON,
                timeout=token_requests.REFRESH_TIMEOUT,
            )
        )

    def doubt(self, step: RefreshStep) -> None:
        self.failure = self._failure(step)
        self.load(step)

    def compare(self, step: RefreshStep) -> None:
        self.refreshed = step.refreshed
        self.load(step)

    # New tokens to the store

    def save(self, _: RefreshStep) -> None:
        assert self.refreshed is not None
        self.out.append(actions.SaveCredentials(credentials=self.refreshed))

    def save_late(self, step: RefreshStep) -> None:
        self.stored = step.stored
        self.refreshed = step.credentials
        self.save(step)

    # The outcome

    def deliver(self, _: RefreshStep) -> None:
        self._deliver(self.credentials, Delivery.CURRENT)

    def adopt(self, _: RefreshStep) -> None:
        self._remember_received(self.credentials)
        self._deliver(self.credentials, Delivery.ADOPTED)

    def keep(self, step: RefreshStep) -> None:
        self._deliver(self.credentials, Delivery.KEPT, step.message)

    def keep_for_now(self, step: RefreshStep) -> None:
        self._remember_try()
        self.keep(step)

    def deliver_refreshed(self, _: RefreshStep) -> None:
        self.memory = self.memory.__replace__(unsaved=None, replaces=None, tried_at=None)
        self._deliver_new()

    def deliver_unsaved(self, step: RefreshStep) -> None:
        self.memory = self.memory.__replace__(unsaved=self.refreshed, replaces=self.stored)
        self._remember_try()
        words = "the new tokens could not be stored, and are lost when this program ends"
        self.out.append(refresh_actions.Warn(message=f"{words}: {step.message}"))
        self._deliver_new(is_stored=False)

    def fail(self, step: RefreshStep) -> None:
        self._end(self._failure(step))

    def fail_for_good(self, step: RefreshStep) -> None:
        assert self.credentials is not None
        assert self.credentials.tokens is not None
        failure = self._failure(step)
        self.memory = self.memory.__replace__(refused=self.credentials.tokens.refresh_token, refusal=failure)
        self._end(failure)

    def _failure(self, step: RefreshStep) -> RefreshFailure:
        if step.failure is not None:
            return step.failure
        return RefreshFailure(category=REFRESH_FAILURES[step.trigger], message=step.message, trigger=step.trigger)

    def _deliver_new(self, *, is_stored: bool = True) -> None:
        if self.exchanged:
            self._remember_received(self.refreshed)
        self._deliver(self.refreshed, Delivery.REFRESHED if self.exchanged else Delivery.CURRENT, is_stored=is_stored)

    def _remember_received(self, credentials: Credentials | None) -> None:
        if credentials is not None and credentials.tokens is not None:
            token = credentials.tokens.access_token
            self.memory = self.memory.__replace__(received=token, received_at=self.now)

    def _remember_try(self) -> None:
        self.memory = self.memory.__replace__(tried_at=self.now)

    def _deliver(
        self, credentials: Credentials | None, delivery: Delivery, message: str = "", *, is_stored: bool = True
    ) -> None:
        choice = applicable(credentials, self.provider, environment_key=self.environment_key)
        assert choice is not None
        assert choice.bearer is not None
        self._end(
            RefreshSuccess(
                credentials=choice.credentials,
                token=choice.bearer,
                delivery=delivery,
                message=message,
                is_stored=is_stored,
            )
        )

    def _end(self, outcome: RefreshOutcome) -> None:
        self.outcome = outcome
        if self.memory.unsaved not in (self.credentials, self.refreshed):
            # Others have taken their place in the store.
            self.memory = self.memory.__replace__(unsaved=None, replaces=None)
        if self.locked:
            self.locked = False
            self.out.append(refresh_actions.ReleaseLock())
        self.out.append(refresh_actions.Deliver(outcome=outcome))

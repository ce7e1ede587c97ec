"""The records of an honest host of a refresh, which answers each action once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from loginmachine.sansio.login import actions as login_actions
from loginmachine.sansio.login import events as login_events
from loginmachine.sansio.refresh import actions, events

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from loginmachine.sansio.refresh.actions import RefreshAction
    from loginmachine.sansio.refresh.events import RefreshEvent

ANSWERS: Final[Mapping[type, tuple[type, ...]]] = {
    actions.LoadCredentials: (events.CredentialsLoaded, events.LoadFailed),
    actions.TakeLock: (events.LockTaken, events.LockBusy, events.LockFailed),
    login_actions.SendTokenRequest: (login_events.TokenResponseReceived, login_events.TokenRequestFailed),
    login_actions.SaveCredentials: (login_events.CredentialsSaved, login_events.SaveFailed),
}
"""The events that answer each action. No event answers the others."""


class Books(NamedTuple):
    """What an honest host remembers: whether it has asked for a token, and the actions that wait for an answer."""

    started: bool = False
    owed: frozenset[str] = frozenset()
    open: frozenset[int] = frozenset()
    """Always empty, because a refresh has no listener."""

    def allow(self, event: RefreshEvent) -> bool:
        """Return whether an honest host may post this event now."""
        return not self.started if isinstance(event, events.AccessTokenWanted) else bool(self._settled(event))

    def after(self, event: RefreshEvent, taken: Iterable[RefreshAction]) -> Books:
        """Return the records after an event and the actions that it led to."""
        new = {type(action).__name__ for action in taken if type(action) in ANSWERS}
        return Books(started=True, owed=(self.owed - self._settled(event)) | new)

    def key(self) -> tuple[object, ...]:
        """Return the records, to compare them."""
        return (self.started, tuple(sorted(self.owed)))

    def _settled(self, event: RefreshEvent) -> frozenset[str]:
        return self.owed & {action.__name__ for action, answers in ANSWERS.items() if isinstance(event, answers)}

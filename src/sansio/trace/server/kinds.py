"""What a request to the provider is about. It follows from the state that the machine had after it was sent."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ...login.actions import SendTokenRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...base.records import Record


class RequestKind(StrEnum):
    """What a request is about. Its response is redacted accordingly."""

    RESOURCE_METADATA = "the request for the resource's metadata"
    METADATA = "the request for the provider's metadata"
    REGISTRATION = "the registration"
    PUSHED_REQUEST = "the pushed request"
    KEYS = "the request for the provider's keys"
    TOKENS = "token request"


_KINDS: Final[Mapping[str, RequestKind]] = {
    "discovering_resource": RequestKind.RESOURCE_METADATA,
    "discovering": RequestKind.METADATA,
    "registering": RequestKind.REGISTRATION,
    "pushing_request": RequestKind.PUSHED_REQUEST,
    "awaiting_callback": RequestKind.KEYS,
    "fetching_keys": RequestKind.KEYS,
}
"""The kind of a request that was sent on the way to a state. On the way to all others it is about tokens."""


class RequestKinds:
    """The requests of one login or refresh, and what each is about."""

    def __init__(self) -> None:
        self._kinds: dict[int, RequestKind] = {}

    def note(self, state: str, actions: Iterable[Record]) -> None:
        """Note the requests among the actions that have led to a state."""
        for action in actions:
            if isinstance(action, SendTokenRequest):
                self._kinds[action.exchange_id] = _KINDS.get(state, RequestKind.TOKENS)

    def of(self, exchange_id: int) -> RequestKind:
        """Return what a request is about. One that was never sent is a token request."""
        return self._kinds.get(exchange_id, RequestKind.TOKENS)

    def words(self, exchange_id: int) -> str:
        """Return a request in words."""
        kind = self.of(exchange_id)
        return f"{kind} {exchange_id}" if kind is RequestKind.TOKENS else str(kind)

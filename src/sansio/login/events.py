"""What the host tells the machine: facts, in the past tense."""

from __future__ import annotations

from enum import StrEnum

from ..base.http import HttpRequestFailed, HttpResponse
from ..base.records import Record, hidden
from ..model.options import LoginMethod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeAlias

    from ..base.http import Headers
    from ..model.credentials import Credentials
    from .actions import Timer


_END_OF_TIME: Final = 253_402_300_800
"""The year 10000, in seconds since 1970: no calendar goes further."""


def is_moment(seconds: float) -> bool:
    """Whether this can be the time of an event, in seconds since 1970: a number, and not beyond all calendars."""
    return 0 <= seconds < _END_OF_TIME


class BindProblem(StrEnum):
    """Why a port could not be bound."""

    IN_USE = "in_use"
    FORBIDDEN = "forbidden"
    """The system reserves the port (Windows error 10013)."""
    OTHER = "other"


class Started(Record):
    """The host wants the login to begin."""

    method: LoginMethod = LoginMethod.BROWSER


class Bound(Record):
    """The callback port accepts connections, on loopback only."""

    port: int
    """The port that was bound; the real one, if port 0 was asked for."""


class BindFailed(Record):
    """The callback port could not be bound."""

    kind: BindProblem
    message: str
    """The system's reason, in words."""


class PreviousCancelled(Record):
    """The holder of the port was asked to stop."""

    accepted: bool
    """It answered as a login server of ours or of Codex does, and will free the port."""


class TimerFired(Record):
    """A timer started by `StartTimer` has run out."""

    timer: Timer


class BrowserOpened(Record):
    """A browser was launched. That says nothing about what the person sees."""


class BrowserFailed(Record):
    """No browser could be launched."""

    message: str


class RequestReceived(Record):
    """A whole, well-formed request head came to the callback listener."""

    request_id: int
    """Chosen by the host, different from every request still open."""
    method: bytes
    target: bytes = hidden()
    """The request target, raw: it may carry the authorization code."""
    headers: Headers = hidden()


class CallbackPasted(Record):
    """The person pasted the address on which their browser ended, on another machine perhaps."""

    text: str = hidden()
    """As it was pasted: it may carry the authorization code, or be anything else."""


class ResponseSent(Record):
    """The whole answer to a request was handed to the system."""

    request_id: int


class ClientGone(Record):
    """The client of a request left before it had its whole answer."""

    request_id: int


class TokenResponseReceived(HttpResponse):
    """An endpoint answered a `SendTokenRequest`."""

    exchange_id: int
    """The number of the request."""


class TokenRequestFailed(HttpRequestFailed):
    """An endpoint sent no answer to a `SendTokenRequest`."""

    exchange_id: int
    """The number of the request."""


class CredentialsSaved(Record):
    """The credentials are durable: they survive a crash from now on."""

    replaced: Credentials | None = None
    """Those that were stored before, if there were any and they could be read: what is no longer used is revoked."""


class SaveFailed(Record):
    """The credentials could not be stored; what was stored before is as it was."""

    message: str


class CancelRequested(Record):
    """The caller wants the login to end."""

    reason: str = "cancelled by the caller"


Event: TypeAlias = (
    Started
    | Bound
    | BindFailed
    | PreviousCancelled
    | TimerFired
    | BrowserOpened
    | BrowserFailed
    | RequestReceived
    | CallbackPasted
    | ResponseSent
    | ClientGone
    | TokenResponseReceived
    | TokenRequestFailed
    | CredentialsSaved
    | SaveFailed
    | CancelRequested
)

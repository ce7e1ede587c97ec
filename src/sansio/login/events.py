"""The events of a login: what the host passes to the machine. They are facts, in the past tense.

docs/design/events-and-actions.md says which event answers which action.
"""

from __future__ import annotations

from enum import StrEnum

from ..base.http import HttpRequestFailed, HttpResponse
from ..base.records import Record, hidden
from ..model.options import LoginMethod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeAlias

    from ..base.http import Headers
    from ..model.account import KnownAccount
    from ..model.credentials import Credentials
    from ..server.registration import Registration
    from .actions import Timer

_END_OF_TIME: Final = 253_402_300_800
"""The year 10000, in seconds since 1970. `datetime` ends there."""


def is_moment(seconds: float) -> bool:
    """Return whether a number can be the time of an event, in seconds since 1970."""
    return 0 <= seconds < _END_OF_TIME


class BindProblem(StrEnum):
    """Why a port could not be bound."""

    IN_USE = "in_use"
    FORBIDDEN = "forbidden"
    """The system reserves the port (Windows error 10013)."""
    OTHER = "other"


class Started(Record):
    """The host starts the login. The first event of every login."""

    method: LoginMethod = LoginMethod.BROWSER
    registration: Registration | None = None
    """The client that an earlier login has registered, or that the provider has issued to this installation."""
    registered_port: int | None = None
    """The port of the redirect URI that was registered with it. It is tried first, because many servers do not accept
    another one (in spite of RFC 8252 section 7.3)."""
    account: KnownAccount | None = None
    """The account that the login renews. A login of another person fails. None if it may be anyone's."""
    host_id: str | None = hidden(default=None)
    """The id of this installation's host. A provider that asks for it gets no login without one."""


class Bound(Record):
    """The callback port accepts connections, on loopback only."""

    port: int
    """The port that was bound, 1 to 65535. If any free port was asked for, the one that the system chose."""


class BindFailed(Record):
    """The callback port could not be bound."""

    kind: BindProblem
    message: str
    """The system's reason, as text for people."""


class PreviousCancelled(Record):
    """The program that holds the port was asked to stop."""

    accepted: bool
    """The program answered as a login server of this package or of Codex does, and will free the port."""


class TimerFired(Record):
    """A timer started by `StartTimer` has run out."""

    timer: Timer


class BrowserOpened(Record):
    """A browser was launched. What the person sees is not known."""


class BrowserFailed(Record):
    """No browser could be launched."""

    message: str
    """Why, as text for people."""


class RequestReceived(Record):
    """The callback listener received a complete, well-formed request head."""

    request_id: int
    """A number that the host chooses. No other open request has it."""
    method: bytes
    target: bytes = hidden()
    """The raw request target. It may hold the authorization code."""
    headers: Headers = hidden()
    from_other_user: bool = False
    """The sender is a process of another user of this machine that is not root, or left before that could be seen.
    False where the system does not tell. Only needed if `LoginMachine.asks_for_sender`."""


class HttpsAttempted(Record):
    """A client of the callback listener began a TLS handshake. It was refused."""


class CallbackPasted(Record):
    """The person pasted the address on which their browser ended, perhaps on another machine."""

    text: str = hidden()
    """The pasted text, unchanged. It may hold the authorization code."""


class CallbackArrived(Record):
    """The host's own web server received a request for `LoginOptions.redirect_uri`. The host answers it itself."""

    query: bytes = hidden()
    """The raw query of the request, without the question mark. It may hold the authorization code."""


class ResponseSent(Record):
    """The whole response to a request was passed to the operating system."""

    request_id: int


class ClientGone(Record):
    """The client of a request left before it received the whole response."""

    request_id: int


class TokenResponseReceived(HttpResponse):
    """An endpoint answered a `SendTokenRequest`."""

    exchange_id: int
    """The number of the request."""


class TokenRequestFailed(HttpRequestFailed):
    """An endpoint sent no response to a `SendTokenRequest`."""

    exchange_id: int
    """The number of the request."""


class CredentialsSaved(Record):
    """The credentials are durable: from now on they survive a crash."""

    replaced: Credentials | None = None
    """The credentials that were stored before, if they are known. Tokens that are no longer used are revoked."""


class SaveFailed(Record):
    """The credentials could not be stored. What was stored before has not changed."""

    message: str
    """Why, as text for people."""


class RegistrationSaved(Record):
    """The registration is durable."""


class RegistrationSaveFailed(Record):
    """The registration could not be stored."""

    message: str
    """Why, as text for people."""


class CancelRequested(Record):
    """The caller cancels the login."""

    reason: str = "cancelled by the caller"
    """Why, as text for people."""


Event: TypeAlias = (
    Started
    | Bound
    | BindFailed
    | PreviousCancelled
    | TimerFired
    | BrowserOpened
    | BrowserFailed
    | RequestReceived
    | HttpsAttempted
    | CallbackPasted
    | CallbackArrived
    | ResponseSent
    | ClientGone
    | TokenResponseReceived
    | TokenRequestFailed
    | CredentialsSaved
    | SaveFailed
    | RegistrationSaved
    | RegistrationSaveFailed
    | CancelRequested
)
"""Every event that `LoginMachine.handle` takes."""

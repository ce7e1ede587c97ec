"""The actions of a login: what the host has to do. It performs them in the order of the list.

docs/design/events-and-actions.md says which event answers which action.
"""

from __future__ import annotations

from enum import StrEnum

from ..base.http import HttpRequest
from ..base.records import Record, hidden

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from ..base.http import Headers
    from ..model.credentials import Credentials
    from ..server.registration import Registration
    from .outcome import LoginOutcome
    from .progress import LoginPhase


class Timer(StrEnum):
    """The timers of a login. Each runs at most once at a time."""

    BIND_RETRY = "bind_retry"
    """The pause before the next attempt to bind a port. Its holder has agreed to free it."""
    DEADLINE = "deadline"
    """The time for which the login waits for the callback."""
    CODE_REQUEST = "code_request"
    """The pause before the next request for a device code. The provider has had too many requests."""
    POLL = "poll"
    """The pause before the next poll of the provider."""
    DEVICE_CODE_EXPIRY = "device_code_expiry"
    """The time for which the device code is valid."""
    LINGER = "linger"
    """The time for which the listener stays open after the outcome, for the last page."""


class Bind(Record):
    """Listen on loopback. Answered by `Bound` or `BindFailed`."""

    port: int
    """The port, 1 to 65535; 0 for any free port."""
    attempt: int
    """The number of the attempt, from 1 for each port."""


class CancelPrevious(Record):
    """Ask the login server that holds the port to stop. Answered by `PreviousCancelled`."""

    port: int


class StartTimer(Record):
    """Start a timer. Answered by `TimerFired`, unless `StopTimer` comes before."""

    timer: Timer
    seconds: float


class StopTimer(Record):
    """Stop a timer. If it has fired already, the machine ignores the event."""

    timer: Timer


class OpenBrowser(Record):
    """Open the authorization request in the person's browser. Answered by `BrowserOpened` or `BrowserFailed`."""

    url: str = hidden()
    """The authorization request. It holds this login's ``state``."""


class Respond(Record):
    """Answer a request, then close its connection. Answered by `ResponseSent` or `ClientGone`."""

    request_id: int
    status: int
    headers: Headers = hidden()
    """The header fields. The address of a redirect is a secret of the login."""
    body: bytes = hidden()


class SendTokenRequest(HttpRequest):
    """Send a request to an endpoint. Answered by `TokenResponseReceived` or `TokenRequestFailed`."""

    exchange_id: int
    """The number of the request. The answering event repeats it."""


class AbortTokenRequest(Record):
    """Abort a token request. If it was answered already, the machine ignores the event."""

    exchange_id: int


class RevokeToken(HttpRequest):
    """Send a request to the revocation endpoint (RFC 7009). Never answered.

    The login has ended already, and the result of the request does not change it. If the program ends, abandon the
    request.
    """


class SaveCredentials(Record):
    """Make the credentials durable. Answered by `CredentialsSaved` or `SaveFailed`."""

    credentials: Credentials


class SaveRegistration(Record):
    """Store the registered client before it is used. Answered by `RegistrationSaved` or `RegistrationSaveFailed`.

    The registration stays when the person signs out: the next login uses it.
    """

    registration: Registration


class ReportProgress(Record):
    """Call the progress observer. Never answered."""

    phase: LoginPhase


class Finish(Record):
    """Pass the outcome to the caller. Every login has this action exactly once. Never answered."""

    outcome: LoginOutcome


class CloseListener(Record):
    """Stop accepting connections, and end all of them. The last action of every login. Never answered."""


Action: TypeAlias = (
    Bind
    | CancelPrevious
    | StartTimer
    | StopTimer
    | OpenBrowser
    | Respond
    | SendTokenRequest
    | AbortTokenRequest
    | SaveCredentials
    | SaveRegistration
    | ReportProgress
    | Finish
    | RevokeToken
    | CloseListener
)
"""Every action that `LoginMachine.handle` returns."""

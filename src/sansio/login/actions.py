"""The actions of a login: what the machine orders the host to do. The host performs them in the order given.

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
    from .outcome import LoginOutcome
    from .progress import LoginPhase


class Timer(StrEnum):
    """The timers of a login. Each runs at most once at a time."""

    BIND_RETRY = "bind_retry"
    """The pause before the next attempt to bind a port that its holder agreed to free."""
    DEADLINE = "deadline"
    """The time that the person has to come back from the browser."""
    POLL = "poll"
    """The pause before the provider is asked again whether the device code was used."""
    DEVICE_CODE_EXPIRY = "device_code_expiry"
    """The time for which the device code is valid."""
    LINGER = "linger"
    """The time that the listener stays open after the outcome, for the last page."""


class Bind(Record):
    """Listen on loopback. Answered by `Bound` or `BindFailed`."""

    port: int
    """0 means any free port."""
    attempt: int
    """Counts from 1 for each port."""


class CancelPrevious(Record):
    """Ask the login server that holds the port to stop. Answered by `PreviousCancelled`."""

    port: int


class StartTimer(Record):
    """Start a timer. Answered by `TimerFired`, unless `StopTimer` comes first."""

    timer: Timer
    seconds: float


class StopTimer(Record):
    """Stop a timer. If it fires all the same, the machine ignores that."""

    timer: Timer


class OpenBrowser(Record):
    """Show the authorization request to the person. Answered by `BrowserOpened` or `BrowserFailed`."""

    url: str = hidden()
    """Holds this login's ``state``."""


class Respond(Record):
    """Answer a request, then close its connection. Answered by `ResponseSent` or `ClientGone`."""

    request_id: int
    status: int
    headers: Headers
    body: bytes = hidden()


class SendTokenRequest(HttpRequest):
    """Send a request to an endpoint. Answered by `TokenResponseReceived` or `TokenRequestFailed`."""

    exchange_id: int
    """A number that the answer repeats."""


class AbortTokenRequest(Record):
    """Abort a token request. If it is answered all the same, the machine ignores that."""

    exchange_id: int


class RevokeToken(HttpRequest):
    """Send a request to the revocation endpoint (RFC 7009). Never answered: its result changes nothing.

    The login has ended by then, and nothing waits for the response. Abandon the request when the program must end.
    """


class SaveCredentials(Record):
    """Make the credentials durable. Answered by `CredentialsSaved` or `SaveFailed`."""

    credentials: Credentials


class ReportProgress(Record):
    """Call the progress observer. Never answered."""

    phase: LoginPhase


class Finish(Record):
    """Hand the outcome to the caller. Comes exactly once. Never answered."""

    outcome: LoginOutcome


class CloseListener(Record):
    """Stop accepting, and end every connection. The last action of every login. Never answered."""


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
    | ReportProgress
    | Finish
    | RevokeToken
    | CloseListener
)
"""Every action that `LoginMachine.handle` returns."""

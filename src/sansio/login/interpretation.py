"""What an event means: a trigger, with what the effect of its row needs to know.

The functions in `interpret` and its neighbours make these records, the table picks a row by the trigger, and the row's
effect takes the record. Each effect names the kind that it needs.
"""

from __future__ import annotations

from ..base.records import Record, hidden

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..base.secret import Secret
    from ..callback.pasted import PasteProblem
    from ..callback.responses import Response
    from ..model.account import Account
    from ..model.credentials import Credentials
    from ..oauth.device_code import DeviceCode, DeviceGrant
    from .failures import LoginFailureStep
    from .states import Trigger


class Interpretation(Record):
    """A trigger that says everything by itself. Base of the others."""

    trigger: Trigger


class PortBound(Interpretation):
    """The callback port is open."""

    port: int
    """The real port, also when port 0 was asked for."""


class FromRequest(Interpretation):
    """Something that a request to the callback listener, or a pasted address, brought."""

    request_id: int | None = None
    """The request to answer; None if no request waits for an answer, as for a pasted address."""


class Problem(FromRequest):
    """Something went wrong. It may end the login."""

    message: str
    """Clean words: no secret, no control character."""
    step: LoginFailureStep | None = None
    """Where it happened, if the trigger alone does not say so."""


class Refusal(FromRequest):
    """A request is turned away with this response, whatever the state."""

    response: Response


class Mismatch(Problem):
    """A callback that belongs to another login. It is turned away with this response."""

    response: Response


class AcceptedCallback(FromRequest):
    """A callback with this login's ``state`` and an authorization code."""

    code: str = hidden()


class Cancellation(FromRequest):
    """The host, or another login server, wants the login to end."""

    step: LoginFailureStep
    """What the login was doing."""
    message: str


class RefusedPaste(Interpretation):
    """A pasted address that does not finish this login."""

    problem: PasteProblem


class AnsweredRequest(Interpretation):
    """A response was sent, or its client left before."""

    request_id: int


class CheckedTokens(Interpretation):
    """Tokens that passed every check, for an allowed workspace."""

    credentials: Credentials
    account: Account


class ReceivedApiKey(Interpretation):
    """The result of the API-key exchange."""

    api_key: Secret


class SavedCredentials(Interpretation):
    """The credentials are durable."""

    replaced: Credentials | None
    """What was stored before, if it is known."""


class ReceivedDeviceCode(Interpretation):
    """A code for the person to enter."""

    device_code: DeviceCode


class ReceivedGrant(Interpretation):
    """The authorization code of a device code that the person entered."""

    grant: DeviceGrant

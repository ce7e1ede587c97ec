"""Interpretations of events: a trigger, with the values that the effect of its row needs.

The `interpret` modules make these records. The trigger selects a row of the table, and the row's effect takes the
record. The annotation of each effect says which kind of record it takes.
"""

from __future__ import annotations

from ..base.records import Record, hidden
from .failures import FAILURES
from .outcome import LoginFailure
from .states import Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..base.secret import Secret
    from ..callback.pasted import PasteProblem
    from ..callback.responses import Response
    from ..model.account import Account
    from ..model.credentials import Credentials
    from ..model.options import LoginOptions
    from ..model.provider import Provider
    from ..model.tokens import TokenSet
    from ..oauth.device_code import DeviceCode, DeviceGrant
    from ..oauth.keys import KeySet
    from ..server.registration import Registration
    from ..server.resource import ResourceMetadata
    from .events import TokenResponseReceived
    from .failures import LoginFailureStep


class Interpretation(Record):
    """A trigger without further values. Base of the other interpretations."""

    trigger: Trigger


class PortBound(Interpretation):
    """The callback port is open."""

    port: int
    """The port that is open, even if any free port was asked for."""


class FromRequest(Interpretation):
    """The meaning of a request to the callback listener, or of a pasted address."""

    request_id: int | None = None
    """The request to answer; None if there is none, as for a pasted address."""


class Problem(FromRequest):
    """Something went wrong. It may end the login."""

    message: str
    """What went wrong, as clean text: it has no secret and no control character."""
    step: LoginFailureStep | None = None
    """The step in which it happened; None if the trigger determines it."""


class Refusal(FromRequest):
    """A request that is refused in every state."""

    response: Response
    """The response that refuses it."""


class RefusedCallback(Problem):
    """A callback that belongs to another login, or that another user sent."""

    response: Response
    """The response that refuses it."""


class AcceptedCallback(FromRequest):
    """A callback with this login's ``state`` and an authorization code."""

    code: str = hidden()


class ConfirmedClient(AcceptedCallback):
    """A callback with a code, and the client that exchanges it: the one that it names, or the one that was sent."""

    registration: Registration


class Cancellation(FromRequest):
    """The host, or another login server, cancels the login."""

    step: LoginFailureStep
    """The step of the login at that time."""
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
    """The credentials that were stored before; None if there were none, or if they are unknown."""


class PostponedCode(Problem):
    """The provider gives no device code at the moment."""

    pause: float
    """Seconds to wait before the next request."""


class ReceivedDeviceCode(Interpretation):
    """A code for the person to enter."""

    device_code: DeviceCode


class ReceivedGrant(Interpretation):
    """The authorization code of a device code that the person entered."""

    grant: DeviceGrant


class ReceivedResource(Interpretation):
    """The metadata of the protected resource."""

    metadata: ResourceMetadata


class ReceivedMetadata(Interpretation):
    """The provider's metadata."""

    provider: Provider
    """The provider of the options, with what the metadata says."""


class NoDeviceCodes(Problem):
    """The provider's metadata says that it has no device codes."""

    provider: Provider
    """As in `ReceivedMetadata`."""


class RegisteredClient(Interpretation):
    """The client that the provider has registered."""

    registration: Registration


class PushedAuthorization(Interpretation):
    """The provider has the authorization request."""

    request_uri: str = hidden()
    """The reference to it."""


class ReceivedKeys(Interpretation):
    """The provider's keys."""

    keys: KeySet


class UnverifiedTokens(Interpretation):
    """Tokens with an id token that cannot be verified before the keys are there."""

    tokens: TokenSet
    response: TokenResponseReceived = hidden()
    """The response that brought them."""


def failure_of(problem: Problem, options: LoginOptions) -> LoginFailure:
    """Return a problem as a failure.

    Args:
        problem: What went wrong.
        options: The options of the login.
    """
    step, category = FAILURES[problem.trigger]
    return LoginFailure(
        step=problem.step or step,
        category=category,
        message=problem.message,
        trigger=problem.trigger,
        help_url=options.provider.help_url,
        allowed_workspaces=options.allowed_workspaces if problem.trigger is Trigger.WORKSPACE_REFUSED else (),
    )

"""What an event means: the result of every interpreting function, handed to the table and then to the effect."""

from __future__ import annotations

from ..base.records import Record, hidden

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..base.secret import Secret
    from ..callback.responses import Answer
    from ..model.account import Account
    from ..model.credentials import Credentials
    from ..oauth.device_code import DeviceCode, DeviceGrant
    from .failures import LoginFailurePhase
    from .progress import PasteProblem
    from .states import Trigger


class Interpretation(Record):
    """A trigger, and what its effect needs to know."""

    trigger: Trigger
    message: str = ""
    """Clean words for a failure or a report."""
    request_id: int | None = None
    """The request to answer, if one was the cause."""
    answer: Answer | None = None
    """For a request that is turned away whatever the state."""
    code: str = hidden(default="")
    port: int = 0
    """The port that was bound."""
    credentials: Credentials | None = None
    account: Account | None = None
    replaced: Credentials | None = None
    """What was stored before."""
    api_key: Secret | None = None
    phase: LoginFailurePhase | None = None
    """What was being done, where the trigger alone does not say it."""
    paste_problem: PasteProblem | None = None
    device_code: DeviceCode | None = None
    device_grant: DeviceGrant | None = None

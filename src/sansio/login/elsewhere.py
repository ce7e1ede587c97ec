"""The phases of a login whose browser is elsewhere: with a pasted address, or a device code. Reached by `progress`."""

from __future__ import annotations

from ..base.records import hidden
from ..callback.pasted import PasteProblem
from .phase import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import ClassVar, Final


_PASTE_PROBLEMS: Final[Mapping[PasteProblem, str]] = {
    PasteProblem.NOT_AN_ADDRESS: "That is not an address. Copy all of your browser's address bar.",
    PasteProblem.AUTHORIZATION_REQUEST: (
        "That is the address to begin with. Sign in there, then paste the address on which your browser ends."
    ),
    PasteProblem.OTHER_ADDRESS: "That is the address of another page. The right one begins with",
    PasteProblem.OTHER_SIGN_IN: (
        "That address belongs to another sign-in, perhaps an older one. Use the address shown above, then paste again."
    ),
    PasteProblem.INCOMPLETE: "That address is cut off or damaged. Copy all of your browser's address bar.",
    PasteProblem.ALREADY_ANSWERED: "This sign-in is already being completed; nothing more needs to be pasted.",
}


class PasteRefused(Phase):
    """What was pasted does not finish this login, which goes on."""

    name: ClassVar[str] = "paste_refused"
    is_user_visible: ClassVar[bool] = True
    problem: PasteProblem
    redirect_uri: str
    """How the right address begins."""

    @property
    def text(self) -> str:
        """One line in plain words."""
        words = _PASTE_PROBLEMS[self.problem]
        return f"{words} {self.redirect_uri}" if self.problem is PasteProblem.OTHER_ADDRESS else words


class PasteAccepted(Phase):
    """What was pasted carries this login's state and a code."""

    name: ClassVar[str] = "paste_accepted"
    is_user_visible: ClassVar[bool] = True

    @property
    def text(self) -> str:
        """One line in plain words."""
        return "That is the right address."


class RequestingDeviceCode(Phase):
    """The provider is being asked for a device code."""

    name: ClassVar[str] = "requesting_device_code"

    @property
    def text(self) -> str:
        """One line in plain words."""
        return "Asking for a device code."


class UsingBrowserInstead(Phase):
    """There are no device codes to be had, and the login may go on in the browser."""

    name: ClassVar[str] = "using_browser_instead"
    is_user_visible: ClassVar[bool] = True
    message: str

    @property
    def text(self) -> str:
        """One line in plain words."""
        return "Device codes are not enabled for this provider: going on in the browser."


class DeviceCodeShown(Phase):
    """The person has to enter a code on a page, in a browser on any machine."""

    name: ClassVar[str] = "device_code_shown"
    is_user_visible: ClassVar[bool] = True
    url: str
    """The page. It holds no code."""
    user_code: str = hidden()
    """For the person only: whoever else enters it signs in to their own account here."""
    complete_url: str | None = hidden()
    """The page with the code filled in, if the provider has one: for a QR code."""
    expires_in: float
    """Seconds that the code is valid."""

    @property
    def validity(self) -> str:
        """The same in words."""
        seconds = self.expires_in
        return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"

    @property
    def text(self) -> str:
        """One line in plain words, without the code."""
        return (
            f"Open {self.url} in a browser on any machine and enter the code within {self.validity}. "
            "Never enter a code that somebody else gave you."
        )


class PollingDelayed(Phase):
    """The provider cannot be asked now whether the code was used; it will be asked again. Reported once per outage."""

    name: ClassVar[str] = "polling_delayed"
    is_user_visible: ClassVar[bool] = True
    message: str

    @property
    def text(self) -> str:
        """One line in plain words."""
        return "The provider does not answer at the moment; the sign-in goes on trying."


class DeviceCodeAuthorized(Phase):
    """The person entered the code and allowed the sign-in."""

    name: ClassVar[str] = "device_code_authorized"
    is_user_visible: ClassVar[bool] = True

    @property
    def text(self) -> str:
        """One line in plain words."""
        return "The code was entered."

"""The phases that a login reports. Each has a name and a text, and says whether the text is for people."""

from __future__ import annotations

from ..base.phase import Phase, VisiblePhase
from ..base.records import hidden
from ..base.text import clean_text
from ..callback.pasted import PASTE_ADVICE, PasteProblem
from .failures import CATALOGUE, LoginFailureCategory, LoginFailureStep, advice_for
from .port.progress import Binding, CancellingPrevious, UsingFallbackPort
from .server.progress import (
    Discovering,
    DiscoveringResource,
    FetchingKeys,
    KeysDelayed,
    PushingRequest,
    RegisteringClient,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, TypeAlias

# fmt: off
__all__ = [
    "AddressReady", "ApiKeyUnavailable", "Binding", "BrowserLaunched", "CallbackReceived", "Cancelled",
    "CancellingPrevious", "DeviceCodeAuthorized", "DeviceCodeShown", "Discovering", "DiscoveringResource",
    "ExchangingApiKey", "ExchangingCode", "Failed", "FetchingKeys", "HttpsRefused", "KeysDelayed", "Listening",
    "LoginPhase", "OpeningBrowser", "PasteAccepted", "PasteRefused", "PhaseAtStep", "PollingDelayed",
    "PushingRequest", "RegisteringClient", "RequestingDeviceCode", "SavingCredentials", "Succeeded",
    "UsingBrowserInstead", "UsingFallbackPort",
]
# fmt: on


class Listening(VisiblePhase):
    """The callback port accepts connections, and the address for the person is known."""

    name: ClassVar[str] = "listening"
    sentence: ClassVar[str] = "Waiting for the browser on port {port}."
    url: str = hidden()
    """The authorization request. Show it to the person only, because it holds this login's ``state``."""
    port: int


class AddressReady(Phase):
    """The address for the person is known, and the host's own web server waits for the callback."""

    name: ClassVar[str] = "address_ready"
    sentence: ClassVar[str] = "Waiting for the browser."
    url: str = hidden()
    """The authorization request. Send the person's browser there only, because it holds this login's ``state``."""


class OpeningBrowser(VisiblePhase):
    """A browser is about to be launched. Traces do not have this phase, because the action says the same."""

    name: ClassVar[str] = "opening_browser"
    sentence: ClassVar[str] = "Opening your browser."


class BrowserLaunched(VisiblePhase):
    """A browser was launched."""

    name: ClassVar[str] = "browser_launched"
    sentence: ClassVar[str] = "Your browser was opened; finish signing in there."


class HttpsRefused(VisiblePhase):
    """A browser tried to come back with https. Reported once; the login goes on."""

    name: ClassVar[str] = "https_refused"
    sentence: ClassVar[str] = "A browser tried https. Change https to http in its address bar, or paste that address."


class CallbackReceived(Phase):
    """A callback came. Of those that are not accepted, which any page can send, drivers report the first 50."""

    name: ClassVar[str] = "callback_received"
    has_code: bool = True
    has_state: bool = True
    has_error: bool = False
    state_valid: bool = True
    """It carries this login's ``state``."""
    accepted: bool = True
    """Its code is exchanged. There is at most one such callback."""

    @property
    def is_user_visible(self) -> bool:  # type: ignore[override]
        """Show the accepted callback to a person. Those that are refused have a phase of their own for that."""
        return self.accepted

    @property
    def text(self) -> str:
        """One line of text for people."""
        return "The browser came back." if self.accepted else "A callback came that is not used."


class PasteRefused(VisiblePhase):
    """A pasted address is not the callback of this login. The login goes on."""

    name: ClassVar[str] = "paste_refused"
    problem: PasteProblem
    redirect_uri: str
    """The beginning of the right address."""

    @property
    def text(self) -> str:
        """One line of text for people."""
        words = PASTE_ADVICE[self.problem]
        return f"{words} {self.redirect_uri}" if self.problem is PasteProblem.OTHER_ADDRESS else words


class PasteAccepted(VisiblePhase):
    """A pasted address carries this login's state and a code."""

    name: ClassVar[str] = "paste_accepted"
    sentence: ClassVar[str] = "That is the right address."


class RequestingDeviceCode(Phase):
    """The provider is being asked for a device code."""

    name: ClassVar[str] = "requesting_device_code"
    sentence: ClassVar[str] = "Asking for a device code."


class UsingBrowserInstead(VisiblePhase):
    """The provider has no device codes, and the login may go on in the browser."""

    name: ClassVar[str] = "using_browser_instead"
    sentence: ClassVar[str] = "Device codes are not enabled for this provider: going on in the browser."
    message: str


class DeviceCodeShown(VisiblePhase):
    """The person has to enter a code on a page, in a browser on any machine."""

    name: ClassVar[str] = "device_code_shown"
    url: str
    """The page where the person enters the code. The URL does not contain the code."""
    user_code: str = hidden()
    """The code. Show it to the person only: anyone who enters it signs this program in to an account of their own."""
    complete_url: str | None = hidden()
    """The same page with the code filled in, for a QR code; None if the provider has none."""
    expires_in: float
    """Seconds for which the code is valid."""

    @property
    def validity(self) -> str:
        """`expires_in` as text for people."""
        seconds = self.expires_in
        return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"

    @property
    def text(self) -> str:
        """One line of text for people, without the code."""
        return (
            f"Open {self.url} in a browser on any machine and enter the code within {self.validity}. "
            "Never enter a code that another person gave you."
        )


class PollingDelayed(VisiblePhase):
    """The provider gives no code yet, or does not respond to polls. Reported once for each outage; requests go on."""

    name: ClassVar[str] = "polling_delayed"
    sentence: ClassVar[str] = "The provider does not answer at the moment; trying again."
    message: str


class DeviceCodeAuthorized(VisiblePhase):
    """The person entered the code and allowed the sign-in."""

    name: ClassVar[str] = "device_code_authorized"
    sentence: ClassVar[str] = "The code was entered."


class ExchangingCode(Phase):
    """The authorization code is being exchanged for tokens."""

    name: ClassVar[str] = "exchanging_code"
    sentence: ClassVar[str] = "Exchanging the authorization code for tokens."


class ExchangingApiKey(Phase):
    """The id token is being exchanged for an API key."""

    name: ClassVar[str] = "exchanging_api_key"
    sentence: ClassVar[str] = "Asking for an API key."


class ApiKeyUnavailable(Phase):
    """The provider issued no API key. The login goes on without one."""

    name: ClassVar[str] = "api_key_unavailable"
    sentence: ClassVar[str] = "No API key for this account ({message}); going on without."
    message: str


class SavingCredentials(VisiblePhase):
    """The credentials are being stored. The login can no longer be cancelled."""

    name: ClassVar[str] = "saving_credentials"
    sentence: ClassVar[str] = "Saving your credentials."


class Succeeded(VisiblePhase):
    """The person is signed in."""

    name: ClassVar[str] = "succeeded"
    account_id: str | None
    email: str | None
    plan: str | None
    missing_scopes: tuple[str, ...] = ()
    """Scopes that were asked for and not granted (RFC 6749 section 3.3)."""

    @property
    def text(self) -> str:
        """One line of text for people."""
        words = f"Signed in as {self.email}." if self.email else "Signed in."
        missing = clean_text(", ".join(self.missing_scopes))
        return f"{words} Not granted: {missing}." if missing else words


class PhaseAtStep(VisiblePhase):
    """Base of the phases that name a step."""

    step: LoginFailureStep

    @property
    def phase(self) -> LoginFailureStep:
        """The step, under its old name. Deprecated."""
        from ..base.deprecation import warn_deprecated  # noqa: PLC0415 - few programs need it

        warn_deprecated(f"{type(self).__name__}.phase", f"{type(self).__name__}.step")
        return self.step


class Failed(PhaseAtStep):
    """Something went wrong."""

    name: ClassVar[str] = "failed"
    category: LoginFailureCategory
    message: str
    fatal: bool
    """The login has ended. If false, it goes on."""

    @property
    def text(self) -> str:
        """One line of text for people."""
        advice = advice_for(self.category, self.message)
        return f"{advice.title}. {advice.hint}"


class Cancelled(PhaseAtStep):
    """The login was cancelled before anything was stored."""

    name: ClassVar[str] = "cancelled"
    message: str

    @property
    def text(self) -> str:
        """One line of text for people."""
        return f"{CATALOGUE[LoginFailureCategory.LOGIN_CANCELLED].title}: {self.message}."


# fmt: off
LoginPhase: TypeAlias = (
    DiscoveringResource | Discovering | RegisteringClient | PushingRequest | FetchingKeys | KeysDelayed
    | Binding | CancellingPrevious | UsingFallbackPort | Listening | AddressReady | OpeningBrowser | BrowserLaunched
    | HttpsRefused | CallbackReceived | PasteRefused | PasteAccepted | RequestingDeviceCode
    | UsingBrowserInstead | DeviceCodeShown | PollingDelayed | DeviceCodeAuthorized | ExchangingCode
    | ExchangingApiKey | ApiKeyUnavailable | SavingCredentials | Succeeded | Failed | Cancelled
)
# fmt: on
"""Every phase that `on_progress` can be called with."""

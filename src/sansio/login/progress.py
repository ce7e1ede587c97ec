"""The phases that a login reports. Each has a name and a text, and says whether the text is for people."""

from __future__ import annotations

from ..base.phase import Phase
from ..base.records import hidden
from ..base.text import clean_text
from ..callback.pasted import PASTE_ADVICE, PasteProblem
from .failures import CATALOGUE, LoginFailureCategory, LoginFailureStep, advice_for
from .server.progress import Discovering, FetchingKeys, KeysDelayed, PushingRequest, RegisteringClient

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, TypeAlias


class Binding(Phase):
    """The callback port is being opened."""

    name: ClassVar[str] = "binding"
    port: int
    """The port; 0 for any free port."""
    attempt: int
    """The number of the attempt, from 1 for each port."""

    @property
    def is_user_visible(self) -> bool:  # type: ignore[override]
        """Show the phase to a person from the second attempt on, which follows after another program gave up a port."""
        return self.attempt > 1

    @property
    def text(self) -> str:
        """One line of text for people."""
        words = "Opening a callback port" if self.port == 0 else f"Opening callback port {self.port}"
        return f"{words}, attempt {self.attempt}." if self.attempt > 1 else f"{words}."


class CancellingPrevious(Phase):
    """An earlier login server, which may hold the port, is being asked to stop."""

    name: ClassVar[str] = "cancelling_previous"
    is_user_visible: ClassVar[bool] = True
    sentence: ClassVar[str] = "Port {port} is in use: asking an earlier sign-in to stop."
    port: int


class UsingFallbackPort(Phase):
    """The first port is not available, and the second is being tried."""

    name: ClassVar[str] = "using_fallback_port"
    is_user_visible: ClassVar[bool] = True
    sentence: ClassVar[str] = "Going on with port {port}."
    port: int


class Listening(Phase):
    """The callback port accepts connections, and the address for the person is known."""

    name: ClassVar[str] = "listening"
    is_user_visible: ClassVar[bool] = True
    sentence: ClassVar[str] = "Waiting for the browser on port {port}."
    url: str = hidden()
    """The authorization request. Show it to the person only, because it holds this login's ``state``."""
    port: int


class OpeningBrowser(Phase):
    """A browser is about to be launched. Traces do not have this phase, because the action says the same."""

    name: ClassVar[str] = "opening_browser"
    is_user_visible: ClassVar[bool] = True
    sentence: ClassVar[str] = "Opening your browser."


class BrowserLaunched(Phase):
    """A browser was launched."""

    name: ClassVar[str] = "browser_launched"
    is_user_visible: ClassVar[bool] = True
    sentence: ClassVar[str] = "Your browser was opened; finish signing in there."


class HttpsRefused(Phase):
    """A browser tried to come back with https. Reported once; the login goes on."""

    name: ClassVar[str] = "https_refused"
    is_user_visible: ClassVar[bool] = True
    sentence: ClassVar[str] = "A browser tried https. Change https to http in its address bar, or paste that address."


class CallbackReceived(Phase):
    """The browser sent a callback with this login's state and a code."""

    name: ClassVar[str] = "callback_received"
    is_user_visible: ClassVar[bool] = True
    sentence: ClassVar[str] = "The browser came back."


class PasteRefused(Phase):
    """A pasted address is not the callback of this login. The login goes on."""

    name: ClassVar[str] = "paste_refused"
    is_user_visible: ClassVar[bool] = True
    problem: PasteProblem
    redirect_uri: str
    """The beginning of the right address."""

    @property
    def text(self) -> str:
        """One line of text for people."""
        words = PASTE_ADVICE[self.problem]
        return f"{words} {self.redirect_uri}" if self.problem is PasteProblem.OTHER_ADDRESS else words


class PasteAccepted(Phase):
    """A pasted address carries this login's state and a code."""

    name: ClassVar[str] = "paste_accepted"
    is_user_visible: ClassVar[bool] = True
    sentence: ClassVar[str] = "That is the right address."


class RequestingDeviceCode(Phase):
    """The provider is being asked for a device code."""

    name: ClassVar[str] = "requesting_device_code"
    sentence: ClassVar[str] = "Asking for a device code."


class UsingBrowserInstead(Phase):
    """The provider has no device codes, and the login may go on in the browser."""

    name: ClassVar[str] = "using_browser_instead"
    is_user_visible: ClassVar[bool] = True
    sentence: ClassVar[str] = "Device codes are not enabled for this provider: going on in the browser."
    message: str


class DeviceCodeShown(Phase):
    """The person has to enter a code on a page, in a browser on any machine."""

    name: ClassVar[str] = "device_code_shown"
    is_user_visible: ClassVar[bool] = True
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


class PollingDelayed(Phase):
    """The provider does not respond to polls. Reported once for each outage; the polls continue."""

    name: ClassVar[str] = "polling_delayed"
    is_user_visible: ClassVar[bool] = True
    sentence: ClassVar[str] = "The provider does not answer at the moment; trying again."
    message: str


class DeviceCodeAuthorized(Phase):
    """The person entered the code and allowed the sign-in."""

    name: ClassVar[str] = "device_code_authorized"
    is_user_visible: ClassVar[bool] = True
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


class SavingCredentials(Phase):
    """The credentials are being stored. The login can no longer be cancelled."""

    name: ClassVar[str] = "saving_credentials"
    is_user_visible: ClassVar[bool] = True
    sentence: ClassVar[str] = "Saving your credentials."


class Succeeded(Phase):
    """The person is signed in."""

    name: ClassVar[str] = "succeeded"
    is_user_visible: ClassVar[bool] = True
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


class Failed(Phase):
    """Something went wrong."""

    name: ClassVar[str] = "failed"
    is_user_visible: ClassVar[bool] = True
    step: LoginFailureStep
    category: LoginFailureCategory
    message: str
    fatal: bool
    """The login has ended. If false, it goes on."""

    @property
    def phase(self) -> LoginFailureStep:
        """The step, under its old name. Deprecated."""
        from ..base.deprecation import warn_deprecated  # noqa: PLC0415 - few programs need it

        warn_deprecated("Failed.phase", "Failed.step")
        return self.step

    @property
    def text(self) -> str:
        """One line of text for people."""
        advice = advice_for(self.category, self.message)
        return f"{advice.title}. {advice.hint}"


class Cancelled(Phase):
    """The login was cancelled before anything was stored."""

    name: ClassVar[str] = "cancelled"
    is_user_visible: ClassVar[bool] = True
    step: LoginFailureStep
    message: str

    @property
    def phase(self) -> LoginFailureStep:
        """The step, under its old name. Deprecated."""
        from ..base.deprecation import warn_deprecated  # noqa: PLC0415 - few programs need it

        warn_deprecated("Cancelled.phase", "Cancelled.step")
        return self.step

    @property
    def text(self) -> str:
        """One line of text for people."""
        return f"{CATALOGUE[LoginFailureCategory.LOGIN_CANCELLED].title}: {self.message}."


# fmt: off
LoginPhase: TypeAlias = (
    Discovering | RegisteringClient | PushingRequest | FetchingKeys | KeysDelayed
    | Binding | CancellingPrevious | UsingFallbackPort | Listening | OpeningBrowser | BrowserLaunched
    | HttpsRefused | CallbackReceived | PasteRefused | PasteAccepted | RequestingDeviceCode
    | UsingBrowserInstead | DeviceCodeShown | PollingDelayed | DeviceCodeAuthorized | ExchangingCode
    | ExchangingApiKey | ApiKeyUnavailable | SavingCredentials | Succeeded | Failed | Cancelled
)
# fmt: on
"""Every phase that `on_progress` can be called with."""

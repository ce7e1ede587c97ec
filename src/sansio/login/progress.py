"""What a login reports on its way: each phase has a name, a text, and a say in whether people want to read it."""

from __future__ import annotations

from ..base.records import hidden
from ..callback.pasted import PasteProblem
from .elsewhere import (
    DeviceCodeAuthorized,
    DeviceCodeShown,
    PasteAccepted,
    PasteRefused,
    PollingDelayed,
    RequestingDeviceCode,
    UsingBrowserInstead,
)
from .failures import CATALOGUE, LoginFailureCategory, LoginFailurePhase
from .phase import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, TypeAlias


__all__ = [
    "ApiKeyUnavailable",
    "Binding",
    "BrowserLaunched",
    "CallbackReceived",
    "Cancelled",
    "CancellingPrevious",
    "DeviceCodeAuthorized",
    "DeviceCodeShown",
    "ExchangingApiKey",
    "ExchangingCode",
    "Failed",
    "Listening",
    "LoginPhase",
    "PasteAccepted",
    "PasteProblem",
    "PasteRefused",
    "PollingDelayed",
    "RequestingDeviceCode",
    "SavingCredentials",
    "Succeeded",
    "UsingBrowserInstead",
    "UsingFallbackPort",
]


class Binding(Phase):
    """The callback port is being opened."""

    name: ClassVar[str] = "binding"
    port: int
    attempt: int

    @property
    def text(self) -> str:
        """One line in plain words."""
        return "Opening a callback port." if self.port == 0 else f"Opening callback port {self.port}."


class CancellingPrevious(Phase):
    """The holder of the port is being asked to stop."""

    name: ClassVar[str] = "cancelling_previous"
    is_user_visible: ClassVar[bool] = True
    port: int

    @property
    def text(self) -> str:
        """One line in plain words."""
        return f"Port {self.port} is in use: asking an earlier sign-in to stop."


class UsingFallbackPort(Phase):
    """The first port cannot be had."""

    name: ClassVar[str] = "using_fallback_port"
    is_user_visible: ClassVar[bool] = True
    port: int

    @property
    def text(self) -> str:
        """One line in plain words."""
        return f"Going on with port {self.port}."


class Listening(Phase):
    """The callback port accepts connections, and the address for the person is known."""

    name: ClassVar[str] = "listening"
    is_user_visible: ClassVar[bool] = True
    url: str = hidden()
    """The authorization request. For the person only: it holds this login's ``state``."""
    port: int

    @property
    def text(self) -> str:
        """One line in plain words."""
        return f"Waiting for the browser on port {self.port}."


class BrowserLaunched(Phase):
    """A browser was started."""

    name: ClassVar[str] = "browser_launched"
    is_user_visible: ClassVar[bool] = True

    @property
    def text(self) -> str:
        """One line in plain words."""
        return "Your browser was opened; finish signing in there."


class CallbackReceived(Phase):
    """The browser came back with this login's state and a code."""

    name: ClassVar[str] = "callback_received"
    is_user_visible: ClassVar[bool] = True

    @property
    def text(self) -> str:
        """One line in plain words."""
        return "The browser came back."


class ExchangingCode(Phase):
    """The code is being exchanged for tokens."""

    name: ClassVar[str] = "exchanging_code"

    @property
    def text(self) -> str:
        """One line in plain words."""
        return "Exchanging the authorization code for tokens."


class ExchangingApiKey(Phase):
    """The id token is being exchanged for an API key."""

    name: ClassVar[str] = "exchanging_api_key"

    @property
    def text(self) -> str:
        """One line in plain words."""
        return "Asking for an API key."


class ApiKeyUnavailable(Phase):
    """The provider gave no API key; the login goes on without."""

    name: ClassVar[str] = "api_key_unavailable"
    message: str

    @property
    def text(self) -> str:
        """One line in plain words."""
        return f"No API key for this account ({self.message}); going on without."


class SavingCredentials(Phase):
    """The credentials are being stored. From here on it is too late to cancel."""

    name: ClassVar[str] = "saving_credentials"

    @property
    def text(self) -> str:
        """One line in plain words."""
        return "Storing the credentials."


class Succeeded(Phase):
    """The person is signed in."""

    name: ClassVar[str] = "succeeded"
    is_user_visible: ClassVar[bool] = True
    account_id: str | None
    email: str | None
    plan: str | None

    @property
    def text(self) -> str:
        """One line in plain words."""
        return f"Signed in as {self.email}." if self.email else "Signed in."


class Failed(Phase):
    """Something went wrong: the end of the login, or a trouble that it survives."""

    name: ClassVar[str] = "failed"
    is_user_visible: ClassVar[bool] = True
    phase: LoginFailurePhase
    category: LoginFailureCategory
    message: str
    fatal: bool

    @property
    def text(self) -> str:
        """One line in plain words."""
        advice = CATALOGUE[self.category]
        return f"{advice.title}. {advice.hint}"


class Cancelled(Phase):
    """The login was ended before anything was stored."""

    name: ClassVar[str] = "cancelled"
    is_user_visible: ClassVar[bool] = True
    phase: LoginFailurePhase
    message: str

    @property
    def text(self) -> str:
        """One line in plain words."""
        return f"{CATALOGUE[LoginFailureCategory.LOGIN_CANCELLED].title}: {self.message}."


LoginPhase: TypeAlias = (
    Binding
    | CancellingPrevious
    | UsingFallbackPort
    | Listening
    | BrowserLaunched
    | CallbackReceived
    | PasteRefused
    | PasteAccepted
    | RequestingDeviceCode
    | UsingBrowserInstead
    | DeviceCodeShown
    | PollingDelayed
    | DeviceCodeAuthorized
    | ExchangingCode
    | ExchangingApiKey
    | ApiKeyUnavailable
    | SavingCredentials
    | Succeeded
    | Failed
    | Cancelled
)

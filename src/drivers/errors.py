"""What a driver's public functions raise: one tree, built here from the outcome."""

from __future__ import annotations

from ..sansio.base.deprecation import warn_deprecated
from ..sansio.login.failures import LoginFailureCategory
from ..sansio.login.outcome import LoginCancellation, LoginSuccess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..sansio.login.failures import LoginFailure, LoginFailureStep
    from ..sansio.login.outcome import LoginOutcome
    from ..sansio.refresh.failures import RefreshFailure, RefreshFailureCategory

NO_THREAD: Final = "the system has no thread left"
"""What both drivers say of it."""


class LoginError(Exception):
    """Base of everything that a driver or a store raises on purpose."""


class LoginFailed(LoginError):  # noqa: N818 - the names of this tree are the design's
    """The login ended without credentials. Its text is the whole default text for a person."""

    def __init__(self, failure: LoginFailure) -> None:
        super().__init__(failure.describe())
        self.failure = failure

    @property
    def step(self) -> LoginFailureStep:
        """What the login was doing."""
        return self.failure.step

    @property
    def phase(self) -> LoginFailureStep:
        """The step, under its old name. Deprecated."""
        warn_deprecated("LoginFailed.phase", "LoginFailed.step")
        return self.failure.step

    @property
    def category(self) -> LoginFailureCategory:
        """The kind of failure: a durable slug."""
        return self.failure.category

    @property
    def message(self) -> str:
        """What happened, in clean words."""
        return self.failure.message

    def __reduce__(self) -> tuple[type[LoginFailed], tuple[LoginFailure]]:
        return type(self), (self.failure,)


class LoginCancelled(LoginFailed):
    """The caller, or another login on the same port, ended it."""


class LoginTimedOut(LoginFailed):
    """The browser did not come back before the deadline."""


class RefreshFailed(LoginError):  # noqa: N818 - as above
    """A session has no access token to give. Its text is the whole default text for a person."""

    def __init__(self, failure: RefreshFailure) -> None:
        super().__init__(failure.describe())
        self.failure = failure

    @property
    def category(self) -> RefreshFailureCategory:
        """The kind of failure: a durable slug."""
        return self.failure.category

    @property
    def final(self) -> bool:
        """Trying again is of no use before somebody has done something."""
        return self.failure.final

    @property
    def message(self) -> str:
        """What happened, in clean words."""
        return self.failure.message

    def __reduce__(self) -> tuple[type[RefreshFailed], tuple[RefreshFailure]]:
        return type(self), (self.failure,)


class SignInRequired(RefreshFailed):
    """Only a new sign-in helps."""


class InsecureRequest(LoginError):  # noqa: N818 - as above
    """A request would have carried a token over a connection that anybody can listen to. It was not sent."""


class TrustError(LoginError):
    """The configured certificate bundle cannot be used. Raised before any traffic."""


class StoreError(LoginError):
    """Credentials cannot be read or stored. The message has no value out of the file."""


class KeyringUnavailable(StoreError):  # noqa: N818 - as above
    """There is no keyring: no package for it, or none on this system."""


class StoreBusy(StoreError):  # noqa: N818 - as above
    """Somebody else has been changing the store for too long. Nothing is changed; it may work a moment later."""


def error_for(outcome: LoginOutcome) -> LoginFailed | None:
    """The exception that tells a caller of this outcome; None for a success."""
    match outcome:
        case LoginSuccess():
            return None
        case LoginCancellation(failure=failure):
            return LoginCancelled(failure)
    if outcome.category is LoginFailureCategory.LOGIN_TIMED_OUT:
        return LoginTimedOut(outcome)
    return LoginFailed(outcome)

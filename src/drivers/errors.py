"""The exceptions of drivers and stores: one tree, and the exception for each outcome."""

from __future__ import annotations

from enum import StrEnum

from ..sansio.login.failures import LoginFailureCategory
from ..sansio.login.outcome import LoginCancellation, LoginSuccess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..sansio.accounts.stored import StoredAccount
    from ..sansio.login.failures import LoginFailureStep
    from ..sansio.login.outcome import LoginFailure, LoginOutcome
    from ..sansio.refresh.failures import RefreshFailure, RefreshFailureCategory

NO_THREAD: Final = "the system has no thread left"
"""The message of a driver when no thread can be started."""


class LoginError(Exception):
    """Base of all exceptions that drivers and stores raise on purpose."""


class LoginFailed(LoginError):  # noqa: N818 - public names
    """The login ended without credentials. `str` gives the whole text for a person."""

    def __init__(self, failure: LoginFailure) -> None:
        super().__init__(failure.describe())
        self.failure = failure

    @property
    def step(self) -> LoginFailureStep:
        """The step in which the login failed."""
        return self.failure.step

    @property
    def phase(self) -> LoginFailureStep:
        """The step, under its old name. Deprecated."""
        from ..sansio.base.deprecation import warn_deprecated  # noqa: PLC0415 - few programs need it

        warn_deprecated("LoginFailed.phase", "LoginFailed.step")
        return self.failure.step

    @property
    def category(self) -> LoginFailureCategory:
        """The kind of failure, a stable identifier."""
        return self.failure.category

    @property
    def message(self) -> str:
        """What happened, as clean text."""
        return self.failure.message

    def __reduce__(self) -> tuple[type[LoginFailed], tuple[LoginFailure]]:
        return type(self), (self.failure,)


class LoginCancelled(LoginFailed):
    """The caller, or another login on the same port, cancelled the login."""


class LoginTimedOut(LoginFailed):
    """The browser did not call back before the deadline."""


class SuspensionProblem(StrEnum):
    """Why the bytes of a suspended login are refused."""

    NOT_SEALED = "not_sealed"
    """They are something else, or a part of them is missing."""
    OTHER_VERSION = "other_version"
    """Another version of this package has written them."""
    UNKNOWN_KEY = "unknown_key"
    """They were sealed with a key that the host does not have, or no longer has."""
    OTHER_PROVIDER = "other_provider"
    """They belong to another provider, client or redirect URI."""
    CHANGED = "changed"
    """They were changed after they were sealed."""
    EXPIRED = "expired"
    """The time of the login is over."""
    RESUMED = "resumed"
    """The login was resumed before."""


_ADVICE: Final = {
    SuspensionProblem.NOT_SEALED: "these are not the bytes of a suspended login; pass what `begin` has returned, whole",
    SuspensionProblem.OTHER_VERSION: "another version has suspended this login; the person has to sign in again",
    SuspensionProblem.UNKNOWN_KEY: (
        "none of the keys has sealed this login; give every replica the same keys, and keep the previous key for as "
        "long as a login may last"
    ),
    SuspensionProblem.OTHER_PROVIDER: (
        "this login belongs to another provider, client or redirect URI; resume it with those with which it began"
    ),
    SuspensionProblem.CHANGED: "these bytes were changed; the person has to sign in again",
    SuspensionProblem.EXPIRED: "the time of this login is over; the person has to sign in again",
    SuspensionProblem.RESUMED: "this login was finished before; the person has to sign in again",
}


class SuspendedLoginRefused(LoginError):  # noqa: N818 - public names
    """The bytes of a suspended login are refused. Nothing was sent. The text says what to do, and shows no value."""

    def __init__(self, problem: SuspensionProblem, detail: str = "") -> None:
        super().__init__(f"{_ADVICE[problem]} ({detail})" if detail else _ADVICE[problem])
        self.problem = problem
        self.detail = detail
        """What is wrong with the content, as clean text; empty if there is nothing more to say."""

    def __reduce__(self) -> tuple[type[SuspendedLoginRefused], tuple[SuspensionProblem, str]]:
        return type(self), (self.problem, self.detail)


class RefreshFailed(LoginError):  # noqa: N818 - as above
    """A session has no valid access token. `str` gives the whole text for a person."""

    def __init__(self, failure: RefreshFailure) -> None:
        super().__init__(failure.describe())
        self.failure = failure

    @property
    def category(self) -> RefreshFailureCategory:
        """The kind of failure, a stable identifier."""
        return self.failure.category

    @property
    def final(self) -> bool:
        """Whether another attempt is useless until the person acts, for example signs in."""
        return self.failure.final

    @property
    def message(self) -> str:
        """What happened, as clean text."""
        return self.failure.message

    def __reduce__(self) -> tuple[type[RefreshFailed], tuple[RefreshFailure]]:
        return type(self), (self.failure,)


class SignInRequired(RefreshFailed):
    """Only a new sign-in helps: nothing is stored, or the tokens cannot be refreshed any more."""


class EndpointError(LoginError):
    """The endpoint that the environment names cannot be used. Raised before any traffic; the text has no password."""


class InsecureRequest(LoginError):  # noqa: N818 - as above
    """A request would have sent a token over an unencrypted connection. It was not sent."""


class TrustError(LoginError):
    """The configured certificate bundle cannot be used. Raised before any traffic."""


class ProviderMismatch(LoginError):  # noqa: N818 - public names
    """The stored tokens were issued by another provider, or to another client. They were sent nowhere."""


class ProxyError(LoginError):
    """The proxy that the environment names cannot be used. Raised before any traffic; the text has no password."""


class StoreError(LoginError):
    """Credentials cannot be read or stored. The message holds no value from the store."""


class AccountNotFound(StoreError):  # noqa: N818 - as above
    """No stored account is the one that was asked for."""


class AmbiguousAccount(StoreError):  # noqa: N818 - as above
    """Several stored accounts are what was asked for. The message lists them."""

    def __init__(self, text: str, accounts: tuple[StoredAccount, ...]) -> None:
        listed = "; ".join(map(str, accounts))
        super().__init__(f"{text} may be one of several accounts: {listed}. Name one that only one of them has")
        self.text = text
        self.accounts = accounts
        """The accounts, as `AccountStore.accounts` returns them."""

    def __reduce__(self) -> tuple[type[AmbiguousAccount], tuple[str, tuple[StoredAccount, ...]]]:
        return type(self), (self.text, self.accounts)


class KeyringUnavailable(StoreError):  # noqa: N818 - as above
    """There is no keyring: the package is missing, or the system has none."""


class StoreBusy(StoreError):  # noqa: N818 - as above
    """Another program or thread has locked the store for too long. Nothing was changed; a later attempt may succeed."""


def error_for(outcome: LoginOutcome) -> LoginFailed | None:
    """Return the exception for an outcome, or None for a success."""
    match outcome:
        case LoginSuccess():
            return None
        case LoginCancellation(failure=failure):
            return LoginCancelled(failure)
    if outcome.category is LoginFailureCategory.LOGIN_TIMED_OUT:
        return LoginTimedOut(outcome)
    return LoginFailed(outcome)

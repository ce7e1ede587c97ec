"""The sign-ins of a web host, without their I/O: what threads, trio and asyncio share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeAlias

from ...sansio.base.records import Record, hidden
from ...sansio.login import actions, events
from ...sansio.login.machine import LoginMachine
from ...sansio.login.outcome import LoginFailure, LoginSuccess
from ...sansio.login.progress import Failed
from ...sansio.login.states import LoginState
from ...sansio.model.options import LoginSecrets
from ..errors import LoginFailed, StoreError, SuspendedLoginRefused, SuspensionProblem, error_for
from ..logging import log_error
from .sealing import open_sealed, seal_login

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.model.options import LoginOptions
    from ...sansio.model.provider import Provider
    from .marks import ResumptionMarks
    from .sealing import OpenedLogin, SealingKeys

Work: TypeAlias = actions.SendTokenRequest | actions.SaveCredentials
"""What a driver performs, and answers with an event."""
METADATA_AGE: Final = 3600.0
"""Seconds for which the metadata of a provider is used again."""
SKEW: Final = 60
"""Seconds by which the clocks of two replicas may differ. A mark is kept for so much longer."""


class PendingLogin(Record):
    """A sign-in that has begun. The person has not come back yet."""

    auth_url: str = hidden()
    """The authorization request. Redirect the person's browser there; it holds this login's ``state``."""
    sealed: bytes = hidden()
    """The suspended login. Keep it for this browser: in its cookie, or in a store under a name that only its cookie
    has. Pass it to `finish` when the browser comes back."""
    expires_at: float
    """When its time is over, in seconds since 1970."""


class WebLoginRun:
    """A login of a web host, as long as this process works on it.

    Args:
        machine: The login.
    """

    def __init__(self, machine: LoginMachine) -> None:
        self.machine = machine
        self.seconds = 0.0
        """The deadline that the login has started."""
        self._refusal: LoginFailure | None = None
        self._store_error: BaseException | None = None
        self._todo: list[actions.Action] = []

    def take(self, event: events.Event) -> Work | None:
        """Pass an event to the login, and return what has to be done next; None if there is nothing."""
        self._todo += self.machine.handle(event)
        while self._todo:
            action = self._todo.pop(0)
            match action:
                case actions.SendTokenRequest() | actions.SaveCredentials():
                    return action
                case actions.StartTimer(seconds=seconds):
                    self.seconds = seconds
                case actions.ReportProgress(phase=Failed() as phase):
                    self._refusal = LoginFailure(step=phase.step, category=phase.category, message=phase.message)
                case _:
                    # There is no listener, no browser and no timer here, and nothing to abort.
                    pass
        return None

    def keep_error(self, error: BaseException) -> None:
        """Keep what the store raised, if it is no `Exception`."""
        self._store_error = error

    def check_accepted(self) -> None:
        """Check that the login has taken the callback.

        Raises:
            LoginFailed: It belongs to another login.
        """
        if self.machine.state is LoginState.AWAITING_CALLBACK:
            assert self._refusal is not None
            raise LoginFailed(self._refusal)

    def success(self) -> LoginSuccess:
        """Return the outcome.

        Raises:
            LoginFailed: The login failed. Its ``__cause__`` is what the store raised, if that is no `Exception`.
        """
        outcome = self.machine.outcome
        assert outcome is not None
        failed = error_for(outcome)
        if failed is not None:
            raise failed from self._store_error
        assert isinstance(outcome, LoginSuccess)
        return outcome


class BaseWebLogins:
    """Base of `WebLogins`, `TrioWebLogins` and `AsyncioWebLogins`.

    Raises:
        ValueError: The options have no redirect URI, or no deadline.
    """

    def __init__(
        self,
        options: LoginOptions,
        *,
        keys: SealingKeys,
        marks: ResumptionMarks,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if options.redirect_uri is None:
            raise ValueError("a web host needs a redirect URI of its own: LoginOptions(redirect_uri=...)")
        _check_deadline(options)
        self._options = options
        self._keys = keys
        self._marks = marks
        self._clock = clock
        self._found: tuple[float, Provider] | None = None
        """When the provider's metadata was read, and the provider with it."""

    @property
    def options(self) -> LoginOptions:
        """The options of every login that is begun without others."""
        return self._options

    def _new_machine(self, options: LoginOptions | None) -> tuple[LoginMachine, LoginSecrets]:
        """Return a new login, with metadata that was read a while ago, and its secrets."""
        chosen = self._options if options is None else options
        _check_deadline(chosen)
        usual = self._options
        if (chosen.provider, chosen.redirect_uri) != (usual.provider, usual.redirect_uri):
            raise ValueError("the options of one login have another provider or redirect URI than those of the others")
        known = self._known_provider()
        secrets = LoginSecrets.generate()
        return LoginMachine(chosen if known is None else chosen.__replace__(provider=known), secrets), secrets

    def _known_provider(self) -> Provider | None:
        """Return the provider with metadata that is not too old; None if there is none."""
        # Another thread may replace it meanwhile.
        found = self._found
        return found[1] if found is not None and time.monotonic() < found[0] + METADATA_AGE else None

    def _suspended(self, run: WebLoginRun, secrets: LoginSecrets) -> PendingLogin:
        """Return a login that waits for the callback.

        Raises:
            LoginFailed: It has ended already.
        """
        machine = run.machine
        if machine.auth_url is None:
            run.success()
        assert machine.auth_url is not None
        if self._options.provider.needs_discovery and self._known_provider() is None:
            self._found = time.monotonic(), machine.provider
        expires_at = self._clock() + run.seconds
        sealed = seal_login(machine, secrets, self._keys, expires_at=expires_at)
        return PendingLogin(auth_url=machine.auth_url, sealed=sealed, expires_at=expires_at)

    def _open(self, sealed: bytes) -> OpenedLogin:
        """Return a login that was suspended.

        Raises:
            SuspendedLoginRefused: The bytes are refused.
        """
        return open_sealed(sealed, self._options, self._keys, now=self._clock())

    def _claim(self, opened: OpenedLogin) -> None:
        """Note that a login is resumed. May block.

        Raises:
            SuspendedLoginRefused: It was resumed before.
            StoreError: The host's marks cannot be used.
        """
        seconds = max(0, int(opened.expires_at - self._clock())) + SKEW
        problem = ""
        try:
            is_first = self._marks.mark(opened.mark, seconds)
        except Exception as error:  # noqa: BLE001 - a store of the program's own
            log_error("a suspended login was not resumed", error)
            problem = f"the host's marks of resumed logins raised {type(error).__name__}; nothing was sent"
        if problem:
            raise StoreError(problem)
        if not is_first:
            raise SuspendedLoginRefused(SuspensionProblem.RESUMED)


def arrival(query: str | bytes) -> events.CallbackArrived:
    """Return the event for a callback.

    Args:
        query: The raw query of the request, with or without the question mark.
    """
    raw = query.encode("utf-8", "replace") if isinstance(query, str) else query
    return events.CallbackArrived(query=raw.removeprefix(b"?"))


def saved(event: events.CredentialsSaved | events.SaveFailed) -> events.Event:
    """Return the result of a save. What it replaced is not revoked: another sign-in of the person may still use it."""
    return events.CredentialsSaved() if isinstance(event, events.CredentialsSaved) else event


def _check_deadline(options: LoginOptions) -> None:
    if options.deadline is None:
        raise ValueError("the login of a web host needs a deadline: a suspended login does not last for ever")

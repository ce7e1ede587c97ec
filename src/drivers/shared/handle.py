"""What the logins of the drivers share: their machine, their properties, and the checks before they start."""

from __future__ import annotations

import time

from ...sansio.login import events
from ...sansio.login.machine import LoginMachine
from ...sansio.login.outcome import LoginSuccess
from ...sansio.model.options import LoginMethod, LoginSecrets
from ..errors import LoginFailed, error_for
from ..http.proxies import proxy_for
from ..http.tls import check_bundle
from ..logging import log_error, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from ...sansio.login.outcome import LoginOutcome
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.options import LoginOptions
    from ...sansio.model.provider import Provider
    from ...sansio.oauth.device_code import DeviceCode
    from ...sansio.trace import Recorder
    from ..stores.protocols import CredentialStore

LEFT: Final = "the program left before the sign-in was over"
"""Why a login is cancelled when its block is left."""


def new_machine(  # noqa: PLR0913 - the last two are for logins that are only played
    options: LoginOptions,
    record: Callable[[str], object] | None,
    driver: str,
    pass_on: Callable[[BaseException], None],
    *,
    secrets: LoginSecrets | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> LoginMachine | Recorder:
    """Return a machine.

    Args:
        options: The options of the login.
        record: Called with each line of the trace. None for no trace.
        driver: The name of the driver, for the trace.
        pass_on: Called with what `record` raises while the login is running, if it is no `Exception`.
        secrets: The secrets of the login; None for fresh ones.
        clock: Returns the time for the trace, in seconds.

    Raises:
        BaseException: As for `pass_on`, if it is raised for the first line.
    """
    secrets = secrets or LoginSecrets.generate()
    if record is None:
        return LoginMachine(options, secrets)
    return _recorder(options, secrets, record, driver, pass_on, clock=clock)


def _recorder(  # noqa: PLR0913 - as above
    options: LoginOptions,
    secrets: LoginSecrets,
    record: Callable[[str], object],
    driver: str,
    pass_on: Callable[[BaseException], None],
    *,
    clock: Callable[[], float],
) -> Recorder:
    from ...sansio.trace import Recorder  # noqa: PLC0415 - most logins are not recorded
    from ..traces.origin import origin_of  # noqa: PLC0415

    machine: Recorder | None = None

    def write(line: str) -> None:
        try:
            record(line)
        except Exception:
            raise
        except BaseException as error:
            if machine is None:
                raise
            pass_on(error)
            from ...sansio.trace.writer import RecordingError  # noqa: PLC0415 - as above

            raise RecordingError(f"the program raised {type(error).__name__}") from None

    origin = origin_of(record, driver)
    machine = Recorder(options, secrets, write=write, clock=clock, on_trouble=warn, origin=origin)
    return machine


def login_store_of(store: Any, provider: Provider) -> Any:  # noqa: ANN401 - any object with the methods of a store
    """Return the store of a login.

    Args:
        store: The store that the program has given. One of many accounts (`AccountStore`) makes a store for the login.
        provider: The provider of the login. Codex's credentials are stored in one place only.
    """
    make = None if provider.dialect.stores_in_auth_json else getattr(store, "login_store", None)
    return store if make is None else make(provider)


class LoginOwner:
    """Base of the owners of the drivers: what the login objects read of them."""

    auth_url: str | None = None
    port: int | None = None
    device_code: DeviceCode | None = None
    outcome: LoginOutcome | None = None
    started: events.Started | None = None
    """The first event, with what the store knows of the client."""
    store_error: BaseException | None = None
    """What the store raised, if it is no `Exception`."""
    passed_on: BaseException | None = None
    """What an observer or a recorder raised, if it is no `Exception`."""

    def post(self, event: events.Event) -> None:
        """Put an event into the inbox."""
        raise NotImplementedError

    def _pass_on(self, error: BaseException) -> None:
        """Cancel the login, or let it end if its credentials are being stored, and raise the exception then."""
        self.passed_on = self.passed_on or error
        self.post(events.CancelRequested(reason=f"the program raised {type(error).__name__}"))

    def _keep_error(self, error: BaseException) -> None:
        self.store_error = error


def _endpoints(provider: Provider, method: LoginMethod) -> tuple[str, ...]:
    """Return the endpoints that a login cannot do without; the issuer, if they are in its metadata."""
    first = provider.token_endpoint or provider.origin
    device = provider.device_code if method is LoginMethod.DEVICE_CODE else None
    if device is None:
        return (first,)
    others = () if device.poll_endpoint is None else (device.poll_endpoint,)
    return (first, device.code_endpoint, *others)


class LoginHandle:
    """Base of `ThreadedLogin` and `TrioLogin`.

    Raises:
        ValueError: The method is a device code, and the provider has none; or the callback comes to the host's own web
            server.
    """

    _not_running = "the login is not running: use it in a with statement"
    _owner: LoginOwner
    """Set by the subclass."""

    def __init__(self, options: LoginOptions, method: LoginMethod) -> None:
        options.check_method(method)
        if options.redirect_uri is not None:
            raise ValueError("a login with a redirect URI of the host's own has no listener: use WebLogins")
        self._options, self._method = options, method
        self._provider = options.provider
        self._endpoints = _endpoints(options.provider, method)
        self._entered = False
        self._has_passed_on = False
        """What an observer or a recorder raised has been raised for the caller."""

    @property
    def auth_url(self) -> str:
        """The URL of the authorization request, for the person's browser.

        It holds this login's ``state``. Show it to the person only.

        Raises:
            RuntimeError: The login has not been entered, or has a device code instead.
        """
        if self._owner.auth_url is None:
            raise RuntimeError(self._why_not())
        return self._owner.auth_url

    @property
    def port(self) -> int:
        """The callback port.

        Raises:
            RuntimeError: The login has not been entered, or has a device code instead.
        """
        if self._owner.port is None:
            raise RuntimeError(self._why_not())
        return self._owner.port

    @property
    def device_code(self) -> DeviceCode:
        """The code that the person enters, and the page to enter it on. Show it to the person only.

        Raises:
            RuntimeError: The login has not been entered, or goes through the browser.
        """
        if self._owner.device_code is None:
            raise RuntimeError(self._why_not())
        return self._owner.device_code

    @property
    def outcome(self) -> LoginOutcome | None:
        """How the login ended, account included. None while it is running."""
        return self._owner.outcome

    def cancel(self, reason: str = "cancelled by the caller") -> None:
        """End the login, unless its credentials are being stored already.

        Returns at once. `wait` then raises `LoginCancelled`, or returns the credentials if they are stored.

        Args:
            reason: Why, for the outcome's message.
        """
        self._owner.post(events.CancelRequested(reason=reason))

    def _check_store(self, store: CredentialStore) -> None:
        """Check that credentials can be saved, if the store has methods ``check`` and ``load`` for that. It may block.

        Raises:
            StoreError: They cannot be saved.
            LoginFailed: The store holds the credentials of another provider, which the login would replace.
        """
        check = getattr(store, "check", None)
        if callable(check):
            check()
        if self._provider.registration is not None:
            from .registrations import known_client  # noqa: PLC0415 - few logins register a client

            self._owner.started = known_client(store, self._options, self._method)
            registration = self._owner.started.registration
            if registration is not None and registration.issuer == self._provider.origin:
                self._provider = self._provider.registered(registration)
        # (The provider of a resource is not known yet.)
        if self._provider.client_id and not self._provider.needs_resource_metadata:
            self._check_stored(store)

    def _check_before_entering(self) -> None:
        """Check what must be right before anything starts.

        Raises:
            TrustError: The configured certificate bundle is unusable.
            ProxyError: The proxy that applies to an endpoint is unusable.
            RuntimeError: The login was entered before.
        """
        if any(url.lower().startswith("https:") for url in self._endpoints):
            check_bundle()
        for url in self._endpoints:
            proxy_for(url)
        if self._entered:
            raise RuntimeError("a login can be entered only once")
        self._entered = True

    def _check_stored(self, store: CredentialStore) -> None:
        try:
            stored = store.load() if hasattr(store, "load") else None
        except Exception as error:  # noqa: BLE001 - a login replaces what cannot be read
            log_error("the store cannot be read", error)
            return
        if stored is None:
            return
        from ...sansio.login import failures  # noqa: PLC0415 - often nothing is stored
        from ...sansio.login.outcome import LoginFailure  # noqa: PLC0415
        from ...sansio.model.issuer import why_not_replace  # noqa: PLC0415

        problem = why_not_replace(stored, None, self._provider)
        if problem:
            step, category = failures.LoginFailureStep.PERSIST_CREDENTIALS, failures.LoginFailureCategory.PERSIST_FAILED
            message = f"the stored credentials are kept, because {problem}"
            raise LoginFailed(LoginFailure(step=step, category=category, message=message))

    def _is_ready(self) -> bool:
        """Return whether the person can sign in now. A login that ended before that is never ready."""
        return self._owner.auth_url is not None or self._owner.device_code is not None

    def _credentials(self, outcome: LoginOutcome) -> Credentials:
        """Return the credentials of a successful login.

        Raises:
            LoginFailed: The login failed or was cancelled.
        """
        failed = error_for(outcome)
        if failed is not None:
            raise failed from self._owner.store_error
        assert isinstance(outcome, LoginSuccess)
        return outcome.credentials

    def _raise_passed_on(self) -> None:
        """Raise what an observer or a recorder raised, if it was no `Exception`. Only when the login has ended."""
        if self._owner.passed_on is not None:
            self._has_passed_on = True
            raise self._owner.passed_on

    def _why_not(self) -> str:
        """Return why a property has no value."""
        if self._owner.device_code is not None:
            return "this login has a device code, and no callback address"
        if self._owner.auth_url is not None:
            return "this login goes through the browser, and has no device code"
        return self._not_running

"""``loginmachine login``: run a login from start to exit code."""

from __future__ import annotations

import contextlib
import os
import sys

from ...drivers.errors import ProxyError, StoreError, TrustError
from ...drivers.logging import forward_warnings
from ...drivers.stores.checks import UnusableError, check_home, explain
from ...sansio.login.failures import LoginFailureCategory, LoginFailureStep
from ...sansio.login.outcome import LoginCancellation, LoginFailure, LoginSuccess
from ...sansio.login.states import Trigger
from ...sansio.model.options import LoginMethod
from .. import exit_codes
from ..options import LoginSettings, check_same_provider, login_options_from, recording_from, store_from
from ..startup import NOT_FOR_ASYNCIO, block_imports
from ..terminal.log_file import LogFile
from ..terminal.writer import print_error
from .login_view import LoginView

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Final

    from ...sansio.login.outcome import LoginOutcome
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.options import LoginOptions
    from ..providers.login_store import AccountsOfLogin
    from ..sign_in.joining import MeetingPoint

_PORT_IN_USE: Final = (Trigger.PORT_TAKEN, Trigger.PREVIOUS_REFUSED)


def run(arguments: argparse.Namespace) -> int:
    """Sign in, and return the exit code."""
    options = login_options_from(arguments)
    is_codex = options.provider.dialect.stores_in_auth_json
    folder = arguments.home if is_codex else _folder_of_accounts()
    code = _wait_for_other(arguments, options, folder) if arguments.wait else None
    if code is not None:
        return code
    _check_person(arguments)
    sign_in = _driver(arguments)
    with contextlib.ExitStack() as closing:
        record = closing.enter_context(recording_from(arguments, "login"))
        log = closing.enter_context(LogFile(folder) if is_codex else LogFile(folder, "login.log"))
        view = LoginView(arguments, log, options.provider, lambda: _meeting_point(folder, options, arguments))
        closing.callback(view.close)
        store = _ViewedStore(arguments, view) if is_codex else _account_store(arguments, options, view)
        settings = LoginSettings(
            options=options,
            method=LoginMethod.DEVICE_CODE if arguments.device_code else LoginMethod.BROWSER,
            store=store,
            record=record,
            owns_process=arguments.owns_process,
        )
        received = None
        try:
            if isinstance(store, _ViewedStore):
                store.check_before_login()
                _check_stored(arguments, options)
            with forward_warnings(view.warn):
                received = sign_in(settings, view)
        except (TrustError, ProxyError) as error:
            view.not_started(str(error), LoginFailureStep.EXCHANGE_TOKEN, LoginFailureCategory.TOKEN_EXCHANGE_CONNECT)
        except StoreError as error:
            advice = getattr(error, "advice", "")
            view.not_started(
                str(error), LoginFailureStep.PERSIST_CREDENTIALS, LoginFailureCategory.PERSIST_FAILED, advice
            )
        return _exit_code(view.outcome, received)


def _check_person(arguments: argparse.Namespace) -> None:
    """End the process if there is no person to sign in, or if what they want to see cannot be shown."""
    if arguments.qr:
        from ..terminal.qr_code import is_installed  # noqa: PLC0415 - few logins want one

        if not is_installed():
            arguments.usage_error('--qr needs one more package: install "loginmachine[qr]"')
    if os.environ.get("CI") and not arguments.json:
        from ..sign_in.unattended import why_not_wait  # noqa: PLC0415 - in few environments

        problem = why_not_wait(arguments)
        if problem:
            print_error(problem)
            sys.exit(exit_codes.FAILURE)


def _folder_of_accounts() -> str:
    from platformdirs import user_state_path  # noqa: PLC0415 - not for the default provider

    return str(user_state_path("loginmachine", appauthor=False))


def _wait_for_other(arguments: argparse.Namespace, options: LoginOptions, folder: str) -> int | None:
    """Return the exit code of another sign-in that wants the same; None if this one is to begin."""
    from ..sign_in.wait import wait_for_other  # noqa: PLC0415 - few logins wait for another

    return wait_for_other(arguments, options, _meeting_point(folder, options, arguments))


def _meeting_point(folder: str, options: LoginOptions, arguments: argparse.Namespace) -> MeetingPoint:
    """Return where other sign-ins that want the same may wait for this one. Called when the URL is shown."""
    from ..sign_in.joining import MeetingPoint  # noqa: PLC0415 - the URL is shown first

    return MeetingPoint(folder, options, arguments.store)


def _account_store(arguments: argparse.Namespace, options: LoginOptions, view: LoginView) -> AccountsOfLogin:
    from ..providers.login_store import AccountsOfLogin  # noqa: PLC0415 - not for the default provider

    return AccountsOfLogin(arguments, options.provider, view)


def _driver(arguments: argparse.Namespace) -> Callable[[LoginSettings, LoginView], int | None]:
    """Load one of the drivers, and no other."""
    if arguments.driver == "trio":
        from ..drivers.trio import sign_in  # noqa: PLC0415

        return sign_in
    if arguments.driver == "asyncio":
        if arguments.owns_process:
            block_imports(NOT_FOR_ASYNCIO)
        from ..drivers.asyncio import sign_in as sign_in_with_asyncio  # noqa: PLC0415

        return sign_in_with_asyncio
    if arguments.owns_process:
        block_imports()
    from ..drivers.threaded import sign_in as sign_in_with_threads  # noqa: PLC0415

    return sign_in_with_threads


class _ViewedStore:
    """The store of the command line. It is opened when credentials are saved, and its warnings are shown once."""

    def __init__(self, arguments: argparse.Namespace, view: LoginView) -> None:
        self._arguments = arguments
        self._view = view
        self._warnings: set[str] = set()

    def save(self, credentials: Credentials) -> Credentials | None:
        """Store credentials, and return those that they replace."""
        store = store_from(self._arguments, on_warning=self._warn, on_fallback=self._view.warn_of_fallback)
        replaced = store.save(credentials)
        self._view.stored_in = store.where
        return replaced

    def check_before_login(self) -> None:
        """Check that credentials can be stored, before the person is sent to the browser.

        Raises:
            _UnusableStoreError: The home folder cannot be used, or there is no keyring.
        """
        home, policy = self._arguments.home, self._arguments.store
        problem, advice = "", ""
        try:
            # `LogFile` has created the folder if that is possible.
            check_home(home, self._warn, has_file=policy != "keyring", is_hurried=True)
        except UnusableError as error:
            problem, advice = str(error), error.advice
        except OSError as error:
            problem = f"the folder for your credentials, {home}, cannot be used: {explain(error)}"
        if problem:
            raise _UnusableStoreError(problem, advice)
        if policy == "keyring":
            from ...drivers.stores.keyring_store import KeyringStore  # noqa: PLC0415

            try:
                KeyringStore(home, on_warning=self._warn).check()
            except StoreError as error:
                advice = "Set up a keyring, or use --store file. (--store auto uses the file if there is no keyring.)"
                raise _UnusableStoreError(str(error), advice) from error

    def _warn(self, text: str) -> None:
        if text not in self._warnings:
            self._warnings.add(text)
            self._view.warn(text)


class _UnusableStoreError(StoreError):
    """Credentials could not be stored after the login."""

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(problem)
        self.advice = advice
        """What to do about it."""


def _check_stored(arguments: argparse.Namespace, options: LoginOptions) -> None:
    """Check that the login would not replace the credentials of another provider.

    Raises:
        _UnusableStoreError: The store holds such credentials.
    """
    # Usually nothing is stored yet, and then nothing is loaded before the login URL is shown.
    if arguments.store == "file" and not os.path.lexists(os.path.join(arguments.home, "auth.json")):  # noqa: PTH118
        return
    store = store_from(arguments, on_warning=_ignore, on_fallback=_ignore)
    try:
        check_same_provider(store, options.provider)
    except StoreError as error:
        advice = "Sign out with 'loginmachine logout', or choose another folder with --home."
        raise _UnusableStoreError(str(error), advice) from error


def _ignore(_warning: str) -> None:
    """Ignore a warning: the store gives it again when the credentials are saved."""


def _exit_code(outcome: LoginOutcome | None, received: int | None) -> int:
    """Return the exit code for an outcome, and for the signal that arrived meanwhile, if any."""
    if isinstance(outcome, LoginSuccess):
        return exit_codes.SUCCESS
    if isinstance(outcome, LoginCancellation) and received is not None:
        return exit_codes.after_signal(received)
    if isinstance(outcome, LoginFailure) and outcome.trigger in _PORT_IN_USE:
        return exit_codes.PORT_IN_USE
    return exit_codes.FAILURE

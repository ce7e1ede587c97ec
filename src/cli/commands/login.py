"""``loginmachine login``: what is told of a login, and to whom."""

from __future__ import annotations

import contextlib
import os

from ...drivers.errors import StoreError, TrustError, error_for
from ...drivers.logging import forward_warnings
from ...sansio.login.failures import LoginFailure, LoginFailureCategory, LoginFailurePhase
from ...sansio.login.outcome import LoginCancellation, LoginSuccess
from ...sansio.login.progress import Cancelled, DeviceCodeShown, Failed, Listening, PasteRefused, Succeeded
from ...sansio.login.states import Trigger
from ...sansio.model.options import LoginMethod, LoginOptions
from ..options import provider_from
from ..startup import do_without_the_unused
from ..terminal.display import Terminal
from ..terminal.log_file import LogFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Final

    from ...drivers.traces.recording import TraceFile
    from ...sansio.login.outcome import LoginOutcome
    from ...sansio.login.progress import LoginPhase
    from ...sansio.model.credentials import Credentials
    from ..terminal.hidden_input import HiddenInput
    from ..terminal.json_lines import JsonLines

FAILED: Final = 1
PORT_IN_USE: Final = 13

_IN_USE: Final = (Trigger.PORT_TAKEN, Trigger.PREVIOUS_REFUSED)


def run(arguments: argparse.Namespace) -> int:
    """Sign in, and return the exit code."""
    try:
        options = _options(arguments)
    except ValueError as error:
        arguments.usage_error(str(error))
    # One of the two is loaded, not both.
    if arguments.driver == "trio":
        from .login_trio import sign_in  # noqa: PLC0415
    else:
        if arguments.ends_the_process:
            do_without_the_unused()
        from .login_threaded import sign_in  # noqa: PLC0415
    with contextlib.ExitStack() as files:
        record = files.enter_context(trace_file(arguments)).write if arguments.record is not None else None
        log = files.enter_context(LogFile(arguments.home))
        command = Command(arguments, options, log, record)
        received = None
        try:
            command.check_store()
            with forward_warnings(command.warn):
                received = sign_in(command)
        except TrustError as error:
            command.refuse(str(error), LoginFailurePhase.EXCHANGE_TOKEN, LoginFailureCategory.TOKEN_EXCHANGE_CONNECT)
        except StoreError as error:
            command.refuse(str(error), LoginFailurePhase.PERSIST_CREDENTIALS, LoginFailureCategory.PERSIST_FAILED)
        finally:
            command.close()
        return command.exit_code(received)


def trace_file(arguments: argparse.Namespace) -> TraceFile:
    """The file of ``--record``. One that cannot be written is a wrong usage, before anything has started."""
    from ...drivers.traces.recording import TraceFile  # noqa: PLC0415 - most logins are not recorded

    try:
        return TraceFile(arguments.record)
    except OSError as error:
        arguments.usage_error(f"--record: {error.strerror}")
        raise


def _options(arguments: argparse.Namespace) -> LoginOptions:
    return LoginOptions(
        provider=provider_from(arguments),
        port=arguments.port,
        open_browser=not arguments.no_browser,
        deadline=arguments.timeout,
        device_code_fallback=True,
        allowed_workspaces=tuple(arguments.workspace),
    )


class Command:
    """One run of the command. To its driver it is the login's observer and store."""

    def __init__(
        self, arguments: argparse.Namespace, options: LoginOptions, log: LogFile, record: Callable[[str], object] | None
    ) -> None:
        self.options = options
        self.record = record
        """Takes the lines of a trace, if one is wanted."""
        self._arguments = arguments
        self._log = log
        self.method = LoginMethod.DEVICE_CODE if arguments.device_code else LoginMethod.BROWSER
        self._terminal = Terminal()
        self._input: HiddenInput | None = None
        self._takes_address = False
        """The login has a callback, whose address can be pasted."""
        self._hinted = False
        self._advice = ""
        """What to do about a store that cannot be used."""
        self._where = ""
        """Where the credentials are, when they are."""
        self._outcome: LoginOutcome | None = None
        self._told = False
        """The outcome was told."""
        self._lines: JsonLines | None = None
        if arguments.json:
            from ..terminal.json_lines import JsonLines  # noqa: PLC0415 - json is loaded for those who want it

            self._lines = JsonLines()

    # For the driver

    def on_progress(self, phase: LoginPhase) -> None:
        """Tell of a phase."""
        if isinstance(phase, Listening):
            self._show_url(phase.url)
        elif isinstance(phase, DeviceCodeShown):
            self._show_device_code(phase)
        else:
            self._tell(phase)
        if self._lines is not None and not self._told:
            self._lines.phase(phase)
        self._log.phase(phase)

    def save(self, credentials: Credentials) -> Credentials | None:
        """Store the credentials."""
        from ..stores import open_from  # noqa: PLC0415 - the URL is shown first

        store = open_from(self._arguments, on_warning=self.warn, on_fallback=self._tell_of_fallback)
        replaced = store.save(credentials)
        self._where = store.where
        return replaced

    def warn(self, text: str) -> None:
        """Tell of something unusual that ends nothing."""
        self._terminal.line(f"Warning: {text}.", "warn")

    def start_waiting(self, paste: Callable[[str], None]) -> None:
        """The person is in the browser now.

        Args:
            paste: Takes the address on which it ended, from any thread.
        """
        # There is time for it now: loaded when the tokens are there, it would keep the browser waiting.
        from .. import stores  # noqa: F401, PLC0415

        if not self._takes_address:
            self._terminal.start_waiting("Waiting for you to enter the code (Ctrl-C to stop)")
            return
        from ..terminal.hidden_input import HiddenInput, can_hide_input  # noqa: PLC0415 - the URL is shown first

        if can_hide_input():
            self._input = HiddenInput(paste)
            self._input.start()
        self._terminal.start_waiting("Waiting for the browser (Ctrl-C to stop)")

    def finish(self, outcome: LoginOutcome | None) -> None:
        """The outcome is known: tell of it."""
        self._outcome = outcome
        self._stop_input()
        self._terminal.stop_waiting()
        if outcome is None:
            return
        failed = error_for(outcome)
        if failed is None:
            self._terminal.line(f"Your credentials are in {self._where}")
        else:
            title, _, explanation = failed.failure.describe().partition("\n")
            self._terminal.line(title, "bad")
            self._terminal.line(explanation)
        self._tell_programs(outcome)

    # For `run`

    @property
    def ends_the_process(self) -> bool:
        """Nothing comes after the command."""
        return bool(self._arguments.ends_the_process)

    def check_store(self) -> None:
        """Find out before the person is sent to the browser that the result could not be stored.

        Raises:
            StoreError: The home folder cannot be used, or there is no keyring.
        """
        # (The log has made the folder, if it could.)
        home = self._arguments.home
        if not os.path.isdir(home) or not os.access(home, os.W_OK | os.X_OK):  # noqa: PTH112 - pathlib is not loaded yet
            problem = "it cannot be written" if os.path.isdir(home) else "it is no folder, and cannot be made one"  # noqa: PTH112
            self._advice = "Name another folder with --home, or make this one yours to write."
            raise StoreError(f"the folder for your credentials, {home}, cannot be used: {problem}")
        if self._arguments.store == "keyring":
            self._advice = "Set a keyring up, or take --store file (--store auto does so by itself)."
            from ...drivers.stores.keyring_store import KeyringStore  # noqa: PLC0415

            KeyringStore(self._arguments.home).check()

    def refuse(self, problem: str, phase: LoginFailurePhase, category: LoginFailureCategory) -> None:
        """Nothing was started, because the certificate bundle or the store cannot be used."""
        self._log.note(f"not started: {category}")
        self._terminal.line(f"{problem[:1].upper()}{problem[1:]}.", "bad")
        if category is LoginFailureCategory.PERSIST_FAILED:
            self._terminal.line(self._advice)
        self._tell_programs(LoginFailure(phase=phase, category=category, message=problem))

    def close(self) -> None:
        """Let the last lines out."""
        self._stop_input()
        self._terminal.close()
        if self._lines is not None:
            self._lines.close()

    def exit_code(self, received: int | None) -> int:
        """The exit code, given the signal that came meanwhile, if one did."""
        if isinstance(self._outcome, LoginSuccess):
            return 0
        if isinstance(self._outcome, LoginCancellation) and received is not None:
            return 128 + received
        if isinstance(self._outcome, LoginFailure) and self._outcome.trigger in _IN_USE:
            return PORT_IN_USE
        return FAILED

    # What is said

    def _tell_programs(self, outcome: LoginOutcome) -> None:
        if self._lines is not None and not self._told:
            self._lines.finished(outcome)
        # It is the last line: a browser that is gone is no news any more.
        self._told = True

    def _tell_of_fallback(self, text: str) -> None:
        self.warn(text)
        if self._lines is not None:
            self._lines.fallback(text)

    def _show_url(self, url: str) -> None:
        if self.options.open_browser:
            self._terminal.line("Opening your browser to sign in. If it does not appear, open this address yourself:")
        else:
            self._terminal.line("To sign in, open this address in a browser on this machine:")
        self._terminal.line()
        self._terminal.line(url, "strong")
        self._terminal.line()
        self._takes_address = True
        # What follows is loaded when the URL is on its way to the screen.
        from ..environment import why_no_browser  # noqa: PLC0415
        from ..terminal.hidden_input import can_hide_input  # noqa: PLC0415

        reason = why_no_browser()
        if reason is not None:
            self._hint(f"This looks like {reason}")
        elif can_hide_input():
            self._terminal.line("If your browser ends on a page that it cannot reach, paste that page's address here.")

    def _show_device_code(self, phase: DeviceCodeShown) -> None:
        self._terminal.line("To sign in, open this address in a browser on any machine:")
        self._terminal.line()
        self._terminal.line(phase.url, "strong")
        self._terminal.line()
        self._terminal.line(f"and enter this code within {phase.validity}:")
        self._terminal.line()
        self._terminal.line(phase.user_code, "strong")
        self._terminal.line()
        self._terminal.line("It is for you alone. Never enter a code that somebody else gave you.", "warn")

    def _hint(self, why: str) -> None:
        """Say how to sign in without a browser here, before the person waits in vain. Once."""
        if self._hinted:
            return
        self._hinted = True
        from ..terminal.hidden_input import can_hide_input  # noqa: PLC0415 - as above

        where = "here" if can_hide_input() else "into 'loginmachine complete', in another shell on this machine"
        self._terminal.line(f"{why}. A browser on another machine will do, in either of two ways:")
        self._terminal.line("- Open the address there. It ends on a page that cannot be reached: paste that page's")
        self._terminal.line(f"  address {where}.")
        self._terminal.line("- Or stop this (Ctrl-C), and run the same command with --device-code added.")

    def _stop_input(self) -> None:
        if self._input is not None:
            self._input.stop()
            self._input = None

    def _tell(self, phase: LoginPhase) -> None:
        if isinstance(phase, (Failed, Cancelled)) and getattr(phase, "fatal", True):
            # The end of the login is told with all that is known of it, when it is known.
            return
        if isinstance(phase, Succeeded):
            self._terminal.line(phase.text, "good")
        elif isinstance(phase, Failed):
            self._terminal.line(f"Note: {phase.text}", "warn")
            if phase.category is LoginFailureCategory.BROWSER_LAUNCH_FAILED:
                self._hint("No browser here")
        elif isinstance(phase, PasteRefused):
            self._terminal.line(phase.text, "warn")
        elif phase.is_user_visible:
            self._terminal.line(phase.text)
        elif self._arguments.verbose:
            self._terminal.line(phase.text, "soft")

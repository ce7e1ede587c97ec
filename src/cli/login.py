"""``loginmachine login``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..drivers.errors import LoginError, LoginFailed
from ..drivers.threaded import start_login
from ..sansio.failures import LoginFailure
from ..sansio.options import LoginOptions, Provider
from ..sansio.outcome import LoginCancellation, LoginSuccess
from ..sansio.progress import Cancelled, Failed, Listening, Succeeded
from ..sansio.table import Trigger
from .interrupts import Interrupts
from .log_file import LogFile
from .terminal import Terminal

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from ..drivers.threaded import ThreadedLogin
    from ..sansio.credentials import Credentials
    from ..sansio.outcome import LoginOutcome
    from ..sansio.progress import LoginPhase
    from .json_lines import JsonLines

FAILED: Final = 1
PORT_IN_USE: Final = 13

_IN_USE: Final = (Trigger.PORT_TAKEN, Trigger.PREVIOUS_REFUSED)


def run(arguments: argparse.Namespace) -> int:
    """Sign in, and return the exit code."""
    try:
        options = _options(arguments)
    except ValueError as error:
        arguments.usage_error(str(error))
    with LogFile(arguments.home) as log:
        return _Command(arguments, options, log).run()


def _options(arguments: argparse.Namespace) -> LoginOptions:
    return LoginOptions(
        provider=Provider.chatgpt(
            issuer=arguments.issuer, client_id=arguments.client_id, originator=arguments.originator
        ),
        port=arguments.port,
        open_browser=not arguments.no_browser,
        deadline=arguments.timeout,
        allowed_workspaces=tuple(arguments.workspace),
    )


class _Command:
    """One run of the command: the login, and what is told of it to whom."""

    def __init__(
        self,
        arguments: argparse.Namespace,
        options: LoginOptions,
        log: LogFile,
    ) -> None:
        self._arguments = arguments
        self._options = options
        self._terminal = Terminal()
        self._log = log
        self._path: Path | None = None
        """Where the credentials are, when they are."""
        self._lines: JsonLines | None = None
        if arguments.json:
            from .json_lines import JsonLines  # noqa: PLC0415 - json is loaded for those who want it

            self._lines = JsonLines()

    def run(self) -> int:
        """Sign in, and return the exit code."""
        login = start_login(self._options, store=self, on_progress=self._on_progress)
        with Interrupts(login.canceller()) as interrupts:
            try:
                with login:
                    self._terminal.start_waiting("Waiting for the browser (Ctrl-C to stop)")
                    self._finish(login)
            except LoginFailed:
                # The callback port could not be had.
                self._finish(login)
            except LoginError as error:
                self._terminal.line(f"{error}.", "bad")
                self._log.note("not started: the certificate bundle cannot be used")
        return self._exit_code(login.outcome, interrupts)

    def save(self, credentials: Credentials) -> None:
        """Store the credentials: the command is its login's store, so that files are loaded for when they are used."""
        from ..drivers.store import FileStore  # noqa: PLC0415

        store = FileStore(self._arguments.home, on_warning=self._warn)
        store.save(credentials)
        self._path = store.path

    def _warn(self, text: str) -> None:
        self._terminal.line(f"Warning: {text}.", "warn")

    def _finish(self, login: ThreadedLogin) -> None:
        """Wait for the outcome and tell of it at once; the last pages go out after that."""
        try:
            login.wait()
        except LoginFailed as error:
            self._terminal.stop_waiting()
            self._terminal.line(error.failure.describe(), "bad")
        else:
            self._terminal.stop_waiting()
            self._terminal.line(f"Your credentials are in {self._path}")
        lines, self._lines = self._lines, None
        if lines is not None and login.outcome is not None:
            lines.finished(login.outcome)

    def _exit_code(self, outcome: LoginOutcome | None, interrupts: Interrupts) -> int:
        if isinstance(outcome, LoginSuccess):
            return 0
        if isinstance(outcome, LoginCancellation) and interrupts.exit_code is not None:
            return interrupts.exit_code
        if isinstance(outcome, LoginFailure) and outcome.trigger in _IN_USE:
            return PORT_IN_USE
        return FAILED

    def _on_progress(self, phase: LoginPhase) -> None:
        if isinstance(phase, Listening):
            self._show_url(phase.url)
        else:
            self._tell(phase)
        if self._lines is not None:
            self._lines.phase(phase)
        self._log.phase(phase)

    def _show_url(self, url: str) -> None:
        if self._options.open_browser:
            self._terminal.line("Opening your browser to sign in. If it does not appear, open this address yourself:")
        else:
            self._terminal.line("To sign in, open this address in a browser on this machine:")
        self._terminal.line()
        self._terminal.line(url, "strong")
        self._terminal.line()

    def _tell(self, phase: LoginPhase) -> None:
        if isinstance(phase, (Failed, Cancelled)) and getattr(phase, "fatal", True):
            # The end of the login is told with all that is known of it, when it is known.
            return
        if isinstance(phase, Succeeded):
            self._terminal.line(phase.text, "good")
        elif isinstance(phase, Failed):
            self._terminal.line(f"Note: {phase.text}", "warn")
        elif phase.is_user_visible:
            self._terminal.line(phase.text)
        elif self._arguments.verbose:
            self._terminal.line(phase.text, "soft")

"""What ``loginmachine login`` shows: to the person on the terminal, to programs as JSON, and in the log file."""

from __future__ import annotations

from ...drivers.errors import error_for
from ...drivers.system.choice import opens_nothing
from ...sansio.login.failures import LoginFailureCategory
from ...sansio.login.outcome import LoginFailure, LoginSuccess
from ...sansio.login.progress import (
    Cancelled,
    DeviceCodeShown,
    Failed,
    HttpsRefused,
    Listening,
    OpeningBrowser,
    PasteRefused,
    Succeeded,
)
from ...sansio.model.options import DEFAULT_DEADLINE
from ..sign_in.address import show_address
from ..terminal.display import Terminal
from ..terminal.writer import can_hide_input

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from ...sansio.login.failures import LoginFailureStep
    from ...sansio.login.outcome import LoginOutcome
    from ...sansio.login.progress import LoginPhase
    from ...sansio.login.states import Trigger
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.provider import Provider
    from ..sign_in.device_code import DeviceBrowser
    from ..sign_in.joining import MeetingPoint
    from ..terminal.hidden_input import HiddenInput
    from ..terminal.json_lines import JsonLines
    from ..terminal.log_file import LogFile


class LoginView:
    """Shows one login.

    Args:
        arguments: The command line.
        log: The log file; every phase is noted there.
        provider: The provider of the login; None for Codex's.
        make_point: Makes what other sign-ins wait for; called when the login waits. None for nothing.
    """

    def __init__(
        self,
        arguments: argparse.Namespace,
        log: LogFile,
        provider: Provider | None = None,
        make_point: Callable[[], MeetingPoint] | None = None,
    ) -> None:
        self._make_point = make_point
        self._point: MeetingPoint | None = None
        self._opens_browser = not arguments.no_browser and not opens_nothing()
        self._is_codex = provider is None or provider.dialect.stores_in_auth_json
        self._issues_clients = provider is not None and provider.dialect.issues_clients
        self._device_code_was_tried: bool = arguments.device_code or self._issues_clients
        self._arguments = arguments
        self._limit: float | None = arguments.timeout
        """Seconds for which the login waits for the person; None for no limit."""
        self._shown: Listening | None = None
        """The address that was shown, and the port, if the login waits for a callback."""
        self._browser: DeviceBrowser | None = None
        self._is_verbose = arguments.verbose
        self._log = log
        self._terminal = Terminal()
        self._input: HiddenInput | None = None
        self._has_hinted = False
        self.show_once: Callable[[str], bool] = lambda _: False
        """Returns whether something that is shown once is to be shown, and notes that it was."""
        self.stored_in = ""
        """Where the credentials are stored; empty until they are."""
        self.outcome: LoginOutcome | None = None
        """The outcome; None until it is known."""
        self._json: JsonLines | None = None
        self._json_is_finished = False
        """The last JSON line was written."""
        if arguments.json:
            from ..terminal.json_lines import JsonLines  # noqa: PLC0415 - json is loaded only if it is needed

            self._json = JsonLines()

    # During the login

    def on_progress(self, phase: LoginPhase) -> None:
        """Show a phase."""
        if isinstance(phase, Listening):
            self._show_url(phase)
        elif isinstance(phase, DeviceCodeShown):
            self._show_device_code(phase)
        else:
            self._show_phase(phase)
        if self._json is not None and not self._json_is_finished:
            self._json.phase(phase)
        self._log.phase(phase)

    def warn(self, text: str) -> None:
        """Show a warning, which does not end the login."""
        self._terminal.line(f"Warning: {text}.", "warn")

    def warn_of_fallback(self, text: str) -> None:
        """Show that the file is used because the keyring is unavailable."""
        self.warn(text)
        if self._json is not None:
            self._json.fallback(text)

    def start_waiting(self, paste: Callable[[str], None]) -> None:
        """Show that the login waits for the person, and let them paste the callback address.

        Args:
            paste: Called with each pasted text, in another thread.
        """
        # Load now what is needed to save the tokens: later, the browser would have to wait for it.
        from ...drivers.stores import auto_store  # noqa: F401, PLC0415
        from ..codex_config import warnings_about  # noqa: PLC0415

        if self._make_point is not None:
            self._point = self._make_point()
            self._point.begin()
        for text in warnings_about(self._arguments.home, self._arguments.workspace) if self._is_codex else ():
            self.warn(text)
        if self._shown is None:
            self._terminal.start_waiting("Waiting for your code (Ctrl-C to stop)", self._limit)
            return
        if can_hide_input():
            from ..terminal.hidden_input import HiddenInput  # noqa: PLC0415 - the URL is shown first

            self._input = HiddenInput(paste, {b"c": self._copy_url} if self._terminal.can_redraw else None)
            self._input.start()
        self._terminal.start_waiting("Waiting for the browser (Ctrl-C to stop)", self._limit)

    # At its end

    def finish(self, outcome: LoginOutcome | None) -> None:
        """Show the outcome."""
        self.outcome = outcome
        self._stop_input()
        self._terminal.stop_waiting()
        if self._browser is not None:
            self._browser.stop()
        if self._point is not None:
            self._point.end(outcome)
        if outcome is None:
            return
        error = error_for(outcome)
        if isinstance(outcome, LoginSuccess):
            self._terminal.line(f"Your credentials are in {self.stored_in}")
            self._show_plan(outcome.credentials)
        elif error is not None:
            title, _, explanation = error.failure.describe().partition("\n")
            self._terminal.line(title, "bad")
            self._terminal.line(explanation)
            self._point_to_command(error.failure.category, error.failure.trigger)
        self._finish_json(outcome)

    def not_started(
        self, problem: str, step: LoginFailureStep, category: LoginFailureCategory, advice: str = ""
    ) -> None:
        """Show why the login was not started.

        Args:
            problem: The reason, without a capital letter or a full stop.
            step: The step that would fail.
            category: For programs and the log.
            advice: What to do about it; a sentence.
        """
        self._log.note(f"not started: {category}")
        self._terminal.line(f"{problem[:1].upper()}{problem[1:]}.", "bad")
        if advice:
            self._terminal.line(advice)
        else:
            self._point_to_command(category)
        self._finish_json(LoginFailure(step=step, category=category, message=problem))

    def close(self) -> None:
        """Restore the terminal, and write what is left."""
        self._stop_input()
        self._terminal.close()
        if self._json is not None:
            self._json.close()

    def _point_to_command(self, category: LoginFailureCategory, trigger: Trigger | None = None) -> None:
        from ..sign_in.doctor_hint import another_client, doctor_hint  # noqa: PLC0415 - for failures only

        hint = another_client(trigger, self._arguments) or doctor_hint(category, self._arguments)
        if hint:
            self._terminal.line(hint)

    def _finish_json(self, outcome: LoginOutcome) -> None:
        if self._json is not None and not self._json_is_finished:
            self._json.finished(outcome)
        # "finished" is the last line. Phases can still follow, for example if the browser has closed the connection.
        self._json_is_finished = True

    def _stop_input(self) -> None:
        if self._input is not None:
            self._input.stop()
            self._input = None

    # Texts

    def _show_plan(self, credentials: Credentials) -> None:
        if self._issues_clients:
            from ..providers.plan import lines_after_login  # noqa: PLC0415 - not for the default provider

            for line in lines_after_login(credentials, self.show_once):
                self._terminal.line(line)

    def _show_url(self, phase: Listening) -> None:
        show_address(self._terminal, phase.url, is_opened=self._opens_browser, at_chatgpt=self._issues_clients)
        self._shown = phase
        # The URL is on its way to the screen: now there is time to load these.
        from ..environment import why_no_browser  # noqa: PLC0415

        if self._arguments.listen_address not in (None, "127.0.0.1", "::1"):
            from ..sign_in.hints import about_listening  # noqa: PLC0415 - rare

            self.warn(about_listening(self._arguments.listen_address, phase.port))
        if self._terminal.can_redraw and can_hide_input():
            self._terminal.line("To copy the address, press c.")
        reason = why_no_browser()
        if reason is not None:
            self._show_hint(reason)
        else:
            where = self._where_to_paste()
            self._terminal.line(
                f"If your browser ends on a page that it cannot reach, paste that page's address {where}."
            )
        if self._arguments.qr:
            self._show_qr_code(phase.url)

    def _copy_url(self) -> None:
        assert self._shown is not None
        self._terminal.copy(self._shown.url)
        self._terminal.line("The address is sent to your clipboard. (Not every terminal allows that.)")

    def _show_qr_code(self, address: str) -> None:
        from ..sign_in.codes import show_qr_code  # noqa: PLC0415 - segno takes long to load

        show_qr_code(self._terminal, address, is_wanted=self._arguments.qr)

    def _show_device_code(self, phase: DeviceCodeShown) -> None:
        from ..sign_in.device_code import show_device_code  # noqa: PLC0415 - for device codes only

        self._browser = show_device_code(self._terminal, phase, opens_browser=self._opens_browser)
        if self._limit is None or self._limit == DEFAULT_DEADLINE:
            self._limit = phase.expires_in
        self._limit = min(self._limit, phase.expires_in)
        self._show_qr_code(phase.complete_url or phase.url)

    def _show_hint(self, reason: str | None = None) -> None:
        """Explain, once, how to sign in with a browser on another machine."""
        if self._has_hinted or self._shown is None:
            return
        self._has_hinted = True
        from ..sign_in.hints import ways  # noqa: PLC0415 - the URL is shown first

        has_codes, paste = not self._device_code_was_tried, self._where_to_paste()
        # A provider that issues clients takes no --port.
        can_be_published = self._arguments.listen_address is None and not self._issues_clients
        for line in ways(
            reason, self._shown.port, paste, has_device_codes=has_codes, can_be_published=can_be_published
        ):
            self._terminal.line(line)

    @staticmethod
    def _where_to_paste() -> str:
        return "here" if can_hide_input() else "into 'loginmachine complete', in another shell on this machine"

    def _show_phase(self, phase: LoginPhase) -> None:
        if isinstance(phase, (Failed, Cancelled)) and getattr(phase, "fatal", True):
            # `finish` shows the end of the login, with more details.
            return
        if isinstance(phase, Succeeded):
            self._terminal.line(phase.text, "good")
        elif isinstance(phase, Failed):
            self._terminal.line(f"Note: {phase.text}", "warn")
            if phase.category is LoginFailureCategory.BROWSER_LAUNCH_FAILED:
                self._show_hint()
        elif isinstance(phase, OpeningBrowser):
            # The address is shown before it, with the same words.
            pass
        elif isinstance(phase, HttpsRefused):
            where = "" if can_hide_input() else f" Paste it {self._where_to_paste()}."
            self._terminal.line(f"{phase.text}{where}", "warn")
        elif isinstance(phase, PasteRefused):
            self._terminal.line(phase.text, "warn")
        elif phase.is_user_visible:
            self._terminal.line(phase.text)
        elif self._is_verbose:
            self._terminal.line(phase.text, "soft")

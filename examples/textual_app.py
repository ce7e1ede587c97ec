"""A login screen with a cancel button in a Textual program.

Needs the package textual. Run it with the issuer as argument, or without for Codex's provider.
"""

import sys
import tempfile

from textual.app import App, ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Button, Label, Link, Log

from loginmachine import Credentials, FileStore, LoginFailed, LoginOptions, Provider, asyncio_open_login, progress


class LoginScreen(ModalScreen[Credentials | None]):
    """Signs the person in. Its result is None if they cancelled, or if the login failed."""

    BINDINGS = [("escape", "cancel", "Cancel")]  # noqa: RUF012 - as Textual has it

    def __init__(self, options: LoginOptions) -> None:
        super().__init__()
        self._options = options

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Label("Sign in in your browser:")
        yield Link("(one moment)", url="")
        yield Log()
        yield Button("Cancel")

    def on_mount(self) -> None:
        """Begin. Textual cancels the worker when the screen goes, and that cancels the login."""
        self.run_worker(self._sign_in(), exclusive=True)

    async def _sign_in(self) -> None:
        link, store = self.query_one(Link), FileStore(tempfile.mkdtemp())
        try:
            async with asyncio_open_login(self._options, store=store, on_progress=self._show) as login:
                link.url = link.text = login.auth_url
                credentials = await login.wait()
        except LoginFailed as error:
            self.app.notify(str(error), severity="error")
            self.dismiss(None)
        else:
            self.dismiss(credentials)

    def _show(self, phase: progress.LoginPhase) -> None:
        self.query_one(Log).write_line(phase.text)

    def on_button_pressed(self) -> None:
        """Cancel."""
        self.action_cancel()

    def action_cancel(self) -> None:
        """Close the screen."""
        self.dismiss(None)


class Program(App[str]):
    """Signs in, and says who is signed in."""

    def __init__(self, issuer: str) -> None:
        super().__init__()
        self._options = LoginOptions(provider=Provider.codex(issuer=issuer), port=0, open_browser=False, deadline=120)

    def on_mount(self) -> None:
        """Show the login screen at once."""
        self.push_screen(LoginScreen(self._options), self._signed_in)

    def _signed_in(self, credentials: Credentials | None) -> None:
        account = credentials and credentials.tokens and credentials.tokens.account_id
        self.exit(f"The account is {account}" if credentials else "You are not signed in.")


if __name__ == "__main__":
    print(Program(*sys.argv[1:] or ["https://auth.openai.com"]).run())

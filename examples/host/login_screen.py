"""A small program with a login screen. Its tests are in test_login_screen.py, and need no network.

Run it with the issuer of a provider and a client id: python login_screen.py https://id.example my-client
"""

from __future__ import annotations

import sys
from typing import Protocol

from loginmachine import (
    Credentials,
    CredentialStore,
    LoginCancelled,
    LoginFailed,
    LoginMethod,
    LoginOptions,
    MemoryStore,
    Provider,
    StoreError,
    ThreadedLogin,
    progress,
    start_login,
)


class Screen(Protocol):
    """Where the program talks to the person."""

    def show(self, line: str) -> None:
        """Show a line."""

    def has_pressed_cancel(self) -> bool:
        """Return whether the person has pressed the button."""


class Terminal:
    """A screen that has no button."""

    def show(self, line: str) -> None:
        """Print a line."""
        print(line)

    def has_pressed_cancel(self) -> bool:
        """Return False."""
        return False


def sign_in(
    options: LoginOptions, store: CredentialStore, screen: Screen, method: LoginMethod = LoginMethod.BROWSER
) -> Credentials | None:
    """Sign a person in, and show how it goes. Return None if it does not succeed."""

    def on_progress(phase: progress.LoginPhase) -> None:
        if isinstance(phase, progress.Failed) and not phase.fatal:
            screen.show(f"({phase.text})")

    try:
        with start_login(options, store=store, on_progress=on_progress, method=method) as login:
            if method is LoginMethod.BROWSER:
                screen.show(f"If no browser opens, open {login.auth_url}")
            else:
                screen.show(f"Open {login.device_code.verification_url} and enter {login.device_code.user_code}")
            credentials = wait(login, screen)
    except LoginCancelled:
        screen.show("You have not been signed in.")
        return None
    except LoginFailed as failed:
        screen.show(f"{failed.failure.title}. {failed.failure.hint}")
        return None
    except StoreError as error:
        screen.show(f"Credentials cannot be stored: {error}")
        return None
    screen.show("Welcome!")
    return credentials


def wait(login: ThreadedLogin, screen: Screen) -> Credentials:
    """Wait for the login, and look at the button twice a second."""
    while True:
        try:
            return login.wait(timeout=0.5)
        except TimeoutError:
            if screen.has_pressed_cancel():
                login.cancel("the button")


def main(issuer: str, client_id: str) -> int:
    """Sign a person in, and keep the credentials in memory."""
    options = LoginOptions(provider=Provider.openid(issuer, client_id=client_id))
    return 0 if sign_in(options, MemoryStore(), Terminal()) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

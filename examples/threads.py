"""Embed a login in a plain threaded program: show the address, offer to cancel, use the credentials.

Run it with the issuer as argument, or without for Codex's provider.
"""

import sys
import tempfile

from loginmachine import FileStore, LoginCancelled, LoginFailed, LoginOptions, Provider, progress, start_login


def show(phase: progress.LoginPhase) -> None:
    """Called in a thread of the login."""
    if phase.is_user_visible:
        print(phase.text)


def main(issuer: str) -> int:
    """Sign in and print the account."""
    options = LoginOptions(provider=Provider.codex(issuer=issuer), port=0, open_browser=False, deadline=120)
    with start_login(options, store=FileStore(tempfile.mkdtemp()), on_progress=show) as login:
        print(login.auth_url, flush=True)
        # A "cancel" button elsewhere in the program: button.on_click(login.canceller().cancel)
        try:
            credentials = login.wait()
        except LoginCancelled:
            print("You cancelled the sign-in.")
            return 1
        except LoginFailed as error:
            print(f"{error.category}: {error.message}")
            return 1
    print("The account is", credentials.tokens and credentials.tokens.account_id)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:] or ["https://auth.openai.com"]))

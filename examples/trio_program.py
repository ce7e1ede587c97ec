"""Embed a login in a trio program with a nursery of its own and a cancel button.

Run it with the issuer as argument, or without for Codex's provider.
"""

import os
import sys
import tempfile

import trio

from loginmachine import FileStore, LoginCancelled, LoginFailed, LoginOptions, Provider, TrioLogin, open_login


async def cancel_button(login: TrioLogin) -> None:
    """Stands for a user interface: here the button is the word "cancel" on standard input."""
    # (Abandoned when the sign-in is over: a thread that reads cannot be interrupted.)
    while text := await trio.to_thread.run_sync(os.read, 0, 1024, abandon_on_cancel=True):
        if b"cancel" in text:
            login.cancel("the cancel button was pressed")


async def main(issuer: str) -> int:
    """Sign in while the rest of the program goes on."""
    options = LoginOptions(provider=Provider.codex(issuer=issuer), port=0, open_browser=False, deadline=120)
    async with (
        trio.open_nursery() as nursery,
        open_login(options, store=FileStore(tempfile.mkdtemp())) as login,
    ):
        nursery.start_soon(cancel_button, login)
        print(login.auth_url, flush=True)
        try:
            credentials = await login.wait()
        except LoginCancelled:
            print("You cancelled the sign-in.")
            return 1
        except LoginFailed as error:
            print(f"{error.category}: {error.message}")
            return 1
        finally:
            nursery.cancel_scope.cancel()
    print("The account is", credentials.tokens and credentials.tokens.account_id)
    return 0


if __name__ == "__main__":
    sys.exit(trio.run(main, sys.argv[1] if sys.argv[1:] else "https://auth.openai.com"))

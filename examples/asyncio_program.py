"""Embed a login in an asyncio program with a task group of its own and a cancel button.

Run it with the issuer as argument, or without for Codex's provider.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

from loginmachine import (
    AsyncioLogin,
    FileStore,
    LoginCancelled,
    LoginFailed,
    LoginOptions,
    Provider,
    asyncio_open_login,
)


@contextlib.contextmanager
def cancel_button(login: AsyncioLogin) -> Iterator[None]:
    """Stands for a user interface: here the button is the word "cancel" on standard input, a terminal or a pipe."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        text = os.read(0, 1024)
        if b"cancel" in text:
            login.cancel("the cancel button was pressed")
        if not text:
            loop.remove_reader(0)

    loop.add_reader(0, read)
    try:
        yield
    finally:
        loop.remove_reader(0)


async def main(issuer: str) -> int:
    """Sign in while the rest of the program goes on. Cancelling this task cancels the login."""
    options = LoginOptions(provider=Provider.codex(issuer=issuer), port=0, open_browser=False, deadline=120)
    async with asyncio_open_login(options, store=FileStore(tempfile.mkdtemp())) as login:
        print(login.auth_url, flush=True)
        with cancel_button(login):
            try:
                credentials = await login.wait()
            except LoginCancelled:
                print("You cancelled the sign-in.")
                return 1
            except LoginFailed as error:
                print(f"{error.category}: {error.message}")
                return 1
    print("The account is", credentials.tokens and credentials.tokens.account_id)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:] or ["https://auth.openai.com"])))

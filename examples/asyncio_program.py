"""Embed a login in an asyncio program: the threaded driver in a thread, cancelled when the task is.

Run it with the issuer as argument, or without for ChatGPT.
"""

import asyncio
import sys
import tempfile

from loginmachine import Credentials, FileStore, LoginFailed, LoginOptions, Provider, start_login


async def sign_in(options: LoginOptions) -> Credentials:
    """Sign in. Cancelling this task cancels the login."""
    login = start_login(options, store=FileStore(tempfile.mkdtemp()))

    def run() -> Credentials:
        with login:
            print(login.auth_url, flush=True)
            return login.wait()

    try:
        return await asyncio.to_thread(run)
    except asyncio.CancelledError:
        # This ends the thread.
        login.cancel("the task was cancelled")
        raise


async def main(issuer: str) -> int:
    """Sign in while the event loop goes on."""
    options = LoginOptions(provider=Provider.codex(issuer=issuer), port=0, open_browser=False, deadline=120)
    try:
        credentials = await sign_in(options)
    except LoginFailed as error:
        print(f"{error.category}: {error.message}")
        return 1
    print("The account is", credentials.tokens and credentials.tokens.account_id)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:] or ["https://auth.openai.com"])))

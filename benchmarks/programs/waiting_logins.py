"""Many logins that wait in one trio program: prints the memory that they take, then their URLs."""

from __future__ import annotations

import sys
from pathlib import Path

import trio

from loginmachine import LoginOptions, MemoryStore, Provider, open_login


def resident() -> int:
    """Bytes of resident memory (Linux)."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


async def main_async(issuer: str, count: int) -> None:
    """Open them, print, and wait for all."""
    options = LoginOptions(provider=Provider.codex(issuer=issuer), port=0, open_browser=False, deadline=None)
    urls: list[str] = []

    open_ones = trio.Semaphore(0)

    async def sign_in() -> None:
        async with open_login(options, store=MemoryStore()) as login:
            urls.append(login.auth_url)
            open_ones.release()
            await login.wait()

    async with trio.open_nursery() as nursery:
        # What the first one loads is not counted: wait until that is done.
        nursery.start_soon(sign_in)
        await open_ones.acquire()
        await trio.sleep(1)
        first = resident()
        for _ in range(count - 1):
            nursery.start_soon(sign_in)
        for _ in range(count - 1):
            await open_ones.acquire()
        await trio.sleep(1)
        print(resident() - first, flush=True)
        for url in urls:
            print(url, flush=True)


def main() -> None:
    """Run."""
    trio.run(main_async, sys.argv[1], int(sys.argv[2]))


if __name__ == "__main__":
    main()

"""Many logins that wait in one program of trio or asyncio: prints the memory that they take, then their URLs."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import trio

from loginmachine import LoginOptions, MemoryStore, Provider, asyncio_open_login, open_login


def resident() -> int:
    """Bytes of resident memory (Linux)."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def options_for(issuer: str) -> LoginOptions:
    """Return the options of each login."""
    return LoginOptions(provider=Provider.codex(issuer=issuer), port=0, open_browser=False, deadline=None)


def show(memory: int, urls: list[str]) -> None:
    """Print the result."""
    print(memory, flush=True)
    for url in urls:
        print(url, flush=True)


async def in_trio(options: LoginOptions, count: int) -> None:
    """Open them, print, and wait for all."""
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
        show(resident() - first, urls)


async def in_asyncio(options: LoginOptions, count: int) -> None:
    """Do the same."""
    urls: list[str] = []
    open_ones = asyncio.Semaphore(0)

    async def sign_in() -> None:
        async with asyncio_open_login(options, store=MemoryStore()) as login:
            urls.append(login.auth_url)
            open_ones.release()
            await login.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sign_in())
        await open_ones.acquire()
        await asyncio.sleep(1)
        first = resident()
        for _ in range(count - 1):
            tasks.create_task(sign_in())
        for _ in range(count - 1):
            await open_ones.acquire()
        await asyncio.sleep(1)
        show(resident() - first, urls)


def main() -> None:
    """Run."""
    options, count = options_for(sys.argv[1]), int(sys.argv[2])
    if sys.argv[3] == "trio":
        trio.run(in_trio, options, count)
    else:
        asyncio.run(in_asyncio(options, count))


if __name__ == "__main__":
    main()

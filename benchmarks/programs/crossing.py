"""Many callers of a session while its token becomes due, and is refreshed."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time

import httpx
import trio
from held_tokens import signed_in  # type: ignore[import-not-found]  # it is beside this, on PYTHONPATH

from loginmachine import AsyncioSession, Session, TrioSession

RATE = 10_000
"""Calls a second, of all callers together."""
SECONDS = 3.0
DUE_AFTER = 1.0
AHEAD = 300


def in_threads(session: Session, callers: int) -> list[float]:
    """Return the seconds of every call."""
    taken: list[float] = []
    ends = time.perf_counter() + SECONDS

    def call(number: int) -> None:
        time.sleep(number / RATE)
        while (begin := time.perf_counter()) < ends:
            session.access_token()
            taken.append(time.perf_counter() - begin)
            time.sleep(callers / RATE)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


async def in_tasks(session: TrioSession, callers: int) -> list[float]:
    """Return the seconds of every call."""
    taken: list[float] = []
    ends = time.perf_counter() + SECONDS

    async def call(number: int) -> None:
        # They are spread, because trio takes 20 us to run each of 2,000 tasks that wake at once.
        await trio.sleep(number / RATE)
        while (begin := time.perf_counter()) < ends:
            await session.access_token()
            taken.append(time.perf_counter() - begin)
            await trio.sleep(callers / RATE)

    async with trio.open_nursery() as nursery:
        for number in range(callers):
            nursery.start_soon(call, number)
    return taken


async def in_tasks_of_asyncio(session: AsyncioSession, callers: int) -> list[float]:
    """Return the seconds of every call."""
    taken: list[float] = []
    ends = time.perf_counter() + SECONDS

    async def call(number: int) -> None:
        await asyncio.sleep(number / RATE)
        while (begin := time.perf_counter()) < ends:
            await session.access_token()
            taken.append(time.perf_counter() - begin)
            await asyncio.sleep(callers / RATE)

    async with asyncio.TaskGroup() as tasks:
        for number in range(callers):
            tasks.create_task(call(number))
    return taken


def main() -> None:
    """Print the milliseconds of the slowest call, how many calls there were, and how many token requests."""
    os.environ["CODEX_REFRESH_TOKEN_URL_OVERRIDE"] = f"{sys.argv[1]}/oauth/token"
    callers = int(sys.argv[3])
    store = signed_in(AHEAD + DUE_AFTER)
    old = store.load()
    if sys.argv[2] == "threads":
        taken = in_threads(Session(store), callers)
    elif sys.argv[2] == "asyncio":
        taken = asyncio.run(in_tasks_of_asyncio(AsyncioSession(store), callers))
    else:
        taken = trio.run(in_tasks, TrioSession(store), callers)
    if store.load() == old:
        raise RuntimeError("the token was not refreshed")
    print(max(taken) * 1000, len(taken), httpx.get(f"{sys.argv[1]}/requests", trust_env=False).json()["requests"])

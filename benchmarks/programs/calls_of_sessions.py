"""Calls of a session with a valid token: of `access_token`, and of httpx with and without the session."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING

import httpx
import trio
from held_tokens import signed_in  # type: ignore[import-not-found]  # it is beside this, on PYTHONPATH

from loginmachine import AsyncioSession, Session, TrioSession

if TYPE_CHECKING:
    from collections.abc import Callable

HTTPX_SHARE = 10
"""One request of httpx takes as long as so many of the other calls, or more."""


def timed(call: Callable[[], object], calls: int) -> float:
    """Return the microseconds of a call."""
    begin = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - begin) / calls * 1e6


async def timed_in_loop(session: TrioSession | AsyncioSession, calls: int) -> float:
    """Return the microseconds of a call."""
    begin = time.perf_counter()
    for _ in range(calls):
        await session.access_token()
    return (time.perf_counter() - begin) / calls * 1e6


def main() -> None:
    """For each line of standard input, print the microseconds that a call takes, of as many as the line says."""
    store = signed_in(86400)
    threaded, in_trio, in_asyncio = Session(store), TrioSession(store), AsyncioSession(store)
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    plain, ours = httpx.Client(transport=transport), httpx.Client(transport=transport, auth=threaded.auth)
    for line in sys.stdin:
        calls = int(line)
        found = (
            timed(threaded.access_token, calls),
            trio.run(timed_in_loop, in_trio, calls),
            asyncio.run(timed_in_loop(in_asyncio, calls)),
            timed(lambda: plain.get("https://api.example/"), calls // HTTPX_SHARE),
            timed(lambda: ours.get("https://api.example/"), calls // HTTPX_SHARE),
        )
        print(*found, flush=True)

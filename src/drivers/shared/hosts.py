"""What the calling code runs in, so that a program that took the names of another driver gets an error that helps."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    Kind = Literal["login", "session", "sign_out", "web_logins"]


class Host(NamedTuple):
    """A kind of program, and the public names for it."""

    word: str
    """Its event loop, or "threads"."""
    login: str
    """What signs a person in."""
    session: str
    """What gives access tokens."""
    sign_out: str
    """What signs a person out."""
    client: str
    """The client of httpx for it."""
    web_logins: str
    """What signs people in at a web host."""


THREADS: Final = Host("threads", "start_login", "Session", "sign_out", "httpx.Client", "WebLogins")
TRIO: Final = Host("trio", "open_login", "TrioSession", "trio_sign_out", "httpx.AsyncClient", "TrioWebLogins")
ASYNCIO: Final = Host(
    "asyncio", "asyncio_open_login", "AsyncioSession", "asyncio_sign_out", "httpx.AsyncClient", "AsyncioWebLogins"
)


def running_host() -> Host:
    """Return what the calling code runs in. This loads neither trio nor asyncio."""
    # (Another thread may be loading trio just now.)
    trio: Any = getattr(sys.modules.get("trio"), "lowlevel", None)
    if trio is not None and getattr(trio, "in_trio_task", bool)():
        return TRIO
    asyncio: Any = sys.modules.get("asyncio.events")
    if asyncio is not None and getattr(asyncio, "_get_running_loop", bool)():
        return ASYNCIO
    return THREADS


def check_host(own: Host, kind: Kind) -> None:
    """Check that the calling code runs in the event loop that something is for.

    Args:
        own: What it is for.
        kind: What was called.

    Raises:
        RuntimeError: Another event loop runs here, or none.
    """
    running = running_host()
    if running is not own:
        place = "without an event loop" if running is THREADS else f"with {running.word}"
        raise RuntimeError(
            f"{getattr(own, kind)} is for {own.word}, which does not run here: {place} use {getattr(running, kind)}"
        )

"""Authentication for httpx with the tokens of an `AsyncioSession`."""

from __future__ import annotations

from ..shared.authorization import AsyncTokenAuth
from ..shared.hosts import ASYNCIO


class AsyncioSessionAuth(AsyncTokenAuth):
    """Puts the token of an `AsyncioSession` into every request of an `httpx.AsyncClient` with asyncio."""

    _host = ASYNCIO

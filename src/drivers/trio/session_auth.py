"""Authentication for httpx with the tokens of a `TrioSession`."""

from __future__ import annotations

from ..shared.authorization import AsyncTokenAuth
from ..shared.hosts import TRIO


class TrioSessionAuth(AsyncTokenAuth):
    """Puts the token of a `TrioSession` into every request of an `httpx.AsyncClient` with trio."""

    _host = TRIO

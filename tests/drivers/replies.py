"""Replies of the scripted HTTP servers: what an endpoint sends back in a test."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from werkzeug import Response

if TYPE_CHECKING:
    from collections.abc import Callable


def reply(content: object, status: int = 200, **headers: str) -> Callable[[], Response]:
    """Return a reply with a JSON body. Bytes are sent as they are."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: Response(body, status, fields, content_type="application/json")


def raw_reply(body: bytes, status: str = "200 OK", *fields: str) -> bytes:
    """Return the bytes of a whole HTTP response, for a scripted TCP server."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *fields])
    return head.encode("latin-1") + b"\r\n\r\n" + body

"""HTTP/1.1 on one callback connection. It takes and returns bytes, without a socket or a clock, for every driver.

h11 parses and serialises. The limits are enforced here, because h11 applies its own to incomplete input only. How the
bytes are split into packets does not change the answer: h11 sees only whole heads, and every earlier refusal happens at
a fixed byte.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

import h11

from ...sansio.base.records import Record, hidden
from ...sansio.callback.requests import MAX_TARGET
from ...sansio.callback.responses import Response, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...sansio.base.http import Headers

MAX_HEAD: Final = 16 * 1024
MAX_HEADER_LINES: Final = 100

HEAD_TIMEOUT: Final = 5.0
"""Seconds from accepting a connection to its whole request head."""
SEND_TIMEOUT: Final = 5.0
"""Seconds for sending an answer."""
CLOSE_TIMEOUT: Final = 1.0
"""Seconds from the end of an answer to the end of its connection."""
MAX_DRAINED: Final = 64 * 1024
"""Bytes that are read and discarded after the answer. Unread bytes would cause a TCP reset, and the client might lose
the answer."""
MAX_CONNECTIONS: Final = 64
"""Connections that are open at once."""

_END_OF_HEAD: Final = re.compile(rb"\n\r?\n")
_VISIBLE: Final = range(0x21, 0x7F)
_TLS_HANDSHAKE: Final = b"\x16"


class OpenConnection(Protocol):
    """What `enforce_limit` needs of a driver's connection."""

    closing: bool
    """Whether the connection is about to end by itself."""
    awaits_answer: bool
    """Whether a whole request has arrived, and its answer has not been sent."""

    def drop(self) -> None:
        """End the connection, because there are too many."""


def enforce_limit(connections: Iterable[OpenConnection]) -> bool:
    """Allow another connection. If there are `MAX_CONNECTIONS`, drop the oldest one that awaits no answer.

    Args:
        connections: The open connections, the oldest first.

    Returns:
        False if every open connection awaits an answer. The new connection must then be closed.
    """
    live = [connection for connection in connections if not connection.closing]
    if len(live) < MAX_CONNECTIONS:
        return True
    idle = next((connection for connection in live if not connection.awaits_answer), None)
    if idle is None:
        return False
    idle.drop()
    return True


class Request(Record):
    """A whole request head."""

    method: bytes
    target: bytes = hidden()
    headers: Headers = hidden()


class CallbackConnection:
    """The HTTP of one connection, which carries one request and one answer."""

    def __init__(self) -> None:
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD + 1)
        self._buffer = bytearray()
        self._is_head = False

    @property
    def is_tls(self) -> bool:
        """Whether the client began a TLS handshake (RFC 8446 section 5.1)."""
        return self._buffer[:1] == _TLS_HANDSHAKE

    def receive(self, data: bytes) -> Request | Response | None:
        """Add received bytes.

        Args:
            data: Not empty. Bytes after the request head are ignored.

        Returns:
            The request; or the answer that refuses it; or None if more bytes are needed.
        """
        # The end of the head can begin at most two bytes back. A client that sends single bytes must not cost a search
        # of the whole buffer for each.
        begun = max(len(self._buffer) - 2, 0)
        self._buffer += data
        # Known before anything is parsed, because the refusal of a HEAD request has no body either.
        self._is_head = self._buffer.startswith(b"HEAD ")
        if self._buffer[0] not in _VISIBLE:
            # No request begins like this. It is a TLS handshake, another protocol, or garbage.
            return refusal(400)
        if self._target_too_long():
            return refusal(414)
        end = _END_OF_HEAD.search(self._buffer, begun, MAX_HEAD)
        size = end.end() if end else MAX_HEAD
        # Two more than the header lines: the request line and the empty line.
        if self._buffer.count(b"\n", 0, size) > MAX_HEADER_LINES + 2:
            return refusal(431)
        if end is None:
            return refusal(431) if len(self._buffer) >= MAX_HEAD else None
        return self._parse(bytes(self._buffer[:size]))

    def answer(self, answer: Response) -> bytes:
        """Return the bytes of an answer. The connection is closed after it."""
        parts = [self._connection.send(h11.Response(status_code=answer.status, headers=list(answer.headers)))]
        # h11 would insist on a body: it does not know of a HEAD request that was refused before it was parsed.
        if not self._is_head:
            parts += [self._connection.send(part) for part in (h11.Data(data=answer.body), h11.EndOfMessage())]
        return b"".join(part for part in parts if part)

    def _target_too_long(self) -> bool:
        """Return whether the request target exceeds its limit, or the request line the limit of the head.

        The target is the text between the first two spaces of the request line.
        """
        seen = min(len(self._buffer), MAX_HEAD)
        newline = self._buffer.find(b"\n", 0, seen)
        line = seen if newline < 0 else newline
        start = self._buffer.find(b" ", 0, line) + 1
        end = self._buffer.find(b" ", start, line) if start else 0
        # For an incomplete target, the bytes received so far are compared.
        return (line if end < 0 else end) - start > MAX_TARGET or (newline < 0 and seen == MAX_HEAD)

    def _parse(self, head: bytes) -> Request | Response:
        status = 0
        event: object = None
        # The errors of h11 quote the request line, which may hold the code. No text of them is used.
        try:
            self._connection.receive_data(head)
            event = self._connection.next_event()
        except h11.RemoteProtocolError as error:
            # 501 means a transfer coding that h11 does not know, and so a body.
            status = {431: 431, 501: 413}.get(error.error_status_hint, 400)
        if status or not isinstance(event, h11.Request):
            return refusal(status or 400)
        if event.http_version not in (b"1.0", b"1.1"):
            return refusal(505)
        if _has_body(event):
            return refusal(413)
        return Request(method=event.method, target=event.target, headers=tuple(event.headers))


def _has_body(request: h11.Request) -> bool:
    """Return whether a request has a body: a transfer coding, or a length other than zero. A callback needs none."""
    for name, value in request.headers:
        if name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0")):
            return True
    return False

"""HTTP/1.1 on one callback connection: bytes in, bytes out. No socket and no clock, so that every driver shares it.

h11 parses and serialises; the limits are counted here, because h11 applies its own to incomplete input only. The
answer to given bytes does not depend on how they are cut: h11 sees a head when it is whole, and what must be refused
earlier is refused at a fixed byte.
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
"""Seconds from the accepting of a connection to its whole request head."""
SEND_TIMEOUT: Final = 5.0
"""Seconds that a client has to take its answer."""
CLOSE_TIMEOUT: Final = 1.0
"""Seconds from the end of an answer to the end of its connection."""
MAX_DRAINED: Final = 64 * 1024
"""Bytes that are read and dropped after the answer, so that a TCP reset does not take it away from the client."""
MAX_CONNECTIONS: Final = 64
ACCEPT_RETRY_DELAY: Final = 0.1
"""Seconds to wait when the system has no descriptor left for another connection."""

_END_OF_HEAD: Final = re.compile(rb"\n\r?\n")
_VISIBLE: Final = range(0x21, 0x7F)


class OpenConnection(Protocol):
    """A driver's connection, as far as it matters to whom room is made for."""

    closing: bool
    """It is about to end by itself."""
    is_owed: bool
    """A whole request has come, and its answer is not out yet."""

    def drop(self) -> None:
        """End it, to make room."""


def make_room(connections: Iterable[OpenConnection]) -> bool:
    """Drop the oldest connection that is owed no answer, if there are too many for another one.

    Args:
        connections: The oldest first.

    Returns:
        False if there is none to drop, so that the new one has to go.
    """
    live = [connection for connection in connections if not connection.closing]
    if len(live) < MAX_CONNECTIONS:
        return True
    idle = next((connection for connection in live if not connection.is_owed), None)
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
    """One connection, which carries one request and one answer."""

    def __init__(self) -> None:
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD + 1)
        self._buffer = bytearray()
        self._is_head = False

    def receive(self, data: bytes) -> Request | Response | None:
        """Take bytes that came in.

        Args:
            data: Not empty. What follows a request head is never looked at.

        Returns:
            The request; or the answer that refuses it; or None if more bytes are needed.
        """
        # An end that has begun is at most this far back: a drip must not cost a search of everything for each byte.
        begun = max(len(self._buffer) - 2, 0)
        self._buffer += data
        # Told before anything is parsed: a refusal of a HEAD has no body either.
        self._is_head = self._buffer.startswith(b"HEAD ")
        if self._buffer[0] not in _VISIBLE:
            # No request begins so: a TLS handshake, another protocol, or noise.
            return refusal(400)
        if self._target_too_long():
            return refusal(414)
        end = _END_OF_HEAD.search(self._buffer, begun, MAX_HEAD)
        size = end.end() if end else MAX_HEAD
        # The request line and the empty line count as two.
        if self._buffer.count(b"\n", 0, size) > MAX_HEADER_LINES + 2:
            return refusal(431)
        if end is None:
            return refusal(431) if len(self._buffer) >= MAX_HEAD else None
        return self._parse(bytes(self._buffer[:size]))

    def answer(self, answer: Response) -> bytes:
        """The bytes of an answer, after which the connection is closed."""
        parts = [self._connection.send(h11.Response(status_code=answer.status, headers=list(answer.headers)))]
        # h11 knows of a HEAD only when it has parsed it, and would miss the body of one that is refused before.
        if not self._is_head:
            parts += [self._connection.send(part) for part in (h11.Data(data=answer.body), h11.EndOfMessage())]
        return b"".join(part for part in parts if part)

    def _target_too_long(self) -> bool:
        """What stands between the first two spaces of the request line is, or the line has no end."""
        seen = min(len(self._buffer), MAX_HEAD)
        newline = self._buffer.find(b"\n", 0, seen)
        line = seen if newline < 0 else newline
        start = self._buffer.find(b" ", 0, line) + 1
        end = self._buffer.find(b" ", start, line) if start else 0
        # (A target that has not ended yet is as long as what has come of it.)
        return (line if end < 0 else end) - start > MAX_TARGET or (newline < 0 and seen == MAX_HEAD)

    def _parse(self, head: bytes) -> Request | Response:
        status = 0
        event: object = None
        # h11's errors quote the request line, so that nothing of them may get out of here.
        try:
            self._connection.receive_data(head)
            event = self._connection.next_event()
        except h11.RemoteProtocolError as error:
            # 501: a transfer coding that h11 does not know, so a body.
            status = {431: 431, 501: 413}.get(error.error_status_hint, 400)
        if status or not isinstance(event, h11.Request):
            return refusal(status or 400)
        if event.http_version not in (b"1.0", b"1.1"):
            return refusal(505)
        if _has_body(event):
            return refusal(413)
        return Request(method=event.method, target=event.target, headers=tuple(event.headers))


def _has_body(request: h11.Request) -> bool:
    """Any transfer coding, or a length other than zero: there is nothing to send to a callback."""
    for name, value in request.headers:
        if name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0")):
            return True
    return False

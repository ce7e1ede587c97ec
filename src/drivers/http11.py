"""HTTP/1.1 on one callback connection: bytes in, bytes out. No socket and no clock, so that every driver shares it.

h11 parses and serialises; the limits are counted here, because h11 applies its own to incomplete input only. The
answer to given bytes does not depend on how they are cut: h11 sees a head when it is whole, and what must be refused
earlier is refused at a fixed byte.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import h11

from ..sansio.answers import Answer, refusal
from ..sansio.records import Record, hidden

if TYPE_CHECKING:
    from ..sansio.events import Headers

MAX_HEAD: Final = 16 * 1024
MAX_TARGET: Final = 8192
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
        self._method = b""

    def receive(self, data: bytes) -> Request | Answer | None:
        """Take bytes that came in.

        Args:
            data: Not empty. What follows a request head is never looked at.

        Returns:
            The request; or the answer that refuses it; or None if more bytes are needed.
        """
        self._buffer += data
        # Told before anything is parsed: a refusal of a HEAD has no body either.
        self._method = b"HEAD" if self._buffer.startswith(b"HEAD ") else b""
        if self._buffer[0] not in _VISIBLE:
            # No request begins so: a TLS handshake, another protocol, or noise.
            return refusal(400)
        if self._target_too_long():
            return refusal(414)
        end = _END_OF_HEAD.search(self._buffer, 0, MAX_HEAD)
        head = self._buffer[: end.end() if end else MAX_HEAD]
        # The request line and the empty line count as two.
        if head.count(b"\n") > MAX_HEADER_LINES + 2:
            return refusal(431)
        if end is None:
            return refusal(431) if len(self._buffer) >= MAX_HEAD else None
        return self._parse(bytes(head))

    def answer(self, answer: Answer) -> bytes:
        """The bytes of an answer, after which the connection is closed."""
        parts = [self._connection.send(h11.Response(status_code=answer.status, headers=list(answer.headers)))]
        if self._method != b"HEAD":
            parts.append(self._connection.send(h11.Data(data=answer.body)))
        parts.append(self._connection.send(h11.EndOfMessage()))
        return b"".join(part for part in parts if part)

    def _target_too_long(self) -> bool:
        line, newline, _ = self._buffer[:MAX_HEAD].partition(b"\n")
        words = line.split(b" ")
        if newline:
            return len(words) > 1 and len(words[1]) > MAX_TARGET
        return len(self._buffer) >= MAX_HEAD

    def _parse(self, head: bytes) -> Request | Answer:
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

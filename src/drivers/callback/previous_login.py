"""Ask an older login server to free the port, with the request that the Codex CLI and this package understand."""

from __future__ import annotations

import socket
import time
from typing import Final

from ...sansio.callback.responses import CANCEL_PATH, CANCELLED_BODY

CANCEL_TIMEOUT: Final = 2.0
"""Seconds for the whole exchange, because any program may hold the port."""
_MAX_ANSWER: Final = 1024


def cancel_previous(port: int) -> bool:
    """Send ``GET /cancel`` to a loopback port. Blocks for at most `CANCEL_TIMEOUT` seconds.

    It uses a plain socket, so that no proxy is involved. The answer is only compared, and never shown.

    Args:
        port: The port that is taken.

    Returns:
        Whether the holder answered as a login server does, and will free the port.
    """
    deadline = time.monotonic() + CANCEL_TIMEOUT
    request = f"GET {CANCEL_PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    answer = bytearray()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=CANCEL_TIMEOUT) as connection:
            connection.sendall(request.encode("ascii"))
            while len(answer) < _MAX_ANSWER and not _accepted(answer):
                connection.settimeout(max(deadline - time.monotonic(), 0.001))
                data = connection.recv(_MAX_ANSWER - len(answer))
                if not data:
                    break
                answer += data
    except OSError:
        # A reset may follow a complete answer.
        pass
    return _accepted(answer)


def _accepted(answer: bytearray) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    status_line = head.split(b" ", 2)
    return len(status_line) > 1 and status_line[1] == b"200" and CANCELLED_BODY.encode("ascii") in body

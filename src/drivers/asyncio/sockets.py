"""Accepting connections with asyncio, in such a way that a cancellation loses none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from typing import Any


async def wait_readable(listener: socket.socket) -> bool:
    """Wait until a connection can be accepted.

    Returns:
        False, at once, if the event loop cannot watch a socket: the one of Windows.
    """
    loop = asyncio.get_running_loop()
    readable = loop.create_future()
    try:
        loop.add_reader(listener, _note, readable)
    except NotImplementedError:
        return False
    try:
        await readable
    finally:
        loop.remove_reader(listener)
    return True


async def accept(listener: socket.socket) -> tuple[socket.socket, Any]:
    """Return the next connection, non-blocking, and the address of its client.

    The loop's own `sock_accept` loses a connection if the task is cancelled when it has just been accepted. Here
    nothing is awaited after that, but on Windows.

    Raises:
        OSError: The system has no descriptor left, or the client has left already.
    """
    while True:
        try:
            client, address = listener.accept()
        except BlockingIOError:
            if not await wait_readable(listener):
                return await asyncio.get_running_loop().sock_accept(listener)
        else:
            client.setblocking(False)
            return client, address


def _note(readable: asyncio.Future[None]) -> None:
    if not readable.done():
        readable.set_result(None)

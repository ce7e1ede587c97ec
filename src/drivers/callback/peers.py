"""Find out whether another user of this machine has sent a request. Only Linux tells, in ``/proc/net``.

Another local user may see the authorization URL in the launcher's arguments. With its ``state``, they could send a
callback with a code for their own account. The lines of ``/proc/net/tcp`` and ``tcp6`` name the user of each socket.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


PROC: Final = "/proc"
ATTEMPTS: Final = 3
"""Searches for a line. A line can be missed if the table changes while it is read."""
MAX_TABLE: Final = 64 * 1024 * 1024
"""The most bytes that are read of a table: some 400,000 sockets."""
_CHUNK: Final = 64 * 1024
_MAX_LINE: Final = 4096
_MAPPED: Final = bytes(10) + b"\xff\xff"
"""Before an IPv4 address, makes it an IPv6 address. An IPv6 socket may reach an IPv4 listener."""
_ALL_IDS: Final = 2**32 - 1
"""The number of user ids. (The last number is not an id.)"""
_USUAL_OVERFLOW_ID: Final = 65534
_ESTABLISHED: Final = 1
"""The TCP state in which the other end has neither closed nor reset the connection."""
_LISTENING: Final = b"0A"


class Connection(Protocol):
    """A connected socket of Python or of trio."""

    def getsockname(self) -> Any:  # noqa: ANN401 - as in socket
        """Return the address of this end."""

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes:
        """Return an option."""


def can_tell() -> bool:
    """Return whether to ask at all. Root's processes serve any user, and only Linux has these tables."""
    return sys.platform == "linux" and os.geteuid() != 0


def is_of_other_user(connection: Connection, client: tuple[Any, ...]) -> bool:
    """Return whether the client of a connection is a process of another user, other than root.

    A client that left before its user was seen is treated as another user's. Otherwise it would be enough to send a
    callback and to leave at once. A browser waits for the response.

    Args:
        connection: The accepted connection.
        client: The address of its client, as `accept` returned it.

    Returns:
        False also if the system does not tell: it is not Linux, the connection is in no table, or the id is not mapped
        into the user namespace of this process. False if this process is root's.
    """
    if not can_tell():
        return False
    try:
        return _is_of_other_user(connection, client)
    except (OSError, ValueError):
        return False


def _is_of_other_user(connection: Connection, client: tuple[Any, ...]) -> bool:
    tables = _Tables(connection.getsockname(), client)
    for _ in range(ATTEMPTS):
        has_left = _has_left(connection)
        tables.search()
        if tables.owners:
            return any(_is_foreign(owner) for owner in tables.owners)
        if tables.is_orphan or has_left:
            return tables.is_orphan or tables.has_listener
    return False


def _has_left(connection: Connection) -> bool:
    """Return whether the client has closed its end, or at least the half of it that sends."""
    try:
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != _ESTABLISHED
    except OSError:
        return False


class _Tables:
    """Searches the system's tables for the client's end of a connection.

    Args:
        own: The address of our end.
        client: The address of the client's end.
    """

    def __init__(self, own: tuple[Any, ...], client: tuple[Any, ...]) -> None:
        self.owners: set[int] = set()
        """The users of the client's end."""
        self.is_orphan = False
        """The client's end is there, but no process has it any more."""
        self.has_listener = False
        """Our listening socket is in the table, so the table is that of our connections."""
        client_end, own_end = _packed(client[0]), _packed(own[0])
        self._places = [("tcp6", client_end, own_end)]
        if len(client_end) == 4:
            self._places = [("tcp", client_end, own_end), ("tcp6", _MAPPED + client_end, _MAPPED + own_end)]
        self._ports = client[1], own[1]

    def search(self) -> None:
        """Search for the line of the client's end."""
        for name, client, own in self._places:
            client_end, own_end = _written(client, self._ports[0]), _written(own, self._ports[1])
            try:
                self._search(f"{PROC}/net/{name}", client_end, own_end)
            except OSError:
                # A system without IPv6 has no tcp6.
                continue
            if self.owners:
                return

    def _search(self, path: str, client_end: bytes, own_end: bytes) -> None:
        wanted, listening = b" %b %b " % (client_end, own_end), b" %b " % own_end
        for lines in _blocks(path):
            if wanted in lines or (not self.has_listener and listening in lines):
                for line in lines.splitlines():
                    self._read(line.split(), client_end, own_end)
                if self.owners:
                    # To read the rest of the table may take some milliseconds.
                    return

    def _read(self, fields: list[bytes], client_end: bytes, own_end: bytes) -> None:
        # sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
        if len(fields) < 10 or not (fields[7].isdigit() and fields[9].isdigit()):
            return
        if fields[1] == own_end and fields[3] == _LISTENING:
            self.has_listener = True
        if fields[1] == client_end and fields[2] == own_end:
            owner, inode = int(fields[7]), int(fields[9])
            # For a socket without a process, Linux before 6.17 writes root.
            if owner or inode:
                self.owners.add(owner)
            else:
                self.is_orphan = True


def _blocks(path: str) -> Iterator[bytes]:
    """Read a table in blocks of whole lines."""
    rest = b""
    size = 0
    with open(path, "rb", buffering=0) as table:  # noqa: PTH123 - pathlib is not loaded
        while size < MAX_TABLE and len(rest) <= _MAX_LINE and (data := table.read(_CHUNK)):
            size += len(data)
            lines, _, rest = (rest + data).rpartition(b"\n")
            yield lines


def _packed(host: str) -> bytes:
    """Return an address as bytes."""
    return socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host.partition("%")[0])


def _written(address: bytes, port: int) -> bytes:
    """Return one end of a connection as the tables write it: words of 32 bits, in the byte order of the machine."""
    words = struct.unpack(f"={len(address) // 4}I", address)
    return ("".join(f"{word:08X}" for word in words) + f":{port:04X}").encode("ascii")


def _is_foreign(owner: int) -> bool:
    if owner in (0, os.getuid(), os.geteuid()):
        return False
    return owner != _overflow_id() or _has_all_ids()


def _overflow_id() -> int:
    """Return the id that stands for every id that is not mapped into our user namespace."""
    try:
        return int(_read_file("sys/kernel/overflowuid"))
    except (OSError, ValueError):
        return _USUAL_OVERFLOW_ID


def _has_all_ids() -> bool:
    """Return whether every user id is mapped into our user namespace. Then no id stands for others."""
    try:
        return sum(int(line.split()[2]) for line in _read_file("self/uid_map").splitlines()) >= _ALL_IDS
    except (OSError, ValueError, IndexError):
        return False


def _read_file(name: str) -> bytes:
    with open(f"{PROC}/{name}", "rb") as file:  # noqa: PTH123 - as above
        return file.read(_CHUNK)

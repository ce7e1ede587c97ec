"""Who is at the other end of a connection, as Linux tells it in /proc/net."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from loginmachine.drivers.callback import peers
from loginmachine.drivers.callback.peers import can_tell, is_of_other_user

from ..support import PATIENCE, eventually, reset
from .test_listeners import needs_ipv6, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as several users")

US, ANOTHER, NOBODY = 1000, 1001, 65534
HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
CLIENT, OWN = "0100007F:C000", "0100007F:05AF"
CLIENT6, OWN6 = "00000000000000000000000001000000:C000", "00000000000000000000000001000000:05AF"
MAPPED, OWN_MAPPED = "0000000000000000FFFF00000100007F:C000", "0000000000000000FFFF00000100007F:05AF"
ALL_IDS = "         0          0 4294967295\n"


def line(local: str, remote: str, uid: int | str, *, state: str = "01", inode: int | str = 718187) -> str:
    return (
        f"   7: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 {uid:>5}        0 {inode} 1 0 20 4 30\n"
    )


def listening(own: str) -> str:
    return line(own, f"{'0' * (len(own) - 5)}:0000", US, state="0A")


class Connection(NamedTuple):
    """A connection to us that exists in the tables of a test only."""

    own: tuple[object, ...] = ("127.0.0.1", 1455)
    state: int | None = 1
    """The TCP state; None if it cannot be asked for."""

    def getsockname(self) -> tuple[object, ...]:
        return self.own

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        assert (level, option, size) == (socket.IPPROTO_TCP, socket.TCP_INFO, 1)
        if self.state is None:
            raise OSError
        return bytes([self.state])


ALIVE, LEFT = Connection(), Connection(state=8)
FROM = ("127.0.0.1", 0xC000)
ALIVE6, FROM6 = Connection(("::1", 1455, 0, 0)), ("::1", 0xC000, 0, 0)


class Proc:
    """A folder in the place of /proc."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("self/uid_map", ALL_IDS)
        self.write("sys/kernel/overflowuid", "65534\n")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def tcp(self, *lines: str) -> None:
        self.write("net/tcp", HEADER + "".join(lines))

    def tcp6(self, *lines: str) -> None:
        self.write("net/tcp6", HEADER + "".join(lines))


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Proc:
    """Return a faked /proc, which tells of a process of user 1000."""
    monkeypatch.setattr(os, "geteuid", lambda: US)
    monkeypatch.setattr(os, "getuid", lambda: US)
    monkeypatch.setattr(peers, "PROC", str(tmp_path))
    monkeypatch.setattr(sys, "byteorder", "little")
    return Proc(tmp_path)


little_endian = pytest.mark.skipif(sys.byteorder != "little", reason="the tables of these tests are little-endian")


@little_endian
@pytest.mark.parametrize(("uid", "is_foreign"), [(US, False), (0, False), (ANOTHER, True), (NOBODY, True)])
def test_the_owner_of_an_ipv4_client(proc: Proc, uid: int, *, is_foreign: bool) -> None:
    proc.tcp(listening(OWN), line(OWN, CLIENT, US), line(CLIENT, OWN, uid))
    assert is_of_other_user(ALIVE, FROM) is is_foreign


@little_endian
@pytest.mark.parametrize(("uid", "is_foreign"), [(US, False), (0, False), (ANOTHER, True)])
def test_the_owner_of_an_ipv6_client(proc: Proc, uid: int, *, is_foreign: bool) -> None:
    proc.tcp6(listening(OWN6), line(OWN6, CLIENT6, US), line(CLIENT6, OWN6, uid))
    assert is_of_other_user(ALIVE6, FROM6) is is_foreign


@little_endian
@pytest.mark.parametrize(("uid", "is_foreign"), [(US, False), (ANOTHER, True)])
def test_an_ipv6_socket_at_the_ipv4_address(proc: Proc, uid: int, *, is_foreign: bool) -> None:
    proc.tcp(listening(OWN), line(OWN, CLIENT, US))
    proc.tcp6(line(MAPPED, OWN_MAPPED, uid))
    assert is_of_other_user(ALIVE, FROM) is is_foreign


@little_endian
def test_only_the_line_of_this_connection_counts(proc: Proc) -> None:
    proc.tcp(
        listening(OWN),
        line("0100007F:C001", OWN, ANOTHER),
        line(CLIENT, "0100007F:05B0", ANOTHER),
        line("0200007F:C000", OWN, ANOTHER),
        line(OWN, CLIENT, ANOTHER),
        line(CLIENT, OWN, US),
    )
    assert is_of_other_user(ALIVE, FROM) is False


@little_endian
def test_a_connection_in_two_lines(proc: Proc) -> None:
    proc.tcp(line(CLIENT, OWN, US), line(CLIENT, OWN, ANOTHER))
    assert is_of_other_user(ALIVE, FROM) is True


@little_endian
@pytest.mark.parametrize("state", [1, 8, 7])
def test_a_client_that_half_closes_is_seen(proc: Proc, state: int) -> None:
    proc.tcp(listening(OWN), line(CLIENT, OWN, US, state="05"))
    assert is_of_other_user(Connection(state=state), FROM) is False


@little_endian
@pytest.mark.parametrize(
    "lines",
    [
        (listening(OWN),),
        (listening(OWN), line(CLIENT, OWN, 0, state="06", inode=0)),
        (line(CLIENT, OWN, 0, state="04", inode=0),),
    ],
)
def test_a_client_that_left_before_it_was_seen_is_another_user(proc: Proc, lines: tuple[str, ...]) -> None:
    proc.tcp(*lines)
    assert is_of_other_user(LEFT, FROM) is True


@little_endian
def test_newer_systems_name_the_user_of_a_client_that_left(proc: Proc) -> None:
    proc.tcp(listening(OWN), line(CLIENT, OWN, US, state="04", inode=0))
    assert is_of_other_user(LEFT, FROM) is False


@little_endian
@pytest.mark.parametrize("connection", [ALIVE, LEFT, Connection(state=None)])
@pytest.mark.parametrize("table", ["", HEADER, HEADER + line("0100007F:1000", "0100007F:2000", ANOTHER), "\0" * 9999])
def test_a_table_without_our_connections_does_not_tell(proc: Proc, connection: Connection, table: str) -> None:
    proc.write("net/tcp", table)
    assert is_of_other_user(connection, FROM) is False


@little_endian
def test_a_client_that_is_there_but_in_no_line(proc: Proc) -> None:
    proc.tcp(listening(OWN))
    assert is_of_other_user(ALIVE, FROM) is False


def test_a_system_without_tables_does_not_tell(proc: Proc) -> None:
    assert list(proc.folder.glob("net/*")) == []
    assert is_of_other_user(LEFT, FROM) is False


@little_endian
@pytest.mark.parametrize(("uid", "inode"), [("x", 1), ("-1", 1), (ANOTHER, "x")])
def test_a_line_that_cannot_be_read_does_not_tell(proc: Proc, uid: str, inode: str) -> None:
    proc.tcp(line(CLIENT, OWN, uid, inode=inode), f"   7: {CLIENT} {OWN} 01\n")
    assert is_of_other_user(ALIVE, FROM) is False


def test_an_address_that_is_none(proc: Proc) -> None:
    proc.tcp()
    assert is_of_other_user(ALIVE, ("nowhere", 1)) is False


@little_endian
def test_a_large_table_is_read_in_parts(proc: Proc, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [line(f"0100007F:{port:04X}", OWN, US) for port in range(2000)]
    proc.tcp(*others, line(CLIENT, OWN, ANOTHER))
    for size in (100, 4096, 65536):
        monkeypatch.setattr(peers, "_CHUNK", size)
        assert is_of_other_user(ALIVE, FROM) is True
    monkeypatch.setattr(peers, "MAX_TABLE", 4096)
    assert is_of_other_user(ALIVE, FROM) is False


@little_endian
def test_a_line_that_was_missed_is_searched_for_again(proc: Proc, monkeypatch: pytest.MonkeyPatch) -> None:
    proc.tcp(line(CLIENT, OWN, ANOTHER))
    real, misses = peers._blocks, [1, 1]

    def blocks(path: str) -> Iterator[bytes]:
        if path.endswith("tcp") and misses:
            misses.pop()
            return iter(())
        return real(path)

    monkeypatch.setattr(peers, "_blocks", blocks)
    assert is_of_other_user(ALIVE, FROM) is True


@little_endian
@pytest.mark.parametrize(
    ("uid_map", "is_foreign"),
    [
        (ALL_IDS, True),
        ("0 0 1000\n1000 1000 4294966295\n", True),
        ("      1000       1000          1\n", False),
        ("0 100000 65536\n", False),
        ("", False),
        ("nonsense\n", False),
        (None, False),
    ],
)
def test_an_id_that_is_not_mapped_does_not_tell(proc: Proc, uid_map: str | None, *, is_foreign: bool) -> None:
    if uid_map is None:
        (proc.folder / "self/uid_map").unlink()
    else:
        proc.write("self/uid_map", uid_map)
    proc.tcp(line(CLIENT, OWN, NOBODY))
    assert is_of_other_user(ALIVE, FROM) is is_foreign
    proc.tcp(line(CLIENT, OWN, ANOTHER))
    assert is_of_other_user(ALIVE, FROM) is True


@little_endian
@pytest.mark.parametrize(("overflow", "is_foreign"), [("1001\n", False), ("65534\n", True), ("", True), (None, True)])
def test_the_id_that_stands_for_others_can_be_set(proc: Proc, overflow: str | None, *, is_foreign: bool) -> None:
    proc.write("self/uid_map", "1000 1000 1\n")
    if overflow is None:
        (proc.folder / "sys/kernel/overflowuid").unlink()
    else:
        proc.write("sys/kernel/overflowuid", overflow)
    proc.tcp(line(CLIENT, OWN, ANOTHER))
    assert is_of_other_user(ALIVE, FROM) is is_foreign


@little_endian
def test_the_real_user_of_a_set_uid_program_is_ours(proc: Proc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: ANOTHER)
    proc.tcp(line(CLIENT, OWN, ANOTHER))
    assert is_of_other_user(ALIVE, FROM) is False


@pytest.mark.usefixtures("proc")
def test_root_and_other_systems_do_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_tell()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert not can_tell()
    assert is_of_other_user(LEFT, FROM) is False
    monkeypatch.setattr(os, "geteuid", lambda: US)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not can_tell()
    assert is_of_other_user(LEFT, FROM) is False


# The real tables

CLIENT_PROGRAM = """
import os, socket, sys
family, address, port, leaves, user = sys.argv[1:]
os.setgroups([])
os.setresgid(int(user), int(user), int(user))
os.setresuid(int(user), int(user), int(user))
client = socket.socket(int(family))
client.connect((address, int(port)))
client.sendall(b"x")
if leaves == "half":
    client.shutdown(socket.SHUT_WR)
if leaves == "close":
    client.close()
print("sent", flush=True)
sys.stdin.read()
"""


class Way(NamedTuple):
    """How a client reaches a listener."""

    family: int
    address: str
    listener: int


WAYS = [
    pytest.param(Way(socket.AF_INET, "127.0.0.1", 0), id="IPv4"),
    pytest.param(Way(socket.AF_INET6, "::ffff:127.0.0.1", 0), id="mapped", marks=needs_ipv6),
    pytest.param(Way(socket.AF_INET6, "::1", 1), id="IPv6", marks=needs_ipv6),
]


def judged(way: Way, user: int, leaves: str, *, as_user: int) -> bool:
    """Let a program of one user connect to a listener of ours, and ask as another user."""
    with opened(redirect_host="localhost" if way.listener else "127.0.0.1") as listeners:
        listener = listeners[way.listener]
        arguments = [str(way.family), way.address, str(listener.getsockname()[1]), leaves, str(user)]
        with subprocess.Popen(
            [sys.executable, "-I", "-c", CLIENT_PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as program:
            assert program.stdout is not None
            assert program.stdin is not None
            assert program.stdout.readline() == b"sent\n"
            listener.settimeout(PATIENCE)
            connection, client = listener.accept()
            with connection, acting_as(as_user):
                is_foreign = is_of_other_user(connection, client)
            program.stdin.close()
    return is_foreign


@contextlib.contextmanager
def acting_as(user: int) -> Iterator[None]:
    """Be another user for a moment."""
    os.setresuid(user, user, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@needs_root
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("leaves", ["stays", "half"])
def test_the_real_tables(way: Way, leaves: str) -> None:
    verdicts = [
        judged(way, user, leaves, as_user=as_user)
        for user, as_user in ((12345, 12345), (12346, 12345), (NOBODY, 12345), (0, 12345), (12346, 0))
    ]
    assert verdicts == [False, True, True, False, False]


@needs_root
@pytest.mark.parametrize("way", WAYS)
def test_another_user_that_leaves_at_once(way: Way) -> None:
    assert judged(way, 12346, "close", as_user=12345) is True


def test_our_own_client_in_the_real_tables() -> None:
    with opened() as (listener,), socket.create_connection(listener.getsockname()) as client:
        listener.settimeout(PATIENCE)
        connection, address = listener.accept()
        with connection:
            tables = peers._Tables(connection.getsockname(), address)
            tables.search()
            assert tables.owners == {os.geteuid()}
            assert tables.has_listener
            assert not peers._has_left(connection)
            reset(client)
            assert eventually(lambda: peers._has_left(connection))

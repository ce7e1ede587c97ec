"""The loopback sockets of the callback listener."""

from __future__ import annotations

import contextlib
import errno
import socket
from typing import TYPE_CHECKING, NoReturn

import pytest

from loginmachine.drivers.callback import listeners
from loginmachine.drivers.callback.listeners import open_listeners, port_of
from loginmachine.sansio.login.events import BindFailed, BindProblem

from ..support import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


def has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback address")


@contextlib.contextmanager
def opened(
    port: int = 0, redirect_host: str = "127.0.0.1", listen_address: str | None = None
) -> Iterator[list[socket.socket]]:
    found = open_listeners(port, redirect_host, listen_address)
    assert not isinstance(found, BindFailed)
    try:
        yield found
    finally:
        for listener in found:
            listener.close()


@contextlib.contextmanager
def stranger(address: str, port: int = 0) -> Iterator[int]:
    """Run another program that listens."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as holder:
        if family == socket.AF_INET6:
            holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address != "::"))
        holder.bind((address, port))
        holder.listen()
        yield holder.getsockname()[1]


def test_an_address_that_was_chosen() -> None:
    with opened(listen_address="0.0.0.0") as (listener,):
        assert listener.getsockname()[0] == "0.0.0.0"


@needs_ipv6
def test_an_ipv6_address_that_was_chosen() -> None:
    with opened(listen_address="::") as (listener,):
        assert listener.getsockname()[0] == "::"


def test_an_address_that_this_machine_does_not_have() -> None:
    failed = open_listeners(0, "127.0.0.1", "192.0.2.1")
    assert isinstance(failed, BindFailed)
    assert failed.kind is BindProblem.OTHER


def test_only_the_ipv4_loopback_address() -> None:
    port = free_port()
    with opened(port) as (listener,):
        assert listener.getsockname() == ("127.0.0.1", port)


@needs_ipv6
def test_localhost_is_both_loopback_addresses_on_one_port() -> None:
    with opened(redirect_host="localhost") as found:
        assert [listener.getsockname()[:2] for listener in found] == [
            ("127.0.0.1", port_of(found)),
            ("::1", port_of(found)),
        ]
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, port_of(found))).close()


@needs_ipv6
def test_the_ipv6_loopback_address_alone() -> None:
    with opened(redirect_host="[::1]") as listeners:
        assert [listener.getsockname()[0] for listener in listeners] == ["::1"]


def test_any_port() -> None:
    with opened() as found, opened() as others:
        assert port_of(found) > 0
        assert port_of(found) != port_of(others)


def test_listeners_are_not_inherited_and_do_not_block() -> None:
    with opened() as (listener,):
        assert not listener.get_inheritable()
        assert not listener.getblocking()
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="this system has no SO_REUSEPORT")
def test_the_port_is_not_shared() -> None:
    with opened() as (listener,), socket.socket() as thief:
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            thief.bind(("127.0.0.1", port_of([listener])))


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_taken_port_is_in_use(address: str) -> None:
    with stranger(address) as port:
        assert open_listeners(port, "127.0.0.1") == BindFailed(
            kind=BindProblem.IN_USE, message="Address already in use"
        )


@needs_ipv6
@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::"])
def test_a_port_taken_on_either_address_is_in_use_for_localhost(address: str) -> None:
    # What has been opened by then is closed again: the fixture of all tests counts descriptors.
    with stranger(address) as port:
        failed = open_listeners(port, "localhost")
    assert isinstance(failed, BindFailed)
    assert failed.kind is BindProblem.IN_USE


@needs_ipv6
def test_a_listener_on_ipv6_does_not_matter_to_an_ipv4_redirect() -> None:
    with stranger("::1") as port, opened(port) as (listener,):
        assert listener.getsockname() == ("127.0.0.1", port)


@needs_ipv6
def test_another_free_port_is_tried_if_it_is_taken_on_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    real, ports = listeners._listen, []

    def twin_is_taken_twice(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
        if family == socket.AF_INET6:
            ports.append(port)
            if len(ports) < 3:
                raise OSError(errno.EADDRINUSE, "Address already in use")
        return real(family, address, port)

    monkeypatch.setattr(listeners, "_listen", twin_is_taken_twice)
    with opened(redirect_host="localhost") as found:
        assert ports[-1:] == [port_of(found)]
        assert len(ports) == 3


def test_a_connection_of_an_earlier_login_does_not_hold_the_port() -> None:
    with opened() as found:
        port = port_of(found)
        client = socket.create_connection(("127.0.0.1", port))
        found[0].setblocking(True)
        served, _ = found[0].accept()
    # The side that closes first keeps the port in TIME_WAIT.
    served.close()
    client.close()
    with opened(port) as again:
        assert port_of(again) == port


@pytest.mark.parametrize(
    ("number", "winerror", "kind"),
    [
        (errno.EADDRINUSE, None, BindProblem.IN_USE),
        (errno.EACCES, None, BindProblem.OTHER),
        (errno.EACCES, 10013, BindProblem.FORBIDDEN),
        (errno.EMFILE, None, BindProblem.OTHER),
    ],
)
def test_the_kind_of_each_system_error(
    monkeypatch: pytest.MonkeyPatch, number: int, winerror: int | None, kind: BindProblem
) -> None:
    def refuse(*_: object) -> NoReturn:
        error = OSError(number, "its words")
        error.winerror = winerror  # type: ignore[attr-defined,unused-ignore]
        raise error

    monkeypatch.setattr(listeners, "_listen", refuse)
    assert open_listeners(1455, "127.0.0.1") == BindFailed(kind=kind, message="its words")


def test_another_address_than_asked_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "getsockname", lambda _: ("0.0.0.0", 1))
    assert open_listeners(0, "127.0.0.1") == BindFailed(
        kind=BindProblem.OTHER, message="the system bound another address"
    )


def test_a_machine_without_ipv6_listens_on_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    real = listeners._listen

    def no_ipv6(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        return real(family, address, port)

    monkeypatch.setattr(listeners, "_listen", no_ipv6)
    with opened(redirect_host="localhost") as found:
        assert [listener.getsockname()[0] for listener in found] == ["127.0.0.1"]

"""No test of the sans-IO core may use a socket."""

from __future__ import annotations

import socket
from typing import NoReturn

import pytest


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The core does no I/O, so a socket made in these tests is a mistake."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a test of the sans-IO core tried to use a socket")

    for name in ("socket", "socketpair", "create_connection", "create_server", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)

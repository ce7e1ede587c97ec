"""A keyring for the tests, put in its place by keyring's own means."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

import keyring as package
import pytest
from keyring.backend import KeyringBackend

from ..support import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class FakeKeyring(KeyringBackend):
    """Keeps its entries in memory."""

    priority: ClassVar[float] = -1  # never found by itself

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}
        self.trouble: Callable[[str], None] = lambda _call: None
        """Told what is about to be done; what it raises is raised."""
        self.loses = False
        """What is stored is gone at once."""

    def get_password(self, service: str, username: str) -> str | None:
        self.trouble("get")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.trouble("set")
        if not self.loses:
            self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.trouble("delete")
        if not self.loses:
            del self.entries[service, username]


class Hangs:
    """Does not answer until it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def __call__(self, _call: str) -> None:
        self.released.wait(PATIENCE)


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKeyring]:
    """The keyring of this system, for one test. That of the machine is never looked for."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    before = package.get_keyring()
    fake = FakeKeyring()
    package.set_keyring(fake)
    yield fake
    package.set_keyring(before)

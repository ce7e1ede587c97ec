"""A keyring for the tests, which is set as the backend of the package keyring."""

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
        """Called with the name of each operation. It may raise an exception."""
        self.loses = False
        """Whether the keyring ignores changes without an error."""

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
    """A keyring that does not answer until it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def __call__(self, _call: str) -> None:
        self.released.wait(PATIENCE)


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKeyring]:
    """Replace the keyring of this system for one test."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    before = package.get_keyring()
    fake = FakeKeyring()
    package.set_keyring(fake)
    yield fake
    package.set_keyring(before)

"""What a store raises is in the log at level DEBUG: with its text and its causes, and without secrets."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import FileStore, KeyringStore, LoginFailed, RefreshFailed, StoreError

from ..stores.keyring_support import FakeKeyring, keyring
from ..stores.test_file_store import CREDENTIALS
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all
from .session_drivers import SESSION_DRIVERS
from .test_exceptions import _Program, each_driver
from .test_session import FaultyStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..conftest import ScriptedProvider
    from ..support import Progress
    from .session_support import TokenEndpoint

__all__ = ["keyring"]


class Log:
    """The log of the package, and an exception that is expected in it."""

    def __init__(self, handler: pytest.LogCaptureFixture) -> None:
        handler.set_level(logging.DEBUG, "loginmachine")
        self._handler = handler

    def raised(self, more: str = "") -> Exception:
        """Return an exception with a cause."""
        error = ValueError(f"what the store says {more}")
        error.__cause__ = ZeroDivisionError("the first cause")
        return error

    def check(self) -> None:
        """Check that the log has the exception and its cause, in a record at level DEBUG, and no secret."""
        texts = [record.getMessage() for record in self._handler.records if record.levelname == "DEBUG"]
        text, *_ = [text for text in texts if "what the store says" in text]
        assert text.index("ZeroDivisionError: the first cause") < text.index("ValueError: what the store says")
        for secret in ("canary", "sk-new", "new-id", "new-access", "new-refresh"):
            assert secret not in self._handler.text


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    return Log(caplog)


@pytest.mark.parametrize("driver", SESSION_DRIVERS)
@pytest.mark.parametrize("method", ["load", "load refusal", "lock", "save", "release"])
def test_a_session(driver: Any, method: str, endpoint: TokenEndpoint, log: Log) -> None:
    store = FaultyStore()
    store.failing = {method: log.raised()}
    session = driver.session(store, endpoint.provider)
    with contextlib.suppress(RefreshFailed):
        driver.run(session.access_token)
    log.check()


@each_driver
@pytest.mark.parametrize("method", ["load", "save"])
def test_a_login(driver: str, method: str, provider: ScriptedProvider, progress: Progress, log: Log) -> None:
    store = FaultyStore()
    store.failing = {method: log.raised()}
    program = _Program(provider.options(), store=store, on_progress=progress)
    program.run(driver)
    assert (program.raised is None) == (method == "load")
    if program.raised is not None:
        assert isinstance(program.raised, LoginFailed)
        assert program.raised.__cause__ is None
    log.check()


@pytest.mark.parametrize(
    ("call", "act"),
    [
        ("get", lambda store: store.load()),
        ("set", lambda store: store.save(CREDENTIALS)),
        ("delete", lambda store: store.remove()),
    ],
)
def test_a_keyring(
    call: str, act: Callable[[KeyringStore], object], tmp_path: Path, keyring: FakeKeyring, log: Log
) -> None:
    store = KeyringStore(tmp_path)
    if call == "delete":
        store.save(CREDENTIALS)

    def fail(name: str) -> None:
        if name == call:
            # As a backend that shows what it was given. What it has not returned is not known.
            raise log.raised("" if call == "get" else "sk-new new-id new-access new-refresh")

    keyring.trouble = fail
    with pytest.raises(StoreError, match=r": the keyring raised ValueError$") as caught:
        act(store)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    log.check()


def test_the_system(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An error of a system call, of which the message has only a reason."""
    caplog.set_level(logging.DEBUG, "loginmachine")
    (tmp_path / "auth.json").mkdir()
    with pytest.raises(StoreError):
        FileStore(tmp_path).load()
    (record,) = caplog.records
    assert record.levelname == "DEBUG"
    assert record.getMessage().startswith("the store failed: OSError: ")

"""A keyring that answers after the time-out: what it changes then is undone."""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING

import pytest

from loginmachine import AutoStore, Credentials, KeyringStore, Secret, StoreBusy, StoreError
from loginmachine.drivers.stores import keyring_calls
from loginmachine.drivers.stores.locks import locked
from loginmachine.drivers.waiting import wait_for

from ..support import PATIENCE, eventually
from .keyring_support import FakeKeyring, keyring
from .test_file_store import CREDENTIALS, NEW, home, warnings

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["home", "keyring", "warnings"]

OTHERS = Credentials(auth_mode="apikey", api_key=Secret("old"))
LATE = r"has not answered within 0\.1 seconds\. What it changes later is undone, if this program still runs then$"


class HangsOnce:
    """Lets the n-th operation of a kind wait until it is released, before it is done."""

    def __init__(self, kind: str, number: int = 1) -> None:
        self._kind, self._left = kind, number
        self.released = threading.Event()
        self.is_waiting = False

    def __call__(self, kind: str) -> None:
        if kind == self._kind:
            self._left -= 1
            if self._left == 0:
                self.is_waiting = True
                assert self.released.wait(PATIENCE)
                self.is_waiting = False


@pytest.fixture
def kept(home: Path, warnings: list[str]) -> KeyringStore:
    return KeyringStore(home, on_warning=warnings.append, timeout=0.1)


@pytest.fixture(autouse=True)
def patient(keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin the time-out when the keyring hangs. A call that does not hang may take its time, on a loaded machine."""

    def wait(event: threading.Event, timeout: float) -> bool:
        assert eventually(lambda: event.is_set() or getattr(keyring.trouble, "is_waiting", False))
        return wait_for(event, timeout)

    monkeypatch.setattr(keyring_calls, "wait_for", wait)


def settled() -> bool:
    """Wait until no late call is left."""
    return eventually(lambda: not keyring_calls._late)


@pytest.mark.parametrize("before", [None, OTHERS])
@pytest.mark.parametrize(("kind", "number"), [("set", 1), ("get", 2)])
def test_a_late_save_is_undone(
    *, kept: KeyringStore, keyring: FakeKeyring, before: Credentials | None, kind: str, number: int
) -> None:
    if before is not None:
        kept.save(before)
    entries = dict(keyring.entries)
    keyring.trouble = hangs = HangsOnce(kind, number)
    with pytest.raises(StoreError, match=LATE):
        kept.save(CREDENTIALS)
    hangs.released.set()
    assert settled()
    assert keyring.entries == entries
    assert kept.load() == before
    kept.save(CREDENTIALS)
    assert kept.load() == CREDENTIALS


@pytest.mark.parametrize(("kind", "number"), [("delete", 1), ("get", 2)])
def test_a_late_removal_is_undone(kept: KeyringStore, keyring: FakeKeyring, kind: str, number: int) -> None:
    kept.save(OTHERS)
    keyring.trouble = hangs = HangsOnce(kind, number)
    with pytest.raises(StoreError, match=LATE):
        kept.remove()
    hangs.released.set()
    assert settled()
    assert kept.load() == OTHERS
    assert kept.remove() == OTHERS
    assert keyring.entries == {}


def test_the_next_change_waits_for_a_late_one(home: Path, keyring: FakeKeyring, kept: KeyringStore) -> None:
    keyring.trouble = hangs = HangsOnce("set")
    with pytest.raises(StoreError, match=LATE):
        kept.save(OTHERS)
    # While the late one hangs, nothing else is begun.
    with pytest.raises(StoreError, match=LATE):
        kept.save(CREDENTIALS)
    patient = KeyringStore(home, timeout=PATIENCE)
    saving = threading.Thread(target=patient.save, args=(CREDENTIALS,))
    saving.start()
    hangs.released.set()
    saving.join(PATIENCE)
    assert settled()
    assert kept.load() == CREDENTIALS


def test_a_sign_in_by_another_program_is_not_undone(
    kept: KeyringStore, keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring.trouble = hangs = HangsOnce("get", 2)
    with pytest.raises(StoreError, match=LATE):
        kept.save(CREDENTIALS)
    (key,) = keyring.entries
    keyring.entries[key] = '{"OPENAI_API_KEY": "theirs"}'
    monkeypatch.setattr("loginmachine.drivers.stores.keyring_store._UNDO_TIMEOUT", 0.01)
    hangs.released.set()
    assert settled()
    assert keyring.entries == {key: '{"OPENAI_API_KEY": "theirs"}'}


def test_a_late_change_is_undone_under_the_lock(home: Path, kept: KeyringStore, keyring: FakeKeyring) -> None:
    keyring.trouble = hangs = HangsOnce("set")
    with pytest.raises(StoreError, match=LATE):
        kept.save(CREDENTIALS)
    held: list[bool] = []

    def look(kind: str) -> None:
        if kind == "delete":
            try:
                with locked(home / "auth.lock", 0.0):
                    held.append(False)
            except StoreBusy:
                held.append(True)

    keyring.trouble = look
    hangs.released.set()
    assert settled()
    assert held == [True]


def test_what_cannot_be_undone_is_a_warning(
    kept: KeyringStore, keyring: FakeKeyring, warnings: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "loginmachine")
    keyring.trouble = hangs = HangsOnce("set")
    with pytest.raises(StoreError, match=LATE):
        kept.save(CREDENTIALS)

    def refuse(kind: str) -> None:
        if kind == "delete":
            raise OSError("what the keyring says")

    keyring.trouble = refuse
    hangs.released.set()
    assert settled()
    assert "OSError: what the keyring says" in caplog.text
    assert warnings == [f"{kept.where} was changed too late, and that could not be undone: OSError"]


def test_auto_stores_in_the_file_what_comes_too_late(home: Path, keyring: FakeKeyring, warnings: list[str]) -> None:
    auto = AutoStore(home, on_warning=warnings.append, timeout=0.1)
    keyring.trouble = hangs = HangsOnce("set")
    auto.save(CREDENTIALS)
    assert "has not answered" in warnings[0]
    hangs.released.set()
    assert settled()
    assert keyring.entries == {}
    assert (home / "auth.json").read_bytes() == NEW


def test_an_interrupted_save_is_undone(
    kept: KeyringStore, keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring.trouble = hangs = HangsOnce("set")
    waits: list[float] = []

    def interrupted(event: threading.Event, timeout: float) -> bool:
        waits.append(timeout)
        if len(waits) == 2:
            raise KeyboardInterrupt
        return wait_for(event, PATIENCE)

    monkeypatch.setattr(keyring_calls, "wait_for", interrupted)
    with pytest.raises(KeyboardInterrupt):
        kept.save(CREDENTIALS)
    hangs.released.set()
    assert settled()
    assert keyring.entries == {}


@pytest.mark.parametrize("does_it", [True, False])
def test_an_answer_that_is_lost(
    *, kept: KeyringStore, keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch, does_it: bool
) -> None:
    """The report says what is stored, although the keyring has raised an exception."""
    real = FakeKeyring.set_password

    def lose(self: FakeKeyring, *arguments: str) -> None:
        if does_it:
            real(self, *arguments)
        raise OSError("canary")

    monkeypatch.setattr(FakeKeyring, "set_password", lose)
    if does_it:
        kept.save(CREDENTIALS)
        assert [json.loads(value) for value in keyring.entries.values()] == [json.loads(NEW)]
    else:
        with pytest.raises(StoreError, match="the keyring raised OSError"):
            kept.save(CREDENTIALS)
        assert keyring.entries == {}


@pytest.mark.parametrize("before", [None, OTHERS], ids=["no entry", "an entry"])
def test_a_check_afterwards_that_fails(kept: KeyringStore, keyring: FakeKeyring, before: Credentials | None) -> None:
    if before is not None:
        kept.save(before)
    entries = dict(keyring.entries)
    gets: list[str] = []

    def fail_second(kind: str) -> None:
        if kind == "get":
            gets.append(kind)
            if len(gets) == 2:
                raise OSError("canary")

    keyring.trouble = fail_second
    with pytest.raises(StoreError, match="the keyring raised OSError"):
        kept.save(CREDENTIALS)
    # An entry that did not exist before is removed.
    assert keyring.entries == entries
    assert kept.load() == before


def test_a_refresh_asks_the_keyring_before_its_request(kept: KeyringStore, keyring: FakeKeyring) -> None:
    kept.save(OTHERS)

    def fail(_kind: str) -> None:
        raise OSError("canary")

    keyring.trouble = fail
    with pytest.raises(StoreError, match="the keyring raised OSError"), kept.renewing():
        pass


@pytest.mark.parametrize("call", ["set", "get"])
def test_a_keyring_that_fails_twice_may_have_been_changed(
    kept: KeyringStore, keyring: FakeKeyring, warnings: list[str], call: str
) -> None:
    """It fails while it stores, and again when it is asked what it has stored, or when that is undone."""
    kept.save(OTHERS)
    begun: list[str] = []

    def fail(kind: str) -> None:
        begun.extend([kind] if kind == "set" or begun else [])
        if begun and (call == "set" or begun != ["set"]):
            raise OSError("canary")

    keyring.trouble = fail
    with pytest.raises(StoreError, match="the keyring raised OSError"):
        kept.save(CREDENTIALS)
    assert warnings == [f"{kept.where} may have been changed all the same: the keyring cannot be asked now"]

"""The keyring store with a real Secret Service: GNOME Keyring on a session bus of its own."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

import keyring as package
import pytest

from loginmachine import AutoStore, Credentials, KeyringStore, Secret, StoreError
from loginmachine.drivers.stores import keyring_calls

from ..support import PATIENCE, eventually
from .secret_service_support import MESSAGE_LIMIT, MISSING, REASON, Bus, account_in, python, session_bus
from .test_file_store import CREDENTIALS, NEW, home, warnings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["home", "warnings"]

pytestmark = pytest.mark.skipif(bool(MISSING), reason=REASON)

OTHERS = Credentials(auth_mode="apikey", api_key=Secret("old"))
OLD = '{"auth_mode": "apikey", "OPENAI_API_KEY": "old"}'
LOCKED = "the keyring is locked; unlock it, and try again"
ASKED = "the keyring had to ask for a password or a consent, and got none"
GONE = "the service of the keyring cannot be reached, or has just ended; try again"
UNKNOWN = " may have been changed all the same: the keyring cannot be asked now"


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    """Run a session bus without a service, and let the package keyring of this process use it."""
    with session_bus() as bus:
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        before = package.get_keyring()
        monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
        for name, value in bus.environment.items():
            monkeypatch.setenv(name, value)
        from keyring.backends.SecretService import Keyring

        package.set_keyring(Keyring())  # type: ignore[no-untyped-call]
        yield bus
        package.set_keyring(before)
    # A call that was given up ends with the connection.
    assert eventually(lambda: not [each for each in threading.enumerate() if each.name == "loginmachine-keyring"])


@pytest.fixture
def service(bus: Bus) -> Bus:
    """Run the service too, with an unlocked keyring."""
    bus.start_service()
    return bus


@pytest.fixture
def kept(home: Path, warnings: list[str]) -> KeyringStore:
    return KeyringStore(home, on_warning=warnings.append)


def codex_attributes(home: Path, **more: str) -> list[str]:
    """Return what Codex searches for: the crate keyring 3.6, src/secret_service.rs, `search_attributes`."""
    names = {"service": "Codex Auth", "username": account_in(home), "target": "default", **more}
    return [part for pair in names.items() for part in pair]


def store_as(bus: Bus, value: str, *attributes: str) -> None:
    """Store an item with the tool of libsecret."""
    assert bus.run("secret-tool", "store", "--label=a label", *attributes, given=value).returncode == 0


def everything(store: KeyringStore) -> list[Callable[[], object]]:
    return [store.check, store.load, lambda: store.save(CREDENTIALS), store.remove]


# What is stored, and under which names


def test_stored_read_and_removed(service: Bus, kept: KeyringStore, home: Path, warnings: list[str]) -> None:
    kept.check()
    assert kept.load() is None
    assert kept.save(OTHERS) is None
    assert kept.save(CREDENTIALS) == OTHERS
    assert kept.load() == CREDENTIALS
    assert json.loads(service.lookup(*codex_attributes(home))) == json.loads(NEW)
    assert service.items(account_in(home)) == 1
    assert kept.remove() == CREDENTIALS
    assert (kept.load(), kept.remove(), service.items(account_in(home))) == (None, None, 0)
    assert warnings == []


def test_what_codex_has_stored_is_changed(service: Bus, kept: KeyringStore, home: Path) -> None:
    store_as(service, OLD, *codex_attributes(home, application="rust-keyring"))
    assert kept.load() == OTHERS
    assert kept.save(CREDENTIALS) == OTHERS
    assert json.loads(service.lookup(*codex_attributes(home, application="rust-keyring"))) == json.loads(NEW)
    assert service.items(account_in(home)) == 1
    assert kept.remove() == CREDENTIALS
    assert service.items(account_in(home)) == 0


def test_an_older_item_without_a_target_is_replaced(service: Bus, kept: KeyringStore, home: Path) -> None:
    """Such as those of the package keyring."""
    package.set_password("Codex Auth", account_in(home), OLD)
    assert kept.load() == OTHERS
    assert kept.save(CREDENTIALS) == OTHERS
    assert service.items(account_in(home)) == 1
    # While the keyring is locked, Codex finds no item without a target.
    assert json.loads(service.lookup(*codex_attributes(home))) == json.loads(NEW)
    assert package.get_password("Codex Auth", account_in(home)) == NEW.decode()


@pytest.mark.parametrize("first", ["codex", "package"])
def test_of_two_items_that_of_codex_is_the_entry(service: Bus, kept: KeyringStore, home: Path, first: str) -> None:
    for each in (first, {"codex": "package", "package": "codex"}[first]):
        if each == "codex":
            store_as(service, OLD, *codex_attributes(home, application="rust-keyring"))
        else:
            package.set_password("Codex Auth", account_in(home), '{"OPENAI_API_KEY": "stale"}')
    assert service.items(account_in(home)) == 2
    assert kept.load() == OTHERS
    kept.save(CREDENTIALS)
    assert service.items(account_in(home)) == 1
    assert json.loads(service.lookup(*codex_attributes(home))) == json.loads(NEW)


def test_an_item_with_another_target_is_left_alone(service: Bus, kept: KeyringStore, home: Path) -> None:
    store_as(service, OLD, *codex_attributes(home, target="elsewhere"))
    assert kept.load() is None
    kept.save(CREDENTIALS)
    kept.remove()
    assert service.lookup(*codex_attributes(home, target="elsewhere")) == OLD


def test_an_item_that_is_no_text(service: Bus, kept: KeyringStore, home: Path) -> None:
    import secretstorage

    attributes = {"service": "Codex Auth", "username": account_in(home), "target": "default"}
    with secretstorage.dbus_init() as connection:
        secretstorage.get_default_collection(connection).create_item("a label", attributes, b"\xff canary")
    with pytest.raises(StoreError, match="the file cannot be used"):
        kept.load()
    kept.save(CREDENTIALS)
    assert kept.load() == CREDENTIALS
    assert service.items(account_in(home)) == 1


def test_it_outlives_the_service(service: Bus, kept: KeyringStore) -> None:
    kept.save(CREDENTIALS)
    service.kill_service()
    service.start_service()
    assert kept.load() == CREDENTIALS


WRITER = """
import sys
from loginmachine import Credentials, KeyringStore, Secret
for number in range(8):
    KeyringStore(sys.argv[1]).save(Credentials(auth_mode="apikey", api_key=Secret(f"{sys.argv[2]}-{number}" * 100)))
"""


def test_two_processes(service: Bus, kept: KeyringStore, home: Path) -> None:
    writers = [python(service, WRITER, str(home), name) for name in ("a", "b")]
    for writer in writers:
        assert writer.communicate(timeout=PATIENCE * 4) == ("", "")
    stored = kept.load()
    assert stored is not None
    assert stored.api_key is not None
    assert stored.api_key.reveal() in {"a-7" * 100, "b-7" * 100}
    assert service.items(account_in(home)) == 1


# Locked, refused, too large


def test_locked_and_unlocked(service: Bus, kept: KeyringStore) -> None:
    kept.save(OTHERS)
    service.lock()
    began = time.monotonic()
    for act in everything(kept):
        with pytest.raises(StoreError) as caught:
            act()
        assert str(caught.value) == f"{kept.where}: {LOCKED}"
    assert time.monotonic() - began < PATIENCE
    service.unlock()
    assert kept.load() == OTHERS


def test_a_missing_keyring_that_cannot_be_made(bus: Bus, kept: KeyringStore) -> None:
    """A machine without a screen: the service runs, there is no keyring, and no question can be asked."""
    bus.start_service(password=None)
    # Reading asks nothing.
    assert (kept.load(), kept.remove()) == (None, None)
    check, _load, save, _remove = everything(kept)
    for act in (check, save):
        with pytest.raises(StoreError) as caught:
            act()
        assert str(caught.value) == f"{kept.where}: {ASKED}"


def test_auto_without_a_keyring_that_can_be_made(bus: Bus, home: Path, warnings: list[str]) -> None:
    bus.start_service(password=None)
    auto = AutoStore(home, on_warning=warnings.append)
    assert (auto.load(), warnings) == (None, [])
    auto.save(CREDENTIALS)
    assert (home / "auth.json").read_bytes() == NEW
    assert len(warnings) == 1
    assert ASKED in warnings[0]
    assert (auto.remove(), auto.load()) == (CREDENTIALS, None)


PROMPTER = """
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import Proxy, open_dbus_connection
connection = open_dbus_connection()
Proxy(message_bus, connection).RequestName("org.gnome.keyring.SystemPrompter")
print("ready", flush=True)
while True:
    connection.receive()
"""


def test_a_question_that_nobody_answers(service: Bus, home: Path) -> None:
    KeyringStore(home).save(OTHERS)
    service.lock()
    with python(service, PROMPTER) as prompter:
        assert prompter.stdout is not None
        assert prompter.stdout.readline() == "ready\n"
        kept = KeyringStore(home, timeout=0.3)
        for act in (kept.load, kept.check, lambda: kept.save(CREDENTIALS)):
            with pytest.raises(StoreError, match=r"the keyring has not answered within 0\.3 seconds"):
                act()
        prompter.kill()
    service.unlock()
    assert eventually(lambda: not keyring_calls._late)
    assert KeyringStore(home).load() == OTHERS


def test_too_large(service: Bus, kept: KeyringStore) -> None:
    kept.save(OTHERS)
    big = Credentials(auth_mode="apikey", api_key=Secret("x" * MESSAGE_LIMIT))
    with pytest.raises(StoreError, match=r": the connection to the keyring was closed$"):
        kept.save(big)
    assert kept.load() == OTHERS
    assert service.service is not None
    assert service.service.poll() is None


# A service that ends


def test_no_service(bus: Bus, kept: KeyringStore) -> None:
    del bus
    for act in everything(kept):
        with pytest.raises(StoreError) as caught:
            act()
        assert str(caught.value) == f"{kept.where}: {GONE}"


def test_no_bus(bus: Bus, kept: KeyringStore) -> None:
    bus.kill()
    bus.daemon.wait()
    for act in everything(kept):
        with pytest.raises(StoreError) as caught:
            act()
        assert str(caught.value) == f"{kept.where}: {GONE}"


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_a_service_that_is_killed_while_it_is_asked(service: Bus, kept: KeyringStore, number: int) -> None:
    kept.save(OTHERS)
    problems: list[str] = []

    def act() -> None:
        try:
            everything(kept)[number]()
        except StoreError as error:
            problems.append(str(error))

    service.pause_service()
    caller = threading.Thread(target=act)
    caller.start()
    service.kill_service()
    caller.join(PATIENCE)
    assert problems == [f"{kept.where}: {GONE}"]
    service.start_service()
    assert kept.load() == OTHERS


@pytest.mark.parametrize("before", [True, False])
def test_a_service_that_is_killed_while_it_stores(
    *, service: Bus, kept: KeyringStore, warnings: list[str], monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    import secretstorage

    kept.save(OTHERS)
    set_secret = secretstorage.Item.set_secret

    def kill(self: secretstorage.Item, *arguments: Any) -> None:
        if before:
            service.kill_service()
        set_secret(self, *arguments)
        service.kill_service()

    with monkeypatch.context() as patched:
        patched.setattr(secretstorage.Item, "set_secret", kill)
        with pytest.raises(StoreError) as caught:
            kept.save(CREDENTIALS)
    assert str(caught.value) == f"{kept.where}: {GONE}"
    assert warnings == [f"{kept.where}{UNKNOWN}"]
    service.start_service()
    # Whole, and not a mixture.
    assert kept.load() == (OTHERS if before else CREDENTIALS)


# The log


def test_the_log_tells_what_the_service_has_said(
    bus: Bus, kept: KeyringStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "loginmachine")
    del bus
    with pytest.raises(StoreError) as caught:
        kept.load()
    assert caught.value.__context__ is None
    (record,) = caplog.records
    text = record.getMessage()
    assert record.levelname == "DEBUG"
    assert text.startswith("the keyring failed: DBusErrorResponse: ")
    assert "SecretServiceNotAvailableException: The name " in text
    assert "in dbus_init" not in text
    assert "secretstorage/util.py" in text

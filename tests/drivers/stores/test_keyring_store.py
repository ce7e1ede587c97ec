"""Credentials in the keyring, and where they are stored without one."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import keyring as package
import pytest
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as NullKeyring
from keyring.errors import KeyringLocked, PasswordSetError

from loginmachine import AutoStore, Credentials, KeyringStore, KeyringUnavailable, Secret, StoreError, open_store
from loginmachine.drivers.stores import keyring_calls, keyring_store

from .keyring_support import FakeKeyring, Hangs, keyring
from .test_file_store import CREDENTIALS, NAMES, NEW, OLD, home, names, old, store, warnings

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine import FileStore

__all__ = ["home", "keyring", "old", "store", "warnings"]

OTHERS = Credentials(auth_mode="apikey", api_key=Secret("old"))
LOCK_NAMES = NAMES[1:]


@pytest.fixture
def entry(home: Path) -> tuple[str, str]:
    """Return the account name of the entry, as Codex computes it."""
    return "Codex Auth", "cli|" + hashlib.sha256(str(home).encode()).hexdigest()[:16]


@pytest.fixture
def kept(home: Path, warnings: list[str]) -> KeyringStore:
    return KeyringStore(home, on_warning=warnings.append)


@pytest.fixture
def fallbacks() -> list[str]:
    return []


@pytest.fixture
def auto(home: Path, warnings: list[str], fallbacks: list[str]) -> AutoStore:
    store = open_store(home, "auto", on_warning=warnings.append, on_fallback=fallbacks.append)
    assert isinstance(store, AutoStore)
    return store


def raising(error: Exception, *calls: str) -> Callable[[str], None]:
    def trouble(call: str) -> None:
        if call in calls:
            raise error

    return trouble


def test_the_entry(kept: KeyringStore, keyring: FakeKeyring, entry: tuple[str, str], home: Path) -> None:
    kept.save(CREDENTIALS)
    assert list(keyring.entries) == [entry]
    assert json.loads(keyring.entries[entry]) == json.loads(NEW)
    assert kept.load() == CREDENTIALS
    assert (kept.kind, kept.where) == ("keyring", f"the keyring entry 'Codex Auth', {entry[1]!r}")
    assert names(home) == LOCK_NAMES


def test_the_account_of_a_known_home(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    assert keyring_store.account_of(link) == keyring_store.account_of(real)
    # What `printf /nowhere/codex | sha256sum` says.
    assert keyring_store.account_of(Path("/nowhere/codex")) == "cli|648827efbc8ebffd"


def test_members_that_are_no_credentials_are_kept(
    kept: KeyringStore, keyring: FakeKeyring, entry: tuple[str, str]
) -> None:
    keyring.entries[entry] = '{"auth_mode": "apikey", "OPENAI_API_KEY": "old", "future": [1]}'
    replaced = kept.save(CREDENTIALS)
    assert replaced is not None
    assert replaced.api_key == Secret("old")
    assert json.loads(keyring.entries[entry]) == {**json.loads(NEW), "future": [1]}


@pytest.mark.parametrize("value", ["{", "\ud800", '"canary"'])
def test_an_entry_that_cannot_be_read(
    kept: KeyringStore, keyring: FakeKeyring, entry: tuple[str, str], warnings: list[str], value: str
) -> None:
    keyring.entries[entry] = value
    with pytest.raises(
        StoreError, match=r"^the keyring entry 'Codex Auth', 'cli.*: the file cannot be used: "
    ) as caught:
        kept.load()
    assert "canary" not in str(caught.value)
    assert kept.save(CREDENTIALS) is None
    assert warnings == [f"{kept.where} could not be read, and is replaced"]
    keyring.entries[entry] = value
    assert kept.remove() == Credentials(auth_mode=None)
    assert keyring.entries == {}


@pytest.mark.usefixtures("keyring")
def test_a_stale_file_is_removed(kept: KeyringStore, old: Path) -> None:
    assert kept.load() is None
    # Its tokens are the ones that are replaced.
    assert kept.save(CREDENTIALS) == OTHERS
    assert names(old.parent) == LOCK_NAMES
    old.write_bytes(OLD)
    assert kept.remove() == CREDENTIALS
    assert names(old.parent) == LOCK_NAMES
    old.write_bytes(OLD)
    assert kept.remove() == OTHERS


@pytest.mark.usefixtures("keyring")
def test_a_stale_file_that_cannot_be_removed(kept: KeyringStore, home: Path, warnings: list[str]) -> None:
    (home / "auth.json").mkdir(parents=True)
    kept.save(CREDENTIALS)
    assert kept.load() == CREDENTIALS
    assert warnings == [f"an older sign-in is still in {home / 'auth.json'}: it is not a regular file"]


def test_whether_the_keyring_can_be_used(kept: KeyringStore, keyring: FakeKeyring, entry: tuple[str, str]) -> None:
    kept.check()
    # What is in it does not matter.
    keyring.entries[entry] = "canary"
    kept.check()
    keyring.trouble = raising(KeyringLocked("canary"), "get")
    with pytest.raises(StoreError, match="the keyring is locked"):
        kept.check()


# Trouble


NO_PACKAGE = "the package keyring cannot be loaded: pip install 'loginmachine[keyring]'"
NO_BACKEND = "this system has no keyring that could be used"


@pytest.fixture
def nowhere(keyring: FakeKeyring) -> None:
    """Let this system have no keyring."""
    del keyring
    package.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]


@pytest.fixture
def not_installed(keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    del keyring
    monkeypatch.setitem(sys.modules, "keyring", None)


def everything(store: KeyringStore | AutoStore) -> list[Callable[[], object]]:
    return [store.load, lambda: store.save(CREDENTIALS), store.remove]


@pytest.mark.parametrize(("without", "words"), [("nowhere", NO_BACKEND), ("not_installed", NO_PACKAGE)])
def test_no_keyring(kept: KeyringStore, request: pytest.FixtureRequest, without: str, words: str) -> None:
    request.getfixturevalue(without)
    for act in everything(kept):
        with pytest.raises(KeyringUnavailable) as caught:
            act()
        assert str(caught.value) == words
        assert caught.value.__context__ is None


@pytest.mark.parametrize("answer", [b"canary", 5, ["canary"]])
def test_a_keyring_that_answers_with_no_text(
    kept: KeyringStore, keyring: FakeKeyring, entry: tuple[str, str], answer: str
) -> None:
    keyring.entries[entry] = answer
    for act in everything(kept):
        with pytest.raises(StoreError, match=r": the keyring returned a value that is no text$"):
            act()
    assert keyring.entries[entry] == answer


def test_a_backend_that_cannot_be_loaded(kept: KeyringStore, keyring: FakeKeyring) -> None:
    keyring.trouble = raising(ModuleNotFoundError("canary", name="no_such_backend"), "get")
    with pytest.raises(KeyringUnavailable, match=r"^the keyring's backend, .* cannot be loaded$"):
        kept.check()


def test_a_keyring_that_loses_everything(kept: KeyringStore, keyring: FakeKeyring, entry: tuple[str, str]) -> None:
    keyring.entries[entry] = OLD.decode()
    keyring.loses = True
    with pytest.raises(StoreError, match=r"the keyring did not keep what was stored in it$"):
        kept.save(CREDENTIALS)
    assert keyring.entries[entry] == OLD.decode()
    with pytest.raises(StoreError, match=r"the keyring did not remove it$"):
        kept.remove()


def test_the_null_keyring(kept: KeyringStore, keyring: FakeKeyring) -> None:
    del keyring
    package.set_keyring(NullKeyring())  # type: ignore[no-untyped-call]
    with pytest.raises(StoreError, match=r"the keyring did not keep what was stored in it$"):
        kept.save(CREDENTIALS)


class TooMuchForWindows(Exception):  # noqa: N818 - stands for pywintypes.error
    winerror = 1783


class SizeLimitError(ValueError):
    """Stands for that of jeepney, which sends no more than 64 MiB."""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyringLocked("canary"), "the keyring is locked; unlock it, and try again"),
        (PasswordSetError("canary"), "the keyring raised PasswordSetError"),
        (ConnectionResetError("canary"), "the connection to the keyring was closed"),
        (SizeLimitError("canary"), "the credentials are too large for the keyring; store them in the file"),
        (OSError("canary"), "the keyring raised OSError"),
    ],
)
def test_a_keyring_that_refuses(
    kept: KeyringStore, keyring: FakeKeyring, entry: tuple[str, str], error: Exception, words: str
) -> None:
    keyring.entries[entry] = OLD.decode()
    keyring.trouble = raising(error, "get", "set", "delete")
    for act in everything(kept):
        with pytest.raises(StoreError) as caught:
            act()
        assert str(caught.value) == f"{kept.where}: {words}"
        assert caught.value.__context__ is None
    assert keyring.entries[entry] == OLD.decode()


@pytest.mark.usefixtures("keyring")
def test_a_keyring_that_keeps_only_the_beginning(kept: KeyringStore, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.save(OTHERS)
    real = FakeKeyring.set_password
    monkeypatch.setattr(
        FakeKeyring, "set_password", lambda self, service, user, value: real(self, service, user, value[:500])
    )
    with pytest.raises(StoreError, match="did not keep what was stored in it"):
        kept.save(Credentials(auth_mode="apikey", api_key=Secret("x" * 2000)))
    # The old value is there again.
    assert kept.load() == OTHERS


def test_a_value_that_is_too_long_for_windows(kept: KeyringStore, keyring: FakeKeyring) -> None:
    keyring.trouble = raising(TooMuchForWindows("canary"), "set")
    big = Credentials(auth_mode="apikey", api_key=Secret("x" * 2000))
    with pytest.raises(
        StoreError, match=r"Windows keeps 2560 bytes in a credential, and these take 4\d\d\d; store them"
    ):
        kept.save(big)
    with pytest.raises(StoreError, match=r"the keyring raised TooMuchForWindows$"):
        kept.save(OTHERS)


def test_a_keyring_that_hangs(home: Path, keyring: FakeKeyring) -> None:
    keyring.trouble = hangs = Hangs()
    for act in everything(KeyringStore(home, timeout=0.05)):
        with pytest.raises(StoreError, match=r"the keyring has not answered within 0\.05 seconds$"):
            act()
    hangs.released.set()


# The policies


def test_the_policies(home: Path) -> None:
    assert [open_store(home, policy).kind for policy in ("file", "keyring", "auto")] == ["file", "keyring", "file"]
    with pytest.raises(ValueError, match="somewhere"):
        open_store(home, "somewhere")


def test_auto_prefers_the_keyring(
    auto: AutoStore, keyring: FakeKeyring, entry: tuple[str, str], old: Path, fallbacks: list[str]
) -> None:
    assert (auto.load(), auto.kind) == (OTHERS, "file")
    assert auto.save(CREDENTIALS) == OTHERS
    assert list(keyring.entries) == [entry]
    assert names(old.parent) == LOCK_NAMES
    assert (auto.load(), auto.kind) == (CREDENTIALS, "keyring")
    assert auto.where == f"the keyring entry 'Codex Auth', {entry[1]!r}"
    again = open_store(old.parent, "auto")
    assert (again.remove(), again.kind) == (CREDENTIALS, "keyring")
    assert (keyring.entries, fallbacks) == ({}, [])


@pytest.mark.parametrize(("without", "words"), [("nowhere", NO_BACKEND), ("not_installed", NO_PACKAGE)])
def test_auto_falls_back_and_reports_it(
    auto: AutoStore, fallbacks: list[str], request: pytest.FixtureRequest, without: str, words: str
) -> None:
    request.getfixturevalue(without)
    path = auto.where
    expected = [f"the keyring cannot be used, {path} is used instead ({words})"]
    assert auto.load() is None
    assert fallbacks == expected
    auto.save(CREDENTIALS)
    assert fallbacks == expected * 2
    assert (auto.load(), auto.kind, auto.where) == (CREDENTIALS, "file", path)
    assert path.endswith("/auth.json")
    assert fallbacks == expected * 2
    assert auto.remove() == CREDENTIALS
    assert fallbacks == expected * 3


@pytest.mark.usefixtures("nowhere")
def test_a_fallback_is_a_warning_by_default(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_store(home, "auto").save(CREDENTIALS)
    assert [record.getMessage() for record in caplog.records] == [
        f"the keyring cannot be used, {home / 'auth.json'} is used instead ({NO_BACKEND})"
    ]


def test_auto_stores_in_the_file_what_the_keyring_refuses(
    auto: AutoStore, keyring: FakeKeyring, fallbacks: list[str], home: Path
) -> None:
    auto.save(OTHERS)
    keyring.trouble = raising(PasswordSetError("canary"), "set")
    auto.save(CREDENTIALS)
    assert len(fallbacks) == 1
    assert "the keyring raised PasswordSetError" in fallbacks[0]
    # The file is the newer of the two.
    assert (auto.load(), auto.kind) == (CREDENTIALS, "file")
    assert (home / "auth.json").read_bytes() == NEW
    assert auto.remove() == CREDENTIALS
    assert (keyring.entries, auto.load()) == ({}, None)


def test_auto_does_not_treat_a_locked_keyring_as_empty(
    auto: AutoStore, keyring: FakeKeyring, fallbacks: list[str]
) -> None:
    auto.save(CREDENTIALS)
    keyring.trouble = raising(KeyringLocked("canary"), "get")
    for act in (auto.load, auto.remove):
        with pytest.raises(StoreError, match="the keyring is locked"):
            act()
    assert fallbacks == []


@pytest.mark.parametrize("content", [b"{", b'{"tokens": 1}'])
@pytest.mark.usefixtures("keyring")
def test_auto_over_a_corrupt_file(auto: AutoStore, old: Path, content: bytes) -> None:
    old.write_bytes(content)
    with pytest.raises(StoreError):
        auto.load()
    auto.save(CREDENTIALS)
    assert (auto.load(), auto.kind) == (CREDENTIALS, "keyring")


def test_the_library_is_loaded_when_it_is_used(store: FileStore) -> None:
    script = (
        "import sys; from loginmachine import open_store; open_store(sys.argv[1], 'auto')\n"
        "assert 'keyring' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, str(store.path.parent)], check=True)


def raise_interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def test_an_interrupt_while_the_keyring_asks(home: Path, keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring.trouble = hangs = Hangs()
    monkeypatch.setattr(keyring_calls, "wait_for", raise_interrupt)
    with pytest.raises(KeyboardInterrupt):
        KeyringStore(home).save(CREDENTIALS)
    hangs.released.set()

"""`check_store` names the property that a wrong store lacks, and our own stores have them all."""

from __future__ import annotations

import itertools
import logging
import pickle
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loginmachine import AutoStore, FileStore, KeyringStore, MemoryStore, open_store
from loginmachine.testing import StoreCheckFailed, check_store
from loginmachine.testing.stores.contents import CONTENTS
from loginmachine.testing.stores.locking import LOCKING, SHARED
from loginmachine.testing.stores.samples import CANARY
from loginmachine.testing.stores.unreadable import UNREADABLE
from loginmachine.testing.stores.versions import SHARED_VERSIONS, VERSIONS

from ...drivers.stores.keyring_support import FakeKeyring, keyring
from .wrong_stores import WRONG, WRONG_WITH_A_PLACE, NeverReturns, Place, TextStore

if TYPE_CHECKING:
    from loginmachine import SessionStore

__all__ = ["keyring"]

ALL = [each.__name__ for each in (*CONTENTS, *LOCKING, *VERSIONS, *SHARED, *SHARED_VERSIONS, *UNREADABLE)]
DOCS = Path(__file__).parents[3] / "docs" / "stores.md"


# Our own stores


def test_a_store_in_memory() -> None:
    check_store(MemoryStore)


@pytest.mark.parametrize("is_new", [True, False])
def test_a_file(tmp_path: Path, is_new: bool) -> None:  # noqa: FBT001
    numbers = itertools.count()
    check_store(
        lambda: FileStore(tmp_path / (str(next(numbers)) if is_new else "home")),
        reopen=lambda store: FileStore(store.path.parent),
        spoil=lambda store, content: store.path.write_bytes(content),
    )


def spoil_entry(keyring: FakeKeyring, content: bytes) -> None:
    (entry,) = keyring.entries
    keyring.entries[entry] = content.decode()


def test_a_keyring(tmp_path: Path, keyring: FakeKeyring) -> None:
    check_store(
        lambda: KeyringStore(tmp_path),
        reopen=lambda _: KeyringStore(tmp_path),
        spoil=lambda _, content: spoil_entry(keyring, content),
    )


def test_a_keyring_or_else_a_file(tmp_path: Path, keyring: FakeKeyring) -> None:
    def make() -> AutoStore:
        store = open_store(tmp_path, "auto")
        assert isinstance(store, AutoStore)
        return store

    check_store(make, reopen=lambda _: make(), spoil=lambda _, content: spoil_entry(keyring, content))


# Wrong stores


@pytest.mark.parametrize(("wrong", "name"), WRONG.items(), ids=lambda value: getattr(value, "__name__", None))
def test_a_wrong_store(wrong: type[MemoryStore], name: str) -> None:
    with pytest.raises(AssertionError, match=f"^{name}: ") as caught:
        check_store(wrong, patience=1.0)
    assert isinstance(caught.value, StoreCheckFailed)
    assert caught.value.property == name
    assert CANARY not in str(caught.value)


def check_with_a_place(made: type[TextStore]) -> None:
    place = Place()
    check_store(
        lambda: made(place),
        reopen=lambda _: made(place),
        spoil=lambda _, content: setattr(place, "content", content),
        patience=1.0,
    )


def test_the_base_of_the_wrong_stores_with_a_place_is_right() -> None:
    check_with_a_place(TextStore)


@pytest.mark.parametrize(
    ("wrong", "name"), WRONG_WITH_A_PLACE.items(), ids=lambda value: getattr(value, "__name__", None)
)
def test_a_wrong_store_with_a_place(wrong: type[TextStore], name: str) -> None:
    with pytest.raises(StoreCheckFailed) as caught:
        check_with_a_place(wrong)
    assert caught.value.property == name
    assert CANARY not in str(caught.value)


def test_some_wrong_store_lacks_each_property() -> None:
    assert {*WRONG.values(), *WRONG_WITH_A_PLACE.values()} == set(ALL)


def test_a_store_that_never_returns() -> None:
    stores: list[NeverReturns] = []

    def make() -> NeverReturns:
        stores.append(NeverReturns())
        return stores[-1]

    with pytest.raises(StoreCheckFailed, match=r"^what_is_saved_is_loaded: .* has not returned within 0\.2 seconds$"):
        check_store(make, patience=0.1)
    stores[-1].released.set()


# What the test leaves


def test_the_message() -> None:
    with pytest.raises(StoreCheckFailed) as caught:
        check_store(next(iter(WRONG)))
    assert str(caught.value) == (
        "nothing_is_loaded_from_an_empty_store: When nothing is stored, `load` and `remove` return None. "
        "Found: load returned something"
    )
    copy = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(copy, AssertionError)
    assert str(copy) == str(caught.value)


def test_the_log_is_as_before_and_no_thread_is_left() -> None:
    root = logging.getLogger()
    before, threads = (root.level, list(root.handlers)), set(threading.enumerate())
    check_store(MemoryStore)
    assert (root.level, list(root.handlers)) == before
    assert set(threading.enumerate()) - threads == set()


def test_nothing_is_left_in_the_store() -> None:
    store = MemoryStore()

    def make() -> SessionStore:
        return store

    check_store(make)
    assert store.credentials is None


def test_the_page_lists_the_properties() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert [row for row in rows if row in ALL] == ALL

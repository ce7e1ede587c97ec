"""The example of a store in a database has every property of a store, in SQLite and in PostgreSQL."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import StoreBusy, StoreError
from loginmachine.testing import check_store
from loginmachine.testing.stores.samples import CANARY, ONE, TWO

from .postgres import server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

sa: Any = pytest.importorskip("sqlalchemy")
EXAMPLE = Path(__file__).parents[3] / "examples" / "database_store.py"


def load_example() -> Any:
    spec = importlib.util.spec_from_file_location("database_store", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


example = load_example()


@pytest.fixture
def open_engine() -> Iterator[Callable[[str], Any]]:
    engines: list[Any] = []

    def make(url: str) -> Any:
        engines.append(example.open_engine(url))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


def change(engine: Any, **values: object) -> None:
    """Change columns behind the store's back, as text."""
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    with engine.connect().execution_options(writes=True) as connection:
        connection.execute(sa.text(f"UPDATE loginmachine_credentials SET {assignments}"), values)
        connection.commit()


def check(url: str, open_engine: Callable[[str], Any]) -> None:
    first, second = open_engine(url), open_engine(url)
    check_store(
        lambda: example.DatabaseStore(first, "ada"),
        reopen=lambda _: example.DatabaseStore(second, "ada"),
        spoil=lambda _, content: change(first, content=content.decode()),
    )


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/people.db"


def test_sqlite(sqlite: str, open_engine: Callable[[str], Any]) -> None:
    check(sqlite, open_engine)


def test_postgresql(open_engine: Callable[[str], Any]) -> None:
    pytest.importorskip("psycopg")
    with server() as url:
        check(url, open_engine)


def test_each_person_has_a_row(sqlite: str, open_engine: Callable[[str], Any]) -> None:
    engine = open_engine(sqlite)
    ada, bob = example.DatabaseStore(engine, "ada"), example.DatabaseStore(engine, "bob")
    ada.save(ONE)
    assert bob.load() is None
    bob.save(TWO)
    assert bob.remove() == TWO
    assert ada.load() == ONE
    with ada.renewing(), bob.renewing(timeout=0):
        pass


def test_a_block_that_raises_is_undone(sqlite: str, open_engine: Callable[[str], Any]) -> None:
    store = example.DatabaseStore(open_engine(sqlite), "ada")
    store.save(ONE)

    def fail() -> None:
        with store.transaction() as row:
            row.save(TWO)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert store.load() == ONE


def test_the_lease_of_a_program_that_died_ends(sqlite: str, open_engine: Callable[[str], Any]) -> None:
    engine = open_engine(sqlite)
    store = example.DatabaseStore(engine, "ada")
    with store.renewing():
        change(engine, renewed_until=1.0)
        with store.renewing(timeout=0):
            # The first one has lost it, and does not end this one's.
            pass
        with store.renewing(timeout=0), pytest.raises(StoreBusy), store.renewing(timeout=0):
            pass


def test_a_database_that_fails_shows_no_secret(sqlite: str, open_engine: Callable[[str], Any]) -> None:
    engine = open_engine(sqlite)
    store = example.DatabaseStore(engine, "ada")
    with engine.connect().execution_options(writes=True) as connection:
        connection.execute(sa.text("DROP TABLE loginmachine_credentials"))
        connection.commit()
    for work in (store.load, store.remove, lambda: store.save(ONE)):
        with pytest.raises(StoreError, match=r"^ada: the database failed with OperationalError$") as caught:
            work()
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)
        assert CANARY not in str(caught.value)


def test_the_program(sqlite: str, open_engine: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert example.main(sqlite, "ada") == 1
    assert ONE.tokens is not None
    store = example.DatabaseStore(open_engine(sqlite), "ada")
    store.save(ONE.__replace__(tokens=ONE.tokens.__replace__(expiry=4_000_000_000)))
    assert example.main(sqlite, "ada") == 0
    assert capsys.readouterr().out == "ada is not signed in\nada is signed in\n"

"""Keep the credentials of many people in a database, with SQLAlchemy: SQLite, PostgreSQL, or another one.

Run it with the URL of a database and a name: python database_store.py sqlite:///people.db ada
It needs the packages loginmachine, sqlalchemy, and a driver for the database: psycopg for PostgreSQL.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import time
import uuid
from datetime import UTC
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

import sqlalchemy as sa

from loginmachine import Credentials, CredentialsError, Secret, Session, SignInRequired, StoreBusy, StoreError
from loginmachine.drivers import check_replaceable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Dialect, Engine

LEASE = 120  # seconds after which a renewal counts as given up: more than a refresh takes
PAUSE = 0.05  # seconds between two attempts to get a lock


class SecretText(sa.types.TypeDecorator[Secret]):
    """A text that SQLAlchemy does not show in its log, whatever the level."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Secret | None, dialect: Dialect) -> str | None:
        """Return what the database stores."""
        del dialect
        return None if value is None else value.reveal()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Secret | None:
        """Return what the program gets."""
        del dialect
        return None if value is None else Secret(value)


metadata = sa.MetaData()
people = sa.Table(
    "loginmachine_credentials",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("content", SecretText),  # NULL: nothing is stored
    sa.Column("renewed_by", sa.String(32)),  # who holds the lease of a renewal
    sa.Column("renewed_until", sa.Float, nullable=False, default=0.0),  # seconds since 1970, by the database's clock
)


class Named(Protocol):
    """What a store and its rows have: the name of the person."""

    name: str


Self = TypeVar("Self", bound=Named)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def store_errors(
    method: Callable[Concatenate[Self, Arguments], Result],
) -> Callable[Concatenate[Self, Arguments], Result]:
    """Make a `StoreError` of what the database raises. It shows the kind only, because the text may hold tokens."""

    @functools.wraps(method)
    def call(self: Self, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            return method(self, *args, **kwargs)
        except sa.exc.SQLAlchemyError as error:
            problem = as_store_error(self.name, error)
        # Outside the block, so that the database's exception is not the context of this one.
        raise problem

    return call


def as_store_error(name: str, error: sa.exc.SQLAlchemyError) -> StoreError:
    """Return the error for what the database raised."""
    text = str(error.orig) if isinstance(error, sa.exc.OperationalError) else ""
    if "locked" in text or "lock timeout" in text:
        return StoreBusy(f"{name}: another program has held the credentials for too long")
    return StoreError(f"{name}: the database failed with {type(error).__name__}")


def open_engine(url: str) -> Engine:
    """Connect to a database, and create the table if it is missing."""
    # Without hide_parameters, an error of SQLAlchemy shows the tokens.
    engine = sa.create_engine(url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        # The driver of SQLite begins transactions late. This one takes the lock for writing at once.
        sa.event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
        sa.event.listen(engine, "begin", _begin)
    metadata.create_all(engine)
    return engine


def _begin(connection: Connection) -> None:
    is_writing = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


class DatabaseStore:
    """The credentials of one person, in one row. Any number of programs may use it.

    Args:
        engine: The database.
        name: The person, at most 200 characters.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name
        self.row = people.c.name == name

    @store_errors
    def load(self) -> Credentials | None:
        """Return what is stored. Another program's transaction is not waited for."""
        with self.engine.connect() as connection:
            return Row(self.name, connection).load()

    def save(self, credentials: Credentials) -> Credentials | None:
        """Store credentials, and return the replaced ones."""
        with self.transaction() as row:
            return row.save(credentials)

    def remove(self) -> Credentials | None:
        """Remove the credentials, and return them."""
        with self.transaction() as row:
            return row.remove()

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = 5.0) -> Iterator[Row]:
        """Lock the row. An exception of the block undoes what it has changed."""
        with contextlib.ExitStack() as stack:
            connection = self._begin(stack, timeout)
            yield Row(self.name, connection)
            self._commit(connection)

    @contextlib.contextmanager
    def renewing(self, *, timeout: float = 5.0) -> Iterator[None]:
        """Hold the lease of renewals. If this program dies, it ends by itself."""
        mine, deadline = uuid.uuid4().hex, time.monotonic() + timeout
        while not self._take_lease(mine):
            if time.monotonic() >= deadline:
                raise StoreBusy(f"{self.name}: another session has been renewing the tokens for too long")
            time.sleep(PAUSE)
        try:
            yield
        finally:
            self._change(people.c.renewed_by == mine, renewed_by=None, renewed_until=0.0)

    @store_errors
    def _take_lease(self, mine: str) -> bool:
        with self.engine.connect() as connection:
            moment = connection.scalar(sa.select(sa.func.now()))
        assert moment is not None
        now = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        return self._change(people.c.renewed_until <= now, renewed_by=mine, renewed_until=now + LEASE)

    @store_errors
    def _change(self, condition: sa.ColumnElement[bool], /, **values: object) -> bool:
        """Change columns of the row, if a condition holds, and return whether it did."""
        with self.engine.connect() as connection:
            self._lock(connection, 5.0)
            changed = connection.execute(sa.update(people).where(self.row, condition).values(**values)).rowcount
            connection.commit()
        return bool(changed)

    @store_errors
    def _begin(self, stack: contextlib.ExitStack, timeout: float) -> Connection:
        connection = stack.enter_context(self.engine.connect())
        self._lock(connection, timeout)
        return connection

    @store_errors
    def _commit(self, connection: Connection) -> None:
        connection.commit()

    def _lock(self, connection: Connection, timeout: float) -> None:
        """Begin a transaction in which no other program can change the row."""
        connection = connection.execution_options(writes=True)
        milliseconds = max(1, int(timeout * 1000))
        if connection.dialect.name == "sqlite":
            # To the driver itself: with SQLAlchemy, the transaction would begin before.
            driver: Any = connection.connection.driver_connection
            driver.execute(f"PRAGMA busy_timeout = {milliseconds}")
        elif connection.dialect.name == "postgresql":
            connection.execute(sa.text(f"SET LOCAL lock_timeout = {milliseconds}"))
        self._insert(connection)
        connection.execute(sa.select(people.c.name).where(self.row).with_for_update())

    def _insert(self, connection: Connection) -> None:
        """Make sure that there is a row, which can then be locked."""
        if connection.execute(sa.select(people.c.name).where(self.row)).first() is None:
            with contextlib.suppress(sa.exc.IntegrityError), connection.begin_nested():
                connection.execute(sa.insert(people).values(name=self.name))


class Row:
    """The row of one person, in a transaction."""

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        self._connection = connection

    def load(self) -> Credentials | None:
        """Return what is stored."""
        content, problem = self._content(), ""
        try:
            return None if content is None else Credentials.parse(content.reveal().encode())
        except CredentialsError as error:
            # Its text holds no value. It must not be the context of the error below, which is why that stands outside.
            problem = str(error)
        raise StoreError(f"{self.name}: {problem}")

    def save(self, credentials: Credentials) -> Credentials | None:
        """Store credentials, and return the replaced ones. Those of another issuer are kept, with an error."""
        replaced = self._readable()
        check_replaceable(self.name, replaced, credentials)
        self._write(Secret(credentials.serialise().decode("ascii")))
        return replaced

    def remove(self) -> Credentials | None:
        """Remove the credentials, and return them: empty ones, if they could not be read."""
        if self._content() is None:
            return None
        removed = self._readable() or Credentials(auth_mode=None)
        self._write(None)
        return removed

    @store_errors
    def _content(self) -> Secret | None:
        return self._connection.scalar(sa.select(people.c.content).where(people.c.name == self.name))

    def _readable(self) -> Credentials | None:
        content = self._content()
        try:
            return None if content is None else Credentials.parse(content.reveal().encode())
        except CredentialsError:
            return None

    @store_errors
    def _write(self, content: Secret | None) -> None:
        self._connection.execute(sa.update(people).where(people.c.name == self.name).values(content=content))


def main(url: str, name: str) -> int:
    """Show whether a person is signed in."""
    engine = open_engine(url)
    try:
        Session(DatabaseStore(engine, name)).access_token()
    except SignInRequired:
        print(f"{name} is not signed in")
        return 1
    finally:
        engine.dispose()
    print(f"{name} is signed in")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

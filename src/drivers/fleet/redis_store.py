"""Credentials on a Redis server, so that many machines share one login. Needs the extra ``redis``."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING, Final

from ...sansio.base.strict_json import JsonError, loads_object
from ...sansio.lease.state import LeaseTimes
from ...sansio.model.auth_json import CredentialsError
from ...sansio.refresh.failures import RefreshFailureCategory
from ...sansio.refresh.outcome import Refusal
from ..errors import StoreBusy, StoreError
from ..forks import Forkable, tell_of_forks
from ..logging import warn
from ..stores.formats import EMPTY
from ..stores.protocols import LOCK_TIMEOUT, check_replaceable
from .errors import Unreachable
from .lease import Lease
from .sealing import Sealer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Self

    from ...sansio.model.credentials import Credentials
    from ..stores.protocols import Transaction
    from .server import Stored

DEFAULT_LEASE: Final = 10.0
_SHORTEST, _LONGEST = 0.5, 30.0
_LONGEST_NAME: Final = 200


class RedisStore(Forkable):
    """One login on a Redis server, for the sessions of any number of machines. docs/fleet.md has what it promises.

        store = RedisStore("rediss://:password@redis.example:6379/0", name="build-farm")
        session = Session(store)

    A session that refreshes the tokens holds a lease. A program that is killed meanwhile makes others wait until the
    lease has ended. The store is used in the threads that call it, and needs one thread more during a refresh.

    Args:
        url: The server: ``redis://``, ``rediss://`` (with TLS) or ``unix://``. The URL may hold a password, which is
            never shown.
        name: The name of the login, of 1 to 200 printable characters without braces.
        keys: Keys of 32 bytes, to encrypt what is stored. The first encrypts, all decrypt. Without keys, whoever can
            read the server can read the tokens.
        lease: Seconds after which the lease of a program that was killed ends, from 0.5 to 30. All programs need the
            same.
        on_warning: Called with one line of text when something unusual was done. By default the text is logged.

    Raises:
        StoreError: The package ``redis`` is not installed.
        ValueError: An argument is wrong. The message holds neither the URL nor a key.
    """

    kind = "redis"

    def __init__(
        self,
        url: str,
        *,
        name: str,
        keys: Sequence[bytes] = (),
        lease: float = DEFAULT_LEASE,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        try:
            from .server import Server  # noqa: PLC0415 - the package may be missing
        except ImportError as error:
            raise StoreError("the package redis is missing: install loginmachine[redis]") from error
        if not (0 < len(name) <= _LONGEST_NAME and name.isprintable()) or "{" in name or "}" in name:
            raise ValueError(f"a name has 1 to {_LONGEST_NAME} printable characters without braces")
        if not _SHORTEST <= lease <= _LONGEST:
            raise ValueError(f"lease is from {_SHORTEST:g} to {_LONGEST:g} seconds")
        self._times = LeaseTimes(length=lease)
        self._sealer = Sealer(name, keys)
        self._server = Server(url, name, self._times.timeout)
        self._warn = on_warning or warn
        self._lock = threading.Lock()
        self._lease: Lease | None = None
        """The lease that this store holds."""
        self._last: Credentials | None = None
        """What `load` returned last."""
        self._is_cut_off = False
        tell_of_forks(self)

    def __repr__(self) -> str:
        return f"<RedisStore of {self._server.where}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def after_fork(self) -> None:
        """Forget the lease and the lock in the child of a fork."""
        self._lock = threading.Lock()
        if self._lease is not None:
            self._lease.forget()
            self._lease = None

    def close(self) -> None:
        """Close the connections. They are opened again when they are needed."""
        self._server.close()

    def check(self) -> None:
        """Check that the server can be written to.

        Raises:
            StoreError: It cannot.
        """
        self._server.check()

    def load(self) -> Credentials | None:
        """Return the credentials, or None if there are none.

        While the server does not answer, those that were read last are returned, with a warning. Those under a lease
        are always read anew, and the lease is renewed before if it may have ended.

        Raises:
            StoreError: They cannot be read.
        """
        lease = self._lease
        if lease is not None:
            # The refresh token is sent after this, or new tokens have just come.
            lease.ensure(LOCK_TIMEOUT)
            return self._opened(self._server.read(LOCK_TIMEOUT))
        try:
            self._last = self._opened(self._server.read())
        except Unreachable as error:
            if self._last is None:
                raise
            if not self._is_cut_off:
                self._warn(f"{error}; the credentials that were read last are used")
            self._is_cut_off = True
        else:
            self._is_cut_off = False
        return self._last

    def save(self, credentials: Credentials) -> Credentials | None:
        """Store the credentials of a login, and return the replaced ones.

        Raises:
            StoreError: The server cannot be used. If it did not answer, they may be stored all the same.
            StoreBusy: Other programs changed the credentials all the time.
        """
        return self._persist(lambda transaction: transaction.save(credentials))

    def remove(self) -> Credentials | None:
        """Remove the credentials, even if they cannot be read, and return them.

        Raises:
            StoreError: As for `save`.
        """
        return self._persist(lambda transaction: transaction.remove())

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = LOCK_TIMEOUT) -> Iterator[Transaction]:
        """Lock the store for other threads. If another program changes it meanwhile, a save raises `StoreBusy`.

        So no other program has to wait for the block, and none can be blocked by one that was killed.

        Args:
            timeout: Seconds to wait at most for another thread.

        Raises:
            StoreBusy: Another thread has held the lock for more than `timeout` seconds.
        """
        lease = self._lease
        with self._locked(timeout):
            yield _RedisTransaction(self, "" if lease is None else lease.fence)

    @contextlib.contextmanager
    def renewing(self, *, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
        """Hold the lease while the block runs, so that no other session refreshes the tokens.

        Args:
            timeout: Seconds to wait at most for another session.

        Raises:
            StoreBusy: Another session has held the lease for so long.
            StoreError: The server cannot be used, or cannot be written to.
        """
        lease = Lease(self._server, self._times)
        lease.take(timeout)
        self._lease = lease
        try:
            yield
        finally:
            if self._lease is lease:
                self._lease = None
            lease.give_back()

    def load_refusal(self) -> Refusal | None:
        """Return the refusal that was saved last, or None."""
        try:
            members = loads_object(self._server.load_refusal())
            digest, category = members["digest"], RefreshFailureCategory(members["category"])
        except (JsonError, KeyError, ValueError):
            return None
        return Refusal(digest=digest, category=category) if isinstance(digest, str) else None

    def save_refusal(self, refusal: Refusal) -> None:
        """Keep a refusal. It holds no token, only a digest."""
        self._server.save_refusal(json.dumps(refusal.values()).encode("ascii"))

    @contextlib.contextmanager
    def _locked(self, timeout: float) -> Iterator[None]:
        lock = self._lock
        if not lock.acquire(timeout=timeout):
            raise StoreBusy(f"another thread has held the credentials for more than {timeout:g} seconds")
        try:
            yield
        finally:
            lock.release()

    def _persist(self, change: Callable[[_RedisTransaction], Credentials | None]) -> Credentials | None:
        """Change the store without a lease. Try again if another program was faster."""
        deadline = time.monotonic() + LOCK_TIMEOUT
        with self._locked(LOCK_TIMEOUT):
            while True:
                try:
                    return change(_RedisTransaction(self, ""))
                except StoreBusy:
                    if time.monotonic() >= deadline:
                        raise

    def _opened(self, stored: Stored) -> Credentials | None:
        if not stored.value:
            return None
        try:
            return self._sealer.unseal(stored.value)
        except CredentialsError as error:
            problem = str(error)
        raise StoreError(f"{self._server.where}: {problem}")


class _RedisTransaction:
    """A change of the store. It is refused if another program has changed the content since it was first read."""

    def __init__(self, store: RedisStore, fence: str) -> None:
        self._store = store
        self._fence = fence
        self._seen: Stored | None = None

    @property
    def _stored(self) -> Stored:
        self._seen = self._seen or self._store._server.read()  # noqa: SLF001 - its own store
        return self._seen

    def load(self) -> Credentials | None:
        return self._store._opened(self._stored)  # noqa: SLF001 - as above

    def save(self, credentials: Credentials) -> Credentials | None:
        old, where = self._old(), self._store._server.where  # noqa: SLF001 - as above
        check_replaceable(where, old, credentials)
        try:
            value = self._store._sealer.seal(credentials)  # noqa: SLF001 - as above
        except CredentialsError as error:
            raise StoreError(f"{where}: {error}") from None
        self._write(value)
        return old

    def remove(self) -> Credentials | None:
        if not self._stored.value:
            return None
        old = self._old()
        self._write(b"")
        return old or EMPTY

    def _old(self) -> Credentials | None:
        try:
            return self.load()
        except StoreError as error:
            if not self._stored.value:
                raise
            self._store._warn(f"{error}; it is replaced or removed")  # noqa: SLF001 - as above
            return None

    def _write(self, value: bytes) -> None:
        self._seen = self._store._server.write(self._stored, value, self._fence, LOCK_TIMEOUT)  # noqa: SLF001 - as above

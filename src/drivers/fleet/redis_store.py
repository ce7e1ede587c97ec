"""Credentials on a Redis server, so that many machines share one login. Needs the extra ``redis``."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Final

from ...sansio.base.strict_json import JsonError, loads_object
from ...sansio.lease.state import LeaseTimes
from ...sansio.refresh.failures import RefreshFailureCategory
from ...sansio.refresh.outcome import Refusal
from ..errors import StoreBusy, StoreError
from ..forks import Forkable, tell_of_forks
from ..logging import warn
from ..stores.protocols import LOCK_TIMEOUT
from .contents import Contents
from .errors import Unreachable
from .lease import Lease
from .leased import LeasedStore
from .sealing import Sealer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import Self

    from ...sansio.model.credentials import Credentials
    from ..stores.protocols import Transaction

DEFAULT_LEASE: Final = 20.0
_SHORTEST, _LONGEST = 0.5, 60.0
_LONGEST_NAME: Final = 200
KEEP: Final = 120.0
"""Seconds for which a program keeps its lease when it could not store new tokens. A session tries again after 30."""


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
        lease: Seconds after which the lease of a program that was killed ends, from 0.5 to 60. All programs need the
            same. A program that is paused or cut off for longer during its request causes a second one.
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
        self._server = Server(url, name, self._times.timeout)
        self._contents = Contents(self._server, Sealer(name, keys), on_warning or warn)
        self._leases: set[Lease] = set()
        """The leases that this process holds. (Only the newest counts on the server.)"""
        self._kept: Lease | None = None
        """The lease of a session whose new tokens could not be stored yet."""
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
        self._contents.after_fork()
        for lease in (*self._leases, *([self._kept] if self._kept else [])):
            lease.forget()
        self._leases, self._kept = set(), None

    def close(self) -> None:
        """Close the connections. They are opened again when they are needed.

        A lease that is kept because new tokens could not be stored ends by time then.
        """
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.abandon()
        self._server.close()

    def check(self) -> None:
        """Check that the server can be written to.

        Raises:
            StoreError: It cannot.
        """
        self._server.check()

    def load(self) -> Credentials | None:
        """Return the credentials, or None if there are none.

        While the server does not answer, those that were read last are returned, with a warning.

        Raises:
            StoreError: They cannot be read.
        """
        if self._last is None or not self._server.is_silent:
            try:
                self._last = self._contents.opened(self._server.read())
            except Unreachable:
                if self._last is None:
                    raise
            else:
                self._is_cut_off = False
                return self._last
        if not self._is_cut_off:
            self._is_cut_off = True
            self._contents.warn(
                f"{self._server.where}: it does not answer; the credentials that were read last are used"
            )
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

    def transaction(self, *, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[Transaction]:
        """Lock the store for other threads. If another program changes it meanwhile, a save raises `StoreBusy`.

        So no other program has to wait for the block, and none can be blocked by one that was killed.

        Args:
            timeout: Seconds to wait at most for another thread.

        Raises:
            StoreBusy: Another thread has held the lock for more than `timeout` seconds.
        """
        return self._contents.transaction(timeout)

    @contextlib.contextmanager
    def renewing(self, *, timeout: float = LOCK_TIMEOUT) -> Iterator[LeasedStore]:
        """Hold the lease while the block runs, so that no other session refreshes the tokens.

        The block's value is the store under the lease, for its holder.

        Args:
            timeout: Seconds to wait at most for another session.

        Raises:
            StoreBusy: Another session has held the lease for so long.
            StoreError: The server cannot be used, or cannot be written to.
        """
        kept, self._kept = self._kept, None
        lease = kept or Lease(self._server, self._times)
        if kept is None:
            lease.take(timeout)
        self._leases.add(lease)
        held = LeasedStore(self._contents, lease, self._times.length)
        try:
            yield held
        finally:
            self._leases.discard(lease)
            if held.is_unsure:
                # Others would send the old refresh token. The session tries to store the new one again.
                lease.keep(KEEP)
                self._kept = lease
            else:
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

    def _persist(self, change: Callable[[Transaction], Credentials | None]) -> Credentials | None:
        """Change the store without a lease. Try again if another program was faster."""
        deadline = time.monotonic() + LOCK_TIMEOUT
        while True:
            try:
                with self._contents.transaction(LOCK_TIMEOUT) as transaction:
                    return change(transaction)
            except StoreBusy:
                if time.monotonic() >= deadline:
                    raise

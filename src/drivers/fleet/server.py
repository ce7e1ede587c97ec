"""The Redis server, as `RedisStore` uses it: a few commands, with its errors as `StoreError`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ...sansio.base.secret import Secret
from ..errors import StoreBusy, StoreError
from ..logging import log_error
from . import scripts
from .errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    Result = TypeVar("Result")

_WORDS: Final = (
    (("NOAUTH", "Authentication required", "already authenticated"), "it needs a password"),
    (("WRONGPASS", "invalid username-password", "invalid password"), "the password is wrong"),
    (("WRONGTYPE",), "it holds something that loginmachine has not stored"),
    (("READONLY", "read only replica"), "it is a read-only replica: use the address of the primary"),
    (("NOPERM", "no permissions", "no permission"), "its user may not use a command (docs/fleet.md lists them)"),
    (("MISCONF",), "it cannot write to its disk"),
    (("CERTIFICATE_VERIFY_FAILED",), "its certificate is not trusted (docs/fleet.md says how it is)"),
    (("OOM", "maxmemory"), "its memory is full"),
)
"""What the errors of the server have in their text, and what they mean."""
_PAUSE: Final = 0.05
"""Seconds between two attempts to write."""
REST: Final = 2.0
"""Seconds after an attempt without an answer in which another one that can be avoided would only take time."""


class Stored(NamedTuple):
    """What the server has: the version of the content (empty if nothing was ever stored), and its bytes, if any."""

    version: bytes
    value: bytes | None


class Server:
    """The keys of one login on a server. Any number of threads may use it.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``, with the password if there is one.
        name: The name of the login.
        timeout: Seconds to wait for the server.

    Raises:
        ValueError: The URL cannot be used. The message does not hold it.
    """

    def __init__(self, url: str, name: str, timeout: float) -> None:
        client = _client(url, timeout)
        if client is None:
            del url
            raise ValueError("the address of a Redis server begins with redis://, rediss:// or unix://, or is wrong")
        self._redis = client
        options = self._redis.connection_pool.connection_kwargs
        place = options.get("path") or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"
        self.where = f"the login {name!r} on the Redis server {place}"
        self._silent_until = 0.0
        provider = options.get("credential_provider")
        self._secrets = [Secret(secret) for secret in (provider.get_credentials() if provider else ()) if secret]
        # The braces keep both keys on one node of a cluster.
        self._keys = f"loginmachine:{{{name}}}", f"loginmachine:{{{name}}}:lease"
        self._scripts = {
            text: self._redis.register_script(text)
            for text in (scripts.TAKE, scripts.RENEW, scripts.RETURN, scripts.WRITE)
        }

    @property
    def is_silent(self) -> bool:
        """Whether the server did not answer a moment ago."""
        return time.monotonic() < self._silent_until

    def close(self) -> None:
        """Close the connections. They are opened again when they are needed."""
        self._redis.close()

    def check(self) -> None:
        """Write something that means nothing."""
        self._ask(lambda: self._redis.hset(self._keys[0], "checked", "1"))

    def read(self, patience: float = 0) -> Stored:
        """Return the content.

        Args:
            patience: Seconds for which to try again while the server does not answer.
        """
        found: Any = self._patiently(lambda: self._redis.hmget(self._keys[0], "version", "value"), patience)
        return Stored(found[0] or b"", found[1])

    def write(self, expected: Stored, value: bytes | None, fence: str, patience: float) -> Stored:
        """Replace the content, if it is unchanged and no newer lease was granted.

        Args:
            expected: The content that was read.
            value: The new bytes; None to remove the content.
            fence: The fence of the lease; empty to write without one.
            patience: Seconds for which to try again while the server does not answer.

        Returns:
            The new content.

        Raises:
            StoreBusy: Another worker has changed the content, or has taken the lease. Nothing is written.
            StoreError: The server cannot be used. If it did not answer, the content may be written all the same.
        """
        script, args = self._scripts[scripts.WRITE], (expected.version, fence, value or b"")
        result: Any = self._patiently(lambda: script(keys=self._keys, args=args), patience)
        if result == b"changed":
            # An attempt without an answer may have done it.
            found = self.read()
            if found.version != expected.version and found.value == value:
                return found
            raise StoreBusy(f"{self.where}: another program has changed it meanwhile")
        if result == b"stale":
            raise StoreBusy(f"{self.where}: another worker is refreshing the tokens, because this one took too long")
        return Stored(bytes(result), value)

    def take_lease(self, seconds: float) -> str | None:
        """Take the lease, and return its fence; None if another worker has it."""
        fence = self._run(scripts.TAKE, _milliseconds(seconds))
        return None if fence is None else bytes(fence).decode("ascii")

    def renew_lease(self, fence: str, seconds: float) -> bool:
        """Renew the lease. Return False if a newer one was granted."""
        return bool(self._run(scripts.RENEW, _milliseconds(seconds), fence))

    def return_lease(self, fence: str) -> None:
        """End the lease, if it is still this one."""
        self._run(scripts.RETURN, fence)

    def load_refusal(self) -> bytes:
        """Return what `save_refusal` stored; empty if it stored nothing."""
        found: Any = self._ask(lambda: self._redis.hget(self._keys[0], "refusal"))
        return found or b""

    def save_refusal(self, refusal: bytes) -> None:
        """Store what is known of a refused refresh token."""
        self._ask(lambda: self._redis.hset(self._keys[0], "refusal", refusal))

    def _run(self, script: str, *args: str | bytes | int) -> Any:  # noqa: ANN401 - the library's own
        return self._ask(lambda: self._scripts[script](keys=self._keys, args=args))

    def _patiently(self, command: Callable[[], Result], patience: float) -> Result:
        deadline = time.monotonic() + patience
        while True:
            try:
                return self._ask(command)
            except Unreachable:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_PAUSE)

    def _ask(self, command: Callable[[], Result]) -> Result:
        """Run a command.

        Raises:
            Unreachable: The server did not answer.
            StoreError: The server refused. The message holds no text of the server.
        """
        try:
            result = command()
        except (redis.RedisError, OSError) as error:
            log_error("the Redis server failed", error, hide=[secret.reveal() for secret in self._secrets])
            kind, problem = _problem_of(error)
        else:
            self._silent_until = 0.0
            return result
        self._silent_until = time.monotonic() + REST if kind is Unreachable else 0.0
        raise kind(f"{self.where}: {problem}")


def _client(url: str, timeout: float) -> redis.Redis | None:
    """Return the client for a server. None if its URL cannot be used."""
    try:
        options: dict[str, Any] = dict(redis.connection.parse_url(url))  # type: ignore[no-untyped-call]
        user, password = options.pop("username", None), options.pop("password", None)
        if user or password:
            # The library shows a password in its reprs, and not what provides one.
            options["credential_provider"] = redis.UsernamePasswordCredentialProvider(user, password)
        pool = redis.ConnectionPool(
            **options,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            # A connection that the server has closed since is opened again.
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
            decode_responses=False,
        )
        # An option in the URL may be unknown. This opens no connection.
        pool.connection_class(**pool.connection_kwargs)
    except (ValueError, TypeError, redis.RedisError):
        return None
    # Its `close` closes the pool. That of a client which is given a pool as an argument does not.
    return redis.Redis.from_pool(pool)


def _problem_of(error: Exception) -> tuple[type[StoreError], str]:
    """Return what is wrong, without the text of the server."""
    text = str(error)
    if isinstance(error, redis.BusyLoadingError):
        return Unreachable, "it is still loading its data"
    for parts, words in _WORDS:
        if isinstance(error, redis.RedisError) and any(part in text for part in parts):
            return StoreError, words
    if isinstance(error, redis.AuthenticationError):
        return StoreError, "the password is wrong"
    if isinstance(error, redis.ResponseError):
        return StoreError, "it refused a command"
    return Unreachable, "it does not answer" if isinstance(error, redis.TimeoutError) else "it cannot be reached"


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))

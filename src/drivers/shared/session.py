"""What the sessions of threads and of trio share: the store's answers as events, and what a request carries."""

from __future__ import annotations

import ipaddress
import time
from typing import TYPE_CHECKING, Final

from ...sansio.refresh.events import CredentialsLoaded, LoadFailed, LockBusy, LockFailed, LockTaken
from ...sansio.refresh.failures import SIGN_IN_REQUIRED
from ...sansio.refresh.outcome import Delivery, RefreshSuccess
from ..errors import InsecureRequest, RefreshFailed, SignInRequired, StoreBusy, StoreError
from ..logging import warn
from ..stores.protocols import host_trouble, save

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import httpx

    from ...sansio.base.secret import Secret
    from ...sansio.login.events import CredentialsSaved, SaveFailed
    from ...sansio.model.credentials import Credentials
    from ...sansio.refresh.events import AccessTokenWanted
    from ...sansio.refresh.failures import RefreshFailure
    from ...sansio.refresh.outcome import RefreshOutcome
    from ..stores.protocols import SessionStore

UNAUTHORIZED: Final = 401


class StoreAccess:
    """The store, as one refresh uses it. Every method may block, and says as an event what came of it."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._renewing: AbstractContextManager[None] | None = None
        self._seen: Credentials | None = None
        """What was stored when it was read last."""

    def load(self) -> CredentialsLoaded | LoadFailed:
        """Read it. That needs no lock: it is replaced whole."""
        try:
            self._seen = self._store.load()
        except StoreError as error:
            return LoadFailed(message=str(error))
        except Exception as error:  # noqa: BLE001 - a host's own store
            return LoadFailed(message=host_trouble(error))
        return CredentialsLoaded(credentials=self._seen, loaded_at=time.time())

    def take(self, timeout: float) -> LockTaken | LockBusy | LockFailed:
        """Keep other sessions from renewing the tokens, or wait for `timeout` seconds for one that does."""
        try:
            block = self._store.renewing(timeout=timeout)
            block.__enter__()
        except StoreBusy:
            return LockBusy()
        except StoreError as error:
            return LockFailed(message=str(error))
        except Exception as error:  # noqa: BLE001 - as above
            return LockFailed(message=host_trouble(error))
        self._renewing = block
        return LockTaken()

    def save(self, credentials: Credentials) -> CredentialsSaved | SaveFailed:
        """Store credentials, if what is stored is what was read last."""
        return save(_Unchanged(self._store, self._seen), credentials)

    def release(self) -> None:
        """Let other sessions renew the tokens, if they were kept from it."""
        block, self._renewing = self._renewing, None
        try:
            if block is not None:
                block.__exit__(None, None, None)
        except Exception as error:  # noqa: BLE001 - as above
            warn(f"the lock on the credentials could not be released: {host_trouble(error)}")


class _Unchanged:
    """A store that is written only if nobody has since it was read: a sign-in that came between must not be lost."""

    def __init__(self, store: SessionStore, seen: Credentials | None) -> None:
        self._store = store
        self._seen = seen

    def save(self, credentials: Credentials) -> Credentials | None:
        with self._store.transaction() as transaction:
            if transaction.load() != self._seen:
                raise StoreError("other credentials were stored meanwhile")
            return transaction.save(credentials)


def answers(outcome: RefreshOutcome, asked: AccessTokenWanted, wanted: AccessTokenWanted) -> bool:
    """Whether the outcome of somebody else's refresh answers what is wanted here.

    Args:
        outcome: How it ended.
        asked: What it was begun for.
        wanted: What is wanted here.
    """
    if not isinstance(outcome, RefreshSuccess):
        # Somebody whose token was rejected has nothing; who only wants one in time may still have the old one.
        return outcome.final or asked == wanted
    is_new = outcome.delivery in (Delivery.REFRESHED, Delivery.ADOPTED)
    return outcome.token != wanted.rejected and (is_new or not wanted.forced)


def refresh_error(failure: RefreshFailure) -> RefreshFailed:
    """The exception that tells a caller of this failure."""
    return SignInRequired(failure) if failure.category in SIGN_IN_REQUIRED else RefreshFailed(failure)


def check_target(url: httpx.URL) -> None:
    """Refuse to send a token where it could be overheard.

    Raises:
        InsecureRequest: The request is neither ``https`` nor for this machine.
    """
    if url.scheme != "https" and not _is_loopback(url.host):
        raise InsecureRequest(
            "a token is sent over https only, or to this machine: the request was not sent; use an https address"
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def authorize(request: httpx.Request, token: Secret) -> None:
    """Put a token into a request (RFC 6750 section 2.1)."""
    request.headers["Authorization"] = f"Bearer {token.reveal()}"


def is_rejected(response: httpx.Response, token: Secret) -> bool:
    """Whether an API says that the token is no good: an answer to a request without it, after a redirect, does not."""
    carried = response.request.headers.get("Authorization")
    return response.status_code == UNAUTHORIZED and carried == f"Bearer {token.reveal()}"

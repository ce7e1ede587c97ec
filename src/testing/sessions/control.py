"""What a test does to a fake session, the same for all drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...drivers.shared.recall import EarlyAttempts
from ...drivers.shared.sign_out import SessionSignOutStore
from ...drivers.stores.protocols import MemoryStore
from ...drivers.threaded.signing_out import run_sign_out
from ...sansio.base.http import TransportProblem
from ...sansio.sign_out import SignOutMachine
from .endpoint import LIFETIME, PROVIDER, FakeEndpoint

if TYPE_CHECKING:
    from ...sansio.base.http import HttpRequest
    from ...sansio.model.provider import Provider
    from ...sansio.refresh.outcome import RefreshMemory
    from ...sansio.sign_out.outcome import SignOutResult

__all__ = ["LIFETIME", "PROVIDER", "FakeControl"]


class FakeControl:
    """Base of the fake sessions of all drivers.

    The first access token is ``fake-access-token-1``, that after a refresh ``fake-access-token-2``, and so on.
    """

    _endpoint: FakeEndpoint
    _early: EarlyAttempts

    def _begin(self, lifetime: float, *, signed_in: bool) -> tuple[MemoryStore, Provider]:
        """Return what the session is made of."""
        self._endpoint = FakeEndpoint(MemoryStore(), lifetime)
        if signed_in:
            self._endpoint.sign_in()
        return self._endpoint.store, PROVIDER

    @property
    def store(self) -> MemoryStore:
        """The store of the session."""
        return self._endpoint.store

    @property
    def requests(self) -> tuple[HttpRequest, ...]:
        """The requests for new tokens so far."""
        return tuple(self._endpoint.requests)

    @property
    def revoked(self) -> tuple[HttpRequest, ...]:
        """The requests that revoke tokens."""
        return tuple(self._endpoint.revoked)

    def sign_in(self) -> None:
        """Let the person sign in, again perhaps. That brings new tokens, and refreshes work again."""
        self._endpoint.fail(None)
        self._endpoint.sign_in()
        self._early = EarlyAttempts()

    def advance(self, seconds: float) -> None:
        """Let time pass for the tokens. It takes no real time.

        Args:
            seconds: 0 or more.
        """
        self._endpoint.advance(seconds)
        self._early = EarlyAttempts()

    def expire(self) -> None:
        """Let the access token expire. The next call refreshes it."""
        self.advance(self._endpoint.lifetime + 1)

    def revoke_access_token(self) -> None:
        """Let the API refuse the access token with status 401, although it has not expired."""
        self._endpoint.revoke_access()

    def end_sign_in(self) -> None:
        """Let the provider refuse the refresh token for good: only a new sign-in helps then."""
        self._endpoint.end_sign_in()

    def fail_refreshes(self, status: int = 503, error: str = "temporarily_unavailable") -> None:
        """Let refreshes fail with an answer, until `restore_refreshes`.

        Args:
            status: The status of the answer.
            error: Its error code (RFC 6749 section 5.2).
        """
        self._endpoint.fail((status, error))

    def lose_connection(self, kind: TransportProblem | str = "connect") -> None:
        """Let refreshes fail without an answer, until `restore_refreshes`.

        Args:
            kind: ``timeout``, ``connect`` or ``request`` (the connection breaks).
        """
        self._endpoint.fail(TransportProblem(kind))

    def restore_refreshes(self) -> None:
        """Let refreshes work again."""
        self._endpoint.fail(None)
        self._early = EarlyAttempts()

    def accepts(self, token: str) -> bool:
        """Return whether an API accepts an access token now, for a fake API that answers with status 401 otherwise.

        Args:
            token: The token, without ``Bearer``.
        """
        return self._endpoint.accepts(token)

    def _signed_out(self, memory: RefreshMemory) -> SignOutResult:
        """Run the machine of a sign-out."""
        machine, at_store = SignOutMachine(PROVIDER), SessionSignOutStore(self.store, memory)
        run_sign_out(machine, at_store, send=self._endpoint.revoke)
        return at_store.result_of(machine)

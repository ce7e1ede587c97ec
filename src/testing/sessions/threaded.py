"""The fake session for programs with threads. It starts no thread: a refresh runs in that of its caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...drivers.shared.store_access import StoreAccess
from ...drivers.threaded.refresh import Refresh
from ...drivers.threaded.session import Session
from ...sansio.login.actions import SendTokenRequest
from ...sansio.refresh.outcome import RefreshMemory
from .control import LIFETIME, FakeControl

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.refresh.actions import RefreshAction
    from ...sansio.refresh.events import AccessTokenWanted, RefreshEvent
    from ...sansio.sign_out.outcome import SignOutResult
    from .endpoint import FakeEndpoint


class _FakeRefresh(Refresh):
    endpoint: FakeEndpoint

    def _perform(self, action: RefreshAction) -> RefreshEvent | None:
        if isinstance(action, SendTokenRequest):
            return self.endpoint.answer(action)
        return super()._perform(action)


class FakeSession(FakeControl, Session):
    """A `Session` with a provider in the same process, and fails when a test says so.

        session = FakeSession()
        assert session.access_token() == "fake-access-token-1"
        session.expire()
        assert session.access_token() == "fake-access-token-2"

    The machine of a real session decides. Nothing is sent, no thread is started, and time passes by `advance` only.

    Args:
        signed_in: Whether the person is signed in at the beginning.
        lifetime: Seconds for which an access token is valid, above 0.
        on_warning: As for `Session`.
    """

    def __init__(
        self,
        *,
        signed_in: bool = True,
        lifetime: float = LIFETIME,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        store, provider = self._begin(lifetime, signed_in=signed_in)
        Session.__init__(self, store, provider, on_warning=on_warning)

    def _new_refresh(self, wanted: AccessTokenWanted) -> Refresh:
        access = StoreAccess(self._store, self._looks)
        refresh = _FakeRefresh(self._new_machine(self._memory), access, wanted, self._on_warning)
        refresh.endpoint = self._endpoint
        return refresh

    def _start(self, refresh: Refresh) -> None:
        self._run(refresh, is_caller=True)

    def sign_out(self) -> SignOutResult:
        """Sign the person out, as a real session does.

        Returns:
            What was removed, and that the provider confirmed the revocation.
        """
        result = self._signed_out(self._memory)
        self._memory = RefreshMemory()
        self._looks.forget()
        return result

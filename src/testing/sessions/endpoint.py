"""The provider of a fake session: issues tokens, and fails when a test says so."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final, assert_never

from ...sansio.base.http import TransportProblem
from ...sansio.base.secret import Secret
from ...sansio.login import actions
from ...sansio.login.events import TokenRequestFailed, TokenResponseReceived
from ...sansio.model.credentials import AuthMode, Credentials
from ...sansio.model.provenance import provenance_of_provider
from ...sansio.model.provider import Provider
from ...sansio.model.tokens import Tokens
from ...sansio.refresh import actions as refresh_actions
from ...sansio.sign_out.events import RevocationEnded

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...drivers.shared.store_access import StoreAccess
    from ...drivers.stores.protocols import MemoryStore
    from ...sansio.base.http import HttpRequest
    from ...sansio.refresh.actions import RefreshAction
    from ...sansio.refresh.events import RefreshEvent
    from ...sansio.sign_out.actions import RevokeTokens

ISSUER: Final = "https://id.example"
PROVIDER: Final = Provider(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    revocation_endpoint=f"{ISSUER}/revoke",
    client_id="fake-client",
    scopes=("openid", "offline_access"),
)
"""The provider of fake sessions. Nothing is ever sent there."""
LIFETIME: Final = 3600.0
"""Seconds for which an access token is valid."""
_REASONS: Final = {
    TransportProblem.TIMEOUT: "no answer in time",
    TransportProblem.CONNECT: "the connection was refused",
    TransportProblem.REQUEST: "the connection broke",
}


class FakeEndpoint:
    """What the fake sessions of all drivers share: the tokens, and the provider that issues them.

    Args:
        store: Where the credentials are kept.
        lifetime: Seconds for which an access token is valid.
    """

    def __init__(self, store: MemoryStore, lifetime: float) -> None:
        self.store = store
        self.lifetime = lifetime
        self.requests: list[HttpRequest] = []
        self.revoked: list[HttpRequest] = []
        self._number = 0
        self._current: tuple[str, str] = ("", "")
        """The access token that an API accepts, and the refresh token that works."""
        self._failure: tuple[int, str] | TransportProblem | None = None

    def sign_in(self) -> None:
        """Store tokens as after a login."""
        self._number += 1
        self._current = self._pair()
        access, refresh = self._current
        tokens = Tokens(
            access_token=Secret(access),
            refresh_token=Secret(refresh),
            id_token=None,
            expiry=time.time() + self.lifetime,
            provenance=provenance_of_provider(PROVIDER),
        )
        self.store.credentials = Credentials(auth_mode=AuthMode.OAUTH, tokens=tokens)

    def advance(self, seconds: float) -> None:
        """Let the stored access token become older."""
        stored = self.store.credentials
        if stored is not None and stored.tokens is not None and stored.tokens.expiry is not None:
            tokens = stored.tokens.__replace__(expiry=stored.tokens.expiry - seconds)
            self.store.credentials = stored.__replace__(tokens=tokens)

    def accepts(self, token: str) -> bool:
        """Return whether an API accepts an access token: it is the newest one, not revoked and not expired."""
        stored = self.store.credentials
        if token != self._current[0] or not token or stored is None or stored.tokens is None:
            return False
        return (stored.tokens.expiry or 0.0) > time.time()

    def revoke_access(self) -> None:
        """Let the API refuse the access token, although it has not expired. A refresh brings another one."""
        self._current = "", self._current[1]

    def end_sign_in(self) -> None:
        """Let the provider refuse the refresh token for good, and the API the access token."""
        self._current = "", ""

    def fail(self, failure: tuple[int, str] | TransportProblem | None) -> None:
        """Let refreshes fail.

        Args:
            failure: A status and an error code, or why there is no answer. None lets them work again.
        """
        self._failure = failure

    def answer(self, request: actions.SendTokenRequest) -> TokenResponseReceived | TokenRequestFailed:
        """Answer the request for new tokens (RFC 6749 section 6)."""
        self.requests.append(request)
        if isinstance(self._failure, TransportProblem):
            return TokenRequestFailed(
                exchange_id=request.exchange_id, kind=self._failure, message=_REASONS[self._failure]
            )
        if self._failure is not None:
            status, error = self._failure
            return _response(request, status, {"error": error})
        if not self._current[1] or dict(request.form).get("refresh_token") != self._current[1]:
            return _response(request, 400, {"error": "invalid_grant"})
        self._number += 1
        self._current = access, refresh = self._pair()
        members = {
            "access_token": access,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": self.lifetime,
        }
        return _response(request, 200, members)

    def revoke(self, request: RevokeTokens) -> RevocationEnded:
        """Take the request that revokes the tokens (RFC 7009), and confirm it."""
        self.revoked.append(request)
        self._current = "", ""
        return RevocationEnded(problem="")

    def _pair(self) -> tuple[str, str]:
        return f"fake-access-token-{self._number}", f"fake-refresh-token-{self._number}"


def performed(
    action: RefreshAction, access: StoreAccess, endpoint: FakeEndpoint, warn: Callable[[str], None]
) -> RefreshEvent | None:
    """Perform an action of a refresh, at once, and return its result.

    Args:
        action: The action.
        access: The store.
        endpoint: The provider.
        warn: Called with a warning.
    """
    match action:
        case refresh_actions.LoadCredentials():
            return access.load()
        case refresh_actions.TakeLock(timeout=timeout):
            return access.take_lock(timeout)
        case actions.SendTokenRequest():
            return endpoint.answer(action)
        case actions.SaveCredentials(credentials=credentials):
            return access.save(credentials)
        case refresh_actions.ReleaseLock():
            access.release_lock()
        case refresh_actions.RememberRefusal(refusal=refusal):
            access.save_refusal(refusal)
        case refresh_actions.ForgetTokens():
            access.forget_tokens()
        case refresh_actions.Warn(message=message):
            warn(message)
        case refresh_actions.Deliver():
            # The last action.
            pass
        case _:
            assert_never(action)
    return None


def _response(request: actions.SendTokenRequest, status: int, members: dict[str, object]) -> TokenResponseReceived:
    return TokenResponseReceived(
        exchange_id=request.exchange_id,
        status=status,
        headers=((b"Content-Type", b"application/json"),),
        body=json.dumps(members).encode(),
        received_at=time.time(),
    )

"""Events and values for the tests of a refresh, all literal: nothing is taken from the code under test."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from loginmachine import Credentials, Provider, RefreshMachine, Secret, Tokens
from loginmachine.sansio.base.http import Encoding, TransportProblem
from loginmachine.sansio.login.actions import SaveCredentials, SendTokenRequest
from loginmachine.sansio.login.events import CredentialsSaved, SaveFailed
from loginmachine.sansio.refresh.actions import Deliver, LoadCredentials, ReleaseLock, TakeLock
from loginmachine.sansio.refresh.events import (
    AccessTokenWanted,
    CredentialsLoaded,
    LoadFailed,
    LockBusy,
    LockFailed,
    LockTaken,
)
from loginmachine.sansio.refresh.failures import RefreshFailure, RefreshFailureCategory
from loginmachine.sansio.refresh.outcome import Delivery, RefreshMemory, RefreshSuccess

from ..samples import ID_TOKEN, NAMESPACE, NOW, PROVENANCE, answer, jwt, no_answer

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import TokenRequestFailed, TokenResponseReceived
    from loginmachine.sansio.refresh.actions import RefreshAction
    from loginmachine.sansio.refresh.events import RefreshEvent

PROVIDER = Provider.codex()
HOUR, DAY = 3600.0, 86400.0
NOW_TEXT = "2026-11-18T11:06:40.000000Z"
"""`NOW`, as it is stored."""


def access(expires_in: float | None, mark: str) -> str:
    """Return an access token that ends so many seconds after `NOW`; without an expiry for None."""
    return jwt({} if expires_in is None else {"exp": int(NOW + expires_in)}, f"canary-{mark}-access")


OLD = access(60, "old")
"""Still valid, but due for a refresh."""
OVER = access(-60, "over")
NEW = access(10 * DAY, "new")
THEIRS = access(10 * DAY, "their")
OPAQUE = "canary-opaque-access"


def stored(
    access_token: str = OLD, refresh_token: str = "canary-old-refresh", *, id_token: str = ID_TOKEN, **changes: Any
) -> Credentials:
    """Return the credentials that a login stores."""
    tokens = Tokens(
        id_token=Secret(id_token),
        access_token=Secret(access_token),
        refresh_token=Secret(refresh_token) if refresh_token else None,
        account_id="acc-1",
        provenance=PROVENANCE,
    )
    return Credentials(**{"tokens": tokens, "last_refresh": "2026-11-10T00:00:00Z", **changes})


THEIR_CREDENTIALS = stored(THEIRS, "canary-their-refresh")
NEW_CREDENTIALS = stored(NEW, "canary-new-refresh", last_refresh=NOW_TEXT)
API_KEY_ONLY = Credentials(auth_mode="apikey", api_key=Secret("sk-canary-key"))

WANTED = AccessTokenWanted()
FORCED = AccessTokenWanted(forced=True)
LOAD = LoadCredentials()
TAKE = TakeLock(timeout=0.25)
RELEASE = ReleaseLock()
SAVE = SaveCredentials(credentials=NEW_CREDENTIALS)


def rejected(token: str) -> AccessTokenWanted:
    return AccessTokenWanted(rejected=Secret(token))


def loaded(credentials: Credentials | None, at: float = NOW) -> CredentialsLoaded:
    return CredentialsLoaded(credentials=credentials, loaded_at=at)


def send(refresh_token: str = "canary-old-refresh") -> SendTokenRequest:
    return SendTokenRequest(
        exchange_id=1,
        url="https://auth.openai.com/oauth/token",
        form=(
            ("client_id", "app_EMoamEEZ73f0CkXaXp7hrann"),
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ),
        encoding=Encoding.JSON,
        timeout=60.0,
    )


def answered(status: int = 200, at: float = NOW, **members: Any) -> TokenResponseReceived:
    """Return a response of the token endpoint, with new access and refresh tokens unless members are given."""
    content = members or {"access_token": NEW, "refresh_token": "canary-new-refresh"}
    return answer(1, status, json.dumps(content).encode(), received_at=at)


def unanswered(kind: TransportProblem = TransportProblem.CONNECT) -> TokenRequestFailed:
    return no_answer(kind, message="no connection")


def delivered(
    credentials: Credentials,
    how: str = "current",
    token: str | None = None,
    message: str = "",
    *,
    is_stored: bool = True,
) -> Deliver:
    """Return the action that delivers the access token of these credentials, or another token."""
    if token is None:
        assert credentials.tokens is not None
        token = credentials.tokens.access_token.reveal()
    outcome = RefreshSuccess(
        credentials=credentials, token=Secret(token), delivery=Delivery(how), message=message, is_stored=is_stored
    )
    return Deliver(outcome=outcome)


def machine(memory: RefreshMemory | None = None, environment_key: str | None = None) -> RefreshMachine:
    return RefreshMachine(PROVIDER, memory, environment_key=environment_key)


def tell(refresh: RefreshMachine, *events: RefreshEvent) -> list[RefreshAction]:
    """Give events to a refresh, and return all actions."""
    return [action for event in events for action in refresh.handle(event)]


def failure_of(refresh: RefreshMachine) -> tuple[str, str, bool]:
    """Return the category and message of a failure, and whether it is final."""
    assert isinstance(refresh.outcome, RefreshFailure)
    assert isinstance(refresh.outcome.category, RefreshFailureCategory)
    return refresh.outcome.category, refresh.outcome.message, refresh.outcome.final


ONE_USE = PROVIDER.__replace__(dialect=PROVIDER.dialect.__replace__(one_use_refresh_tokens=True))
WITH_KEYS = PROVIDER.__replace__(jwks_uri="https://auth.openai.com/keys")
KEYS = b'{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'
"""RFC 8037 appendix A.2."""
_TO_LOCKING: tuple[RefreshEvent, ...] = (WANTED, loaded(stored()))
_TO_AGAIN = (*_TO_LOCKING, LockTaken())
_TO_EXCHANGING = (*_TO_AGAIN, loaded(stored()))
_TO_BEFORE_SAVING = (*_TO_EXCHANGING, answered())
_TO_SAVING = (*_TO_BEFORE_SAVING, loaded(stored()))
PATHS: dict[str, tuple[RefreshEvent, ...]] = {
    "idle": (),
    "reading": (WANTED,),
    "locking": _TO_LOCKING,
    "reading_while_waiting": (*_TO_LOCKING, LockBusy()),
    "reading_again": _TO_AGAIN,
    "saving_mark": _TO_EXCHANGING,
    "fetching_keys": _TO_EXCHANGING,
    "exchanging_refresh_token": _TO_EXCHANGING,
    "reading_before_saving": _TO_BEFORE_SAVING,
    "reading_after_refusal": (*_TO_EXCHANGING, answered(400, error="invalid_grant")),
    "saving_credentials": _TO_SAVING,
    "succeeded": (*_TO_SAVING, CredentialsSaved()),
    "failed": (WANTED, loaded(None)),
}
"""The events that lead to each state."""


def machine_in(state: str) -> RefreshMachine:
    """Return a refresh in this state. Only a provider with keys leads to ``fetching_keys``, for example."""
    provider = {"fetching_keys": WITH_KEYS, "saving_mark": ONE_USE}.get(state, PROVIDER)
    refresh = RefreshMachine(provider)
    tell(refresh, *PATHS[state])
    assert refresh.state == state
    return refresh


EVENTS: dict[str, RefreshEvent] = {
    "wanted": WANTED,
    "loaded": loaded(stored()),
    "load_failed": LoadFailed(failed_at=NOW, message="it cannot be read"),
    "lock_taken": LockTaken(),
    "lock_busy": LockBusy(),
    "lock_failed": LockFailed(message="read-only file system"),
    "answered": answered(),
    "unanswered": unanswered(),
    "saved": CredentialsSaved(),
    "save_failed": SaveFailed(message="disk full"),
}
CANARIES = (
    *("canary-old-access", "canary-over-access", "canary-new-access", "canary-their-access", "canary-opaque-access"),
    *("canary-old-refresh", "canary-new-refresh", "canary-their-refresh", "canary-id-token", "sk-canary-key"),
)
OTHER_ACCOUNT = jwt({NAMESPACE: {"chatgpt_account_id": "acc-2"}}, "canary-other-id-token")

"""Credentials with a refresh token that works once, as they are stored, and the responses of their provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loginmachine.sansio import Credentials, Secret, Tokens
from loginmachine.sansio.model.entry import parse_entry, serialise_entry
from loginmachine.sansio.refresh.events import CredentialsLoaded

from ..chatgpt_samples import ISSUED, PLAN, PROVIDER, RESOURCE
from ..samples import NOW
from ..server_samples import keys as keys_of
from ..server_samples import signed
from .samples import answered

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import TokenResponseReceived

COMPLETE = PROVIDER.__replace__(
    client_id=ISSUED,
    authorization_endpoint="https://id.example/authorize",
    token_endpoint="https://id.example/token",
    jwks_uri="https://id.example/keys",
)
IDENTITY: dict[str, Any] = {"aud": [ISSUED], "nonce": None}
ID_TOKEN = signed(**IDENTITY)
NEW_ID_TOKEN = signed(**IDENTITY, given_name="Ada")
FORGED = signed("key-3", {"kid": "key-1"}, **IDENTITY)
KEYS = keys_of(1)


def stored(ends: float = 60.0, extra: str = "", **changes: Any) -> Credentials:
    """Return credentials of an account, with an access token that ends so many seconds after `NOW`."""
    tokens = Tokens(
        id_token=Secret(ID_TOKEN),
        access_token=Secret("canary-old-access"),
        refresh_token=Secret("canary-old-refresh"),
        expiry=NOW + ends,
        scope=tuple(PLAN.split()),
        resource=(RESOURCE,),
        extra=Secret(f'{{"earliest_refresh_at": {extra}}}') if extra else None,
        provider=COMPLETE,
    )
    return Credentials(auth_mode="oauth", tokens=tokens.__replace__(**changes), last_refresh="2026-11-18T10:07:40Z")


DUE, OVER = stored(), stored(-60.0)
NEW = stored(3600.0, access_token=Secret("canary-new-access"), refresh_token=Secret("canary-new-refresh"))
THEIRS = stored(3600.0, access_token=Secret("canary-their-access"), refresh_token=Secret("canary-their-refresh"))


def loaded(credentials: Credentials | None, at: float = NOW) -> CredentialsLoaded:
    """Return the event of a store: credentials as they are read again."""
    known = None if credentials is None else parse_entry(serialise_entry(credentials))
    return CredentialsLoaded(credentials=known, loaded_at=at)


def new_tokens(id_token: str | None = NEW_ID_TOKEN, **changes: Any) -> TokenResponseReceived:
    """Return the response to a refresh; without an id token for None."""
    members = {"access_token": "canary-new-access", "refresh_token": "canary-new-refresh", "expires_in": 3600}
    return answered(**{**members, **({} if id_token is None else {"id_token": id_token}), **changes})


def waiting(credentials: Credentials = DUE, id_token: str = NEW_ID_TOKEN) -> Credentials:
    """Return credentials with new ones beside them that wait for the keys."""
    assert credentials.tokens is not None
    tokens = credentials.tokens.__replace__(
        id_token=Secret(id_token),
        access_token=Secret("canary-waiting-access"),
        refresh_token=Secret("canary-new-refresh"),
        expiry=NOW + 3600.0,
    )
    new = Credentials(auth_mode="oauth", tokens=tokens, last_refresh="2026-11-18T11:06:40.000000Z")
    return credentials.__replace__(unverified=new)

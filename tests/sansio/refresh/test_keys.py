"""The signature of a refreshed id token (OpenID Connect Core section 12.2), where the provider has keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey
from joserfc.jws import serialize_compact

from loginmachine.sansio import Provider, Secret, Tokens
from loginmachine.sansio.login.actions import SaveCredentials, SendTokenRequest
from loginmachine.sansio.model.credentials import Credentials
from loginmachine.sansio.refresh.actions import Warn
from loginmachine.sansio.refresh.events import CredentialsLoaded, LockTaken
from loginmachine.sansio.refresh.machine import RefreshMachine

from ..samples import NOW, answer, no_answer
from .samples import WANTED, failure_of, tell

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import TokenResponseReceived

PROVIDER = Provider.openid("https://id.example", client_id="client-1").__replace__(
    authorization_endpoint="https://id.example/authorize",
    token_endpoint="https://id.example/token",
    jwks_uri="https://id.example/keys",
)
KEY = ECKey.generate_key("P-256", {"kid": "one"}, auto_kid=False)
OTHER_KEY = ECKey.generate_key("P-256", {"kid": "one"}, auto_kid=False)
CLAIMS = {"iss": "https://id.example", "sub": "user-1", "aud": "client-1", "exp": NOW + 60, "iat": NOW}
TROUBLE = "a new id token would not be verified, and is not stored: https://id.example/keys: "


def signed(key: ECKey = KEY, kid: str = "one", **changes: Any) -> str:
    header = {"alg": "ES256", "kid": kid}
    return serialize_compact(header, json.dumps({**CLAIMS, **changes}), key, algorithms=["ES256"])


STORED_ID_TOKEN = signed()
NEW_ID_TOKEN = signed(exp=NOW + 120)
OVER = Credentials(
    auth_mode="oauth",
    tokens=Tokens(
        access_token=Secret("old"),
        refresh_token=Secret("canary-old-refresh"),
        id_token=Secret(STORED_ID_TOKEN),
        expiry=NOW - 1.0,
        resource=("https://api.example",),
        provider=PROVIDER,
    ),
    last_refresh="2026-11-18T10:00:00Z",
)


def refresh_until_keys(credentials: Credentials = OVER) -> tuple[RefreshMachine, SendTokenRequest]:
    """Return a refresh that has just sent its first request, and the request."""
    refresh = RefreshMachine(None)
    loaded = CredentialsLoaded(credentials=credentials, loaded_at=NOW)
    actions = tell(refresh, WANTED, loaded, LockTaken(), loaded)
    (request,) = (action for action in actions if isinstance(action, SendTokenRequest))
    return refresh, request


def keys(key: ECKey = KEY, status: int = 200) -> TokenResponseReceived:
    return answer(1, status, json.dumps({"keys": [key.as_dict(private=False)]}).encode())


def new_tokens(id_token: str = NEW_ID_TOKEN) -> TokenResponseReceived:
    members = {"access_token": "new", "refresh_token": "canary-new-refresh", "id_token": id_token, "expires_in": 60}
    return answer(1, 200, json.dumps(members).encode())


def saved(refresh: RefreshMachine) -> Tokens:
    """Let the machine read the unchanged store, and return the tokens that it saves."""
    (save,) = refresh.handle(CredentialsLoaded(credentials=OVER, loaded_at=NOW))
    assert isinstance(save, SaveCredentials)
    assert save.credentials.tokens is not None
    return save.credentials.tokens


def test_the_keys_are_fetched_before_the_refresh_token_is_sent() -> None:
    """So nothing can go wrong between the response, which ends the old tokens, and the store."""
    refresh, request = refresh_until_keys()
    assert (request.exchange_id, request.method, request.url) == (1, "GET", "https://id.example/keys")
    (exchange,) = refresh.handle(keys())
    assert isinstance(exchange, SendTokenRequest)
    assert (exchange.exchange_id, exchange.url) == (1, "https://id.example/token")
    assert exchange.form == (
        ("client_id", "client-1"),
        ("grant_type", "refresh_token"),
        ("refresh_token", "canary-old-refresh"),
        ("resource", "https://api.example"),
    )


def test_an_id_token_with_a_good_signature_is_stored() -> None:
    refresh, _ = refresh_until_keys()
    tell(refresh, keys(), new_tokens())
    tokens = saved(refresh)
    assert (tokens.access_token, tokens.refresh_token) == (Secret("new"), Secret("canary-new-refresh"))
    assert (tokens.id_token, tokens.expiry, tokens.provider) == (Secret(NEW_ID_TOKEN), NOW + 60, PROVIDER)


@pytest.mark.parametrize(
    "id_token",
    [signed(OTHER_KEY), NEW_ID_TOKEN[:-8] + "AAAAAAAA", "eyJhbGciOiJub25lIn0." + NEW_ID_TOKEN.split(".")[1] + "."],
    ids=["another key", "changed", "none"],
)
def test_a_wrong_signature_ends_the_sign_in_and_nothing_is_stored(id_token: str) -> None:
    refresh, _ = refresh_until_keys()
    actions = tell(refresh, keys(), new_tokens(id_token))
    assert not any(isinstance(action, SaveCredentials) for action in actions)
    category, message, is_final = failure_of(refresh)
    assert (category, is_final) == ("account_changed", True)
    assert message.startswith("the new id token was refused: ")


def test_an_id_token_of_an_unknown_key_is_not_stored_but_the_others_are() -> None:
    refresh, _ = refresh_until_keys()
    tell(refresh, keys(), new_tokens(signed(kid="two", exp=NOW + 120)))
    tokens = saved(refresh)
    assert (tokens.id_token, tokens.access_token) == (Secret(STORED_ID_TOKEN), Secret("new"))


@pytest.mark.parametrize(
    ("event", "words"),
    [(no_answer(message="no connection"), "no connection"), (keys(status=500), "status 500")],
    ids=["no answer", "an error"],
)
def test_without_keys_the_id_token_is_not_stored_and_the_other_tokens_are(event: Any, words: str) -> None:
    refresh, _ = refresh_until_keys()
    warning, exchange = refresh.handle(event)
    assert isinstance(warning, Warn)
    assert warning.message.startswith(TROUBLE + words)
    assert isinstance(exchange, SendTokenRequest)
    tell(refresh, new_tokens())
    tokens = saved(refresh)
    assert (tokens.id_token, tokens.refresh_token) == (Secret(STORED_ID_TOKEN), Secret("canary-new-refresh"))


def test_a_sign_in_without_an_id_token_needs_no_keys() -> None:
    assert OVER.tokens is not None
    plain = OVER.__replace__(tokens=OVER.tokens.__replace__(id_token=None))
    _, request = refresh_until_keys(plain)
    assert (request.exchange_id, request.url) == (1, "https://id.example/token")

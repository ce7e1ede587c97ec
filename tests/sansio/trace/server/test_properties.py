"""In any login at a standard provider the recorder changes nothing, its trace replays, and no secret is in the trace.

The provider is hostile: any value may stand in any place, and any response may come at any time.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from loginmachine.sansio import LoginOptions, Provider, Secret
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.events import (
    Bound,
    CallbackPasted,
    CredentialsSaved,
    RegistrationSaved,
    RegistrationSaveFailed,
    Started,
    TokenRequestFailed,
    TokenResponseReceived,
)
from loginmachine.sansio.model.options import LoginMethod
from loginmachine.sansio.server.endpoints import ClientAuthentication
from loginmachine.sansio.server.registration import ClientMetadata, Registration

from ....traces import server_samples as samples
from ...oauth.test_keys import encoded
from ...samples import NOW, POLL_DUE, get, jwt
from ..beside import Beside
from ..test_properties import HIDDEN, MANY, NONCE, SECRETS, STATE, answer_headers, requests, texts, values

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import Event

CLIENTS = ("client-1", "Canary18client")
SHOWN = tuple(text for text in HIDDEN if text and text.isascii() and text.isprintable())


def changed(good: dict[str, Any], *more: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return an object, mostly as it is, with other values for some members and with strange members."""
    wrong = st.dictionaries(st.one_of(st.sampled_from((*good, *more, "error", "error_description")), texts), values)
    return st.tuples(st.one_of(st.just({}), st.just({}), st.just({}), wrong), st.just(good)).map(
        lambda two: {**two[1], "Canary17": "Canary18", **two[0]}
    )


def usable(name: str, value: object) -> object:
    """Return a member of metadata. The hosts and paths of good endpoints are shown, so they hold no canary."""
    is_good = isinstance(value, str) and value.startswith("https://id.example") and "?" not in value
    return f"{samples.ISSUER}/good" if is_good and name != "issuer" else value


metadata = st.tuples(
    changed({**samples.METADATA, "userinfo_endpoint": "https://canarytwelve.example/"}),
    st.sampled_from(
        [
            {},
            {},
            {},
            {"issuer": f"{samples.ISSUER}/"},
            {"issuer": "https://canarytwelve.example"},
            {"id_token_signing_alg_values_supported": ["EdDSA"]},
            {"id_token_signing_alg_values_supported": ["HS256", "Canary5key"]},
            {"id_token_signing_alg_values_supported": None},
            {"jwks_uri": None},
            {"token_endpoint": "https://canarytwelve:canarytwelve@id.example/"},
        ]
    ),
).map(lambda two: {name: usable(name, value) for name, value in {**two[0], **two[1]}.items()})
registrations = changed(
    {
        "client_id": "Canary18client",
        "client_secret": "Canary5key",
        "token_endpoint_auth_method": "client_secret_basic",
        "redirect_uris": ["http://127.0.0.1:1455/auth/callback"],
        "registration_access_token": "Canary4refresh",
        "contacts": ["canary6@mail.example"],
    },
    "client_secret_expires_at",
)
pushed = changed({"request_uri": "urn:Canary18reference", "expires_in": 60})
key_names = st.sampled_from(["Canary18key-1", "Canary18key-2"])


def signed(name: str, kid: object, alg: str, client: str, claims: dict[str, Any]) -> str:
    header = {"alg": alg, **({} if kid is None else {"kid": kid})}
    others = {claim: value for claim, value in samples.CLAIMS.items() if claim != "name"}
    content = {**others, "sub": "Canary7-account-guid", "aud": client, "nonce": NONCE, **claims}
    if alg == "ES256" and isinstance(kid, str | None):
        return samples.id_token(name, {"kid": kid} if kid else {}, **content)
    return f"{encoded(header)}.{encoded(content)}.{encoded(b'Canary5key')}"


id_tokens = st.builds(
    signed,
    key_names,
    st.sampled_from(["canary-Canary18key-1", "canary-Canary18key-1", "canary-Canary18key-2", None, 4711, ""]),
    st.sampled_from(["ES256", "ES256", "ES256", "ES256", "none", "HS256", "EdDSA", "Canary5key"]),
    st.sampled_from(CLIENTS),
    st.one_of(st.just({}), st.just({}), st.just({"iss": "https://canarytwelve.example"}), st.just({"tid": "Canary18"})),
)
tokens = st.tuples(
    changed({"access_token": "Canary5key", "refresh_token": "Canary4refresh", "scope": "openid Canary18scope"}),
    st.one_of(id_tokens, id_tokens, id_tokens, id_tokens, st.none(), st.just(jwt({"Canary18": 1}))),
).map(lambda two: {**two[0], **({} if two[1] is None else {"id_token": two[1]})})
some_keys = st.lists(
    st.one_of(
        key_names.map(lambda name: {**samples.key(name).as_dict(private=False), "x5c": ["Canary5key"]}),
        key_names.map(lambda name: {**samples.key(name).as_dict(private=True), "use": "sig"}),
        st.just({"kty": "OKP", "crv": "Ed25519", "x": "Canary5key"}),
        values,
    ),
    max_size=4,
)
good_keys = st.just({"keys": [samples.key("Canary18key-1").as_dict(private=False)]})
keys = st.one_of(good_keys, good_keys, st.builds(lambda listed: {"keys": listed}, some_keys), changed({"keys": "x"}))
device_codes = st.just({**samples.DEVICE_CODE, "device_code": "Canary3code", "user_code": "CANARYTHIRTEEN"})
ANY = st.one_of(metadata, registrations, pushed, tokens, keys, device_codes)


bodies = st.tuples(
    st.one_of(
        st.sampled_from(["expected"] * 4),
        st.just("other"),
        st.sampled_from([b"", b"[]", b"{", b'{"a":NaN}', b"\xff", b"canarytwelve"]),
    ),
    ANY,
)
statuses = st.sampled_from([200, 200, 200, 201, 404, 500])
moments = st.sampled_from([NOW, NOW, NOW, NOW, -1.0])
headers = st.one_of(st.just(()), answer_headers)
rests = st.tuples(bodies, statuses, headers, moments)


def answered(number: int, content: dict[str, Any], rest: Any) -> Event:
    """Return a response, which mostly has the right content."""
    (kind, other), status, fields, received_at = rest
    body = kind if isinstance(kind, bytes) else json.dumps(content if kind == "expected" else other).encode()
    return TokenResponseReceived(exchange_id=number, status=status, headers=fields, body=body, received_at=received_at)


came_back = get(f"/auth/callback?code=Canary3code&state={quote(STATE)}", port=1455)
others: st.SearchStrategy[Event] = st.one_of(
    st.sampled_from(
        [came_back, came_back, Bound(port=1455), RegistrationSaved(), RegistrationSaved(), CredentialsSaved(), POLL_DUE]
    ),
    st.builds(RegistrationSaveFailed, message=texts),
    st.builds(CallbackPasted, text=st.sampled_from([f"{samples.ISSUER}/authorize?key=canary-query", "Canary18"])),
    requests,
)
secrets = st.sampled_from(SHOWN)
providers = st.one_of(
    st.just(samples.OPENID),
    st.just(samples.PUSHING),
    st.builds(
        Provider.__replace__,
        st.just(samples.REGISTERING),
        registration=st.builds(ClientMetadata, client_name=secrets, contacts=st.tuples(secrets), software_id=secrets),
    ),
    st.builds(
        Provider.__replace__,
        st.just(samples.OPENID),
        client_secret=secrets.map(Secret),
        token_endpoint_auth_method=st.sampled_from([*ClientAuthentication][1:]),
        id_token_signing_alg_values_supported=st.sampled_from([("ES256",), ("ES256", "EdDSA"), ("RS256", "Canary5")]),
    ),
)
options = st.builds(
    LoginOptions,
    provider=providers.map(lambda provider: provider.__replace__(port=1455)),
    scopes=st.sampled_from([None, ("openid",), ("openid", "files")]),
    required_scopes=st.sampled_from([(), (), ("files",)]),
    login_hint=st.one_of(st.none(), texts),
    audience=st.one_of(st.none(), secrets),
    prompt=st.one_of(st.none(), texts),
    resource=st.lists(secrets.map("urn:{}".format), max_size=2).map(tuple),
    parameters=st.lists(st.tuples(secrets, texts), max_size=2).map(tuple),
    max_age=st.sampled_from([None, None, 60]),
)
starts = st.sampled_from(
    [
        *[Started()] * 4,
        Started(method=LoginMethod.DEVICE_CODE),
        Started(
            registration=Registration(
                issuer=samples.ISSUER,
                client_id="Canary18client",
                client_secret=Secret("Canary5key"),
                token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_POST,
                others=Secret('{"registration_access_token": "Canary4refresh"}'),
            )
        ),
    ]
)


CONTENTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "discovering": metadata,
    "registering": registrations,
    "pushing_request": pushed,
    "requesting_device_code": device_codes,
    "exchanging_code": tokens,
    "fetching_keys": keys,
    "awaiting_callback": keys,
    "polling_device_code": tokens,
}
"""What a response most probably has, by the state of the login."""
USUAL: dict[str, Event] = {
    "binding": Bound(port=1455),
    "saving_registration": RegistrationSaved(),
    "awaiting_callback": came_back,
    "polling_device_code": POLL_DUE,
    "saving_credentials": CredentialsSaved(),
}
"""The other event that a login waits for."""
GOOD: dict[str, Any] = {
    "discovering": samples.METADATA,
    "registering": {"client_id": "Canary18client", "registration_access_token": "Canary4refresh"},
    "pushing_request": {"request_uri": "urn:Canary18reference", "expires_in": 60},
    "requesting_device_code": samples.DEVICE_CODE,
    "fetching_keys": {"keys": [samples.key("Canary18key-1").as_dict(private=False)]},
}
DICE = st.integers(0, 9)
NUMBERS = st.integers(1, 6)
FAILURES = st.builds(TokenRequestFailed, exchange_id=NUMBERS, kind=st.sampled_from(TransportProblem), message=texts)


def draw(data: st.DataObject, state: str, number: int) -> Event:
    """Return an event, which is mostly one that a login waits for in this state."""
    dice = data.draw(DICE)
    if dice < 8 and state in USUAL and (state not in CONTENTS or dice % 2):
        return USUAL[state]
    if dice < 8 and state in CONTENTS:
        return answered(number, data.draw(CONTENTS[state]), data.draw(rests))
    if dice == 8:
        return answered(data.draw(NUMBERS), data.draw(ANY), data.draw(rests))
    return data.draw(st.one_of(FAILURES, others, others, others))


def good(state: str, number: int) -> Event:
    """Return the event with which a login goes on. Where there is none, the callback."""
    if state not in GOOD:
        return USUAL.get(state, came_back)
    return answered(number, GOOD[state], (("expected", None), 200, (), NOW))


@MANY
@given(st.data(), options, starts)
def test_no_secret_is_in_a_trace(data: st.DataObject, chosen: LoginOptions, start: Event) -> None:
    login = Beside(chosen, SECRETS).tell(start)
    steps = data.draw(st.integers(0, 6))
    for request_id in range(2, 14):
        next_event = good if request_id < 2 + steps else partial(draw, data)
        event = next_event(login.machine.state, login.machine._login.exchanges)
        is_request = hasattr(event, "target") and event is not came_back
        login.tell(event.__replace__(request_id=request_id) if is_request else event)
    bare = (part for canary in HIDDEN for part in (canary, quote(canary, safe=""), quote(canary, safe="").lower()))
    login.replays().hides([*bare, "anary"])

"""In any login the recorder changes nothing, its trace replays, and no secret is in the trace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loginmachine.sansio import LoginOptions, LoginSecrets, Provider
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.events import (
    BindFailed,
    BindProblem,
    Bound,
    BrowserFailed,
    BrowserOpened,
    CancelRequested,
    ClientGone,
    CredentialsSaved,
    HttpsAttempted,
    RequestReceived,
    ResponseSent,
    SaveFailed,
    Started,
    TokenRequestFailed,
    TokenResponseReceived,
)
from loginmachine.sansio.server.dialect import Dialect
from loginmachine.sansio.server.endpoints import IdTokenPolicy

from ..login.test_invariants import any_answers, clients, confusions, good_answers, play, right_callbacks
from ..samples import CANARIES, NAMESPACE, NOW, OPTIONS, OTHER_PROVIDER, jwt
from .beside import Beside

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import Event

    from ..login.test_invariants import Move

MANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(good_answers, right_callbacks, clients, any_answers, confusions), min_size=5, max_size=30))
def test_random_sequences_replay_and_hide_all_secrets(moves: list[Move]) -> None:
    events = play(moves).events
    Beside(OPTIONS.__replace__(allowed_workspaces=("acc-1",))).tell(*events).replays().hides(CANARIES)


# Hostile logins: any value may stand in any place.

STATE, VERIFIER, NONCE = "Canary0state~.x", "Canary1verifier-_", "Canary2nonce+/= \u00e9"
SUCCESS_KEY = "Canary18key"
SECRETS = LoginSecrets(state=STATE, code_verifier=VERIFIER, nonce=NONCE, success_key=SUCCESS_KEY)
HIDDEN = (
    *(STATE, VERIFIER, NONCE, SUCCESS_KEY),
    *("Canary3code/%2F", "Canary4refresh token", "Canary5key", "canary6@mail.example", "Canary7-account-guid"),
    *("org-Canary8", "/home/canary9/.codex", "canaryten:canaryeleven", "canarytwelve", "CANARYTHIRTEEN"),
    *("\u202eCanary14\x1b[31m", "eyJDYW5hcnkxNSJ9", "Canary16.Canary16.Canary16", "canary17\ncanary17"),
)
"""Some of them match no pattern for secrets."""
WORDS = ("", " ", "x", "access_denied", "invalid_grant", "the code has expired", "Bearer", "https://id.example", "\x00")
texts = st.one_of(
    st.sampled_from(HIDDEN),
    st.sampled_from(HIDDEN),
    st.sampled_from(WORDS),
    st.builds("{}{}{}".format, st.sampled_from(WORDS), st.sampled_from(HIDDEN), st.sampled_from(WORDS)),
    st.sampled_from(HIDDEN).map(lambda text: quote(text, safe="")),
)
account_names = ("chatgpt_account_id", "chatgpt_plan_type", "organization_id", "project_id", "is_org_owner")
moments = st.one_of(st.sampled_from([NOW + 60, NOW - 1e6, 0, -1, 10**30, 1e308, True]), texts)
scalars: st.SearchStrategy[Any] = st.one_of(texts, moments, st.none(), st.booleans())
values = st.one_of(scalars, st.lists(scalars, max_size=3), st.dictionaries(texts, scalars, max_size=2))


def claims_of(provider: Provider) -> st.SearchStrategy[dict[str, Any]]:
    names = st.one_of(st.sampled_from((*account_names, "sub", "azp", "email", "nbf", "email_verified")), texts)
    good = {
        "iss": provider.issuer,
        "aud": provider.client_id,
        "exp": NOW + 60,
        "iat": NOW,
        "sub": "canarytwelve",
        "nonce": NONCE,
    }
    some = st.dictionaries(names, values, max_size=4)
    wrong = st.dictionaries(st.sampled_from(("iss", "aud", "exp", "nonce", "azp")), values, max_size=1)
    account = st.fixed_dictionaries({}, optional=dict.fromkeys(account_names, values))
    nested = st.one_of(account, account, values).map(lambda value: {NAMESPACE: value})
    parts = st.tuples(some, st.one_of(st.just({}), wrong), nested, account)
    return parts.map(lambda part: {**part[3], **part[0], **good, **part[1], **part[2]})


def tokens_of(provider: Provider) -> st.SearchStrategy[Any]:
    jwts = claims_of(provider).map(lambda claims: jwt(claims, "Canary5key"))
    broken = st.binary(max_size=20).map(jwt)
    return st.one_of(jwts, jwts, jwts, broken, texts, values)


def bodies_of(provider: Provider) -> st.SearchStrategy[bytes]:
    tokens = tokens_of(provider)
    jwts = claims_of(provider).map(jwt)
    good = st.fixed_dictionaries({"id_token": jwts, "access_token": tokens, "refresh_token": st.sampled_from(HIDDEN)})
    members = st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("id_token", "access_token", "refresh_token"), tokens),
            **dict.fromkeys(("token_type", "error_description", "code", "message"), values),
            "error": st.one_of(values, st.fixed_dictionaries({}, optional=dict.fromkeys(("code", "message"), values))),
        },
    )
    strange = st.dictionaries(texts, values, max_size=3)
    objects = st.one_of(good, good, good, members, st.tuples(good, strange).map(lambda two: {**two[1], **two[0]}))
    return st.one_of(
        objects.map(lambda content: json.dumps(content).encode()),
        objects.map(lambda content: json.dumps(content).encode()),
        st.sampled_from([b"", b"[]", b"{", b'{"a":NaN}', b'{"Canary5key":1,"Canary5key":1}', b"\xff", b"[" * 100_000]),
        st.sampled_from(HIDDEN).map(str.encode),
        st.just(b"Canary5key" * 110_000),
    )


raw = texts.map(lambda text: text.encode("utf-8"))
answer_headers = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from(
                [b"Retry-After", b"CONTENT-type", b"Content-Encoding", b"date", b"Set-Cookie", b"Location"]
            ),
            raw,
        ),
        st.one_of(
            raw,
            st.sampled_from(
                [b"identity", b" GZIP ", b"120", b"application/json; x=Canary5key", b"Sun, 06 Nov 1994 08:49:37 GMT"]
            ),
        ),
    ),
    max_size=3,
).map(tuple)
parameters = st.dictionaries(
    st.one_of(st.sampled_from(["code", "iss", "error", "error_description", "code", "scope"]), texts), texts, max_size=3
)
queries = st.one_of(
    parameters.map(lambda given: urlencode({**given, "state": STATE})),
    parameters.map(lambda given: urlencode({"code": "Canary3code/%2F", **given, "state": STATE})),
    parameters.map(urlencode),
    texts,
).map(lambda query: query.encode("utf-8"))
targets = st.one_of(
    st.builds(
        b"%b%b?%b".__mod__, st.tuples(st.sampled_from([b"", b"http://127.0.0.1:1455"]), st.just(b"/cb"), queries)
    ),
    st.builds(
        b"%b%b?%b".__mod__,
        st.tuples(
            st.sampled_from([b"", b"", b"http://localhost:1455", b"HTTP://canarytwelve", b"http://"]),
            st.sampled_from(
                [
                    *(b"/cb", b"/cb", b"/cb", b"/success", b"/success/Canary18key", b"/cancel", b"/Canary3code"),
                    *(b"*", b"", b"/other"),
                ]
            ),
            queries,
        ),
    ),
)
request_headers = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from(
                [b"Cookie", b"Referer", b"Authorization", b"Sec-Fetch-Site", b"sec-fetch-Canary9", b"X-Moz"]
            ),
            st.sampled_from([b"User-Agent", b"Purpose", b"Sec-Purpose", b"hOst"]),
            raw,
        ),
        st.one_of(raw, st.sampled_from([b"prefetch", b"Mozilla/5.0 canarytwelve", b"canarytwelve:1455", b" "])),
    ),
    max_size=2,
)
hosts = st.sampled_from([((b"Host", b"127.0.0.1:1455"),)] * 6 + [((b"host", b" LOCALHOST:1455 "),), ()])
requests = st.builds(
    lambda method, target, host, more, is_foreign: RequestReceived(
        request_id=0, method=method, target=target, headers=(*host, *more), from_other_user=is_foreign
    ),
    st.one_of(st.just(b"GET"), st.just(b"GET"), st.just(b"GET"), st.just(b"HEAD"), raw),
    targets,
    hosts,
    st.one_of(st.just([]), request_headers),
    st.sampled_from([False, False, False, True]),
)


def events_of(provider: Provider) -> st.SearchStrategy[Event]:
    answers = st.builds(
        TokenResponseReceived,
        exchange_id=st.sampled_from([1, 1, 2, 2, 3]),
        status=st.sampled_from([200, 200, 200, 200, 302, 400, 429, 503]),
        headers=st.one_of(st.just(()), answer_headers),
        body=bodies_of(provider),
        received_at=st.sampled_from([NOW, NOW, NOW, NOW, NOW + 1e5, -1.0, float("nan"), float("inf"), 1e13]),
    )
    others: list[st.SearchStrategy[Event]] = [
        st.builds(BindFailed, kind=st.sampled_from(BindProblem), message=texts),
        st.builds(BrowserFailed, message=texts),
        st.just(BrowserOpened()),
        st.just(HttpsAttempted()),
        st.builds(TokenRequestFailed, exchange_id=st.just(2), kind=st.sampled_from(TransportProblem), message=texts),
        st.just(CredentialsSaved()),
        st.just(CredentialsSaved()),
        st.builds(SaveFailed, message=texts),
        st.builds(CancelRequested, reason=texts),
        st.builds(ClientGone, request_id=st.integers(2, 9)),
        st.builds(ResponseSent, request_id=st.integers(2, 9)),
    ]
    return st.one_of(requests, requests, answers, answers, *others)


providers = st.builds(
    Provider.__replace__,
    st.just(OTHER_PROVIDER),
    callback_path=st.just("/cb"),
    port=st.just(1455),
    id_token_policy=st.sampled_from(IdTokenPolicy),
    uses_nonce=st.booleans(),
    promises_iss=st.sampled_from([False, False, False, True]),
    dialect=st.builds(
        Dialect,
        claims_namespace=st.sampled_from([None, NAMESPACE]),
        exchanges_api_key=st.booleans(),
        no_entitlement_marker=st.sampled_from([None, "entitlement"]),
        workspace_parameter=st.sampled_from([None, "workspaces"]),
        platform_url=st.sampled_from([None, "https://u:canaryeleven@id.example/?k=Canary5key", "https://id.example"]),
        gives_all_tokens=st.booleans(),
    ),
    help_url=st.sampled_from([None, "https://id.example/help#canarytwelve", "https://id.example/help"]),
    authorization_parameters=st.lists(
        st.tuples(st.one_of(texts, st.sampled_from(["originator", "prompt"])), texts), max_size=2
    ).map(tuple),
)
workspaces = st.one_of(
    st.just(()), st.lists(texts.filter(lambda text: text and "," not in text), min_size=1, max_size=3).map(tuple)
)
options = st.builds(LoginOptions, provider=providers, allowed_workspaces=workspaces, any_user=st.booleans())
# Made once: to make them takes longer than to draw from them. All these providers have one issuer and one client.
claims, anything = claims_of(OTHER_PROVIDER), events_of(OTHER_PROVIDER)


@MANY
@given(st.data(), options)
def test_no_secret_is_in_a_trace(data: st.DataObject, chosen: LoginOptions) -> None:
    login = Beside(chosen, SECRETS)
    login.tell(Started(), Bound(port=1455))
    events = data.draw(st.lists(anything, min_size=2, max_size=10))
    for number, event in enumerate(events, 2):
        login.tell(event.__replace__(request_id=number) if isinstance(event, RequestReceived) else event)
    bare = (part for canary in HIDDEN for part in (canary, quote(canary, safe=""), quote(canary, safe="").lower()))
    login.replays().hides([*bare, "anary"])


@MANY
@given(st.data(), options)
def test_no_secret_is_in_the_trace_of_a_good_login(data: st.DataObject, chosen: LoginOptions) -> None:
    """The login receives tokens, and ends."""
    login = Beside(chosen, SECRETS)
    login.tell(Started(), Bound(port=1455))
    query = urlencode({"code": "Canary3code", "state": STATE, "iss": chosen.provider.issuer}).encode()
    login.tell(
        RequestReceived(request_id=1, method=b"GET", target=b"/cb?" + query, headers=((b"Host", b"127.0.0.1:1455"),))
    )
    events = data.draw(st.lists(anything, max_size=3))
    good = data.draw(claims)
    content = {
        "id_token": jwt(good),
        "access_token": jwt(good),
        "refresh_token": "canarytwelve",
        "token_type": "BEARER",
    }
    tokens = TokenResponseReceived(
        exchange_id=1, status=200, headers=(), body=json.dumps(content).encode(), received_at=NOW
    )
    for number, event in enumerate([tokens, *events, CredentialsSaved()], 2):
        login.tell(event.__replace__(request_id=number) if isinstance(event, RequestReceived) else event)
    login.replays().hides([*HIDDEN, "anary"])

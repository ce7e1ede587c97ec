"""The letters of the exploration: one for each event in each of its meanings.

The login's current state completes the event of a letter. A new request gets the smallest free number; "the callback"
is the accepted one, once there is one. So a letter's name means the same in every story.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.callback.responses import start_path
from loginmachine.sansio.login.actions import Timer
from loginmachine.sansio.login.events import (
    BindProblem,
    Bound,
    BrowserFailed,
    BrowserOpened,
    CallbackArrived,
    CallbackPasted,
    CancelRequested,
    ClientGone,
    CredentialsSaved,
    Event,
    HttpsAttempted,
    PreviousCancelled,
    RegistrationSaved,
    RegistrationSaveFailed,
    RequestReceived,
    ResponseSent,
    SaveFailed,
    Started,
    TimerFired,
    TokenRequestFailed,
    TokenResponseReceived,
)
from loginmachine.sansio.model.options import LoginMethod
from tests.model.subject import Letter
from tests.sansio import server_samples as server
from tests.sansio.chatgpt_samples import BOOTSTRAP, ISSUED
from tests.sansio.rules import EventKind
from tests.sansio.samples import (
    CLIENT_SECRET,
    CODE,
    DEVICE_AUTH_ID,
    DEVICE_VERIFIER,
    NAMESPACE,
    NOW,
    SECRETS,
    STATE,
    SUCCESS,
    USER_CODE,
    answer,
    bind_failed,
    no_answer,
    request,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .worlds import World


class Place(NamedTuple):
    """What a letter has to know of the login to make its event."""

    world: World
    port: int
    """The callback port, asked for or bound."""
    code: str
    """The accepted code, or none."""
    exchanges: int
    """The number of the last token request."""
    free: int | None
    """The number for a new request; None if no more may be open."""
    open: frozenset[int]
    """The requests without a response, and those with a response that is being sent."""


DEVICE_CODE: Final = {
    "device_auth_id": DEVICE_AUTH_ID,
    "device_code": DEVICE_AUTH_ID,
    "user_code": USER_CODE,
    "verification_uri": "https://id.example/device",
}
"""A response that both dialects understand."""
DEVICE_GRANT: Final = {"authorization_code": "canary-device-grant", "code_verifier": DEVICE_VERIFIER}
OTHER_CODE: Final = "canary-code-of-another-tab"
STRANGE_REQUEST: Final = 99
_HOST: Final = b"127.0.0.1:%d"
_BROWSER: Final = ((b"User-Agent", b"Mozilla/5.0"), (b"Sec-Fetch-Site", b"none"))


def _fixed(name: str, event: Event, kind: EventKind = EventKind.FACT) -> Letter:
    return Letter(name, lambda _: event, kind, type(event))


@cache
def _request(
    request_id: int, port: int, target: str, more: tuple[tuple[bytes, bytes], ...], method: bytes
) -> RequestReceived:
    return request(target, request_id, method=method, headers=((b"Host", _HOST % port), *more))


def _asked(
    name: str,
    target: Callable[[Place], str] | str,
    kind: EventKind,
    more: tuple[tuple[bytes, bytes], ...] = (),
    method: bytes = b"GET",
) -> Letter:
    def event_for(place: Place) -> Event | None:
        if place.free is None:
            return None
        path = target if isinstance(target, str) else target(place)
        return _request(place.free, place.port, path, more, method)

    return Letter(name, event_for, kind, RequestReceived)


def _callback(query: str) -> Callable[[Place], str]:
    return lambda place: f"/auth/callback?{query}&state={STATE}{place.world.callback_parameters}"


def _the_callback(place: Place) -> str:
    return _callback(f"code={place.code or CODE}")(place)


def _naming(client: str) -> Callable[[Place], str]:
    """Return the target of a callback with other words about the client."""
    return lambda place: f"/auth/callback?code={place.code or CODE}&state={STATE}{client}"


def _another_callback(place: Place) -> str:
    return _callback(f"code={OTHER_CODE if place.code != OTHER_CODE else CODE}")(place)


def _same_request(place: Place) -> Event | None:
    """Return a request with the number of one that is open."""
    return _request(max(place.open), place.port, "/favicon.ico", (), b"GET") if place.open else None


def _requests() -> Iterator[Letter]:
    issuer = f"/auth/callback?code={CODE}&iss=https://evil.example&state={STATE}"
    yield _asked("the callback", _the_callback, EventKind.CALLBACK)
    yield _asked("a callback with another code", _another_callback, EventKind.CALLBACK)
    yield _asked("a callback with an error", _callback("error=access_denied"), EventKind.ANSWER)
    yield _asked("a callback without a code", _callback("code="), EventKind.ANSWER)
    yield _asked("a callback of another issuer", issuer, EventKind.ANSWER)
    yield _asked("a callback of another login", f"/auth/callback?code={CODE}&state=wrong", EventKind.STRANGER)
    yield _asked("an error of another login", "/auth/callback?error=access_denied", EventKind.STRANGER)
    yield _asked("an unreadable callback", f"/auth/callback?code=a&code=b&state={STATE}", EventKind.STRANGER)
    yield _asked("a prefetch of the callback", _the_callback, EventKind.STRANGER, ((b"Sec-Purpose", b"prefetch"),))
    yield _asked("the callback by POST", _the_callback, EventKind.STRANGER, method=b"POST")
    yield _asked("the callback to another host", _the_callback, EventKind.STRANGER, ((b"Host", b"evil.example"),))
    yield _asked("a favicon", "/favicon.ico", EventKind.STRANGER)
    yield _asked("the success page", SUCCESS, EventKind.STRANGER)
    yield _asked("cancel by a login server", "/cancel", EventKind.RIVAL)
    yield _asked("cancel by a web page", "/cancel", EventKind.STRANGER, _BROWSER)
    yield Letter("a request that is open already", _same_request, EventKind.MISTAKE, RequestReceived)


def _others() -> Iterator[Letter]:
    """Processes of other users, and browsers that insist on https."""

    def tell(place: Place) -> Event | None:
        event = None if place.free is None else _request(place.free, place.port, _the_callback(place), (), b"GET")
        return event and event.__replace__(from_other_user=True)

    yield Letter("the callback by another user", tell, EventKind.STRANGER, RequestReceived)
    yield _fixed("https", HttpsAttempted(), EventKind.STRANGER)


def _about_requests(most: int) -> Iterator[Letter]:
    for number in (*range(1, most + 1), STRANGE_REQUEST):
        yield _fixed(f"answer {number} sent", ResponseSent(request_id=number))
        yield _fixed(f"client {number} gone", ClientGone(request_id=number))


def _pastes() -> Iterator[Letter]:
    """Yield the letters for addresses that the person pastes."""

    def pasted(name: str, target: Callable[[Place], str], kind: EventKind) -> Letter:
        def event_for(place: Place) -> Event:
            return CallbackPasted(text=f"http://{(_HOST % place.port).decode()}{target(place)}")

        return Letter(f"pasted: {name}", event_for, kind, CallbackPasted)

    yield pasted("the callback", _the_callback, EventKind.CALLBACK)
    yield pasted("a callback with another code", _another_callback, EventKind.CALLBACK)
    yield pasted("a callback with an error", _callback("error=access_denied"), EventKind.ANSWER)
    yield pasted("half of the callback", _callback("code="), EventKind.STRANGER)
    yield pasted("a callback of another login", lambda _: f"/auth/callback?code=a&state={STATE}x", EventKind.STRANGER)
    yield _fixed("pasted: no address", CallbackPasted(text="hello"), EventKind.STRANGER)


def _arrivals() -> Iterator[Letter]:
    """Yield the letters for callbacks that a host's own web server receives."""

    def arrived(name: str, target: Callable[[Place], str], kind: EventKind) -> Letter:
        def event_for(place: Place) -> Event:
            return CallbackArrived(query=target(place).partition("?")[2].encode())

        return Letter(f"arrived: {name}", event_for, kind, CallbackArrived)

    yield arrived("the callback", _the_callback, EventKind.CALLBACK)
    yield arrived("a callback with another code", _another_callback, EventKind.CALLBACK)
    yield arrived("a callback with an error", _callback("error=access_denied"), EventKind.ANSWER)
    yield arrived("a callback without a code", _callback("code="), EventKind.ANSWER)
    yield arrived("a callback of another issuer", _callback("code=a&iss=https://evil.example"), EventKind.ANSWER)
    yield arrived("a callback of another login", lambda _: "?code=a&state=wrong", EventKind.STRANGER)
    yield arrived("an unreadable callback", _callback("code=a&code=b"), EventKind.STRANGER)


_ANSWERS: Final[Mapping[str, tuple[int, bytes]]] = {
    "an API key": (200, b'{"access_token": "sk-canary-api-key"}'),
    "a refusal": (400, b'{"error": "invalid_grant"}'),
    "an error in a 200": (200, b'{"error": "server_error"}'),
    "a redirect": (302, b""),
    "no JSON": (200, b"<html>"),
    "not found": (404, b""),
    "forbidden": (403, b"{}"),
    "unavailable": (503, b""),
    "too many requests": (429, b""),
    "a device code": (200, json.dumps(DEVICE_CODE).encode()),
    "not used yet": (400, b'{"error": "authorization_pending"}'),
    "too fast": (400, b'{"error": "slow_down"}'),
    "the person said no": (400, b'{"error": "access_denied"}'),
    "the device code is too old": (400, b'{"error": "expired_token"}'),
}


@cache
def _response(number: int, status: int, body: bytes, at: float = NOW) -> TokenResponseReceived:
    return answer(number, status, body, headers=(), received_at=at)


def _answered(name: str, status: int, body: bytes, kind: EventKind = EventKind.FACT) -> Letter:
    """Return the letter for a response to the last token request."""
    return Letter(name, lambda place: _response(place.exchanges, status, body), kind, TokenResponseReceived)


def _token_answers(world: World) -> Iterator[Letter]:
    tokens = world.tokens()
    yield _answered("tokens", 200, tokens, EventKind.TOKENS)
    yield _answered("the device code was used", 200, json.dumps(DEVICE_GRANT).encode(), EventKind.GRANT)
    elsewhere = world.tokens(**{NAMESPACE: {"chatgpt_account_id": "acc-2"}})
    yield _answered(
        "tokens of another workspace", 200, elsewhere, EventKind.FACT if world.restricted else EventKind.TOKENS
    )
    yield _answered("tokens of another client", 200, world.tokens(aud="another-client"))
    for name, (status, body) in _ANSWERS.items():
        # Without a wish for an id token, an access token is enough.
        is_enough = name == "an API key" and not world.options.wants_id_token
        yield _answered(name, status, body, EventKind.TOKENS if is_enough else EventKind.FACT)
    if world.has_keys:
        yield from _about_provider(world)
    for kind in TransportProblem:
        yield _no_answer(f"no answer: {kind}", kind, 0)
    # Late answers, and answers to no request.
    for name, offset in (("an earlier request", -1), ("a request never made", 9)):
        yield Letter(
            f"tokens for {name}",
            lambda place, offset=offset: _response(place.exchanges + offset, 200, tokens),  # type: ignore[misc]
            EventKind.FACT,
            TokenResponseReceived,
        )
        yield _no_answer(f"no answer to {name}", TransportProblem.TIMEOUT, offset)
    yield Letter(
        "tokens at no time",
        lambda place: _response(place.exchanges, 200, tokens, float("nan")),
        EventKind.MISTAKE,
        TokenResponseReceived,
    )


def _about_provider(world: World) -> Iterator[Letter]:
    """Yield the letters for answers of a provider that has metadata, registrations, pushed requests and keys."""
    yield _answered("keys", 200, server.keys().body, EventKind.KEYS)
    yield _answered("other keys", 200, server.other_keys().body)
    yield _answered("tokens that another key has signed", 200, world.answer(server.signed("key-3", **world.claims)))
    forged = server.signed("key-3", {"kid": "key-1"}, **world.claims)
    yield _answered("tokens with a wrong signature", 200, world.answer(forged))
    if world.options.required_scopes:
        yield _answered("tokens without a scope", 200, world.tokens().replace(b'"repo"', b'"other"'))
        plain = b'{"access_token": "canary-opaque-access-token", "scope": "other"}'
        yield _answered("tokens without a scope and an id token", 200, plain)
    if world.options.provider.protected_resource is not None:
        yield _answered("metadata of the resource", 200, server.resource_metadata().body)
        yield _answered(
            "metadata of another resource", 200, server.resource_metadata(resource="https://evil.example").body
        )
        yield _answered("metadata at the origin", 200, server.metadata(issuer="https://api.example").body)
    elif world.options.provider.issuer != server.ISSUER:
        return
    yield _answered("metadata", 200, server.metadata().body)
    pushing = server.metadata(require_pushed_authorization_requests=True)
    yield _answered("metadata with pushed requests", 200, pushing.body)
    yield _answered("metadata without device codes", 200, server.metadata(device_authorization_endpoint=None).body)
    yield _answered("metadata of another issuer", 200, server.metadata(issuer="https://evil.example").body)
    yield _answered("a client", 201, server.registered(client_secret=CLIENT_SECRET).body)
    yield _answered("a reference", 201, server.pushed().body)
    yield _fixed("registration saved", RegistrationSaved())
    yield _fixed("registration not saved", RegistrationSaveFailed(message="full"))
    if world.options.provider.dialect.issues_clients:
        yield from _about_issued_clients(world)
    elif world.options.provider.registration is not None:
        elsewhere = server.REGISTRATION.__replace__(issuer="https://evil.example")
        device = Started(method=LoginMethod.DEVICE_CODE, registration=server.CONFIDENTIAL)
        yield _fixed("started with a registration", Started(registration=server.CONFIDENTIAL))
        yield _fixed("started with a registration and a device code", device)
        if world.options.provider.protected_resource is not None:
            with_port = Started(registration=server.CONFIDENTIAL, registered_port=world.any_port + 1)
            yield _fixed("started with a registration and its port", with_port)
        # (The provider of a resource is not known yet.)
        kind = EventKind.FACT if world.options.provider.needs_resource_metadata else EventKind.MISTAKE
        yield _fixed("started with another's registration", Started(registration=elsewhere), kind)


def _about_issued_clients(world: World) -> Iterator[Letter]:
    """Yield the letters for a provider that issues clients in callbacks."""
    is_first = world.started.registration is None
    if is_first:
        yield _asked("a callback without a client", _naming(""), EventKind.ANSWER)
        yield _asked("a callback with the bootstrap client", _naming(f"&client_id={BOOTSTRAP}"), EventKind.ANSWER)
    else:
        yield _asked("a callback with the same client", _naming(f"&client_id={ISSUED}"), EventKind.CALLBACK)
        yield _asked("a callback with another client", _naming("&client_id=oaiapp_other"), EventKind.ANSWER)
        yield _answered("tokens of another person", 200, world.tokens(sub="user-2"))
        yield _asked("the start page", start_path(SECRETS), EventKind.STRANGER)
    yield _asked("a callback with two clients", _naming("&client_id=a&client_id=b"), EventKind.STRANGER)
    yield _answered("the client is refused", 401, b'{"error": "invalid_client"}')
    yield _fixed("started without a host", Started(), EventKind.MISTAKE)


def _no_answer(name: str, kind: TransportProblem, offset: int) -> Letter:
    def event_for(place: Place) -> Event:
        return no_answer(kind, place.exchanges + offset)

    return Letter(name, event_for, EventKind.FACT, TokenRequestFailed)


def _starts(world: World) -> Iterator[Letter]:
    provider = world.options.provider
    possible = provider.device_code is not None or provider.needs_discovery or world.options.device_code_fallback
    possible = possible and not provider.dialect.issues_clients and world.options.redirect_uri is None
    yield _fixed("started", world.started)
    device = Started(method=LoginMethod.DEVICE_CODE)
    yield _fixed("started with a device code", device, EventKind.FACT if possible else EventKind.MISTAKE)


def _ports(world: World) -> Iterator[Letter]:
    ports = {world.options.first_port or world.any_port, world.options.fallback_port, world.any_port} - {None}
    if world.options.provider.protected_resource is not None:
        ports |= {world.any_port + 1}
    for port in sorted(port for port in ports if port is not None):
        yield _fixed(f"bound to {port}", Bound(port=port))
    yield _fixed("bound to no port", Bound(port=0), EventKind.MISTAKE)
    for kind in BindProblem:
        yield _fixed(f"bind failed: {kind}", bind_failed(kind))
    yield _fixed("the previous login gives way", PreviousCancelled(accepted=True))
    yield _fixed("the previous login stays", PreviousCancelled(accepted=False))


def alphabet(world: World, most: int) -> tuple[Letter, ...]:
    """Return all letters.

    Args:
        world: The options, with the ports and tokens that belong to them.
        most: How many requests may be open at once.
    """
    return (
        *_starts(world),
        *_ports(world),
        *(_fixed(f"timer: {timer}", TimerFired(timer=timer)) for timer in Timer),
        _fixed("browser opened", BrowserOpened()),
        _fixed("browser failed", BrowserFailed(message="no")),
        *_requests(),
        *(_others() if world.has_others else ()),
        *_about_requests(most),
        *_pastes(),
        *(() if world.options.redirect_uri is None else _arrivals()),
        *_token_answers(world),
        _fixed("saved", CredentialsSaved()),
        _fixed("not saved", SaveFailed(message="full")),
        _fixed("cancelled by the caller", CancelRequested()),
    )

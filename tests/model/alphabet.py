"""Everything that a login can be told, by kind: one letter for each event in each of its meanings.

A letter is resolved in the place where it is told: a new request takes the smallest number that is free, "the callback"
is the one that was accepted once there is one. So the names in a story mean the same wherever they stand.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from loginmachine.sansio.actions import Timer
from loginmachine.sansio.events import (
    BindFailed,
    BindProblem,
    Bound,
    BrowserFailed,
    BrowserOpened,
    CancelRequested,
    ClientGone,
    CredentialsSaved,
    Event,
    PreviousCancelled,
    RequestReceived,
    ResponseSent,
    SaveFailed,
    Started,
    TimerFired,
    TokenRequestFailed,
    TokenResponseReceived,
    TransportProblem,
)
from tests.sansio.samples import CODE, NOW, STATE, token_json

from .worlds import FOREIGN, OTHER_WORKSPACE, World, good_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Kind(Enum):
    """What the monitors have to know of a letter: they do not read requests and tokens by themselves."""

    FACT = "nothing that a rule asks about"
    STRANGER = "a request that must not change the state: most come without this login's own"
    RIVAL = "another login server asks for the port"
    ANSWER = "a request with this login's state, but without a code for it"
    CALLBACK = "a request with this login's state and a code"
    TOKENS = "good tokens, of a workspace that may sign in"
    MISTAKE = "no honest host tells this"


class Place(NamedTuple):
    """Where a letter is told."""

    world: World
    port: int
    """The callback port, asked for or bound."""
    code: str
    """The accepted code, or none."""
    free: int | None
    """The number for a new request; None if no more may be open."""
    open: frozenset[int]
    """The requests that are not yet answered to the last byte."""


class Letter(NamedTuple):
    """One kind of event."""

    name: str
    tell: Callable[[Place], Event | None]
    """The event; None if it cannot be told here, because too many requests are open."""
    kind: Kind = Kind.FACT
    example: type = object
    """The type of its events."""


OTHER_CODE: Final = "canary-code-of-another-tab"
EXCHANGES: Final = (1, 2, 9)
"""The token requests there can be, and one that never was."""
STRANGE_REQUEST: Final = 99
_HOST: Final = b"127.0.0.1:%d"
_BROWSER: Final = ((b"User-Agent", b"Mozilla/5.0"), (b"Sec-Fetch-Site", b"none"))


def _fixed(name: str, event: Event, kind: Kind = Kind.FACT) -> Letter:
    return Letter(name, lambda _: event, kind, type(event))


@cache
def _request(
    request_id: int, port: int, target: str, more: tuple[tuple[bytes, bytes], ...], method: bytes
) -> RequestReceived:
    headers = ((b"Host", _HOST % port), *more)
    return RequestReceived(request_id=request_id, method=method, target=target.encode(), headers=headers)


def _asked(
    name: str,
    target: Callable[[Place], str] | str,
    kind: Kind,
    more: tuple[tuple[bytes, bytes], ...] = (),
    method: bytes = b"GET",
) -> Letter:
    def tell(place: Place) -> Event | None:
        if place.free is None:
            return None
        path = target if isinstance(target, str) else target(place)
        return _request(place.free, place.port, path, more, method)

    return Letter(name, tell, kind, RequestReceived)


def _callback(query: str) -> Callable[[Place], str]:
    return lambda place: f"/auth/callback?{query}&state={STATE}{place.world.callback_parameters}"


def _the_callback(place: Place) -> str:
    return _callback(f"code={place.code or CODE}")(place)


def _another_callback(place: Place) -> str:
    return _callback(f"code={OTHER_CODE if place.code != OTHER_CODE else CODE}")(place)


def _same_request(place: Place) -> Event | None:
    """A request under the number of one that is open."""
    return _request(max(place.open), place.port, "/favicon.ico", (), b"GET") if place.open else None


def _requests() -> Iterator[Letter]:
    issuer = f"/auth/callback?code={CODE}&iss=https://evil.example&state={STATE}"
    yield _asked("the callback", _the_callback, Kind.CALLBACK)
    yield _asked("a callback with another code", _another_callback, Kind.CALLBACK)
    yield _asked("a callback with an error", _callback("error=access_denied"), Kind.ANSWER)
    yield _asked("a callback without a code", _callback("code="), Kind.ANSWER)
    yield _asked("a callback of another issuer", issuer, Kind.ANSWER)
    yield _asked("a callback of another login", f"/auth/callback?code={CODE}&state=wrong", Kind.STRANGER)
    yield _asked("an error of another login", "/auth/callback?error=access_denied", Kind.STRANGER)
    yield _asked("an unreadable callback", f"/auth/callback?code=a&code=b&state={STATE}", Kind.STRANGER)
    yield _asked("a prefetch of the callback", _the_callback, Kind.STRANGER, ((b"Sec-Purpose", b"prefetch"),))
    yield _asked("the callback by POST", _the_callback, Kind.STRANGER, method=b"POST")
    yield _asked("the callback to another host", _the_callback, Kind.STRANGER, ((b"Host", b"evil.example"),))
    yield _asked("a favicon", "/favicon.ico", Kind.STRANGER)
    yield _asked("the success page", "/success", Kind.STRANGER)
    yield _asked("cancel by a login server", "/cancel", Kind.RIVAL)
    yield _asked("cancel by a web page", "/cancel", Kind.STRANGER, _BROWSER)
    yield Letter("a request that is open already", _same_request, Kind.MISTAKE, RequestReceived)


def _about_requests(most: int) -> Iterator[Letter]:
    for number in (*range(1, most + 1), STRANGE_REQUEST):
        yield _fixed(f"answer {number} sent", ResponseSent(request_id=number))
        yield _fixed(f"client {number} gone", ClientGone(request_id=number))


def _response(number: int, body: Callable[[World], bytes], status: int = 200, at: float = NOW) -> Callable[..., Event]:
    @cache
    def build(world: World) -> Event:
        return TokenResponseReceived(exchange_id=number, status=status, headers=(), body=body(world), received_at=at)

    return lambda place: build(place.world)


def _constant(body: bytes) -> Callable[[World], bytes]:
    return lambda _: body


_BODIES: Final[Mapping[str, tuple[int, bytes]]] = {
    "an API key": (200, b'{"access_token": "sk-canary-api-key"}'),
    "a refusal": (400, b'{"error": "invalid_grant"}'),
    "an error in a 200": (200, b'{"error": "server_error"}'),
    "a redirect": (302, b""),
    "no JSON": (200, b"<html>"),
    "tokens of another client": (200, token_json(id_token=FOREIGN)),
}


def _token_answers(world: World) -> Iterator[Letter]:
    other = Kind.FACT if world.restricted else Kind.TOKENS
    # A strict provider's id tokens have all claims; this one has not.
    other = Kind.FACT if world.callback_parameters else other
    for number in EXCHANGES:
        elsewhere = _response(number, _constant(token_json(id_token=OTHER_WORKSPACE)))
        yield Letter(f"exchange {number}: tokens", _response(number, good_tokens), Kind.TOKENS, TokenResponseReceived)
        yield Letter(f"exchange {number}: tokens of another workspace", elsewhere, other, TokenResponseReceived)
        for name, (status, body) in _BODIES.items():
            tell = _response(number, _constant(body), status)
            yield Letter(f"exchange {number}: {name}", tell, Kind.FACT, TokenResponseReceived)
        for kind in TransportProblem:
            event = TokenRequestFailed(exchange_id=number, kind=kind, message="no")
            yield _fixed(f"exchange {number}: {kind}", event)
    timeless = _response(1, good_tokens, at=float("nan"))
    yield Letter("exchange 1: tokens at no time", timeless, Kind.MISTAKE, TokenResponseReceived)


def _ports(world: World) -> Iterator[Letter]:
    ports = {world.options.first_port or world.any_port, world.options.fallback_port, world.any_port} - {None}
    for port in sorted(port for port in ports if port is not None):
        yield _fixed(f"bound to {port}", Bound(port=port))
    yield _fixed("bound to no port", Bound(port=0), Kind.MISTAKE)
    for kind in BindProblem:
        yield _fixed(f"bind failed: {kind}", BindFailed(kind=kind, message="no"))
    yield _fixed("the previous login gives way", PreviousCancelled(accepted=True))
    yield _fixed("the previous login stays", PreviousCancelled(accepted=False))


def alphabet(world: World, most: int) -> tuple[Letter, ...]:
    """All letters.

    Args:
        world: Whose ports and tokens they are.
        most: How many requests may be open at once.
    """
    return (
        _fixed("started", Started()),
        *_ports(world),
        *(_fixed(f"timer: {timer}", TimerFired(timer=timer)) for timer in Timer),
        _fixed("browser opened", BrowserOpened()),
        _fixed("browser failed", BrowserFailed(message="no")),
        *_requests(),
        *_about_requests(most),
        *_token_answers(world),
        _fixed("saved", CredentialsSaved()),
        _fixed("not saved", SaveFailed(message="full")),
        _fixed("cancelled by the caller", CancelRequested()),
    )

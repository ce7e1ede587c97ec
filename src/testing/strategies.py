"""Hypothesis strategies for programs that drive a `LoginMachine`, or that answer for a provider. Needs hypothesis.

    @given(strategies.callbacks(), strategies.token_answers())
    def test_my_driver(callback, answer): ...

Values are what strangers, browsers and providers may send: right ones and hostile ones.
"""

from __future__ import annotations

import json
import string
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from hypothesis import strategies as st

from ..sansio.base.http import HttpResponse, TransportProblem
from ..sansio.base.public import make_hints_work
from ..sansio.login import events
from ..sansio.login.actions import Timer
from ..sansio.model.options import LoginMethod
from .logins.answers import unsigned

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["callbacks", "login_events", "login_histories", "pasted_texts", "requests", "token_answers"]

_CALLBACK: Final = "/auth/callback"
_PATHS: Final = (_CALLBACK, "/", "/cancel", "/success", "/favicon.ico", "//auth/callback", "/auth/callback/", "/%2e%2e")
_NAMES: Final = ("code", "state", "error", "error_description", "iss", "scope", "session_state")
_FIELDS: Final = ("Origin", "Referer", "Cookie", "Sec-Fetch-Site", "Sec-Purpose", "User-Agent", "Accept")
_STATUSES: Final = (200, 200, 200, 201, 301, 307, 400, 401, 403, 404, 408, 429, 500, 502, 503)
_ERRORS: Final = (
    "invalid_grant",
    "invalid_client",
    "access_denied",
    "authorization_pending",
    "slow_down",
    "server_error",
)
_WALL_TIME: Final = 1_795_000_000.0
"""The time of answers, in seconds since 1970."""

_words: Final = st.text(string.ascii_letters + string.digits + "-._~ +&=%/", max_size=40)
_texts: Final = st.one_of(_words, st.text(max_size=40))
_request_ids: Final = st.integers(min_value=1, max_value=6)
_exchange_ids: Final = st.integers(min_value=1, max_value=4)


def callbacks(
    *, state: str = "played-state", port: int = 50000, path: str = _CALLBACK
) -> SearchStrategy[events.RequestReceived]:
    """Generate requests for the callback: right ones, errors of the provider, and hostile ones.

    Args:
        state: The ``state`` of the login.
        port: The callback port.
        path: The path of the redirect URI.
    """
    states = st.sampled_from((state, state, state, "another-state"))
    optional: dict[str, SearchStrategy[str]] = {"iss": _texts, "scope": _texts, "session_state": _texts}
    shapes = (
        st.fixed_dictionaries({"code": _texts, "state": states}, optional=optional),
        st.fixed_dictionaries(
            {"error": st.sampled_from(_ERRORS), "state": states}, optional={"error_description": _texts}
        ),
        st.fixed_dictionaries({"state": states}),
        st.dictionaries(st.sampled_from(_NAMES), _texts, max_size=4),
    )
    # A parameter that comes twice is refused.
    repeated = st.sampled_from((0,) * 7 + (1,))
    return st.builds(_callback, st.just(path), st.one_of(shapes), repeated, requests(port=port))


def _callback(
    path: str,
    parameters: dict[str, str],
    repeated: int,
    request: events.RequestReceived,
) -> events.RequestReceived:
    pairs = list(parameters.items())
    pairs += pairs[:repeated]
    method = b"GET" if request.method != b"POST" else request.method
    return request.__replace__(target=f"{path}?{urlencode(pairs)}".encode(), method=method)


def requests(*, port: int = 50000) -> SearchStrategy[events.RequestReceived]:
    """Generate requests to the callback port.

    Args:
        port: The callback port.
    """
    hosts = (f"127.0.0.1:{port}",) * 6 + (f"localhost:{port}", "evil.example", "")
    targets = st.one_of(st.sampled_from(_PATHS), st.builds("{}?{}".format, st.sampled_from(_PATHS), _words))
    return st.builds(
        _request,
        _request_ids,
        st.sampled_from((b"GET",) * 6 + (b"HEAD", b"POST", b"OPTIONS")),
        st.one_of(targets.map(str.encode), targets.map(str.encode), st.binary(max_size=60)),
        st.sampled_from(hosts),
        st.dictionaries(st.sampled_from(_FIELDS), _words, max_size=2),
        st.sampled_from((False,) * 3 + (True,)),
    )


def _request(  # noqa: PLR0913, PLR0917 - what is drawn
    request_id: int,
    method: bytes,
    target: bytes,
    host: str,
    fields: dict[str, str],
    is_foreign: bool,  # noqa: FBT001 - as above
) -> events.RequestReceived:
    headers = {"Host": host, **fields}
    return events.RequestReceived(
        request_id=request_id,
        method=method,
        target=target,
        headers=tuple((name.encode(), value.encode()) for name, value in headers.items()),
        from_other_user=is_foreign,
    )


def pasted_texts(*, state: str = "played-state", port: int = 50000) -> SearchStrategy[str]:
    """Generate what a person may paste in place of the address on which the browser ended.

    Args:
        state: The ``state`` of the login.
        port: The callback port.
    """
    right = f"http://127.0.0.1:{port}{_CALLBACK}?code=pasted-code&state={state}"
    parts = st.integers(0, len(right)).map(lambda end: right[:end])
    return st.one_of(st.just(right), st.just(f"  {right}\n"), parts, _texts, st.just("https://id.example/authorize"))


def token_answers() -> SearchStrategy[HttpResponse]:
    """Generate responses of a token endpoint: tokens, errors, web pages, and what no standard allows."""
    bodies = st.one_of(_token_members().map(_encoded), _error_members().map(_encoded), st.binary(max_size=60))
    kinds = (b"application/json",) * 4 + (b"text/html", b"application/x-www-form-urlencoded", b"")
    return st.builds(_response, st.sampled_from(_STATUSES), st.sampled_from(kinds), bodies)


def _response(status: int, kind: bytes, body: bytes) -> HttpResponse:
    return HttpResponse(status=status, headers=((b"Content-Type", kind),), body=body, received_at=_WALL_TIME)


def _token_members() -> SearchStrategy[dict[str, Any]]:
    claims = {"iss": "https://id.example", "aud": "played-client", "sub": "ada", "exp": _WALL_TIME + 3600}
    id_tokens = st.sampled_from((unsigned({**claims, "iat": _WALL_TIME}), unsigned({}), "no token", "a.b.c"))
    tokens = st.one_of(st.just("played-token"), _texts, st.none(), st.integers())
    return st.fixed_dictionaries(
        {"access_token": tokens},
        optional={
            "id_token": st.one_of(id_tokens, _texts),
            "refresh_token": tokens,
            "token_type": st.sampled_from(("bearer", "Bearer", "mac", "")),
            "expires_in": st.one_of(st.integers(-1, 10**12), st.just("3600"), st.none(), st.floats()),
            "scope": _texts,
        },
    )


def _error_members() -> SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"error": st.one_of(st.sampled_from(_ERRORS), _texts, st.dictionaries(_words, _words, max_size=1))},
        optional={"error_description": _texts},
    )


def _encoded(members: dict[str, Any]) -> bytes:
    return json.dumps(members).encode()


def login_events() -> SearchStrategy[events.Event]:
    """Generate single events for a `LoginMachine`, whatever its state. Many of them are unexpected in most states."""
    return st.one_of(
        st.sampled_from(tuple(events.Started(method=method) for method in LoginMethod)),
        st.integers(1, 65535).map(lambda port: events.Bound(port=port)),
        st.builds(events.BindFailed, kind=st.sampled_from(tuple(events.BindProblem)), message=_texts),
        st.booleans().map(lambda accepted: events.PreviousCancelled(accepted=accepted)),
        st.sampled_from(tuple(Timer)).map(lambda timer: events.TimerFired(timer=timer)),
        st.just(events.BrowserOpened()),
        _texts.map(lambda message: events.BrowserFailed(message=message)),
        callbacks(),
        requests(),
        st.just(events.HttpsAttempted()),
        pasted_texts().map(lambda text: events.CallbackPasted(text=text)),
        callbacks().map(lambda request: events.CallbackArrived(query=request.target.partition(b"?")[2])),
        _request_ids.map(lambda number: events.ResponseSent(request_id=number)),
        _request_ids.map(lambda number: events.ClientGone(request_id=number)),
        st.builds(_answered, _exchange_ids, token_answers()),
        st.builds(_unanswered, _exchange_ids, st.sampled_from(tuple(TransportProblem))),
        st.just(events.CredentialsSaved()),
        _texts.map(lambda message: events.SaveFailed(message=message)),
        st.just(events.RegistrationSaved()),
        _texts.map(lambda message: events.RegistrationSaveFailed(message=message)),
        _texts.map(lambda reason: events.CancelRequested(reason=reason)),
    )


def _answered(exchange_id: int, answer: HttpResponse) -> events.Event:
    return events.TokenResponseReceived(exchange_id=exchange_id, **answer.values())


def _unanswered(exchange_id: int, kind: TransportProblem) -> events.Event:
    return events.TokenRequestFailed(exchange_id=exchange_id, kind=kind, message="no answer")


def login_histories(*, max_size: int = 30) -> SearchStrategy[list[events.Event]]:
    """Generate lists of events for one login. The first one starts it; most of the others do not fit.

    Args:
        max_size: The most events after the first, 0 or more.
    """
    started = st.sampled_from(tuple(events.Started(method=method) for method in LoginMethod))
    return st.builds(lambda first, rest: [first, *rest], started, st.lists(login_events(), max_size=max_size))


for _value in (callbacks, login_events, login_histories, pasted_texts, requests, token_answers):
    make_hints_work(_value)

"""The rules that always hold (docs/design/invariants.md), over random sequences of plausible and garbage events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.actions import Timer
from loginmachine.sansio.login.events import (
    BindFailed,
    BindProblem,
    Bound,
    BrowserFailed,
    BrowserOpened,
    CallbackPasted,
    CancelRequested,
    ClientGone,
    CredentialsSaved,
    HttpsAttempted,
    PreviousCancelled,
    RequestReceived,
    ResponseSent,
    SaveFailed,
    Started,
    TimerFired,
    TokenRequestFailed,
    TokenResponseReceived,
)
from loginmachine.sansio.model.options import LoginMethod

from ..samples import CODE, STATE, SUCCESS, token_json
from .checked_login import CheckedLogin

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine.sansio.login.events import Event

    Move = Callable[[CheckedLogin], None]

COMMON = settings(max_examples=150, deadline=None)
HOST = (b"Host", b"127.0.0.1:1455")

targets = st.one_of(
    st.sampled_from(
        [
            f"/auth/callback?code={CODE}&state={STATE}".encode(),
            f"/auth/callback?code={CODE}&state={STATE}".encode(),
            f"/auth/callback?code=other&state={STATE}".encode(),
            f"/auth/callback?error=access_denied&state={STATE}".encode(),
            f"/auth/callback?state={STATE}".encode(),
            f"/auth/callback?code=c&iss=https://evil.example&state={STATE}".encode(),
            b"/auth/callback?code=c&state=wrong",
            b"/auth/callback?error=access_denied",
            b"/success",
            SUCCESS.encode(),
            b"/cancel",
            b"/favicon.ico",
        ]
    ),
    st.binary(min_size=5, max_size=30),
    st.binary(max_size=20).map(lambda raw: b"/auth/callback?" + raw),
    st.binary(max_size=20).map(lambda raw: f"/auth/callback?state={STATE}&code=".encode() + raw),
    st.binary(max_size=20).map(lambda raw: f"/auth/callback?code=c&state={STATE}".encode() + raw),
)
fields = st.one_of(
    st.sampled_from([(b"Origin", b"null"), (b"Sec-Purpose", b"prefetch"), (b"User-Agent", b"Mozilla/5.0"), HOST]),
    st.tuples(st.binary(max_size=10), st.binary(max_size=10)),
)
headers = st.one_of(
    st.just((HOST,)),
    st.just((HOST,)),
    st.just(((b"Host", b"127.0.0.1:1457"),)),
    st.lists(fields, max_size=3).map(lambda more: (HOST, *more)),
    st.lists(fields, max_size=3).map(tuple),
)
methods = st.sampled_from([b"GET", b"GET", b"GET", b"GET", b"HEAD", b"POST", b"", b"\xff"])
requests = st.builds(RequestReceived, request_id=st.just(0), method=methods, target=targets, headers=headers)
pastes = st.one_of(
    st.text(max_size=30),
    targets.map(lambda target: "http://127.0.0.1:1455" + target.decode("latin-1")),
    st.text(max_size=10).map(lambda rest: f"http://127.0.0.1:1455/auth/callback?code={CODE}&state={STATE}{rest}"),
)
numbers = st.integers(-1, 5)
bodies = st.one_of(
    st.just(token_json()),
    st.binary(max_size=30),
    st.text(max_size=30).map(lambda t: f'{{"error": "{t}"}}'.encode("utf-8", "replace")),
)
garbage: st.SearchStrategy[Event] = st.one_of(
    st.just(Started()),
    st.builds(Bound, port=st.integers(0, 65535)),
    st.builds(BindFailed, kind=st.sampled_from(BindProblem), message=st.text(max_size=10)),
    st.builds(PreviousCancelled, accepted=st.booleans()),
    st.builds(TimerFired, timer=st.sampled_from(Timer)),
    st.just(BrowserOpened()),
    st.just(HttpsAttempted()),
    st.builds(BrowserFailed, message=st.text(max_size=10)),
    st.builds(ResponseSent, request_id=numbers),
    st.builds(ClientGone, request_id=numbers),
    st.builds(
        TokenResponseReceived,
        exchange_id=numbers,
        status=st.sampled_from([200, 200, 204, 302, 400, 500, 0, 999]),
        headers=st.lists(fields, max_size=2).map(tuple),
        body=bodies,
        received_at=st.floats(0, 4e9),
    ),
    st.builds(
        TokenRequestFailed, exchange_id=numbers, kind=st.sampled_from(TransportProblem), message=st.text(max_size=10)
    ),
    st.builds(CallbackPasted, text=pastes),
    st.builds(Started, method=st.just(LoginMethod.DEVICE_CODE)),
    st.just(CredentialsSaved()),
    st.builds(SaveFailed, message=st.text(max_size=10)),
    st.builds(CancelRequested, reason=st.text(max_size=10)),
)


def answering(which: int, how: int) -> Move:
    return lambda login: login.answer(which, how)


def asking(request: RequestReceived) -> Move:
    """Send a request with a number of its own. Before the port is bound, no honest host reports one."""

    def move(login: CheckedLogin) -> None:
        known = login.machine.auth_url is not None
        event = request.__replace__(request_id=len(login.events))
        login.take(event, honest=known)

    return move


def noticing(event: Event) -> Move:
    """The listener sees something. Before the port is bound, only a confused host says so."""
    return lambda login: login.take(event, honest=login.machine.auth_url is not None)


def leaving(which: int) -> Move:
    """Let one of the waiting browsers leave."""

    def move(login: CheckedLogin) -> None:
        waiting = sorted(login.ledger.unanswered)
        if waiting:
            login.take(ClientGone(request_id=waiting[which % len(waiting)]), honest=True)

    return move


def pasting(text: str) -> Move:
    """Paste a text. An honest host can do so once the authorization URL is known."""

    def move(login: CheckedLogin) -> None:
        known = login.machine.auth_url is not None
        login.take(CallbackPasted(text=text), honest=known)

    return move


def confusing(event: Event) -> Move:
    return lambda login: login.take(event, honest=False)


def all_goes_well(login: CheckedLogin) -> None:
    login.advance()


good_answers = st.just(all_goes_well)
any_answers = st.builds(answering, which=st.integers(0, 5), how=st.integers(0, 11))
clients = st.one_of(
    st.builds(asking, requests),
    st.builds(asking, requests.map(lambda request: request.__replace__(from_other_user=True))),
    st.just(HttpsAttempted()).map(noticing),
    st.builds(leaving, st.integers(0, 3)),
    st.builds(pasting, pastes),
)
methods_of_login = st.sampled_from(LoginMethod)
confusions = garbage.map(confusing)
cancelling = st.just(CancelRequested()).map(confusing)
right_callbacks = st.just(
    RequestReceived(
        request_id=0, method=b"GET", target=f"/auth/callback?code={CODE}&state={STATE}".encode(), headers=(HOST,)
    )
).map(asking)


def play(moves: list[Move], method: LoginMethod = LoginMethod.BROWSER) -> CheckedLogin:
    login = CheckedLogin()
    login.take(Started(method=method), honest=True)
    for move in moves:
        move(login)
    return login


@COMMON
@given(
    st.lists(st.one_of(good_answers, good_answers, right_callbacks, clients, any_answers), min_size=5, max_size=30),
    methods_of_login,
)
def test_with_an_honest_host_nothing_ever_raises(moves: list[Move], method: LoginMethod) -> None:
    play(moves, method).finish()


@COMMON
@given(
    st.lists(st.one_of(good_answers, right_callbacks, clients, any_answers, confusions), min_size=5, max_size=30),
    methods_of_login,
)
def test_with_a_confused_host_only_unexpected_event_comes_out(moves: list[Move], method: LoginMethod) -> None:
    play(moves, method)


@COMMON
@given(
    st.lists(st.one_of(good_answers, good_answers, right_callbacks, clients, cancelling), max_size=20), methods_of_login
)
def test_cancelling_at_any_time_ends_the_login_or_comes_too_late(moves: list[Move], method: LoginMethod) -> None:
    play(moves, method).finish()


@COMMON
@given(
    st.lists(
        st.tuples(st.one_of(good_answers, right_callbacks, clients, any_answers, confusions), st.booleans()),
        max_size=30,
    ),
    methods_of_login,
)
def test_a_restored_login_goes_on_as_the_original_would(moves: list[tuple[Move, bool]], method: LoginMethod) -> None:
    """At random points the copy is replaced by another one, restored from its snapshot."""
    original, copied = play([], method), play([], method)
    for move, restores in moves:
        move(original)
        move(copied)
        assert (copied.actions, copied.ledger) == (original.actions, original.ledger)
        assert copied.machine.snapshot() == original.machine.snapshot()
        if restores:
            copied.restore()
    original.finish()
    copied.finish()
    assert copied.actions == original.actions


@settings(max_examples=300, deadline=None)
@given(requests)
def test_any_request_is_answered(request: RequestReceived) -> None:
    login = CheckedLogin()
    for event in (Started(), Bound(port=1455)):
        login.take(event, honest=True)
    login.take(request, honest=True)
    assert login.actions


def test_the_sequences_reach_every_ending() -> None:
    """Show that the tests above check something."""

    def ending(*moves: Move, method: LoginMethod = LoginMethod.BROWSER) -> str:
        login = play(list(moves), method)
        login.finish()
        return login.machine.state

    callback = asking(
        RequestReceived(
            request_id=0, method=b"GET", target=f"/auth/callback?code={CODE}&state={STATE}".encode(), headers=(HOST,)
        )
    )
    well = all_goes_well
    assert ending(well, well, callback, well, well, well) == "succeeded"
    assert ending(well, callback) == "cancelled"
    assert ending(answering(0, 3)) == "failed"
    paste = pasting(f"http://127.0.0.1:1455/auth/callback?code={CODE}&state={STATE}")
    assert ending(well, well, paste, well, well, well) == "succeeded"
    device = LoginMethod.DEVICE_CODE
    assert ending(well, well, well, well, well, method=device) == "succeeded"
    assert ending(well, well, method=device) == "cancelled"
    assert ending(answering(0, 3), method=device) == "failed"
    assert ending(answering(0, 1), well, well, callback, well, well, well, method=device) == "succeeded"

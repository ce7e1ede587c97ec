"""Check what a login does with the bytes of callback connections, without sockets.

Both fuzzers and the cases written by hand use `judge`. Its expectations are literal, and not read from the code.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes

from loginmachine.drivers.callback.http11 import CallbackConnection, Request
from loginmachine.sansio import LoginMachine, LoginOptions, LoginSecrets, Provider
from loginmachine.sansio.callback.responses import Response
from loginmachine.sansio.login.actions import Finish, Respond, SaveCredentials, SendTokenRequest
from loginmachine.sansio.login.events import Bound, RequestReceived, Started
from loginmachine.sansio.login.states import LoginState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from loginmachine.sansio.login.actions import Action
    from loginmachine.sansio.login.machine import Snapshot

STATE, VERIFIER, CODE = "canary-state-Xk3vQ9", "canary-verifier-0123456789", "canary-code-4"
SECRETS = LoginSecrets(state=STATE, code_verifier=VERIFIER, nonce="canary-nonce", success_key="canary-key")
OPTIONS = LoginOptions(provider=Provider.codex(), open_browser=False)
HOST = b"Host: 127.0.0.1:1455\r\n"
GOOD = f"GET /auth/callback?code={CODE}&state={STATE} HTTP/1.1\r\n".encode() + HOST + b"\r\n"
REQUIRED = {
    b"connection": b"close",
    b"cache-control": b"no-store",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
}
FORBIDDEN = (b"set-cookie", b"strict-transport-security", b"server", b"x-powered-by", b"access-control-allow-origin")
STATUSES = {200, 302, 400, 403, 404, 405, 409, 410, 413, 414, 431, 503, 505}
WITH_A_CODE = {LoginState.EXCHANGING_CODE}


class Visit(NamedTuple):
    """The result of one connection: the status (0 for none), and every byte of the answer."""

    status: int
    answer: bytes


class Listener:
    """A login that waits for its callback, or that goes on from there."""

    def __init__(self) -> None:
        self.machine = LoginMachine.restore(OPTIONS, SECRETS, _WAITING)
        self._ids = 0
        self._exchanges = self._finishes = 0

    @property
    def state(self) -> LoginState:
        return self.machine.state

    def visit(self, chunks: Iterable[bytes]) -> Visit:
        """Take a connection's bytes, and check everything that must hold."""
        connection = CallbackConnection()
        sent = b""
        for chunk in chunks:
            if not chunk:
                continue
            sent += chunk
            received = connection.receive(chunk)
            if isinstance(received, Request):
                return self._request(connection, received, sent)
            if received is not None:
                return Visit(received.status, _judged(connection.answer(received), sent))
        return Visit(0, b"")

    def _request(self, connection: CallbackConnection, request: Request, sent: bytes) -> Visit:
        self._ids += 1
        before = self.machine.state
        actions = self.machine.handle(
            RequestReceived(request_id=self._ids, method=request.method, target=request.target, headers=request.headers)
        )
        self._judge_order(before, request, actions)
        answers = [action for action in actions if isinstance(action, Respond)]
        mine = [action for action in answers if action.request_id == self._ids]
        if not mine:
            # It waits for the outcome.
            assert self.machine.state in WITH_A_CODE
            return Visit(0, b"")
        assert len(mine) == 1
        answer = Response(status=mine[0].status, headers=mine[0].headers, body=mine[0].body)
        return Visit(answer.status, _judged(connection.answer(answer), sent))

    def _judge_order(self, before: LoginState, request: Request, actions: Sequence[Action]) -> None:
        """Check the rules of docs/design/invariants.md."""
        after = self.machine.state
        assert not any(isinstance(action, SaveCredentials) for action in actions)
        self._exchanges += sum(isinstance(action, SendTokenRequest) for action in actions)
        self._finishes += sum(isinstance(action, Finish) for action in actions)
        assert self._exchanges <= 1
        assert self._finishes <= 1
        if after is before:
            return
        assert after in {LoginState.EXCHANGING_CODE, LoginState.FAILED, LoginState.CANCELLED}
        assert request.method == b"GET"
        if after is LoginState.CANCELLED:
            assert b"/cancel" in request.target
            names = {name.lower() for name, _ in request.headers}
            assert names.isdisjoint({b"origin", b"referer", b"cookie", b"sec-fetch-site", b"sec-fetch-mode"})
        else:
            assert before is LoginState.AWAITING_CALLBACK
            assert b"/auth/callback?" in request.target
            assert STATE.encode() in unquote_to_bytes(request.target)


def _waiting() -> Snapshot:
    machine = LoginMachine(OPTIONS, SECRETS)
    for event in (Started(), Bound(port=1455)):
        machine.handle(event)
    return machine.snapshot()


_WAITING = _waiting()


def _judged(answer: bytes, request: bytes) -> bytes:
    """Check that an answer has what every answer must have, and nothing that is forbidden."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status_line, *lines = head.split(b"\r\n")
    fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    headers = dict(fields)
    assert len(headers) == len(fields), "a field is there twice"
    assert status_line.startswith(b"HTTP/1.1 ")
    assert int(status_line.split(b" ")[1]) in STATUSES
    assert REQUIRED.items() <= headers.items()
    assert headers.keys().isdisjoint(FORBIDDEN)
    assert b"default-src 'none'" in headers[b"content-security-policy"]
    assert b"frame-ancestors 'none'" in headers[b"content-security-policy"]
    assert b"'unsafe-" not in headers[b"content-security-policy"]
    assert headers.get(b"location") in {None, b"/success/canary-key"}
    if request.startswith(b"HEAD "):
        assert body == b""
    else:
        assert int(headers[b"content-length"]) == len(body)
    assert b"<script" not in body.lower()
    assert not [secret for secret in (STATE, VERIFIER, CODE) if secret.encode() in answer]
    return answer


def judge(data: bytes, cuts: Iterable[int] = ()) -> LoginState:
    """Check that the same bytes have the same answer and state: whole, in these pieces, and byte by byte.

    If the login still waits afterwards, a good callback must be accepted.
    """
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(data)}), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges) if end > start]
    ways = [[data], pieces]
    if len(data) <= 2048:
        ways.append([data[n : n + 1] for n in range(len(data))])
    found = []
    for way in ways:
        listener = Listener()
        found.append((listener.visit(way), listener.state))
        if listener.state is LoginState.AWAITING_CALLBACK:
            listener.visit([GOOD])
            assert listener.machine.state is LoginState.EXCHANGING_CODE
    assert all(one == found[0] for one in found)
    return found[0][1]

"""Helpers for the tests of `routes`: ask the listener, and see what it makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginmachine.sansio import Provider
from loginmachine.sansio.callback.requests import CallbackRules, route

from ..samples import CODE, STATE, request

if TYPE_CHECKING:
    from loginmachine.sansio.login.interpretation import Interpretation

CHATGPT = Provider.chatgpt()
HOST = (b"Host", b"127.0.0.1:1455")
GOOD = f"/auth/callback?code={CODE}&state={STATE}"


def rules(provider: Provider = CHATGPT, *, port: int = 1455, code: str = "") -> CallbackRules:
    return CallbackRules(provider=provider, port=port, state=STATE, accepted_code=code, hide=(STATE,))


def ask(
    target: str | bytes = GOOD,
    *extra: tuple[bytes, bytes],
    host: tuple[tuple[bytes, bytes], ...] = (HOST,),
    method: bytes = b"GET",
    by: CallbackRules | None = None,
) -> Interpretation:
    return route(request(target, 3, method=method, headers=(*host, *extra)), by or rules())


def status(step: Interpretation) -> int:
    """Of a request that is turned away."""
    assert step.trigger == "request_refused"
    assert step.request_id == 3
    assert step.answer is not None
    return step.answer.status


def read(query: str | bytes, provider: Provider = CHATGPT) -> Interpretation:
    """A callback with this query."""
    return ask(b"/auth/callback?" + (query.encode() if isinstance(query, str) else query), by=rules(provider))

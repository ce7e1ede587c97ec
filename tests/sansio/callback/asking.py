"""Helpers for the tests of `callback.requests`: make a request, and look at its classification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginmachine.sansio import Provider
from loginmachine.sansio.callback.judgement import Callback, CallbackRules
from loginmachine.sansio.callback.requests import Refused, classify_request

from ..samples import CODE, STATE, SUCCESS

if TYPE_CHECKING:
    from loginmachine.sansio.callback.requests import Classified

CHATGPT = Provider.codex()
HOST = (b"Host", b"127.0.0.1:1455")
GOOD = f"/auth/callback?code={CODE}&state={STATE}"


def rules(provider: Provider = CHATGPT, *, port: int = 1455, code: str = "") -> CallbackRules:
    return CallbackRules(
        provider=provider, port=port, state=STATE, accepted_code=code, success_path=SUCCESS, hide=(STATE,)
    )


def ask(
    target: str | bytes = GOOD,
    *extra: tuple[bytes, bytes],
    host: tuple[tuple[bytes, bytes], ...] = (HOST,),
    method: bytes = b"GET",
    by: CallbackRules | None = None,
) -> Classified:
    raw = target.encode() if isinstance(target, str) else target
    return classify_request(method, raw, (*host, *extra), by or rules())


def read(query: str | bytes, provider: Provider = CHATGPT) -> Classified:
    """Classify a callback with this query."""
    return ask(b"/auth/callback?" + (query.encode() if isinstance(query, str) else query), by=rules(provider))


def status(classified: Classified) -> int:
    """Return the status of the response to a refused request."""
    assert isinstance(classified, Refused)
    return classified.response.status


def judged(classified: object) -> Callback:
    """Return the callback, which has the right state."""
    assert isinstance(classified, Callback)
    return classified


def verdict(classified: object) -> str:
    return judged(classified).verdict

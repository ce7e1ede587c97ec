"""The answers of the callback listener: status, headers, page."""

from __future__ import annotations

from urllib.parse import urlencode

from ..base.records import Record, hidden
from ..login.failures import LoginFailure, LoginFailureCategory, LoginFailurePhase
from . import pages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from ..base.http import Headers
    from ..base.secret import Secret
    from ..model.account import Account
    from ..model.provider import Provider

SUCCESS_PATH: Final = "/success"
CANCEL_PATH: Final = "/cancel"
CANCELLED_BODY: Final = "Login cancelled"
"""What a login server says when it gives way to another: Codex's words, which others look for."""

_HTML: Final = b"text/html; charset=utf-8"
_TEXT: Final = b"text/plain; charset=utf-8"
_POLICY: Final = (
    f"default-src 'none'; style-src '{pages.STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final[Headers] = (
    (b"Connection", b"close"),
    (b"Cache-Control", b"no-store"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"X-Frame-Options", b"DENY"),
    (b"Cross-Origin-Resource-Policy", b"same-origin"),
    (b"Cross-Origin-Opener-Policy", b"same-origin"),
    (b"Content-Security-Policy", _POLICY.encode("ascii")),
)
_CLEAR_STORAGE: Final = (b"Clear-Site-Data", b'"storage"')
"""A service worker that another program once left on this origin must not see the callback."""

_C = LoginFailureCategory
_STATUS: Final[Mapping[LoginFailureCategory, int]] = {
    _C.CALLBACK_STATE_MISMATCH: 400,
    _C.ISSUER_MISMATCH: 400,
    _C.MISSING_AUTHORIZATION_CODE: 400,
    _C.PROVIDER_CALLBACK_ERROR: 403,
    _C.WORKSPACE_RESTRICTION: 403,
    _C.TOKEN_EXCHANGE_TIMEOUT: 504,
    _C.TOKEN_EXCHANGE_CONNECT: 502,
    _C.TOKEN_EXCHANGE_REQUEST: 502,
    _C.TOKEN_ENDPOINT_REJECTED: 502,
    _C.TOKEN_RESPONSE_MALFORMED: 502,
    _C.ID_TOKEN_INVALID: 502,
}
"""Of the categories that are not our own fault (500)."""

_REFUSALS: Final[Mapping[int, str]] = {
    400: "Bad request",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed: only GET is answered here",
    413: "No request body is accepted here",
    414: "The address is too long",
    431: "The request head is too large",
    503: "Prefetching is refused: open the page itself",
    505: "Only HTTP/1.0 and HTTP/1.1 are spoken here",
}


class Answer(Record):
    """A whole HTTP answer."""

    status: int
    headers: Headers
    body: bytes = hidden()


def refusal(status: int) -> Answer:
    """Turn a request away, in one line of plain text. Says nothing about the login."""
    extra: Headers = ((b"Allow", b"GET"),) if status == 405 else ()
    return _answer(status, _TEXT, f"{_REFUSALS[status]}.\n", extra)


def redirect_to_success() -> Answer:
    """Send the browser on: the address with the code leaves its address bar, and no secret comes into it."""
    return _answer(302, _TEXT, "", ((b"Location", SUCCESS_PATH.encode("ascii")), _CLEAR_STORAGE))


def success(provider: Provider, account: Account, id_token: Secret) -> Answer:
    """The page after a successful login."""
    page = pages.success(
        email=account.email,
        plan=account.shown_plan or account.plan,
        setup_url=_setup_url(provider, account, id_token),
    )
    return _answer(200, _HTML, page, (_CLEAR_STORAGE,))


def failure(problem: LoginFailure) -> Answer:
    """The page for a login that failed, or for a callback that was refused."""
    return _answer(_STATUS.get(problem.category, 500), _HTML, pages.failure(problem), (_CLEAR_STORAGE,))


def malformed_callback() -> Answer:
    """A callback whose parameters cannot be read. Nobody can tell whose it is, so nothing is said about the login."""
    page = pages.notice(
        "This address cannot be read",
        "It is damaged or incomplete. Go back to the sign-in page and try again; the sign-in is still open.",
    )
    return _answer(400, _HTML, page, (_CLEAR_STORAGE,))


def mismatch(message: str, help_url: str | None) -> Answer:
    """A callback that belongs to another login."""
    return failure(
        LoginFailure(
            phase=LoginFailurePhase.VALIDATE_CALLBACK,
            category=LoginFailureCategory.CALLBACK_STATE_MISMATCH,
            message=message,
            help_url=help_url,
        )
    )


def conflict() -> Answer:
    """A second, different callback with this login's state."""
    page = pages.notice(
        "This sign-in is already being completed",
        "Another tab has brought the answer. Go on there, and close this tab.",
    )
    return _answer(409, _HTML, page, (_CLEAR_STORAGE,))


def over() -> Answer:
    """A callback that comes after the login has ended without success."""
    page = pages.notice("This sign-in is over", "Start a new one in your program, and close this tab.")
    return _answer(410, _HTML, page, (_CLEAR_STORAGE,))


def cancelled() -> Answer:
    """To the login server that asked for the port."""
    return _answer(200, _TEXT, CANCELLED_BODY)


def too_late() -> Answer:
    """To a login server that asked for the port when the credentials were being stored, or later."""
    return _answer(409, _TEXT, "This login can no longer be cancelled.\n")


def _answer(status: int, content_type: bytes, text: str, extra: Headers = ()) -> Answer:
    body = text.encode("utf-8", "replace")
    sizes = ((b"Content-Type", content_type), (b"Content-Length", str(len(body)).encode("ascii")))
    return Answer(status=status, headers=(*sizes, *_HEADERS, *extra), body=body)


def _setup_url(provider: Provider, account: Account, id_token: Secret) -> str | None:
    if not account.needs_setup or provider.platform_url is None:
        return None
    query = {
        "p": account.shown_plan or "",
        "t": id_token.reveal(),
        "with_org": account.organization_id or "",
        "project_id": account.project_id or "",
    }
    return f"{provider.platform_url}/org-setup?{urlencode(query)}"

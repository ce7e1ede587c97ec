"""The responses of the callback listener: status, headers and page. docs/design/listener.md lists them."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from enum import StrEnum
from urllib.parse import urlencode

from ..base.digests import sha256
from ..base.records import Record, hidden
from . import pages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from ..base.http import Headers
    from ..base.secret import Secret
    from ..model.account import Account
    from ..model.options import LoginOptions, LoginSecrets
    from ..model.provider import Provider
    from .pages import Explanation

SUCCESS_PATH: Final = "/success"
"""The start of the path of the success page. `success_path` returns the whole path."""
START_PATH: Final = "/start"
"""The start of the path of the start page. `start_path` returns the whole path."""
CANCEL_PATH: Final = "/cancel"
CANCELLED_BODY: Final = "Login cancelled"
"""The body of the response to a cancellation. Codex sends and expects the same text."""

_HTML: Final = b"text/html; charset=utf-8"
_TEXT: Final = b"text/plain; charset=utf-8"
_POLICY: Final = (
    f"default-src 'none'; style-src '{pages.STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_OWN_PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""For a page of the embedding program: its own styles, and images within it. No script, and nothing from elsewhere."""
_HEADERS: Final[Headers] = (
    (b"Connection", b"close"),
    (b"Cache-Control", b"no-store"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"X-Frame-Options", b"DENY"),
    (b"Cross-Origin-Resource-Policy", b"same-origin"),
    (b"Cross-Origin-Opener-Policy", b"same-origin"),
)
_CLEAR_STORAGE: Final = (b"Clear-Site-Data", b'"storage"')
"""Removes service workers of other programs on this origin, which could read the callback."""

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


class Response(Record):
    """A whole HTTP response to a request at the callback listener."""

    status: int
    headers: Headers = hidden()
    body: bytes = hidden()


class PageKind(StrEnum):
    """The last responses of a login."""

    REDIRECT = "redirect"
    SUCCESS = "success"
    OTHER = "other"


def refusal(status: int) -> Response:
    """Return the response that refuses a request: one line of plain text that says nothing about the login.

    Args:
        status: 400, 403, 404, 405, 413, 414, 431, 503 or 505.
    """
    extra: Headers = ((b"Allow", b"GET"),) if status == 405 else ()
    return _response(status, _TEXT, f"{_REFUSALS[status]}.\n", extra)


def success_path(secrets: LoginSecrets) -> str:
    """Return the path of the success page of one login.

    Other programs can reach the listener too, and the page may hold a link with the id token. So the path cannot be
    guessed, and only a browser that brings the code is redirected to it.
    """
    key = secrets.success_key
    if key is None:
        key = _derived("success page", secrets)
    return f"{SUCCESS_PATH}/{key}" if key else SUCCESS_PATH


def start_path(secrets: LoginSecrets) -> str:
    """Return the path from which a browser is sent to the provider, once: other programs cannot guess it."""
    return f"{START_PATH}/{_derived('start page', secrets)}"


def _derived(page: str, secrets: LoginSecrets) -> str:
    digest = sha256(f"{page}:{secrets.code_verifier}".encode("ascii"))
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def redirect_to_provider(url: str) -> Response:
    """Return the redirect to the authorization request, so that no argument list or terminal shows all of it."""
    return _response(302, _TEXT, "", ((b"Location", url.encode("ascii")),))


def redirect_to_success(secrets: LoginSecrets) -> Response:
    """Return the redirect to the success page, so that the browser no longer shows the address with the code."""
    return _response(302, _TEXT, "", ((b"Location", success_path(secrets).encode("ascii")), _CLEAR_STORAGE))


def success(options: LoginOptions, account: Account, id_token: Secret | None) -> Response:
    """Return the page after a successful login.

    Args:
        options: The `platform_url` of the provider's dialect is the base of the link to the setup. They also say what
            the program is called, and may hold a page of its own, which is shown if there is nothing to set up.
        account: The account that the page shows.
        id_token: A part of the link to the setup, for an account that needs it (docs/design/wire.md).
    """
    setup_url = _setup_url(options.provider, account, id_token)
    if options.success_page is not None and setup_url is None:
        own = pages.own_success(options.success_page, email=account.email, app_name=options.app_name)
        return _response(200, _HTML, own, (_CLEAR_STORAGE,), policy=_OWN_PAGE_POLICY)
    page = pages.success(
        email=account.email,
        plan=account.shown_plan or account.plan,
        setup_url=setup_url,
        app_name=options.app_name,
    )
    return _response(200, _HTML, page, (_CLEAR_STORAGE,))


def failure(status: int, explanation: Explanation) -> Response:
    """Return the page for a login that failed, or for a callback that was refused.

    Args:
        status: The HTTP status.
        explanation: What the page says.
    """
    return _response(status, _HTML, pages.failure(explanation), (_CLEAR_STORAGE,))


def other_port(port: int) -> Response:
    """Return the page for a browser that came to another port of this machine, as through a tunnel.

    Args:
        port: The port at which the login waits.
    """
    page = pages.notice(
        "This is not the port of the sign-in",
        f"The sign-in waits at port {port}, and this page's address has another port, perhaps that of a tunnel. Copy "
        "the whole address from your browser's address bar, and paste it into the program that waits for the sign-in. "
        "The sign-in is still open.",
    )
    return _response(403, _HTML, page)


def malformed_callback() -> Response:
    """Return the page for a callback with unreadable parameters. It says nothing about a login, which is unknown."""
    page = pages.notice(
        "This address cannot be read",
        "It is damaged or incomplete. Go back to the sign-in page and try again; the sign-in is still open.",
    )
    return _response(400, _HTML, page, (_CLEAR_STORAGE,))


def conflict() -> Response:
    """Return the page for a second, different callback with this login's state."""
    page = pages.notice(
        "This sign-in is already being completed",
        "Another tab has brought the answer. Go on there, and close this tab.",
    )
    return _response(409, _HTML, page, (_CLEAR_STORAGE,))


def over(app_name: str | None = None) -> Response:
    """Return the page for a callback that comes after the login has ended without success.

    Args:
        app_name: What the page calls the program; None for "your program".
    """
    return _response(410, _HTML, pages.over(app_name), (_CLEAR_STORAGE,))


def cancelled() -> Response:
    """Return the response to the login server that asked for the port: this login stops."""
    return _response(200, _TEXT, CANCELLED_BODY)


def too_late() -> Response:
    """Return the response to the login server that asked for the port: this login can no longer stop."""
    return _response(409, _TEXT, "This login can no longer be cancelled.\n")


def _response(status: int, content_type: bytes, text: str, extra: Headers = (), *, policy: str = _POLICY) -> Response:
    body = text.encode("utf-8", "replace")
    sizes = ((b"Content-Type", content_type), (b"Content-Length", str(len(body)).encode("ascii")))
    headers = (*sizes, *_HEADERS, (b"Content-Security-Policy", policy.encode("ascii")), *extra)
    return Response(status=status, headers=headers, body=body)


def _setup_url(provider: Provider, account: Account, id_token: Secret | None) -> str | None:
    if not account.needs_setup or provider.dialect.platform_url is None or id_token is None:
        return None
    query = {
        "p": account.shown_plan or "",
        "t": id_token.reveal(),
        "with_org": account.organization_id or "",
        "project_id": account.project_id or "",
    }
    return f"{provider.dialect.platform_url}/org-setup?{urlencode(query)}"

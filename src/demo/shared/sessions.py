"""Sessions of browsers, and forms that only the browser can submit to which they were sent."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..accounts import Person
    from .messages import ReceivedRequest

_MAX_SESSIONS: Final = 256


@dataclass(slots=True, kw_only=True)
class Session:
    """A browser, and the person who signed in with it."""

    csrf_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    person: Person | None = None
    signed_in_at: float = 0.0
    """The time of the sign-in by the provider's clock."""
    _consents: set[tuple[str, str]] = field(default_factory=set)

    def add_consent(self, client_id: str, scope: tuple[str, ...]) -> None:
        """Remember that the person consented to scopes of a client."""
        self._consents |= {(client_id, name) for name in scope}

    def has_consent(self, client_id: str, scope: tuple[str, ...]) -> bool:
        """Return whether the person consented to all scopes."""
        return all((client_id, name) in self._consents for name in scope)


class Sessions:
    """All sessions of a provider.

    Args:
        issuer: The issuer.
        folder: The folder of the pages. Cookies ignore ports: the path keeps them from a callback listener.
    """

    def __init__(self, issuer: str, folder: str) -> None:
        parts = urlsplit(issuer)
        self._path = f"{parts.path}{folder}"
        self._cookie = f"loginmachine_demo_{parts.port}"
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        """Maps cookies to sessions."""

    def find(self, received: ReceivedRequest) -> Session | None:
        """Return the session of the browser that sent a request, if there is one."""
        cookies = [part.strip().partition("=") for part in received.headers.get("Cookie", "").split(";")]
        with self._lock:
            found = (self._sessions.get(value) for name, _, value in cookies if name == self._cookie)
            return next((session for session in found if session is not None), None)

    def submitted(self, received: ReceivedRequest) -> Session | None:
        """Return the session of a submitted form; None if the form was not sent to this browser."""
        session = self.find(received)
        sent = dict(received.form).get("csrf_token", "")
        same = session is not None and secrets.compare_digest(sent.encode(), session.csrf_token.encode())
        return session if same else None

    def show(self, received: ReceivedRequest, page: Callable[[str], str], status: int = 200) -> Response:
        """Show a page with a form, and start a session if the browser has none.

        Args:
            received: The request of the browser.
            page: Returns the page with the session's CSRF token.
            status: The HTTP status.
        """
        session, cookie = self.find(received), None
        if session is None:
            session, cookie = Session(), secrets.token_urlsafe(32)
            with self._lock:
                if len(self._sessions) >= _MAX_SESSIONS:
                    del self._sessions[next(iter(self._sessions))]  # the oldest
                self._sessions[cookie] = session
        response = page_response(page(session.csrf_token), status)
        if cookie is not None:  # not Secure, because this is http
            response.set_cookie(self._cookie, cookie, path=self._path, httponly=True, samesite="Lax")
        return response


def page_response(text: str, status: int = 200) -> Response:
    """Return a page as a response."""
    return Response(text, status, content_type="text/html; charset=utf-8")

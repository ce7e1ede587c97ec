"""Where a person decides about a request to the OpenID provider: the login form, and device codes (RFC 8628)."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ..accounts import Person
from ..pages import device_form, done, login_form, unusable
from ..shared.messages import OAuthError, json_response
from ..shared.sessions import Sessions, page_response
from ..shared.tickets import Grant

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from ..shared.messages import ReceivedRequest
    from ..shared.sessions import Session
    from .clients import Client
    from .state import State

FOLDER: Final = "/account"
"""The folder of the pages. Cookies ignore ports: the path keeps them from a callback listener."""

_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Letters of a user code: no vowels, which could form words, and no similar letters (RFC 8628 section 6.1)."""
_DEFAULT_INTERVAL: Final = 5
_EARLY: Final = 0.1
"""Seconds by which a poll may come too early, because clocks are not exact."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided."""

    session: Session
    person: Person | None
    """None if the person refused."""


class LoginForms:
    """Shows the login form, and reads it when it was submitted."""

    def __init__(self, state: State) -> None:
        self._clock = state.clock
        self._sessions = Sessions(state.issuer, FOLDER)

    @staticmethod
    def person(email: str) -> Person:
        """Return a person who signs in now."""
        return Person(email=email, auth_time=int(time.time()))

    def session(self, received: ReceivedRequest) -> Session | None:
        """Return the session of the browser that sent a request, if there is one."""
        return self._sessions.find(received)

    def ask(self, received: ReceivedRequest, *, asker: str, email: str = "") -> Decision | Response:
        """Return what the person decided, or the form, or the page that says what is wrong.

        Args:
            received: A GET request, or the submitted form.
            asker: The program that asks.
            email: Is in the form from the beginning.
        """
        if received.method != "POST":
            return self._form(received, asker=asker, email=email)
        session, form = self._sessions.submitted(received), dict(received.form)
        if session is None:
            return page_response(unusable("This form was not opened in this browser, or is too old."), 403)
        if form.get("decision") == "refuse":
            return Decision(session, None)
        email = form.get("email", "").strip()
        if "@" not in email or not email.isprintable() or not form.get("password"):
            return self._form(received, asker=asker, email=email, problem="Type an email address and any password.")
        session.person, session.signed_in_at = self.person(email), self._clock.now()
        return Decision(session, session.person)

    def _form(self, received: ReceivedRequest, *, asker: str, email: str, problem: str | None = None) -> Response:
        def page(csrf_token: str) -> str:
            return login_form(csrf_token=csrf_token, callback=asker, email=email, problem=problem)

        return self._sessions.show(received, page, 422 if problem else 200)


@dataclass(slots=True, kw_only=True)
class _Waiting:
    """A device code, and what the person decided."""

    client: Client
    scope: tuple[str, ...]
    resources: tuple[str, ...]
    end: float
    interval: float
    user_code: str
    last_poll: float | None = None
    person: Person | None = None
    refused: bool = False


class DeviceCodes:
    """Device codes: issued to a client, decided by a person, polled by the client."""

    def __init__(self, state: State, forms: LoginForms) -> None:
        self._page_url = f"{state.issuer}{FOLDER}/device"
        self._switches = state.switches
        self._forms = forms
        self._clock = state.clock
        self._lock = threading.Lock()
        self._waiting: dict[str, _Waiting] = {}

    def issue(self, client: Client, scope: tuple[str, ...], resources: tuple[str, ...]) -> Response:
        """Issue a device code (RFC 8628 section 3.2)."""
        switches = self._switches
        device_code = secrets.token_urlsafe(32)
        user_code = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(2))
        waiting = _Waiting(
            client=client,
            scope=scope,
            resources=resources,
            end=self._clock.now() + switches.device_lifetime,
            interval=_DEFAULT_INTERVAL if switches.device_interval is None else switches.device_interval,
            user_code=user_code,
        )
        if switches.consent == "automatic":
            waiting.person = self._forms.person(switches.email)
        waiting.refused = switches.consent == "refused"
        with self._lock:
            self._waiting[device_code] = waiting
        answer: dict[str, object] = {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": self._page_url,
            "expires_in": switches.device_lifetime,
        }
        if switches.verification_uri_complete:
            answer["verification_uri_complete"] = f"{self._page_url}?user_code={quote(user_code)}"
        if switches.device_interval is not None:
            answer["interval"] = switches.device_interval
        return json_response(answer)

    def poll(self, device_code: str, client: Client) -> Grant:
        """Return what the person granted. It is returned only once (RFC 8628 section 3.5).

        Raises:
            OAuthError: The person has not decided, has refused, the code is not valid, or the client polls too fast.
        """
        with self._lock:
            waiting, now = self._waiting.get(device_code), self._clock.now()
            if waiting is None or waiting.client.client_id != client.client_id:
                raise OAuthError("invalid_grant", "The device code is unknown, used or another client's.")
            if now >= waiting.end:
                raise OAuthError("expired_token", "The device code is expired.")
            last_poll, waiting.last_poll = waiting.last_poll, now
            if last_poll is not None and now - last_poll < waiting.interval - _EARLY:
                waiting.interval += 5
                raise OAuthError("slow_down", "The client polls too fast.")
            if waiting.refused:
                raise OAuthError("access_denied", "The person refused.")
            if waiting.person is None:
                raise OAuthError("authorization_pending", "The person has not decided.")
            del self._waiting[device_code]
        granted = tuple(scope for scope in waiting.scope if scope not in self._switches.withheld_scopes)
        return Grant(client_id=client.client_id, person=waiting.person, scope=granted, resources=waiting.resources)

    def page(self, received: ReceivedRequest) -> Response:
        """Show the page for a user code, and then the login form (RFC 8628 section 3.3)."""
        typed = dict(received.query).get("user_code")
        if typed is None:
            return page_response(device_form())
        waiting = self._find(typed.strip().upper())
        if waiting is None:
            return page_response(device_form(problem="This code is unknown, or no longer valid."), 422)
        name = waiting.client.client_name or waiting.client.client_id
        # The person compares the code with the one of the program, against links of other people (section 5.4).
        decision = self._forms.ask(received, asker=f"{name}, which shows the code {waiting.user_code}")
        if not isinstance(decision, Decision):
            return decision
        with self._lock:
            waiting.person, waiting.refused = decision.person, decision.person is None
        return page_response(done(accepted=decision.person is not None))

    def _find(self, user_code: str) -> _Waiting | None:
        """Return the device code that waits for a person."""
        with self._lock:
            undecided = (w for w in self._waiting.values() if w.person is None and not w.refused)
            valid = (waiting for waiting in undecided if self._clock.now() < waiting.end)
            return next((w for w in valid if secrets.compare_digest(w.user_code.encode(), user_code.encode())), None)

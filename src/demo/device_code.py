"""Device codes of the demo provider, in Codex's dialect.

When a person enters a device code, the provider starts an authorization request with a callback of its own. The program
that polls receives the authorization code of that request, together with the code verifier.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import flask

from ..sansio.oauth.authorization import code_challenge
from .accounts import SCOPES
from .pages import device_form, done, unusable

if TYPE_CHECKING:
    from collections.abc import Iterable

LIFETIME: Final = 900.0
"""Seconds until a device code expires."""
DEVICE_CALLBACK: Final = "/deviceauth/callback"

_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Letters of a code: no vowels, which could form words, and no similar letters (RFC 8628 section 6.1)."""
_MAX_WAITING: Final = 256


@dataclass(slots=True)
class _Waiting:
    """One device code and its state."""

    user_code: str
    end: float
    device_auth_id: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    code_verifier: str = field(default_factory=lambda: secrets.token_urlsafe(64))
    authorization_code: str | None = None
    refused: bool = False


class DeviceCodes:
    """The endpoints for device codes.

    Args:
        issuer: The base URL of the provider.
        client_id: The only accepted client.
    """

    def __init__(self, issuer: str, client_id: str) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []

    def add_to(self, app: flask.Flask) -> None:
        """Add the endpoints to an application."""
        app.add_url_rule("/api/accounts/deviceauth/usercode", view_func=self.issue_code, methods=["POST"])
        app.add_url_rule("/api/accounts/deviceauth/token", view_func=self.poll, methods=["POST"])
        app.add_url_rule("/codex/device", view_func=self.enter_code, methods=["GET"])
        app.add_url_rule(DEVICE_CALLBACK, view_func=self.callback, methods=["GET"])

    def issue_code(self) -> flask.Response:
        """Issue a code to a program."""
        if _members("client_id") != [self._client_id]:
            return _error("invalid_client", 401)
        user_code = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(2))
        waiting = _Waiting(user_code=user_code, end=time.monotonic() + LIFETIME)
        with self._lock:
            self._waiting = [*self._waiting[1 - _MAX_WAITING :], waiting]
        return flask.jsonify(device_auth_id=waiting.device_auth_id, user_code=user_code, interval="1")

    def enter_code(self) -> flask.Response:
        """Show the form for the code, or redirect to the login form if a valid code was entered."""
        typed = flask.request.args.get("user_code")
        if typed is None:
            return flask.make_response(device_form())
        waiting = self._find("user_code", typed.strip().upper())
        if waiting is None or waiting.authorization_code is not None or waiting.refused:
            return flask.make_response(device_form(problem="This code is unknown, or no longer valid."), 422)
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": f"{self._issuer}{DEVICE_CALLBACK}",
            "code_challenge": code_challenge(waiting.code_verifier),
            "code_challenge_method": "S256",
            "state": waiting.state,
            "scope": " ".join(SCOPES),
        }
        return flask.make_response(flask.redirect(f"/oauth/authorize?{urlencode(query)}", 303))

    def callback(self) -> flask.Response:
        """Take the authorization code, or note that the person refused."""
        waiting = self._find("state", flask.request.args.get("state", ""))
        if waiting is None:
            return flask.make_response(unusable("This sign-in is unknown, or no longer valid."), 400)
        code = flask.request.args.get("code")
        with self._lock:
            waiting.authorization_code, waiting.refused = code, code is None
        return flask.make_response(done(accepted=code is not None))

    def poll(self) -> flask.Response:
        """Return the authorization code to the program. It is returned only once."""
        members = _members("device_auth_id", "user_code")
        waiting = self._find("device_auth_id", members[0] if len(members) == 2 else "")
        if waiting is None or not secrets.compare_digest(members[1].encode(), waiting.user_code.encode()):
            return _error("expired_token", 400)
        with self._lock:
            if waiting.refused:
                return _error("access_denied", 400)
            if waiting.authorization_code is None:
                return _error("authorization_pending", 403)
            if waiting not in self._waiting:
                return _error("expired_token", 400)
            self._waiting.remove(waiting)
        return flask.jsonify(
            authorization_code=waiting.authorization_code,
            code_challenge=code_challenge(waiting.code_verifier),
            code_verifier=waiting.code_verifier,
        )

    def _find(self, name: str, value: str) -> _Waiting | None:
        now = time.monotonic()
        with self._lock:
            valid: Iterable[_Waiting] = (waiting for waiting in self._waiting if now < waiting.end)
            return next((w for w in valid if secrets.compare_digest(getattr(w, name).encode(), value.encode())), None)


def _members(*names: str) -> list[str]:
    """Return those members of the JSON body that exist and are strings."""
    content = flask.request.get_json(silent=True)
    values = [content.get(name) for name in names] if isinstance(content, dict) else []
    return [value for value in values if isinstance(value, str)]


def _error(code: str, status: int) -> flask.Response:
    return flask.make_response(flask.jsonify(error=code), status)

"""Device codes of the demonstration provider: Codex's dialect, with the login form that everybody gets.

A code begins an authorization request of the provider's own, whose callback is the provider's too. The program that
polls gets the authorization code from there, with the verifier.
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
DEVICE_CALLBACK: Final = "/deviceauth/callback"

_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""RFC 8628 section 6.1: no vowels, so that no words come about, and nothing that looks like something else."""
_MAX_WAITING: Final = 256


@dataclass(slots=True)
class _Waiting:
    """One code that somebody is to enter."""

    user_code: str
    end: float
    device_auth_id: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    code_verifier: str = field(default_factory=lambda: secrets.token_urlsafe(64))
    authorization_code: str | None = None
    refused: bool = False


class DeviceCodes:
    """The endpoints for device codes."""

    def __init__(self, issuer: str, client_id: str) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []

    def add_to(self, app: flask.Flask) -> None:
        """Serve them."""
        app.add_url_rule("/api/accounts/deviceauth/usercode", view_func=self.give_code, methods=["POST"])
        app.add_url_rule("/api/accounts/deviceauth/token", view_func=self.poll, methods=["POST"])
        app.add_url_rule("/codex/device", view_func=self.take_code, methods=["GET"])
        app.add_url_rule(DEVICE_CALLBACK, view_func=self.come_back, methods=["GET"])

    def give_code(self) -> flask.Response:
        """A program wants a code."""
        if _members("client_id") != [self._client_id]:
            return _error("invalid_client", 401)
        user_code = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(2))
        waiting = _Waiting(user_code=user_code, end=time.monotonic() + LIFETIME)
        with self._lock:
            self._waiting = [*self._waiting[1 - _MAX_WAITING :], waiting]
        return flask.jsonify(device_auth_id=waiting.device_auth_id, user_code=user_code, interval="1")

    def take_code(self) -> flask.Response:
        """The person enters it, and goes on to the login form."""
        typed = flask.request.args.get("user_code")
        if typed is None:
            return flask.make_response(device_form())
        waiting = self._find("user_code", typed.strip().upper())
        if waiting is None or waiting.authorization_code is not None or waiting.refused:
            return flask.make_response(device_form(problem="Nobody waits for this code, or no longer."), 422)
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

    def come_back(self) -> flask.Response:
        """The person has decided."""
        waiting = self._find("state", flask.request.args.get("state", ""))
        if waiting is None:
            return flask.make_response(unusable("Nobody waits for this sign-in any more."), 400)
        code = flask.request.args.get("code")
        with self._lock:
            waiting.authorization_code, waiting.refused = code, code is None
        return flask.make_response(done(accepted=code is not None))

    def poll(self) -> flask.Response:
        """The program asks whether they have. What it gets, it gets once."""
        asked = _members("device_auth_id", "user_code")
        waiting = self._find("device_auth_id", asked[0] if len(asked) == 2 else "")
        if waiting is None or not secrets.compare_digest(asked[1].encode(), waiting.user_code.encode()):
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
            alive: Iterable[_Waiting] = (waiting for waiting in self._waiting if now < waiting.end)
            return next((w for w in alive if secrets.compare_digest(getattr(w, name).encode(), value.encode())), None)


def _members(*names: str) -> list[str]:
    """Members of the JSON body, those that are there and strings."""
    content = flask.request.get_json(silent=True)
    values = [content.get(name) for name in names] if isinstance(content, dict) else []
    return [value for value in values if isinstance(value, str)]


def _error(code: str, status: int) -> flask.Response:
    return flask.make_response(flask.jsonify(error=code), status)

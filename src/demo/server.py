"""An identity provider on loopback, for `loginmachine demo` and for tests. Needs the extra ``loginmachine[demo]``.

It follows the rules of a real provider (authorization code with S256 PKCE, single-use codes, exact redirect URI, signed
id tokens, rotating refresh tokens), but accepts any email address and any password.
"""

from __future__ import annotations

import secrets
import threading
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

try:
    import flask
    from authlib.oauth2 import OAuth2Error

    from .accounts import ACCOUNT_CLAIMS, GRANT_TYPES, SCOPES, Person
    from .device_code import DeviceCodes
    from .grants import DemoServer, Revocation
    from .shared.loopback import LoopbackServer
except ModuleNotFoundError as missing:
    _package = (missing.name or "").partition(".")[0]
    raise ImportError(
        f"the demo needs {_package}, which is not installed: pip install 'loginmachine[demo]'", name=_package
    ) from missing

from ..sansio.model.provider import CHATGPT_CLIENT_ID
from .pages import CONTENT_SECURITY_POLICY, login_form, unusable

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

CODE_LIFETIME: Final = 60.0
"""Seconds until an authorization code expires (RFC 6749 section 4.1.2 recommends ten minutes at most)."""

_COOKIE: Final = "loginmachine_demo"
_MAX_SESSIONS: Final = 256
_MAX_BODY: Final = 64 * 1024


class DemoProvider:
    """The demo provider, a context manager that runs the server in a thread.

    Example::

        with DemoProvider() as provider:
            options = LoginOptions(provider=Provider.codex(issuer=provider.issuer), port=0)

    Args:
        client_id: The only accepted client.
        code_lifetime: Seconds until an authorization code expires.
    """

    issuer: str
    """The base URL, available inside the ``with`` block."""

    def __init__(self, *, client_id: str = CHATGPT_CLIENT_ID, code_lifetime: float = CODE_LIFETIME) -> None:
        self._client_id = client_id
        self._code_lifetime = code_lifetime

    def __enter__(self) -> Self:
        self._server = LoopbackServer(self._application)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._server.stop()

    def _application(self, port: int) -> flask.Flask:
        self.issuer = f"http://127.0.0.1:{port}"
        return _Endpoints(self.issuer, self._client_id, self._code_lifetime).application()


class _Endpoints:
    """The HTTP endpoints."""

    def __init__(self, issuer: str, client_id: str, code_lifetime: float) -> None:
        self._issuer = issuer
        self._server = DemoServer(issuer, client_id, code_lifetime)
        self._device_codes = DeviceCodes(issuer, client_id)
        self._lock = threading.Lock()
        self._sessions: dict[str, str] = {}
        """Maps session cookies to CSRF tokens."""

    def application(self) -> flask.Flask:
        app = flask.Flask("loginmachine-demo", static_folder=None, template_folder=None)
        # Other host names are refused, against DNS rebinding.
        app.config.update(TRUSTED_HOSTS=["127.0.0.1"], MAX_CONTENT_LENGTH=_MAX_BODY)
        app.add_url_rule("/oauth/authorize", view_func=self.show_form, methods=["GET"])
        app.add_url_rule("/oauth/authorize", view_func=self.submit_form, methods=["POST"])
        app.add_url_rule("/oauth/token", view_func=self.token, methods=["POST"])
        app.add_url_rule("/oauth/revoke", view_func=self.revoke, methods=["POST"])
        app.add_url_rule("/oauth/jwks", view_func=self.jwks, methods=["GET"])
        app.add_url_rule("/.well-known/openid-configuration", view_func=self.configuration, methods=["GET"])
        self._device_codes.add_to(app)
        app.after_request(_protect)
        return app

    def show_form(self) -> flask.Response:
        """Handle the authorization request (RFC 6749 section 4.1.1)."""
        try:
            self._server.get_consent_grant()
        except OAuth2Error as error:
            return self._refusal(error)
        return self._form()

    def submit_form(self) -> flask.Response:
        """Handle the submitted form."""
        sent, expected = flask.request.form.get("csrf_token", ""), self._csrf_token()
        if expected is None or not secrets.compare_digest(sent.encode(), expected.encode()):
            return flask.make_response(unusable("This form was not opened in this browser, or is too old."), 403)
        try:
            grant = self._server.get_consent_grant()
        except OAuth2Error as error:
            return self._refusal(error)
        email = flask.request.form.get("email", "").strip()
        person = None
        if flask.request.form.get("decision") != "refuse":
            if "@" not in email or not email.isprintable() or not flask.request.form.get("password"):
                return self._form(email=email, problem="Type an email address and any password.")
            person = Person(email=email, auth_time=int(time.time()))
        response: flask.Response = self._server.create_authorization_response(grant_user=person, grant=grant)
        return response

    def token(self) -> flask.Response:
        response: flask.Response = self._server.create_token_response()
        return response

    def revoke(self) -> flask.Response:
        response: flask.Response = self._server.create_endpoint_response(Revocation.ENDPOINT_NAME)
        return response

    def jwks(self) -> flask.Response:
        return flask.jsonify(self._server.signer.jwks())

    def configuration(self) -> flask.Response:
        """Return the metadata (OpenID Connect Discovery 1.0 section 3, RFC 8414, RFC 9207 section 3)."""
        return flask.jsonify(
            issuer=self._issuer,
            authorization_endpoint=f"{self._issuer}/oauth/authorize",
            token_endpoint=f"{self._issuer}/oauth/token",
            revocation_endpoint=f"{self._issuer}/oauth/revoke",
            jwks_uri=f"{self._issuer}/oauth/jwks",
            scopes_supported=SCOPES,
            response_types_supported=["code"],
            response_modes_supported=["query"],
            grant_types_supported=GRANT_TYPES,
            subject_types_supported=["public"],
            id_token_signing_alg_values_supported=["RS256"],
            token_endpoint_auth_methods_supported=["none"],
            revocation_endpoint_auth_methods_supported=["none"],
            code_challenge_methods_supported=["S256"],
            claims_supported=["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "email", ACCOUNT_CLAIMS],
            authorization_response_iss_parameter_supported=True,
            request_uri_parameter_supported=False,  # the default is true
        )

    def _csrf_token(self) -> str | None:
        with self._lock:
            return self._sessions.get(flask.request.cookies.get(_COOKIE, ""))

    def _form(self, *, email: str = "", problem: str | None = None) -> flask.Response:
        callback = urlsplit(flask.request.values["redirect_uri"]).netloc
        csrf_token = self._csrf_token()
        session = None
        if csrf_token is None:
            session, csrf_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
            with self._lock:
                if len(self._sessions) >= _MAX_SESSIONS:
                    del self._sessions[next(iter(self._sessions))]  # the oldest
                self._sessions[session] = csrf_token
        page = login_form(csrf_token=csrf_token, callback=callback, email=email, problem=problem)
        response = flask.make_response(page, 422 if problem else 200)
        if session is not None:
            # Cookies ignore ports: the path keeps it from the callback listener. Not Secure, because this is http.
            response.set_cookie(_COOKIE, session, path="/oauth/authorize", httponly=True, samesite="Lax")
        return response

    def _refusal(self, error: OAuth2Error) -> flask.Response:
        """Redirect with an error, or show a page if client or redirect URI are wrong (RFC 6749 section 4.1.2.1)."""
        if error.redirect_uri is None:
            return flask.make_response(unusable(error.get_error_description() or error.error), 400)
        response: flask.Response = self._server.handle_error_response(None, error)
        self._server.issuer_parameter.add_issuer_parameter(self._server, response)
        return response


def _protect(response: flask.Response) -> flask.Response:
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response

"""Small imitations of providers: what their documentation says about their answers, and nothing more."""

from __future__ import annotations

import json
import threading
import time
from base64 import b64decode
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus, urlencode

import httpx
from joserfc import jwk, jwt
from werkzeug import Response

from loginmachine import LoginMethod, LoginOptions, MemoryStore, start_login

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from pytest_httpserver import HTTPServer
    from werkzeug import Request

    from loginmachine import Credentials, Provider
    from loginmachine.sansio.login.progress import LoginPhase

    Answer: TypeAlias = Callable[[], Response]

KEY = jwk.RSAKey.generate_key(2048, {"kid": "key-1", "use": "sig", "alg": "RS256"}, private=True)
LIMIT = 20.0


def reply(status: int = 200, /, **members: object) -> Answer:
    """Return an answer in JSON."""
    return lambda: Response(json.dumps(members), status=status, content_type="application/json;charset=utf-8")


class Imitation:
    """The endpoints of one provider, as far as a login needs them.

    Args:
        server: Where they are.
        issuer: What ``iss`` of its id tokens is; empty for one at the server.
        iss: Whether its callback has ``iss`` (RFC 9207).
    """

    def __init__(self, server: HTTPServer, issuer: str = "", *, iss: bool = False) -> None:
        self.server = server
        self.base = server.url_for("").rstrip("/")
        self.issuer = issuer or self.base
        self._has_iss = iss
        self.asked: dict[str, str] = {}
        """The parameters of the authorization request."""
        self.answers: list[Answer] = []
        """What the token endpoint answers, one after the other."""
        self.forms: list[dict[str, str]] = []
        """What the token endpoint was sent."""
        self.clients: list[tuple[str, str] | None] = []
        """Client id and secret of each ``Authorization`` header field there."""
        self.accepts: list[str] = []
        self.revoked: list[dict[str, str]] = []
        server.expect_request("/authorize").respond_with_handler(self._authorize)
        server.expect_request("/token").respond_with_handler(self._token)
        server.expect_request("/revoke").respond_with_handler(self._revoke)
        server.expect_request("/keys").respond_with_json({"keys": [KEY.as_dict(private=False)]})

    def discoverable(self, path: str = "", **members: object) -> None:
        """Publish metadata under a path of the server."""
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.base}/authorize",
            "token_endpoint": f"{self.base}/token",
            "revocation_endpoint": f"{self.base}/revoke",
            "jwks_uri": f"{self.base}/keys",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
            **members,
        }
        self.server.expect_request(f"{path}/.well-known/openid-configuration").respond_with_json(document)

    def tokens(self, client_id: str, claims: Mapping[str, object] | None = None, /, **members: object) -> Answer:
        """Return an answer with tokens and an id token, which is made when it is sent."""

        def answer() -> Response:
            return reply(id_token=self.id_token(client_id, **(claims or {})), **members)()

        return answer

    def id_token(self, audience: str, **claims: object) -> str:
        """Return a signed id token for the login that runs."""
        now = int(time.time())
        known = {"iss": self.issuer, "aud": audience, "sub": "sub-1", "iat": now, "exp": now + 3600}
        nonce = {"nonce": self.asked["nonce"]} if "nonce" in self.asked else {}
        return jwt.encode({"alg": "RS256", "kid": "key-1"}, {**known, **nonce, **claims}, KEY)

    def _authorize(self, request: Request) -> Response:
        self.asked = request.args.to_dict()
        iss = {"iss": self.issuer} if self._has_iss else {}
        query = urlencode({"code": "code-1", "state": self.asked["state"], **iss})
        return Response(status=302, headers={"Location": f"{self.asked['redirect_uri']}?{query}"})

    def _token(self, request: Request) -> Response:
        self.forms.append(request.form.to_dict())
        self.accepts.append(request.headers.get("Accept", ""))
        kind, _, pair = request.headers.get("Authorization", "").partition(" ")
        name, _, secret = b64decode(pair).decode("ascii").partition(":")
        self.clients.append((unquote_plus(name), unquote_plus(secret)) if kind == "Basic" else None)
        return self.answers.pop(0)()

    def _revoke(self, request: Request) -> Response:
        self.revoked.append(request.form.to_dict())
        return Response(status=200)


class SignedIn:
    """A login at an imitation that has succeeded."""

    def __init__(self, store: MemoryStore, credentials: Credentials, phases: list[LoginPhase]) -> None:
        assert credentials.tokens is not None
        self.store = store
        self.tokens = credentials.tokens
        self.account = phases[-1].values()

    def extra(self) -> dict[str, Any]:
        """Return the members that no standard describes."""
        found: dict[str, Any] = {} if self.tokens.extra is None else json.loads(self.tokens.extra.reveal())
        return found


def sign_in(provider: Provider, **options: Any) -> SignedIn:
    """Sign in through a browser that follows redirects only."""
    store = MemoryStore()
    phases: list[LoginPhase] = []
    chosen = LoginOptions(provider=provider, port=0, open_browser=False, deadline=LIMIT, **options)
    with start_login(chosen, store=store, on_progress=phases.append) as login:
        browser = threading.Thread(target=_visit, args=(login.auth_url,))
        browser.start()
        try:
            credentials = login.wait(LIMIT)
        finally:
            browser.join(LIMIT)
    return SignedIn(store, credentials, phases)


def sign_in_with_code(provider: Provider, **options: Any) -> SignedIn:
    """Sign in with a device code, which the imitation accepts by itself."""
    store = MemoryStore()
    phases: list[LoginPhase] = []
    chosen = LoginOptions(provider=provider, open_browser=False, deadline=LIMIT, **options)
    with start_login(chosen, store=store, on_progress=phases.append, method=LoginMethod.DEVICE_CODE) as login:
        credentials = login.wait(LIMIT)
    return SignedIn(store, credentials, phases)


def _visit(url: str) -> None:
    httpx.get(url, follow_redirects=True, timeout=LIMIT, trust_env=False)

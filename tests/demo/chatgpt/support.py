"""A program that signs in with ChatGPT, written without the library from OpenAI's documentation."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet

from loginmachine.demo.chatgpt.browser import Visitor

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from loginmachine.demo.chatgpt.provider import ChatGptProvider

BOOTSTRAP = "dynamic_agent_client"
PLAN = "chatgpt.tokens.use.direct"
SCOPE = f"openid profile email offline_access resource.invoke {PLAN}"
RESOURCE = "https://api.openai.com/v1"
CALLBACK = "http://127.0.0.1:1/auth/callback"
HOST = "urn:uuid:5f0c2f9e-3c1b-4d8e-9a57-0d3b6f2e8c11"


def changed(request: Mapping[str, object], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a request with changes; None removes a parameter."""
    return {name: value for name, value in {**request, **changes}.items() if value is not None}


class Attempt:
    """One sign-in: its random values, its requests, and what came back."""

    def __init__(self, program: Program, **changes: Any) -> None:
        self.program = program
        self.verifier = secrets.token_urlsafe(32)
        challenge = urlsafe_b64encode(sha256(self.verifier.encode()).digest()).decode().rstrip("=")
        request = {
            "client_id": BOOTSTRAP,
            "agent_name_hint": "my program",
            "ext_agent_host_id": HOST,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": SCOPE,
            "resource": RESOURCE,
            "state": secrets.token_urlsafe(32),
            "nonce": secrets.token_urlsafe(32),
            "code_challenge_method": "S256",
            "code_challenge": challenge,
        }
        self.request = changed(request, changes)

    @property
    def url(self) -> str:
        return f"{self.program.url('authorization_endpoint')}?{urlencode(self.request)}"

    def visit(self, visitor: Visitor | None = None) -> list[tuple[str, str]]:
        """Let a person decide, and return the parameters of the callback in their order."""
        url = (visitor or Visitor()).callback(self.url)
        return parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)

    def redeem(self, callback: list[tuple[str, str]], **changes: Any) -> httpx.Response:
        found = dict(callback)
        form = {
            "grant_type": "authorization_code",
            "client_id": found.get("client_id", self.request["client_id"]),
            "code": found["code"],
            "code_verifier": self.verifier,
            "redirect_uri": self.request["redirect_uri"],
            "resource": RESOURCE,
        }
        return self.program.post("token_endpoint", changed(form, changes))


class Program:
    """A program with an installation id."""

    def __init__(self, provider: ChatGptProvider, http: httpx.Client) -> None:
        self.provider = provider
        self.http = http

    def url(self, member: str) -> str:
        """Return an endpoint from the metadata."""
        found = self.http.get(f"{self.provider.issuer}/.well-known/openid-configuration").json()[member]
        assert isinstance(found, str)
        return found

    def post(self, member: str, form: dict[str, Any]) -> httpx.Response:
        return self.http.post(self.url(member), data=form)

    def first(self, **changes: Any) -> Attempt:
        return Attempt(self, **changes)

    def later(self, client_id: str, **changes: Any) -> Attempt:
        return Attempt(self, client_id=client_id, agent_name_hint=None, **changes)

    def register(self, visitor: Visitor | None = None) -> tuple[str, dict[str, Any]]:
        """Sign in for the first time, and return the issued client id and the tokens."""
        attempt = self.first()
        callback = attempt.visit(visitor)
        answer = attempt.redeem(callback)
        assert answer.status_code == 200, answer.text
        return dict(callback)["client_id"], answer.json()

    def refresh(self, client_id: str, token: str, /, **changes: Any) -> httpx.Response:
        form = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": token, "resource": RESOURCE}
        return self.post("token_endpoint", changed(form, changes))

    def revoke(self, client_id: str, token: str, /, **changes: Any) -> httpx.Response:
        form = {"token": token, "token_type_hint": "refresh_token", "client_id": client_id}
        return self.post("revocation_endpoint", changed(form, changes))

    def models(self, access_token: str) -> httpx.Response:
        return self.http.get(f"{self.provider.api}/models", headers={"Authorization": f"Bearer {access_token}"})

    def respond(self, access_token: str, **changes: Any) -> httpx.Response:
        body = {"model": "gpt-demo", "input": [{"role": "user", "content": "Hello"}], "store": False, "stream": True}
        headers = {"Authorization": f"Bearer {access_token}"}
        return self.http.post(f"{self.provider.api}/responses", json=changed(body, changes), headers=headers)

    def verified(self, token: str) -> dict[str, Any]:
        """Return the claims of a token with a valid signature."""
        keys = KeySet.import_key_set(self.http.get(self.url("jwks_uri")).json())
        return jwt.decode(token, keys, algorithms=["RS256"]).claims

    def rules(self) -> list[str]:
        """Return the rules that were violated."""
        return [violation.rule for violation in self.provider.violations]


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of an error response, which is JSON and not cached."""
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.json()["error"]

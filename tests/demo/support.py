"""A client of the demo provider, written without the library: httpx and regular expressions."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import httpx

if TYPE_CHECKING:
    from loginmachine.demo.server import DemoProvider

CLIENT = "app_EMoamEEZ73f0CkXaXp7hrann"
CALLBACK = "http://127.0.0.1:1455/auth/callback"
STATE = "st~ate &=%+/?#\u00e9"
EMAIL = "ada@example.com"
PASSWORD = "correct-horse-battery"
# RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
ACCOUNT = "https://api.openai.com/auth"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token"
REQUEST = {
    "response_type": "code",
    "client_id": CLIENT,
    "redirect_uri": CALLBACK,
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "state": STATE,
    "scope": "openid profile email offline_access api.connectors.read api.connectors.invoke",
    "id_token_add_organizations": "true",
    "codex_cli_simplified_flow": "true",
    "originator": "codex_cli_rs",
}


class Person:
    """A person with a browser, and a program that redeems codes."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def ask(self, **changes: str | None) -> httpx.Response:
        """Open the authorization request. None omits a parameter."""
        params = {name: value for name, value in {**REQUEST, **changes}.items() if value is not None}
        return self.client.get("/oauth/authorize", params=params)

    def decide(self, form: httpx.Response, **changes: str) -> httpx.Response:
        found = re.search(r'name="csrf_token" value="([^"]+)"', form.text)
        assert found is not None
        fields = {"csrf_token": found[1], "email": EMAIL, "password": PASSWORD, "decision": "sign-in", **changes}
        return self.client.post(form.request.url, data=fields)

    def code(self, **changes: str) -> str:
        answer = callback(self.decide(self.ask(**changes)))
        return answer["code"]

    def token(self, **form: str) -> httpx.Response:
        return self.client.post("/oauth/token", data={"client_id": CLIENT, **form})

    def redeem(self, code: str, **changes: str) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.token(**{**form, **changes})

    def tokens(self) -> dict[str, Any]:
        answer = self.redeem(self.code())
        assert answer.status_code == 200
        content: dict[str, Any] = answer.json()
        return content

    def refresh(self, refresh_token: str) -> httpx.Response:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token)

    def revoke(self, **form: str) -> httpx.Response:
        return self.client.post("/oauth/revoke", data={"client_id": CLIENT, **form})

    def exchange(self, subject_token: str, **changes: str) -> httpx.Response:
        form = {
            "grant_type": TOKEN_EXCHANGE,
            "requested_token": "openai-api-key",
            "subject_token": subject_token,
            "subject_token_type": ID_TOKEN_TYPE,
        }
        return self.token(**{**form, **changes})


def callback(answer: httpx.Response, uri: str = CALLBACK) -> dict[str, str]:
    """Return the parameters of a redirect to the callback. Each occurs once."""
    assert answer.status_code == 302
    base, _, query = answer.headers["Location"].partition("?")
    assert base == uri
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def assert_refused(answer: httpx.Response, error: str) -> None:
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.headers["Cache-Control"] == "no-store"


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def client_of(provider: DemoProvider) -> httpx.Client:
    """Return a client of a provider."""
    return http_client(provider.issuer)


def http_client(base_url: str = "") -> httpx.Client:
    """Return a client without proxies and certificates: reading a CA bundle takes longer than most requests."""
    return httpx.Client(base_url=base_url, trust_env=False, timeout=10, verify=False)

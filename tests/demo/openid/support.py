"""A program that signs in at the OpenID provider, written without the library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

from ..support import CALLBACK, CHALLENGE, PASSWORD, VERIFIER, callback

if TYPE_CHECKING:
    from loginmachine.demo.openid.clients import Client
    from loginmachine.demo.openid.provider import OpenIdProvider

STATE = "st~ate &=%+/?#"
NONCE = "n-0S6_WzA2Mj"
SCOPE = "openid profile email offline_access"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
REQUEST = {
    "response_type": "code",
    "client_id": "native",
    "redirect_uri": CALLBACK,
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "state": STATE,
    "nonce": NONCE,
    "scope": SCOPE,
}
Form = dict[str, str | list[str]]


class Program:
    """A program with a client id, and the browser of the person who uses it."""

    def __init__(self, provider: OpenIdProvider, http: httpx.Client, client: Client | None = None) -> None:
        self.provider = provider
        self.http = http
        self.client = client or provider.client

    def url(self, member: str) -> str:
        """Return an endpoint from the metadata."""
        found = self.http.get(f"{self.provider.issuer}/.well-known/openid-configuration").json()[member]
        assert isinstance(found, str)
        return found

    def post(self, member: str, form: Form) -> httpx.Response:
        """Send a form with the client's registered authentication."""
        headers = {}
        secret, method = self.client.client_secret, self.client.token_endpoint_auth_method
        if method == "client_secret_basic":
            assert secret is not None
            request = httpx.Request("GET", "http://x")
            encoded = quote_plus(self.client.client_id), quote_plus(secret)
            headers = dict(next(httpx.BasicAuth(*encoded).auth_flow(request)).headers)
            headers = {"Authorization": headers["authorization"]}
        else:
            form = {"client_id": self.client.client_id, **form}
            if secret is not None:
                form["client_secret"] = secret
        return self.http.post(self.url(member), data=form, headers=headers)

    def parameters(self, changes: dict[str, Any]) -> Form:
        request = {**REQUEST, "client_id": self.client.client_id, **changes}
        return {name: value for name, value in request.items() if value is not None}

    def ask(self, **changes: Any) -> httpx.Response:
        """Open the authorization request. None omits a parameter."""
        return self.http.get(self.url("authorization_endpoint"), params=self.parameters(changes))

    def decide(self, page: httpx.Response, **changes: str) -> httpx.Response:
        """Submit the login form."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found is not None
        fields = {"csrf_token": found[1], "email": "ada@example.com", "password": PASSWORD, "decision": "sign-in"}
        return self.http.post(page.request.url, data={**fields, **changes})

    def code(self, **changes: Any) -> str:
        """Return a code that was granted at once."""
        self.provider.switches.consent = "automatic"
        return callback(self.ask(**changes), changes.get("redirect_uri", CALLBACK))["code"]

    def redeem(self, code: str, **changes: Any) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.post("token_endpoint", {k: v for k, v in {**form, **changes}.items() if v is not None})

    def tokens(self, **changes: Any) -> dict[str, Any]:
        answer = self.redeem(self.code(**changes))
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def refresh(self, refresh_token: str, **form: Any) -> httpx.Response:
        return self.post("token_endpoint", {"grant_type": "refresh_token", "refresh_token": refresh_token, **form})

    def revoke(self, token: str, **form: str) -> httpx.Response:
        return self.post("revocation_endpoint", {"token": token, **form})

    def device(self, **form: Any) -> httpx.Response:
        return self.post("device_authorization_endpoint", form)

    def poll(self, device_code: str) -> httpx.Response:
        return self.post("token_endpoint", {"grant_type": DEVICE_CODE, "device_code": device_code})

    def userinfo(self, token: str) -> httpx.Response:
        return self.http.get(self.url("userinfo_endpoint"), headers={"Authorization": f"Bearer {token}"})

    def keys(self) -> KeySet:
        return KeySet.import_key_set(self.http.get(self.url("jwks_uri")).json())

    def verified(self, token: str, algorithm: str = "RS256") -> dict[str, Any]:
        """Return the claims of a token with a valid signature."""
        return jwt.decode(token, self.keys(), algorithms=[algorithm]).claims


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of an error response, which is JSON and not cached."""
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.json()["error"]


def callback_error(answer: httpx.Response) -> str:
    """Return the error in a redirect to the callback, which has state and issuer too."""
    found = callback(answer)
    assert found["state"] == STATE
    assert "code" not in found
    return found["error"]


def fields_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))

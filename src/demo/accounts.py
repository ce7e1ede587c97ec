"""State of the demo provider: its client, sign-ins, codes, tokens and signing key. All of it is kept in memory."""

from __future__ import annotations

import re
import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

if TYPE_CHECKING:
    from collections.abc import Mapping

SCOPES: Final = ("openid", "profile", "email", "offline_access", "api.connectors.read", "api.connectors.invoke")
TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a name, not a token
GRANT_TYPES: Final = ("authorization_code", "refresh_token", TOKEN_EXCHANGE)
ACCOUNT_CLAIMS: Final = "https://api.openai.com/auth"
PLAN: Final = "plus"
TOKEN_LIFETIME: Final = 3600

# RFC 8252 section 7.3: any port on loopback; the rest of the URI is exact.
_CALLBACK: Final = re.compile(r"http://(?:127\.0\.0\.1|localhost):([1-9][0-9]{0,4})/auth/callback")

# Authlib has no type information, so that mypy cannot check its classes as bases.


@dataclass(frozen=True, slots=True)
class Person:
    """A person who signed in. Identifiers are derived from the email address, and so are the same in every run."""

    email: str
    auth_time: int
    """The time of the sign-in, in seconds since 1970."""

    def identifier(self, kind: str) -> str:
        """Return an identifier, a UUID.

        Args:
            kind: What it identifies, for example ``account``.
        """
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{self.email.lower()}#{kind}"))

    def id_claims(self) -> dict[str, object]:
        """Return the claims of the id token about the person."""
        return {
            "sub": f"user-{self.identifier('user')}",
            "email": self.email,
            "email_verified": False,
            "auth_time": self.auth_time,
            ACCOUNT_CLAIMS: {
                "chatgpt_account_id": self.identifier("account"),
                "chatgpt_plan_type": PLAN,
                "chatgpt_user_id": f"user-{self.identifier('user')}",
                "organization_id": f"org-{self.identifier('organization')}",
                "project_id": f"proj-{self.identifier('project')}",
                "completed_platform_onboarding": True,
                "is_org_owner": False,
            },
        }


class DemoClient(ClientMixin):  # type: ignore[misc]
    """The only client: a native app without a secret (RFC 8252 section 8.5)."""

    def __init__(self, client_id: str, device_callback: str) -> None:
        self.client_id = client_id
        self._device_callback = device_callback
        """The redirect URI of sign-ins with a device code, which belongs to the provider itself."""

    def get_client_id(self) -> str:
        """Return the client id."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """Return None: a request must contain the redirect URI."""

    def get_allowed_scope(self, scope: str | None) -> str:
        """Return the granted scope: the requested one. Unknown scopes have been refused before."""
        return scope or SCOPES[0]

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Return whether it is a callback on loopback, or the one for device codes."""
        if redirect_uri == self._device_callback:
            return True
        match = _CALLBACK.fullmatch(redirect_uri)
        return match is not None and int(match[1]) <= 65535

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Return whether the method is ``none``, the only one for a public client."""
        return method == "none"

    def check_response_type(self, response_type: str) -> bool:
        """Return whether the response type is ``code``, the only one supported."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Return whether the provider supports the grant type."""
        return grant_type in GRANT_TYPES


class SignIn(AuthorizationCodeMixin, TokenMixin):  # type: ignore[misc]
    """One sign-in, to which a code and its refresh tokens belong."""

    def __init__(
        self, person: Person, client_id: str, redirect_uri: str, scope: str, params: Mapping[str, str]
    ) -> None:
        self.person = person
        self.client_id = client_id
        self.redirect_uri = redirect_uri
        self.scope = scope
        self.nonce = params.get("nonce")
        self.code_challenge = params["code_challenge"]
        self.code_challenge_method = params["code_challenge_method"]
        self.revoked = False

    def get_redirect_uri(self) -> str:
        """Return the redirect URI of the authorization request."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return the granted scope."""
        return self.scope

    def get_nonce(self) -> str | None:
        """Return the nonce for the id token."""
        return self.nonce

    def get_auth_time(self) -> int:
        """Return the time of the sign-in, in seconds since 1970."""
        return self.person.auth_time

    def get_acr(self) -> None:
        """Return None: there is no authentication context class."""

    def get_amr(self) -> None:
        """Return None: there is no authentication method, because passwords are not checked."""

    def check_client(self, client: DemoClient) -> bool:
        """Return whether the sign-in belongs to a client."""
        return client.client_id == self.client_id


class Tickets:
    """Single-use random strings of one kind: codes, or refresh tokens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sign_ins: dict[str, tuple[SignIn, float]] = {}
        self._used: set[str] = set()

    def keep(self, ticket: str, sign_in: SignIn, lifetime: float) -> None:
        """Store a ticket.

        Args:
            ticket: The random string.
            sign_in: The sign-in to which it belongs.
            lifetime: Seconds until it expires.
        """
        with self._lock:
            self._sign_ins[ticket] = sign_in, time.monotonic() + lifetime

    def redeem(self, ticket: str) -> SignIn | None:
        """Use a ticket.

        A second use means that two parties have it. The whole sign-in is then revoked (RFC 6749 section 4.1.2, RFC 9700
        section 4.14.2).

        Returns:
            The sign-in; None if the ticket is unknown, used, expired or revoked.
        """
        with self._lock:
            sign_in, end = self._sign_ins.get(ticket, (None, 0.0))
            if sign_in is not None and ticket in self._used:
                sign_in.revoked = True
            if sign_in is None or sign_in.revoked or time.monotonic() >= end:
                return None
            self._used.add(ticket)
            return sign_in

    def find(self, ticket: str) -> SignIn | None:
        """Return the sign-in of a ticket, even of a used one, without using it; None if it is unknown."""
        with self._lock:
            return self._sign_ins.get(ticket, (None, 0.0))[0]


class Signer:
    """Signs tokens, and verifies its own."""

    def __init__(self, issuer: str, client_id: str) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self.key = RSAKey.generate_key(parameters={"use": "sig", "alg": "RS256"}, auto_kid=True)
        self.header: Final = {"alg": "RS256", "kid": self.key.kid or ""}

    def jwks(self) -> dict[str, object]:
        """Return the public key as a JWK set (RFC 7517 section 5)."""
        return {"keys": [self.key.as_dict(private=False)]}

    def access_token(self, *, client: DemoClient, user: Person, scope: str, **_: object) -> str:
        """Return a JWT access token (RFC 9068). Authlib calls this with client, user and scope."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": user.id_claims()["sub"],
            "aud": [self.issuer],
            "client_id": client.client_id,
            "scope": scope,
            "iat": now,
            "exp": now + TOKEN_LIFETIME,
            "jti": str(uuid.uuid4()),
            ACCOUNT_CLAIMS: {"chatgpt_account_id": user.identifier("account"), "chatgpt_plan_type": PLAN},
        }
        return jwt.encode({**self.header, "typ": "at+jwt"}, claims, self.key)

    def is_own_id_token(self, token: str) -> bool:
        """Return whether an id token was issued by this provider for this client, and is not expired."""
        rules = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self._client_id},
            sub={"essential": True},
            exp={"essential": True},
        )
        try:
            rules.validate(jwt.decode(token, self.key, algorithms=["RS256"]).claims)
        except (JoseError, ValueError):
            return False
        return True

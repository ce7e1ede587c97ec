"""The token and revocation endpoints of the imitation of "Sign in with ChatGPT"."""

from __future__ import annotations

import re
import secrets
import time
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Response

from ..shared.messages import OAuthError, Parameters, json_response
from ..shared.signing import base64_of
from .switches import PLAN_SCOPE, RESOURCE

if TYPE_CHECKING:
    from ..shared.messages import ReceivedRequest
    from ..shared.tickets import Grant, Ticket
    from .state import Registration, State
    from .switches import Endpoint

ID_TOKEN_LIFETIME: Final = 3600
REFRESH_TOKEN_LIFETIME: Final = 30 * 86400.0
ALGORITHM: Final = "RS256"

_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_MEMBERS: Final = {
    "authorization_code": {"grant_type", "client_id", "code", "code_verifier", "redirect_uri", "resource"},
    "refresh_token": {"grant_type", "client_id", "refresh_token", "resource"},
}
"""The parameters of each kind of token request. All of them are required."""


class TokenEndpoints:
    """Handles token and revocation requests."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._switches = state.switches
        self._tickets = state.tickets
        self._earliest: dict[str, float] = {}
        """Maps refresh tokens to the time from which on they may be used."""

    def token(self, received: ReceivedRequest) -> Response:
        """Answer a token request.

        Raises:
            OAuthError: It is refused.
        """
        form = _form_of(received)
        grant_type = form.need("grant_type")
        if grant_type not in _MEMBERS:
            raise OAuthError("unsupported_grant_type", "The grant_type is authorization_code or refresh_token.")
        if {name for name, _ in form.pairs} != _MEMBERS[grant_type]:
            raise OAuthError("invalid_request", f"The parameters are {', '.join(sorted(_MEMBERS[grant_type]))}.")
        if form.need("resource") != RESOURCE:
            raise OAuthError("invalid_target", f"The resource is {RESOURCE}.")
        registration = self._client("token", form)
        if grant_type == "authorization_code":
            return json_response(self._answer(self._redeem_code(registration, form), refreshed=False))
        return json_response(self._refresh(registration, form.need("refresh_token")))

    def revoke(self, received: ReceivedRequest) -> Response:
        """Revoke a refresh token (RFC 7009 section 2). The response is empty.

        Raises:
            OAuthError: The request is not the documented one.
        """
        form = _form_of(received)
        if {name for name, _ in form.pairs} != {"token", "token_type_hint", "client_id"}:
            raise OAuthError("invalid_request", "The parameters are token, token_type_hint and client_id.")
        if form.need("token_type_hint") != "refresh_token":
            raise OAuthError("invalid_request", "The token_type_hint is refresh_token.")
        registration, token = self._client("revocation", form), form.need("token")
        if self._tickets.issued(token, "access_token") is not None:
            raise OAuthError("invalid_request", "The refresh token is revoked, not the access token.")
        if not self._tickets.revoke(token, registration.client_id):
            raise OAuthError("invalid_request", "The token belongs to another client.")
        return Response(status=200, headers={"Cache-Control": "no-store"})

    def _client(self, endpoint: Endpoint, form: Parameters) -> Registration:
        registration = self._state.check_client_id(endpoint, form.need("client_id"))
        if registration is None:
            raise OAuthError("invalid_client", "The client is unknown.", status=401)
        return registration

    def _wrong(self, error: str, rule: str) -> OAuthError:
        """Record a violation, and return the error that answers it."""
        self._state.violations.add("token", rule)
        return OAuthError(error, rule)

    def _redeem_code(self, registration: Registration, form: Parameters) -> Grant:
        code, redirect_uri, verifier = form.need("code"), form.need("redirect_uri"), form.need("code_verifier")
        if not _VERIFIER.fullmatch(verifier):
            raise OAuthError("invalid_request", "The code_verifier has a wrong length or alphabet.")
        issued = self._tickets.issued(code, "code")
        if issued is None or issued.used or issued.grant.client_id != registration.client_id:
            self._tickets.redeem(code, "code", registration.client_id)  # a second use revokes the tokens of the first
            raise self._wrong("invalid_grant", "A code is used once, by the client to which it was issued.")
        ticket = self._tickets.redeem(code, "code", registration.client_id)
        if ticket is None:
            raise OAuthError("invalid_grant", "The code is expired.")
        if redirect_uri != ticket.grant.redirect_uri:
            raise self._wrong("invalid_grant", "The redirect_uri is that of the authorization request.")
        if base64_of(sha256(verifier.encode()).digest()) != ticket.grant.code_challenge:
            raise self._wrong("invalid_grant", "The code_verifier fits the code_challenge.")
        return ticket.grant

    def _refresh(self, registration: Registration, text: str) -> dict[str, object]:
        issued = self._tickets.issued(text, "refresh_token")
        if issued is None or issued.grant.client_id != registration.client_id:
            raise self._wrong("invalid_refresh_token", "A refresh token is used by the client to which it was issued.")
        self._check_ticket(issued, text)
        rotate = self._switches.refresh_token_at_refresh
        if rotate and self._tickets.redeem(text, "refresh_token", registration.client_id, again_ends=False) is None:
            self._check_ticket(issued, text)  # another request was faster
            raise OAuthError("refresh_token_expired", "The refresh token is expired.")
        kept = tuple(name for name in issued.grant.scope if name not in self._switches.lost_scopes)
        issued.grant.scope = registration.scope = kept
        return self._answer(issued.grant, refreshed=True)

    def _check_ticket(self, ticket: Ticket, text: str) -> None:
        """Check that a refresh token may be used now.

        Raises:
            OAuthError: It may not.
        """
        if ticket.revoked:
            raise self._wrong("refresh_token_invalidated", "A revoked refresh token is not used again.")
        if not ticket.grant.active:
            raise OAuthError("invalid_grant", "The person disconnected the program.")
        if ticket.used:
            error, rule = "refresh_token_reused", "A refresh token is used once."
            raise OAuthError(error, rule) if text in self._state.lost_tokens else self._wrong(error, rule)
        if self._tickets.find(text) is None:
            raise OAuthError("token_expired", "The refresh token is expired.")
        if self._state.clock.now() < self._earliest.get(text, 0.0):
            self._state.violations.add("token", "A refresh comes after earliest_refresh_at.")
            raise OAuthError("temporarily_unavailable", "The refresh came too early.", status=429)

    # Answers

    def _answer(self, grant: Grant, *, refreshed: bool) -> dict[str, object]:
        switches = self._switches
        answer: dict[str, object] = {"token_type": "Bearer"}
        if PLAN_SCOPE in grant.scope or switches.access_token_without_plan:
            text = self._access_token(grant)
            answer["access_token"] = self._tickets.issue(
                "access_token", grant, lifetime=switches.expires_in, text=text, scope=grant.scope
            )
            answer["expires_in"] = switches.expires_in
            self._write_earliest(answer)
        if "offline_access" in grant.scope and (switches.refresh_token_at_refresh or not refreshed):
            token = self._tickets.issue("refresh_token", grant, lifetime=REFRESH_TOKEN_LIFETIME)
            answer["refresh_token"] = token
            if switches.earliest_refresh_at in ("iso", "seconds"):
                self._earliest[token] = self._state.clock.now() + switches.refresh_pause
        if switches.id_token_at_refresh or not refreshed:
            answer["id_token"] = self._id_token(grant, refreshed=refreshed)
        if switches.scope_at_refresh or not refreshed:
            answer["scope"] = " ".join(sorted(grant.scope))
        return {**answer, **switches.extra_members}

    def _write_earliest(self, answer: dict[str, object]) -> None:
        form, at = self._switches.earliest_refresh_at, time.time() + self._switches.refresh_pause
        if form == "iso":
            answer["earliest_refresh_at"] = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
        elif form == "seconds":
            answer["earliest_refresh_at"] = int(at)
        elif form != "absent":
            answer["earliest_refresh_at"] = form

    def _access_token(self, grant: Grant) -> str:
        """Return an access token with the ten documented claims."""
        now = int(time.time())
        claims = {
            "iss": self._state.issuer,
            "sub": subject_of(grant),
            "aud": RESOURCE,
            "client_id": grant.client_id,
            "scope": " ".join(sorted(grant.scope)),
            "iat": now,
            "nbf": now,
            "exp": now + self._switches.expires_in,
            "jti": secrets.token_urlsafe(12),
            "https://api.openai.com/auth": {
                "per_user_salt": secrets.token_urlsafe(16),
                "encrypted_auth_metadata": secrets.token_urlsafe(32),
            },
        }
        return self._state.keys.sign(claims, ALGORITHM, kind="at+jwt")

    def _id_token(self, grant: Grant, *, refreshed: bool) -> str:
        """Return an ID token. Those of a refresh have no nonce (OpenID Connect Core 12.2)."""
        now, email = int(time.time()), grant.person.email
        claims: dict[str, object] = {
            "iss": self._state.issuer,
            "aud": grant.client_id if self._switches.audience == "text" else [grant.client_id],
            "iat": now,
            "exp": now + ID_TOKEN_LIFETIME,
            "nonce": None if refreshed else grant.nonce,
            "sub": subject_of(grant),
            "email": email,
            "email_verified": True,
            "name": email.partition("@")[0].replace("_", " ").replace(".", " ").title(),
            **self._switches.id_token_claims,
        }
        present = {name: value for name, value in claims.items() if value is not None}
        token = self._state.keys.sign(present, ALGORITHM, fault=self._switches.id_token_fault)
        self._state.hints[token] = grant
        return token


def subject_of(grant: Grant) -> str:
    """Return the subject of a person, the same for all clients."""
    return f"user-{grant.person.identifier('user')}"


def _form_of(received: ReceivedRequest) -> Parameters:
    if "Authorization" in received.headers:
        raise OAuthError("invalid_request", "A public client has no Authorization header.")
    return Parameters.of_form(received, endpoint_query="")

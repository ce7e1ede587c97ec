"""The endpoints of the OpenID provider that issue, revoke and accept tokens."""

from __future__ import annotations

import re
import secrets
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from werkzeug.wrappers import Response

from ..shared.messages import OAuthError, Parameters, json_response, scopes_in
from ..shared.signing import base64_of
from .authorization import check_resources, check_scope
from .clients import DEVICE_CODE

if TYPE_CHECKING:
    from ..shared.messages import ReceivedRequest
    from ..shared.tickets import Grant
    from .clients import Client
    from .interaction import DeviceCodes
    from .state import State

ID_TOKEN_LIFETIME: Final = 3600
REFRESH_TOKEN_LIFETIME: Final = 30 * 86400.0

_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class TokenEndpoints:
    """Handles token, revocation, device authorization and userinfo requests."""

    def __init__(self, state: State, device_codes: DeviceCodes) -> None:
        self._state = state
        self._switches = state.switches
        self._tickets = state.tickets
        self._device_codes = device_codes

    def token(self, received: ReceivedRequest) -> Response:
        """Answer a token request (RFC 6749 section 3.2).

        Raises:
            OAuthError: It is refused.
        """
        client, form = self._authenticated(received)
        grant_type = form.need("grant_type")
        handlers = {
            "authorization_code": self._redeem_code,
            "refresh_token": self._refresh,
            DEVICE_CODE: self._redeem_device_code,
        }
        if grant_type not in handlers:
            raise OAuthError("unsupported_grant_type", "The grant_type is not supported.")
        if grant_type not in client.grant_types:
            raise OAuthError("unauthorized_client", "The client may not use this grant_type.")
        return self._tokens_response(handlers[grant_type](client, form))

    def authorize_device(self, received: ReceivedRequest) -> Response:
        """Answer a device authorization request (RFC 8628 section 3.1).

        Raises:
            OAuthError: It is refused.
        """
        client, form = self._authenticated(received)
        if DEVICE_CODE not in client.grant_types:
            raise OAuthError("unauthorized_client", "The client may not use device codes.")
        return self._device_codes.issue(client, check_scope(form.get("scope")), check_resources(form))

    def revoke(self, received: ReceivedRequest) -> Response:
        """Revoke a token (RFC 7009 section 2).

        Raises:
            OAuthError: The client is wrong, or the token belongs to another one.
        """
        client, form = self._authenticated(received)
        if not self._tickets.revoke(form.need("token"), client.client_id):
            raise OAuthError("invalid_grant", "The token belongs to another client.")
        return Response(status=200, headers={"Cache-Control": "no-store"})

    def userinfo(self, received: ReceivedRequest) -> Response:
        """Return the claims about the person of an access token (OpenID Connect Core 5.3).

        Raises:
            OAuthError: The token is missing, not valid, or was granted without ``openid``.
        """
        scheme, _, token = received.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise OAuthError("invalid_request", "The token is missing.", status=401, authenticate="Bearer")
        ticket = self._tickets.find(token.strip(), "access_token")
        if ticket is None:
            challenge = 'Bearer error="invalid_token"'
            raise OAuthError("invalid_token", "The token is not valid.", status=401, authenticate=challenge)
        if "openid" not in ticket.scope:
            challenge = 'Bearer error="insufficient_scope", scope="openid"'
            raise OAuthError("insufficient_scope", "openid was not granted.", status=403, authenticate=challenge)
        return json_response(_claims_about(ticket.grant, ticket.scope))

    def _authenticated(self, received: ReceivedRequest) -> tuple[Client, Parameters]:
        form = Parameters.of_form(received, endpoint_query=self._switches.endpoint_query)
        return self._state.clients.authenticate(received, form), form

    # Grants

    def _redeem_code(self, client: Client, form: Parameters) -> dict[str, object]:
        code, redirect_uri, verifier = form.need("code"), form.need("redirect_uri"), form.need("code_verifier")
        if not _VERIFIER.fullmatch(verifier):
            raise OAuthError("invalid_request", "The code_verifier has a wrong length or alphabet.")
        ticket = self._tickets.redeem(code, "code", client.client_id)
        if ticket is None:
            raise OAuthError("invalid_grant", "The code is unknown, used, expired or another client's.")
        grant = ticket.grant
        if redirect_uri != grant.redirect_uri:
            raise OAuthError("invalid_grant", "The redirect_uri is not that of the authorization request.")
        if base64_of(sha256(verifier.encode()).digest()) != grant.code_challenge:
            raise OAuthError("invalid_grant", "The code_verifier does not fit the code_challenge.")
        return self._issue(client, grant, form, scope=grant.scope)

    def _redeem_device_code(self, client: Client, form: Parameters) -> dict[str, object]:
        grant = self._device_codes.poll(form.need("device_code"), client)
        return self._issue(client, grant, form, scope=grant.scope)

    def _refresh(self, client: Client, form: Parameters) -> dict[str, object]:
        text, requested = form.need("refresh_token"), scopes_in(form.get("scope"))
        # What is wrong with the request itself must not use up the token.
        found = self._tickets.find(text, "refresh_token")
        if found is not None and found.grant.client_id == client.client_id:
            self._check_target(found.grant, form)
            if not set(requested) <= set(found.grant.scope):
                raise OAuthError("invalid_scope", "A scope was not granted.")
        if self._switches.rotate_refresh_tokens:
            found = self._tickets.redeem(text, "refresh_token", client.client_id)
        if found is None or found.grant.client_id != client.client_id:
            raise OAuthError("invalid_grant", "The refresh token is unknown, used, expired or another client's.")
        return self._issue(client, found.grant, form, scope=requested or found.grant.scope, refreshed=True)

    @staticmethod
    def _check_target(grant: Grant, form: Parameters) -> tuple[str, ...]:
        """Return the resources of a token request (RFC 8707 section 2.2).

        Raises:
            OAuthError: One was not granted.
        """
        resources = check_resources(form)
        if not set(resources) <= set(grant.resources):
            raise OAuthError("invalid_target", "A resource was not granted.")
        return resources or grant.resources

    # Answers

    def _issue(
        self, client: Client, grant: Grant, form: Parameters, *, scope: tuple[str, ...], refreshed: bool = False
    ) -> dict[str, object]:
        switches = self._switches
        lifetime = int(written) if (written := str(switches.expires_in)).isdecimal() else 3600
        answer: dict[str, object] = {}
        text = None
        if switches.access_tokens == "jwt":
            text = self._access_token(grant, scope, self._check_target(grant, form), lifetime)
        else:
            self._check_target(grant, form)
        answer["access_token"] = self._tickets.issue("access_token", grant, lifetime=lifetime, scope=scope, text=text)
        if switches.token_type is not None:
            answer["token_type"] = switches.token_type
        if switches.expires_in is not None:
            answer["expires_in"] = switches.expires_in
        if self._has_refresh_token(client, grant, refreshed=refreshed):
            answer["refresh_token"] = self._tickets.issue("refresh_token", grant, lifetime=REFRESH_TOKEN_LIFETIME)
        wanted = "openid" in scope if switches.id_tokens == "openid" else switches.id_tokens == "always"
        if wanted and (switches.id_token_at_refresh or not refreshed):
            answer["id_token"] = self._id_token(grant, scope, refreshed=refreshed)
        if switches.scope_in_answer:
            answer["scope"] = switches.scope_separator.join(scope)
        return {**answer, **switches.extra_members}

    def _has_refresh_token(self, client: Client, grant: Grant, *, refreshed: bool) -> bool:
        if "refresh_token" not in client.grant_types or (refreshed and not self._switches.rotate_refresh_tokens):
            return False
        when = self._switches.refresh_tokens
        return "offline_access" in grant.scope if when == "offline_access" else when == "always"

    def _access_token(self, grant: Grant, scope: tuple[str, ...], target: tuple[str, ...], lifetime: int) -> str:
        """Return an access token that is a JWT (RFC 9068)."""
        now = int(time.time())
        claims = {
            "iss": self._state.issuer,
            "sub": subject_of(grant),
            "aud": list(target) or [self._state.issuer],
            "client_id": grant.client_id,
            "scope": " ".join(scope),
            "iat": now,
            "exp": now + lifetime,
            "jti": secrets.token_urlsafe(12),
        }
        return self._state.keys.sign(claims, self._switches.signing_algorithm, kind="at+jwt")

    def _id_token(self, grant: Grant, scope: tuple[str, ...], *, refreshed: bool) -> str:
        """Return an id token (OpenID Connect Core 2). Those of a refresh have no nonce (12.2)."""
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": self._state.issuer,
            "aud": grant.client_id,
            "iat": now,
            "exp": now + ID_TOKEN_LIFETIME,
            "auth_time": grant.person.auth_time,
            "nonce": None if refreshed else grant.nonce,
            **_claims_about(grant, scope),
            **self._switches.id_token_claims,
        }
        present = {name: value for name, value in claims.items() if value is not None}
        return self._state.keys.sign(present, self._switches.signing_algorithm, fault=self._switches.id_token_fault)

    def _tokens_response(self, answer: dict[str, object]) -> Response:
        if not self._switches.form_encoded_answers:
            return json_response(answer)
        content_type = "application/x-www-form-urlencoded"
        return Response(urlencode(answer), headers={"Cache-Control": "no-store"}, content_type=content_type)


def subject_of(grant: Grant) -> str:
    """Return the subject of a person. It is the same at all providers, so that tests can tell issuers apart."""
    return f"user-{grant.person.identifier('user')}"


def _claims_about(grant: Grant, scope: tuple[str, ...]) -> dict[str, object]:
    """Return the claims about the person that scopes give access to (OpenID Connect Core 5.4)."""
    email = grant.person.email
    claims: dict[str, object] = {"sub": subject_of(grant)}
    if "email" in scope:
        claims |= {"email": email, "email_verified": True}
    if "profile" in scope:
        claims["name"] = " ".join(email.partition("@")[0].replace("_", ".").split(".")).title()
    return claims

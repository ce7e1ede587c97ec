"""OAuth grants of the demo provider, based on Authlib.

The provider follows the protocol, but protects nothing: it must not be used for real accounts.
"""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING, Any, Final

import flask
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Request
from authlib.oauth2.rfc6749 import InvalidRequestError, UnsupportedResponseTypeError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, BaseGrant, RefreshTokenGrant, TokenEndpointMixin
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core.grants import OpenIDCode

from .accounts import GRANT_TYPES, SCOPES, TOKEN_EXCHANGE, TOKEN_LIFETIME, DemoClient, Signer, SignIn, Tickets
from .device_code import DEVICE_CALLBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from joserfc.jwk import RSAKey

    from .accounts import Person

_REFRESH_TOKEN_LIFETIME: Final = 30 * 86400.0

# Authlib has no type information, so that mypy cannot check its classes as bases.


class NativeAppRules(CodeChallenge):  # type: ignore[misc]
    """Requires a state and an S256 code challenge, as a native app must send them."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: BaseGrant, redirect_uri: str) -> None:
        """Check the authorization request. Authlib alone accepts a missing challenge or method (which means plain).

        Raises:
            InvalidRequestError: A parameter is missing or not supported.
        """
        params = grant.request.payload.data
        if not params.get("state"):
            raise InvalidRequestError("Missing 'state' in request.")
        if not params.get("code_challenge"):
            raise InvalidRequestError("Missing 'code_challenge' in request.")
        if params.get("code_challenge_method") != "S256":
            raise InvalidRequestError("The 'code_challenge_method' must be S256.")
        super().validate_code_challenge(grant, redirect_uri)


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    """The authorization code grant (RFC 6749 section 4.1)."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    @staticmethod
    def validate_authorization_redirect_uri(request: FlaskOAuth2Request, client: DemoClient) -> str:
        """Check the redirect URI. Unlike in Authlib, the error message does not contain it.

        Raises:
            InvalidRequestError: It is missing, or not allowed for the client.
        """
        redirect_uri = request.payload.redirect_uri
        if not redirect_uri or not client.check_redirect_uri(redirect_uri):
            raise InvalidRequestError("The redirect URI is missing, or not one that this client may use.")
        return str(redirect_uri)

    def save_authorization_code(self, code: str, request: FlaskOAuth2Request) -> None:
        """Store a new code."""
        payload = request.payload
        sign_in = SignIn(request.user, request.client.client_id, payload.redirect_uri, request.scope, payload.data)
        self.server.codes.keep(code, sign_in, self.server.code_lifetime)

    def query_authorization_code(self, code: str, client: DemoClient) -> SignIn | None:
        """Use the code now and not in `delete_authorization_code`, so that only one of concurrent requests gets it."""
        sign_in: SignIn | None = self.server.codes.redeem(code)
        return sign_in if sign_in is not None and sign_in.check_client(client) else None

    def delete_authorization_code(self, authorization_code: SignIn) -> None:
        """Do nothing. The code is used already, and kept to detect a second use."""

    def authenticate_user(self, authorization_code: SignIn) -> Person:
        """Return the person who signed in."""
        return authorization_code.person


class RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]
    """The refresh token grant, with rotation (RFC 9700 section 4.14.2)."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> SignIn | None:
        """Use a refresh token."""
        sign_in: SignIn | None = self.server.refresh_tokens.redeem(refresh_token)
        return sign_in

    def authenticate_user(self, refresh_token: SignIn) -> Person:
        """Return the person who signed in."""
        return refresh_token.person

    def revoke_old_credential(self, refresh_token: SignIn) -> None:
        """Do nothing. The refresh token is used already."""


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """The revocation endpoint (RFC 7009). Revoking a refresh token ends its sign-in."""

    CLIENT_AUTH_METHODS = ("none",)
    # Access tokens are self-contained JWTs, which stay valid until they expire.
    SUPPORTED_TOKEN_TYPES = ("refresh_token",)

    def query_token(self, token_string: str, _token_type_hint: str | None) -> SignIn | None:
        """Return the sign-in of a refresh token."""
        sign_in: SignIn | None = self.server.refresh_tokens.find(token_string)
        return sign_in

    def revoke_token(self, token: SignIn, _request: FlaskOAuth2Request) -> None:
        """End the sign-in."""
        token.revoked = True


class ApiKeyGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """Exchanges an id token for an API key, in a way that resembles RFC 8693 (docs/design/wire.md)."""

    GRANT_TYPE = TOKEN_EXCHANGE
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def validate_token_request(self) -> None:
        """Check the client and the id token.

        Raises:
            InvalidRequestError: A parameter is wrong, or the id token invalid (RFC 8693 section 2.2.2).
        """
        self.request.client = self.authenticate_token_endpoint_client()
        form = self.request.form
        if form.get("requested_token") != "openai-api-key":
            raise InvalidRequestError("The 'requested_token' must be openai-api-key.")
        if form.get("subject_token_type") != "urn:ietf:params:oauth:token-type:id_token":
            raise InvalidRequestError("The 'subject_token_type' must be an id token.")
        if not self.server.signer.is_own_id_token(form.get("subject_token", "")):
            raise InvalidRequestError("The 'subject_token' is not a valid id token of this provider.")

    def create_token_response(self) -> tuple[int, dict[str, str], list[tuple[str, str]]]:
        """Return a new key, which gives access to nothing."""
        return 200, _Tokens(access_token=f"sk-demo-{uuid.uuid4().hex}"), self.TOKEN_RESPONSE_HEADER


class IdTokens(OpenIDCode):  # type: ignore[misc]
    """Adds an id token to a token response (OpenID Connect Core sections 3.1.3.3 and 12.2)."""

    def __init__(self, signer: Signer) -> None:
        super().__init__()
        self._signer = signer

    def exists_nonce(self, _nonce: str, _request: FlaskOAuth2Request) -> bool:
        """Return False: the provider does not check whether a nonce is used twice."""
        return False

    def resolve_client_private_key(self, _client: DemoClient) -> RSAKey:
        """Return the signing key."""
        return self._signer.key

    def get_encode_header(self, _client: DemoClient) -> dict[str, str]:
        """Return the header of the JWT."""
        return dict(self._signer.header)

    def get_client_claims(self, client: DemoClient) -> dict[str, object]:
        """Return issuer and audience. Authlib adds the times."""
        return {"iss": self._signer.issuer, "aud": [client.client_id]}

    def generate_user_info(self, user: Person, _scope: str) -> dict[str, object]:
        """Return the claims about the person."""
        return user.id_claims()


class DemoServer(AuthorizationServer):  # type: ignore[misc]
    """Authlib's authorization server with the grants of this module."""

    def __init__(self, issuer: str, client_id: str, code_lifetime: float) -> None:
        super().__init__()
        self.signer = Signer(issuer, client_id)
        self.codes = Tickets()
        self.refresh_tokens = Tickets()
        self.code_lifetime = code_lifetime
        self._client = DemoClient(client_id, f"{issuer}{DEVICE_CALLBACK}")
        self.load_config(
            {
                "OAUTH2_ACCESS_TOKEN_GENERATOR": self.signer.access_token,
                "OAUTH2_REFRESH_TOKEN_GENERATOR": True,
                "OAUTH2_TOKEN_EXPIRES_IN": dict.fromkeys(GRANT_TYPES, TOKEN_LIFETIME),
                "OAUTH2_SCOPES_SUPPORTED": SCOPES,
            }
        )
        id_tokens = IdTokens(self.signer)
        self.register_grant(CodeGrant, [NativeAppRules(required=True), id_tokens])
        self.register_grant(RefreshGrant, [id_tokens])
        self.register_grant(ApiKeyGrant)
        self.register_endpoint(Revocation)
        self.issuer_parameter = _Issuer(issuer)
        self.issuer_parameter(self)

    def query_client(self, client_id: str) -> DemoClient | None:
        """Return the client with this id, if there is one."""
        return self._client if client_id == self._client.client_id else None

    def save_token(self, token: Mapping[str, str], request: FlaskOAuth2Request) -> None:
        """Remember a new refresh token; access tokens speak for themselves."""
        sign_in = request.authorization_code or request.refresh_token
        self.refresh_tokens.keep(token["refresh_token"], sign_in, _REFRESH_TOKEN_LIFETIME)

    def get_authorization_grant(self, request: FlaskOAuth2Request) -> BaseGrant:
        """Return the grant for a response type.

        Raises:
            UnsupportedResponseTypeError: There is none.
        """
        with contextlib.suppress(ValueError):
            return super().get_authorization_grant(request)
        # Authlib repeats the response type in its error, and fails over characters that an error must not hold.
        raise UnsupportedResponseTypeError("this")

    def generate_token(self, *args: object, **kwargs: object) -> _Tokens:
        """Return a token response that Authlib cannot show in its debug log."""
        return _Tokens(super().generate_token(*args, **kwargs))

    def create_oauth2_request(self, _request: object) -> FlaskOAuth2Request:
        """Return the current request. Codex refreshes with a JSON body instead of a form (RFC 6749 section 6)."""
        is_json = flask.request.method == "POST" and flask.request.is_json
        return _JsonRequest(flask.request) if is_json else FlaskOAuth2Request(flask.request)


class _Issuer(IssuerParameter):  # type: ignore[misc]
    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def get_issuer(self) -> str:
        return self._issuer


class _JsonRequest(FlaskOAuth2Request):  # type: ignore[misc]
    def __init__(self, request: flask.Request) -> None:
        super().__init__(request)
        content: Any = request.get_json()
        members = content.items() if isinstance(content, dict) else ()
        self._members = {name: value for name, value in members if isinstance(value, str)}
        self.payload = BasicOAuth2Payload(self._members)

    @property
    def form(self) -> dict[str, str]:
        return self._members


class _Tokens(dict[str, Any]):
    """A token response with an empty repr, because Authlib logs it at DEBUG."""

    def __repr__(self) -> str:
        return "<token response>"

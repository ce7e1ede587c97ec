"""Recipes for providers with metadata and no preset, against imitations of what their documentation says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine import Provider, Session, SignInRequired

from .imitation import Imitation, reply, sign_in

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer


# An imitation of Okta: https://developer.okta.com/docs/reference/api/oidc/


def test_okta_custom_server_with_a_rotating_refresh_token(server: HTTPServer) -> None:
    imitation = Imitation(server, f"{server.url_for('').rstrip('/')}/oauth2/default")
    supported = ["openid", "profile", "email", "address", "phone", "offline_access", "device_sso"]
    imitation.discoverable("/oauth2/default", scopes_supported=supported)
    provider = Provider.openid(imitation.issuer, client_id="0oa1")
    answer = {"token_type": "Bearer", "expires_in": 3600, "scope": "openid profile email offline_access"}
    imitation.answers = [
        imitation.tokens("0oa1", access_token="a-1", refresh_token="r-1", **answer),
        imitation.tokens("0oa1", access_token="a-2", refresh_token="r-2", **answer),
        reply(400, error="invalid_grant", error_description="The refresh token is invalid or expired."),
    ]
    signed_in = sign_in(provider)
    assert imitation.asked["scope"] == "openid profile email offline_access"
    assert signed_in.account["missing_scopes"] == ()
    session = Session(signed_in.store)
    tokens = session.refresh(force=True).credentials.tokens
    assert tokens is not None
    assert tokens.refresh_token is not None
    assert tokens.refresh_token.reveal() == "r-2"
    with pytest.raises(SignInRequired):
        session.renew("a-2")
    assert [form.get("refresh_token") for form in imitation.forms] == [None, "r-1", "r-2"]


# An imitation of Auth0: https://auth0.com/docs/get-started/authentication-and-authorization-flow


def test_auth0_audience_and_an_issuer_with_a_slash(server: HTTPServer) -> None:
    imitation = Imitation(server, server.url_for("/"))
    imitation.discoverable(scopes_supported=["openid", "profile", "offline_access", "email"])
    provider = Provider.openid(imitation.issuer, client_id="auth0-1")
    imitation.answers = [
        imitation.tokens(
            "auth0-1",
            {"email": "ada@example.com"},
            access_token="a-1",
            refresh_token="r-1",
            token_type="Bearer",
            expires_in=86400,
        ),
        # Also for a refresh token that was revoked.
        reply(403, error="invalid_grant", error_description="Unknown or invalid refresh token."),
    ]
    signed_in = sign_in(provider, audience="https://api.example.com")
    assert imitation.asked["audience"] == "https://api.example.com"
    assert signed_in.tokens.scope in (None, ("openid", "profile", "email", "offline_access"))
    with pytest.raises(SignInRequired):
        Session(signed_in.store).refresh(force=True)


# An imitation of Keycloak: https://www.keycloak.org/securing-apps/oidc-layers


def test_keycloak_development_server_with_iss_and_members_of_its_own(server: HTTPServer) -> None:
    issuer = f"http://localhost:{server.port}/realms/r"
    imitation = Imitation(server, issuer, iss=True)
    imitation.discoverable("/realms/r", authorization_response_iss_parameter_supported=True)
    provider = Provider.openid(issuer, client_id="native")
    own = {"refresh_expires_in": 0, "not-before-policy": 0, "session_state": "s-1"}
    imitation.answers = [
        imitation.tokens(
            "native",
            access_token="a-1",
            expires_in=60,
            refresh_token="r-1",
            token_type="Bearer",
            scope="openid offline_access email profile",
            **own,
        ),
        reply(400, error="invalid_grant", error_description="Token is not active"),
    ]
    signed_in = sign_in(provider)
    assert signed_in.extra() == own
    session = Session(signed_in.store)
    # A token of a minute is not due at once.
    assert session.access_token() == "a-1"
    assert len(imitation.forms) == 1
    with pytest.raises(SignInRequired):
        session.refresh(force=True)


# An imitation of Amazon Cognito: https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html


def test_cognito_confidential_client_and_a_refresh_without_refresh_token(server: HTTPServer) -> None:
    imitation = Imitation(server, f"{server.url_for('').rstrip('/')}/eu-west-1_1")
    # The issuer and the endpoints are on different hosts.
    elsewhere = f"http://localhost:{server.port}"
    imitation.discoverable(
        "/eu-west-1_1",
        authorization_endpoint=f"{elsewhere}/authorize",
        token_endpoint=f"{elsewhere}/token",
        token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"],
        scopes_supported=["openid", "email", "phone", "profile"],
    )
    provider = Provider.openid(imitation.issuer, client_id="1example23456789", client_secret="9example87654321")
    answer = {"token_type": "Bearer", "expires_in": 3600}
    imitation.answers = [
        imitation.tokens("1example23456789", access_token="a-1", refresh_token="r-1", **answer),
        imitation.tokens("1example23456789", access_token="a-2", **answer),
        reply(400, error="invalid_grant"),
    ]
    signed_in = sign_in(provider, redirect_host="localhost")
    assert imitation.asked["scope"] == "openid profile email"
    assert imitation.asked["redirect_uri"].startswith("http://localhost:")
    session = Session(signed_in.store)
    tokens = session.refresh(force=True).credentials.tokens
    assert tokens is not None
    assert tokens.refresh_token is not None
    assert (tokens.access_token.reveal(), tokens.refresh_token.reveal()) == ("a-2", "r-1")
    assert imitation.clients[:2] == [("1example23456789", "9example87654321")] * 2
    with pytest.raises(SignInRequired):
        session.renew("a-2")

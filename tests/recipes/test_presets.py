"""Recipes for the providers with a preset, against imitations of what their documentation says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from werkzeug import Response

from loginmachine import LoginFailed, Provider, Session, SignInRequired, sign_out
from loginmachine.sansio.server.endpoints import DeviceCodeEndpoints

from .imitation import Imitation, reply, sign_in, sign_in_with_code

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

    from .imitation import Answer

USERINFO = "https://www.googleapis.com/auth/userinfo"
GITHUB_ERROR = {
    "error": "bad_verification_code",
    "error_description": "The code passed is incorrect or expired.",
    "error_uri": "https://docs.github.com/apps/managing-oauth-apps/troubleshooting",
}
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"


# An imitation of Google: https://developers.google.com/identity/protocols/oauth2/native-app


def google(server: HTTPServer) -> tuple[Imitation, Provider]:
    imitation = Imitation(server, "https://accounts.google.com")
    installed = {
        "client_id": "1-a.apps.googleusercontent.com",
        "project_id": "project-1",
        "auth_uri": f"{imitation.base}/authorize",
        "token_uri": f"{imitation.base}/token",
        "client_secret": "GOCSPX-1",
        "redirect_uris": ["http://localhost"],
    }
    provider = Provider.google({"installed": installed})
    endpoints = {"revocation_endpoint": f"{imitation.base}/revoke", "jwks_uri": f"{imitation.base}/keys"}
    imitation.answers = [
        imitation.tokens(
            provider.client_id,
            {"email": "ada@example.com", "email_verified": True},
            access_token="ya29.1",
            expires_in=3599,
            refresh_token="1//refresh",
            scope=f"openid {USERINFO}.email {USERINFO}.profile",
            token_type="Bearer",
        )
    ]
    return imitation, provider.__replace__(**endpoints)


def test_google_offline_access_and_the_secret_in_the_form(server: HTTPServer) -> None:
    imitation, provider = google(server)
    signed_in = sign_in(provider)
    assert imitation.asked["access_type"] == "offline"
    assert imitation.asked["scope"] == "openid profile email"
    assert imitation.asked["redirect_uri"].removeprefix("http://127.0.0.1:").isdigit()
    assert (imitation.forms[0]["client_secret"], imitation.clients[0]) == ("GOCSPX-1", None)
    assert imitation.forms[0]["redirect_uri"] == imitation.asked["redirect_uri"]
    assert signed_in.tokens.refresh_token is not None
    assert signed_in.account["email"] == "ada@example.com"


def test_google_keeps_the_refresh_token_that_a_refresh_does_not_repeat(server: HTTPServer) -> None:
    imitation, provider = google(server)
    signed_in = sign_in(provider)
    imitation.answers = [reply(access_token="ya29.2", expires_in=3599, scope="openid", token_type="Bearer")]
    tokens = Session(signed_in.store).refresh(force=True).credentials.tokens
    assert tokens is not None
    assert tokens.access_token.reveal() == "ya29.2"
    assert tokens.refresh_token is not None
    assert tokens.refresh_token.reveal() == "1//refresh"
    assert imitation.forms[1] == {
        "grant_type": "refresh_token",
        "refresh_token": "1//refresh",
        "client_id": "1-a.apps.googleusercontent.com",
        "client_secret": "GOCSPX-1",
    }


def test_google_grants_the_scopes_under_other_names(server: HTTPServer) -> None:
    _, provider = google(server)
    assert sign_in(provider).account["missing_scopes"] == ()


# An imitation of GitHub: https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps


def github(server: HTTPServer) -> tuple[Imitation, Provider]:
    imitation = Imitation(server)
    endpoints = {"authorization_endpoint": f"{imitation.base}/authorize", "token_endpoint": f"{imitation.base}/token"}
    codes = DeviceCodeEndpoints(code_endpoint=f"{imitation.base}/device/code")
    return imitation, Provider.github("Iv1.1").__replace__(**endpoints, device_code=codes)


def test_github_separates_scopes_by_commas_and_its_tokens_do_not_expire(server: HTTPServer) -> None:
    imitation, provider = github(server)
    imitation.answers = [reply(access_token="gho_1", scope="repo,gist", token_type="bearer")]
    signed_in = sign_in(provider, scopes=("repo", "gist", "user:email"))
    assert imitation.asked["scope"] == "repo gist user:email"
    assert signed_in.tokens.scope == ("repo", "gist")
    assert signed_in.account["missing_scopes"] == ("user:email",)
    assert (signed_in.tokens.id_token, signed_in.tokens.refresh_token) == (None, None)
    assert (signed_in.tokens.expiry, "application/json" in imitation.accepts[0]) == (None, True)
    assert Session(signed_in.store).access_token() == "gho_1"


def test_github_answers_an_error_with_status_200(server: HTTPServer) -> None:
    imitation, provider = github(server)
    imitation.answers = [reply(**GITHUB_ERROR)]
    with pytest.raises(LoginFailed) as failed:
        sign_in(provider, scopes=("repo",))
    assert failed.value.category == "token_endpoint_rejected"
    assert "bad_verification_code" in failed.value.message


def test_github_answers_with_a_form_where_accept_is_lost(server: HTTPServer) -> None:
    imitation, provider = github(server)
    form = "access_token=gho_1&scope=repo%2Cgist&token_type=bearer"
    imitation.answers = [lambda: Response(form, content_type="application/x-www-form-urlencoded; charset=utf-8")]
    tokens = sign_in(provider, scopes=("repo", "gist")).tokens
    assert (tokens.access_token.reveal(), tokens.scope) == ("gho_1", ("repo", "gist"))


def test_github_answers_a_poll_with_status_200_too(server: HTTPServer) -> None:
    imitation, provider = github(server)
    server.expect_request("/device/code").respond_with_json(
        {
            "device_code": "3584d83530557fdd1f46af8289938c8ef79f9dc5",
            "user_code": "WDJB-MJHT",
            "verification_uri": "https://github.com/login/device",
            "expires_in": 900,
            "interval": 0,
        }
    )
    pending = reply(error="authorization_pending", error_description="Pending.")
    imitation.answers = [pending, pending, reply(access_token="gho_2", scope="", token_type="bearer")]
    assert sign_in_with_code(provider, scopes=()).tokens.access_token.reveal() == "gho_2"
    assert [form["device_code"] for form in imitation.forms] == ["3584d83530557fdd1f46af8289938c8ef79f9dc5"] * 3


# An imitation of Microsoft Entra ID: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow


def microsoft(server: HTTPServer) -> tuple[Imitation, Provider]:
    imitation = Imitation(server)
    imitation.issuer = f"{imitation.base}/{{tenantid}}/v2.0"
    imitation.discoverable("/common/v2.0", scopes_supported=["openid", "profile", "email", "offline_access"])
    provider = Provider.microsoft("535fb089-9ff3-47b6-9bfb-4f1264799865")
    return imitation, provider.__replace__(issuer=f"{imitation.base}/common/v2.0")


def entra_tokens(imitation: Imitation, provider: Provider, tenant: str = TENANT) -> list[Answer]:
    claims = {
        "iss": f"{imitation.base}/{tenant}/v2.0",
        "tid": TENANT,
        "ver": "2.0",
        "preferred_username": "ada@example.com",
    }
    return [
        imitation.tokens(
            provider.client_id,
            claims,
            token_type="Bearer",
            scope="openid profile email",
            expires_in=3599,
            ext_expires_in=3599,
            access_token="opaque-1",
            refresh_token="0.AXEAmo",
        )
    ]


def test_microsoft_compares_the_issuer_with_the_tenant_of_the_token(server: HTTPServer) -> None:
    imitation, provider = microsoft(server)
    imitation.answers = entra_tokens(imitation, provider)
    signed_in = sign_in(provider)
    assert imitation.asked["redirect_uri"].removeprefix("http://127.0.0.1:").isdigit()
    assert signed_in.extra() == {"ext_expires_in": 3599}


def test_microsoft_refuses_an_issuer_of_another_tenant(server: HTTPServer) -> None:
    imitation, provider = microsoft(server)
    imitation.answers = entra_tokens(imitation, provider, "9188040d-6c67-4c5b-b112-36a304b66dad")
    with pytest.raises(LoginFailed) as failed:
        sign_in(provider)
    assert failed.value.category == "id_token_invalid"


def test_microsoft_does_not_name_offline_access_in_its_answer(server: HTTPServer) -> None:
    imitation, provider = microsoft(server)
    imitation.answers = entra_tokens(imitation, provider)
    assert sign_in(provider).account["missing_scopes"] == ()


# An imitation of GitLab: https://docs.gitlab.com/api/oauth2/


def test_gitlab_replaces_the_refresh_token_and_revokes(server: HTTPServer) -> None:
    imitation = Imitation(server)
    imitation.discoverable(scopes_supported=["api", "read_user", "openid", "profile", "email"])
    provider = Provider.gitlab("app-1", host=imitation.base)
    answer = {"token_type": "Bearer", "expires_in": 7200, "scope": "openid profile email", "created_at": 1607635748}
    imitation.answers = [
        imitation.tokens("app-1", access_token="a-1", refresh_token="r-1", **answer),
        reply(access_token="a-2", refresh_token="r-2", **answer),
        reply(400, error="invalid_grant", error_description="The provided authorization grant is invalid."),
    ]
    signed_in = sign_in(provider)
    assert imitation.asked["scope"] == "openid profile email"
    assert signed_in.account["missing_scopes"] == ()
    assert signed_in.extra() == {"created_at": 1607635748}
    session = Session(signed_in.store)
    tokens = session.refresh(force=True).credentials.tokens
    assert tokens is not None
    assert tokens.refresh_token is not None
    assert (tokens.access_token.reveal(), tokens.refresh_token.reveal()) == ("a-2", "r-2")
    with pytest.raises(SignInRequired):
        session.renew("a-2")
    assert sign_out(signed_in.store).is_revoked is True
    assert imitation.revoked == [{"token": "r-2", "token_type_hint": "refresh_token", "client_id": "app-1"}]

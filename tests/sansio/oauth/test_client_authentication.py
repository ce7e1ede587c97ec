"""How a client authenticates (RFC 6749 section 2.3)."""

from __future__ import annotations

from base64 import b64decode

import pytest

from loginmachine.sansio import ClientAuthentication, Provider, Secret
from loginmachine.sansio.base.http import HttpRequest
from loginmachine.sansio.oauth.client_authentication import authenticated

FORM = (("grant_type", "refresh_token"), ("client_id", "my client:1"), ("refresh_token", "r"))
REQUEST = HttpRequest(url="https://id.example/token", form=FORM, timeout=1.0)


def provider(method: ClientAuthentication | None, secret: str | None = "s+é:/ %") -> Provider:
    return Provider.oauth(
        authorization_endpoint="https://id.example/authorize",
        token_endpoint="https://id.example/token",
        client_id="my client:1",
        client_secret=secret,
        token_endpoint_auth_method=method,
    )


def test_a_public_client_sends_its_client_id() -> None:
    assert authenticated(REQUEST, provider(ClientAuthentication.NONE, None)) == REQUEST


@pytest.mark.parametrize("method", [None, ClientAuthentication.CLIENT_SECRET_BASIC])
def test_basic_encodes_both_parts_as_in_a_form(method: ClientAuthentication | None) -> None:
    request = authenticated(REQUEST, provider(method))
    assert request.authorization is not None
    kind, _, pair = request.authorization.reveal().partition(" ")
    assert (kind, b64decode(pair)) == ("Basic", b"my+client%3A1:s%2B%C3%A9%3A%2F+%25")
    assert request.form == (("grant_type", "refresh_token"), ("refresh_token", "r"))


def test_post_adds_the_secret_to_the_parameters() -> None:
    request = authenticated(REQUEST, provider(ClientAuthentication.CLIENT_SECRET_POST))
    assert request == REQUEST.__replace__(form=(*FORM, ("client_secret", "s+é:/ %")))
    assert "s+é" not in repr(request)


@pytest.mark.parametrize("method", [ClientAuthentication.CLIENT_SECRET_BASIC, ClientAuthentication.CLIENT_SECRET_POST])
def test_a_method_with_a_secret_needs_one(method: ClientAuthentication) -> None:
    with pytest.raises(ValueError, match=f"^the authentication {method} needs a client secret$"):
        provider(method, None)


def test_a_public_client_has_no_secret() -> None:
    with pytest.raises(ValueError, match=r"^the client has a secret, but its authentication is none$") as caught:
        provider(ClientAuthentication.NONE)
    assert "s+é" not in str(caught.value)


def test_the_secret_is_shown_nowhere() -> None:
    assert Secret("s+é:/ %") == provider(None).client_secret
    assert "s+é" not in repr(provider(None))

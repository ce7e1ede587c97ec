"""Options and secrets: which values are refused, without showing a secret."""

from __future__ import annotations

import re
from typing import Any

import pytest

from loginmachine.sansio import LoginMachine, LoginOptions, LoginSecrets, Provider
from loginmachine.sansio.base.secret import Secret
from loginmachine.sansio.model.tokens import TokenSet
from loginmachine.sansio.server.dialect import Dialect

CHATGPT = Provider.codex()


def test_a_string_is_not_a_list_of_workspaces() -> None:
    with pytest.raises(ValueError, match=r"^the allowed workspaces are a tuple of ids$"):
        LoginOptions(provider=CHATGPT, allowed_workspaces="acc-1")  # type: ignore[arg-type]


# Options


def test_the_defaults() -> None:
    options = LoginOptions(provider=CHATGPT)
    assert (options.port, options.redirect_host, options.open_browser) == (None, "127.0.0.1", True)
    assert (options.deadline, options.allowed_workspaces) == (600, ())


@pytest.mark.parametrize(
    ("port", "first", "fallback"),
    [
        (None, 1455, 1457),
        (1455, 1455, 1457),
        (1457, 1457, None),
        (8080, 8080, None),
        (0, 0, None),
        (65535, 65535, None),
    ],
)
def test_only_the_default_port_has_a_fallback(port: int | None, first: int, fallback: int | None) -> None:
    options = LoginOptions(provider=CHATGPT, port=port)
    assert (options.first_port, options.fallback_port) == (first, fallback)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_out_of_range(port: int) -> None:
    with pytest.raises(ValueError, match=f"^a port is a number from 0 to 65535, not {port}$"):
        LoginOptions(provider=CHATGPT, port=port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::1", "evil.example", "LOCALHOST", ""])
def test_a_redirect_host_beyond_loopback(host: str) -> None:
    with pytest.raises(ValueError, match="redirect host"):
        LoginOptions(provider=CHATGPT, redirect_host=host)


@pytest.mark.parametrize("deadline", [0, -1, float("inf"), float("nan")])
def test_an_invalid_deadline(deadline: float) -> None:
    with pytest.raises(ValueError, match="deadline"):
        LoginOptions(provider=CHATGPT, deadline=deadline)


@pytest.mark.parametrize(("deadline", "for_a_device_code"), [(600, None), (None, None), (60, 60), (700.0, 700.0)])
def test_the_default_deadline_is_not_for_device_codes(deadline: float | None, for_a_device_code: float | None) -> None:
    assert LoginOptions(provider=CHATGPT, deadline=deadline).device_deadline == for_a_device_code


@pytest.mark.parametrize("workspaces", [("",), ("a", ""), ("a,b",)])
def test_an_invalid_workspace(workspaces: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="workspace"):
        LoginOptions(provider=CHATGPT, allowed_workspaces=workspaces)


# Secrets


@pytest.mark.parametrize("value", ["", "a b", "a/b", "a+b", "a=", "\u00e9", "a\n"])
@pytest.mark.parametrize("name", ["state", "code_verifier"])
def test_secrets_are_made_of_unreserved_characters(name: str, value: str) -> None:
    good = {"state": "Az09-._~", "code_verifier": "Az09-._~"}
    LoginSecrets(**good)
    with pytest.raises(ValueError, match=f"^the {name} must be letters, digits"):
        LoginSecrets(**{**good, name: value})


def test_secrets_do_not_show() -> None:
    assert repr(LoginSecrets(state="canary", code_verifier="canary", nonce="canary")) == "LoginSecrets()"


def test_a_provider_that_uses_a_nonce_needs_one() -> None:
    options = LoginOptions(provider=CHATGPT.__replace__(uses_nonce=True))
    with pytest.raises(ValueError, match=r"^this provider uses a nonce, and the secrets hold none$"):
        LoginMachine(options, LoginSecrets(state="s", code_verifier="v"))
    assert LoginMachine(options, LoginSecrets(state="s", code_verifier="v", nonce="n")).state == "idle"


@pytest.mark.parametrize(
    ("granted", "refresh_token", "missing"),
    [
        (None, None, ()),
        ((), None, ("openid", "email", "offline_access")),
        (("openid", "email", "offline_access"), None, ()),
        # Microsoft does not name the scope that gives the refresh token.
        (("openid", "email"), "r-1", ()),
        (("openid", "email"), None, ("offline_access",)),
        # Google names a scope otherwise.
        (("openid", "https://google.example/userinfo.email"), "r-1", ()),
        (("openid", "https://google.example/userinfo.other"), "r-1", ("email",)),
    ],
)
def test_scopes_that_were_not_granted(
    granted: tuple[str, ...] | None, refresh_token: str | None, missing: tuple[str, ...]
) -> None:
    provider = Provider(
        issuer=None,
        authorization_endpoint="https://id.example/authorize",
        token_endpoint="https://id.example/token",
        client_id="client-1",
        scopes=("openid", "email", "offline_access"),
        dialect=Dialect(scope_names=(("email", "https://google.example/userinfo.email"),)),
    )
    tokens = TokenSet(
        id_token=None,
        access_token=Secret("a-1"),
        refresh_token=None if refresh_token is None else Secret(refresh_token),
        scope=granted,
    )
    assert LoginOptions(provider=provider).missing_scopes(tokens) == missing


# What an authorization request asks for


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scopes": "openid"}, "scopes is a tuple of texts, not a text"),
        ({"required_scopes": "openid"}, "required_scopes is a tuple of texts, not a text"),
        ({"resource": "https://api.example"}, "resource is a tuple of texts, not a text"),
        ({"scopes": ("openid email",)}, "a scope is not empty and has no space"),
        ({"required_scopes": ("",)}, "a scope is not empty and has no space"),
        ({"resource": ("api",)}, "a resource is an absolute URI without a fragment (RFC 8707 section 2)"),
        ({"resource": ("https://api.example/#a",)}, "a resource is an absolute URI without a fragment"),
        ({"max_age": -1}, "max_age is a number of seconds, 0 or more"),
        ({"parameters": (("state", "1"),)}, "the parameter state belongs to the protocol and cannot be given"),
        ({"parameters": (("request_uri", "1"),)}, "the parameter request_uri belongs to the protocol"),
        ({"parameters": (("prompt", "login"),)}, "the parameter prompt has an option of its own"),
    ],
)
def test_an_option_of_the_request_that_cannot_be_used(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(words)}"):
        LoginOptions(provider=CHATGPT, **options)


def test_options_of_the_request_at_their_limits() -> None:
    options = LoginOptions(provider=CHATGPT, scopes=(), max_age=0, resource=("urn:api",))
    assert (options.requested_scopes, options.max_age, options.resource) == ((), 0, ("urn:api",))


# The pages in the browser


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"app_name": ""}, "the name of the program has 1 to 64 printable characters"),
        ({"app_name": "a" * 65}, "the name of the program has 1 to 64 printable characters"),
        ({"app_name": "a\nb"}, "the name of the program has 1 to 64 printable characters"),
        ({"success_page": ""}, "the success page has 1 to 262144 characters"),
        ({"success_page": "a" * 262_145}, "the success page has 1 to 262144 characters"),
    ],
)
def test_a_wording_that_cannot_be_used(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=f"^{words}$"):
        LoginOptions(provider=CHATGPT, **options)


def test_wordings_at_their_limits() -> None:
    options = LoginOptions(provider=CHATGPT, app_name="a" * 64, success_page="a" * 262_144)
    assert "aaa" not in repr(options).replace(f"app_name={'a' * 64!r}", "")


@pytest.mark.parametrize("address", ["", "localhost", "[::]", "0.0.0.0:1455", "fe80::1%eth0", "0"])
def test_an_address_to_listen_at_that_is_none(address: str) -> None:
    with pytest.raises(ValueError, match=r"^the address to listen at is an IPv4 or IPv6 address, such as 0\.0\.0\.0$"):
        LoginOptions(provider=CHATGPT, listen_address=address)


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.2", "::", "2001:db8::1"])
def test_an_address_to_listen_at(address: str) -> None:
    assert LoginOptions(provider=CHATGPT, listen_address=address).listen_address == address

"""`loginmachine login --with-token`."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import AccountStore
from loginmachine.demo.openid.provider import OpenIdProvider
from loginmachine.demo.shared.answers import Answer

from ...conftest import ACCESS, ID_TOKEN, REFRESH, called, jwt
from ..test_any_provider import Person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from loginmachine.demo.openid.switches import Endpoint

    from ...conftest import ScriptedProvider

OLD = "canary-old-refresh"
NEW = {"id_token": ID_TOKEN, "access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 3600}


@pytest.fixture(scope="module")
def server() -> Iterator[OpenIdProvider]:
    with OpenIdProvider() as provider:
        yield provider


class Codex:
    """Signs in at a mirror of Codex's provider with a token."""

    def __init__(self, provider: ScriptedProvider, home: Path) -> None:
        self.provider = provider
        self.home = home

    def adopt(self, *more: str, given: str = OLD) -> tuple[int, dict[str, Any], str]:
        arguments = ("--json", "--provider", "codex", "--issuer", self.provider.issuer, "--home", str(self.home))
        code, out, err = called("login", "--with-token", *arguments, *more, given=given)
        assert OLD not in out + err
        assert "canary" not in out + err
        (line,) = map(json.loads, out.splitlines())
        return code, line, err


@pytest.fixture
def codex(provider: ScriptedProvider, tmp_path: Path) -> Codex:
    return Codex(provider, tmp_path / "home")


def test_a_refresh_token_of_codex(codex: Codex) -> None:
    codex.provider.answers = [(200, NEW)]
    code, line, err = codex.adopt(given=f" {OLD}\n")
    account = {"account_id": "acc-1", "email": "ada@example.com", "plan": "plus"}
    assert (code, line) == (
        0,
        {"event": "finished", "outcome": "succeeded", "category": None, "message": None, **account},
    )
    assert err.splitlines() == [
        "Signed in as ada@example.com.",
        f"Your credentials are in {codex.home / 'auth.json'}",
    ]
    stored = json.loads((codex.home / "auth.json").read_text())
    tokens = stored["tokens"]
    assert (tokens["refresh_token"], tokens["access_token"], tokens["account_id"]) == (REFRESH, ACCESS, "acc-1")
    assert tokens["oauth_provenance"]["issuer"] == codex.provider.issuer
    assert called("whoami", "--home", str(codex.home))[0] == 0


def test_a_refresh_token_that_is_not_replaced_is_kept(codex: Codex) -> None:
    codex.provider.answers = [(200, {**NEW, "refresh_token": None})]
    assert codex.adopt()[0] == 0
    assert json.loads((codex.home / "auth.json").read_text())["tokens"]["refresh_token"] == OLD


def test_what_is_replaced_is_not_revoked(codex: Codex) -> None:
    for _ in range(2):
        codex.provider.answers = [(200, NEW)]
        assert codex.adopt()[0] == 0
    assert codex.provider.revoked == []


@pytest.mark.parametrize(
    ("answer", "category", "words"),
    [
        ((400, {"error": "invalid_grant"}), "token_endpoint_rejected", "does not accept this refresh token"),
        (
            (400, {"error": "invalid_grant", "error_description": "Used."}),
            "token_endpoint_rejected",
            "invalid_grant: Used.",
        ),
        ((400, {"error": OLD}), "token_endpoint_rejected", "status 400"),
        ((503, {}), "token_endpoint_rejected", "status 503"),
        ((200, {**NEW, "access_token": None}), "token_response_malformed", "no access_token in the answer"),
        ((200, {**NEW, "id_token": None}), "token_response_malformed", "no id_token in the answer"),
        ((200, {**NEW, "id_token": "canary"}), "id_token_invalid", "the id token was refused: it is not a JWT"),
        (
            (200, {**NEW, "id_token": jwt({"aud": "other"})}),
            "id_token_invalid",
            "the id token was refused: it was made for another client (aud)",
        ),
    ],
)
def test_an_answer_that_cannot_be_used(
    codex: Codex, answer: tuple[int, dict[str, Any]], category: str, words: str
) -> None:
    codex.provider.answers = [answer]
    code, line, err = codex.adopt()
    assert (code, line["outcome"], line["category"]) == (1, "failed", category)
    assert words in line["message"]
    assert not line["message"].endswith("..")
    assert err == f"{line['message']}\n"
    assert not (codex.home / "auth.json").exists()


def test_another_workspace(codex: Codex) -> None:
    codex.provider.answers = [(200, NEW)]
    assert codex.adopt("--workspace", "acc-2")[1]["category"] == "workspace_restriction"
    assert not (codex.home / "auth.json").exists()


def test_the_provider_is_not_there(codex: Codex) -> None:
    codex.provider.issuer = "http://127.0.0.1:1"
    assert codex.adopt()[1]["category"] == "token_exchange_connect"


@pytest.mark.parametrize("given", ["", " \n", "two words", "caf\u00e9", "x" * 16_385])
def test_what_cannot_be_a_token(codex: Codex, given: str) -> None:
    code, line, _ = codex.adopt(given=given)
    assert (code, line["category"]) == (1, "token_response_malformed")
    assert "visible ASCII characters" in line["message"]
    assert codex.provider.forms == []


def test_nothing_is_sent_if_nothing_can_be_stored(codex: Codex) -> None:
    codex.home.write_text("")
    code, line, _ = codex.adopt()
    assert (code, line["category"], codex.provider.forms) == (1, "persist_failed", [])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--with-token", "access"), "--with-token access is not for codex"),
        (("--with-token", "--api-key"), "--api-key and --with-token exclude each other"),
        (("--with-token", "--provider", "openid", "--issuer", "https://id.example", "--register"), "needs --client-id"),
        (("--with-token", "canary"), "argument --with-token: say refresh or access"),
        (("--with-token=canary",), "argument --with-token: say refresh or access"),
    ],
)
def test_options_that_do_not_fit(arguments: tuple[str, ...], words: str) -> None:
    code, out, err = called("login", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert "canary" not in err


# Any provider


def options_for(server: OpenIdProvider) -> tuple[str, ...]:
    return "--provider", "openid", "--issuer", server.issuer, "--client-id", server.client.client_id


def tokens_of(tmp_path: Path, server: OpenIdProvider) -> dict[str, str]:
    """Sign in elsewhere, and return the stored tokens."""
    other = Person(tmp_path / "other")
    assert other.login(*options_for(server))[0] == 0
    (entry,) = (tmp_path / "other/state/loginmachine").glob("127*.json")
    stored: dict[str, str] = json.loads(entry.read_text())["tokens"]
    return stored


def test_the_tokens_of_any_provider(tmp_path: Path, server: OpenIdProvider) -> None:
    tokens = tokens_of(tmp_path, server)
    person, options = Person(tmp_path), options_for(server)
    # The access token first: the refresh token may end it.
    code, _, err = person.call("login", "--with-token", "access", *options, given=tokens["access_token"])
    assert (code, err.splitlines()[0]) == (0, "Signed in.")
    assert person.call("token") == (0, f"{tokens['access_token']}\n", "")

    code, _, err = person.call("login", "--with-token", *options, given=tokens["refresh_token"])
    assert (code, err.splitlines()[0]) == (0, "Signed in as ada@example.com.")
    new = person.call("token", "--account", "ada@example.com")[1].strip()
    assert new != tokens["access_token"]
    assert server.is_active(new)
    assert person.call("refresh", "--account", "ada@example.com")[0] == 0


@pytest.mark.parametrize(
    ("endpoint", "answer", "category"),
    [
        ("openid_configuration", Answer.error("invalid_request", status=500), "discovery_failed"),
        ("jwks", Answer.error("invalid_request", status=500), "keys_unavailable"),
        ("token", Answer.error("invalid_grant"), "token_endpoint_rejected"),
    ],
)
def test_an_endpoint_that_fails(
    tmp_path: Path, server: OpenIdProvider, endpoint: Endpoint, answer: Answer, category: str
) -> None:
    server.answer_next(endpoint, answer)
    person = Person(tmp_path)
    code, out, err = person.call("login", "--with-token", "--json", *options_for(server), given=OLD)
    assert (code, json.loads(out)["category"]) == (1, category)
    assert OLD not in out + err
    assert AccountStore(folder=tmp_path / "state/loginmachine").accounts() == []


@pytest.mark.parametrize(
    ("claims", "more", "category"),
    [
        ({"exp": 1}, (), "token_endpoint_rejected"),
        ({"iss": "https://other.example"}, (), "issuer_mismatch"),
        ({}, ("--require-scope", "files"), "scope_insufficient"),
    ],
)
def test_an_access_token_that_is_no_good(
    tmp_path: Path, server: OpenIdProvider, claims: dict[str, object], more: tuple[str, ...], category: str
) -> None:
    token = jwt({"exp": int(time.time()) + 900, **claims})
    person = Person(tmp_path)
    code, out, err = person.call("login", "--with-token", "access", "--json", *options_for(server), *more, given=token)
    assert (code, json.loads(out)["category"]) == (1, category), err
    assert AccountStore(folder=tmp_path / "state/loginmachine").accounts() == []

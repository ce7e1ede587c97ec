"""Which provider issued tokens, and where they may be sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loginmachine.sansio import Credentials, Provider, Secret, Tokens
from loginmachine.sansio.model.credentials import parse, serialise
from loginmachine.sansio.model.issuer import provenance_of, provider_of, why_not_from, why_not_replace
from loginmachine.sansio.model.provenance import Provenance
from loginmachine.sansio.model.tokens import RefreshedTokens

from ..samples import jwt

CODEX = Provenance(issuer="https://auth.openai.com", client_id="app_EMoamEEZ73f0CkXaXp7hrann")
OTHER = Provenance(issuer="https://id.example", client_id="client-1")
CHATGPT = Provider.codex()
MIRROR = Provider.codex(issuer="https://id.example", client_id="client-1")


def tokens(id_token: str = "opaque", **changes: Any) -> Tokens:
    values = {"id_token": Secret(id_token), "access_token": Secret("a"), "refresh_token": Secret("r"), **changes}
    return Tokens(**values)


def members(**origin: Any) -> bytes:
    held = {"id_token": "i", "access_token": "a", "refresh_token": "r", "account_id": None, "oauth_provenance": origin}
    return json.dumps({"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": held, "last_refresh": None}).encode()


def test_the_record_is_read_and_written_with_members_of_newer_versions() -> None:
    data = members(issuer="https://id.example", client_id="client-1", resource="r")
    credentials = parse(data)
    assert credentials.tokens is not None
    assert credentials.tokens.provenance == OTHER.__replace__(others=Secret('{"resource": "r"}'))
    assert json.loads(serialise(credentials)) == json.loads(data)


@pytest.mark.parametrize(
    "origin", ["text", {}, {"issuer": "https://id.example"}, {"issuer": "", "client_id": "c"}, {"x": 1}]
)
def test_a_record_without_issuer_and_client_is_kept_and_means_nothing(origin: object) -> None:
    content = json.loads(members())
    content["tokens"]["oauth_provenance"] = origin
    credentials = parse(json.dumps(content).encode())
    assert credentials.tokens is not None
    assert credentials.tokens.provenance is None
    assert json.loads(serialise(credentials)) == content


@pytest.mark.parametrize(
    ("id_token", "origin"),
    [
        ("opaque", None),
        (jwt({}), None),
        (jwt({"iss": ""}), None),
        (jwt({"iss": 5}), None),
        (jwt({"iss": "https://auth.openai.com"}), CODEX),
        (jwt({"iss": "https://auth.openai.com/"}), CODEX),
        (jwt({"iss": "https://id.example"}), Provenance(issuer="https://id.example", client_id=None)),
    ],
)
def test_tokens_of_an_older_file(id_token: str, origin: Provenance | None) -> None:
    assert provenance_of(tokens(id_token)) == origin
    assert provenance_of(tokens("opaque", access_token=Secret(id_token))) == origin
    assert provenance_of(tokens(id_token, provenance=OTHER)) == OTHER


def why_not(issued: Tokens, provider: Provider | None) -> str:
    return why_not_from(Credentials(tokens=issued), provider)


def test_tokens_are_sent_to_their_own_provider_only() -> None:
    older = tokens(jwt({"iss": "https://id.example"}))
    openai = tokens(jwt({"iss": "https://auth.openai.com"}))
    assert why_not(openai, CHATGPT) == ""
    assert why_not(tokens(provenance=OTHER), MIRROR) == ""
    assert why_not(older, MIRROR) == ""
    assert why_not(openai, MIRROR) == (
        "they were issued by https://auth.openai.com (client app_EMoamEEZ73f0CkXaXp7hrann), "
        "not by https://id.example (client client-1)"
    )
    assert why_not(tokens(provenance=OTHER), MIRROR.__replace__(client_id="client-2")) == (
        "they were issued by https://id.example (client client-1), not by https://id.example (client client-2)"
    )
    assert why_not(older, CHATGPT).startswith("they were issued by https://id.example, not by https://auth.openai")


def test_tokens_that_name_no_issuer_are_those_of_the_named_provider() -> None:
    assert why_not(tokens(), MIRROR) == ""
    assert why_not(tokens(), None) == ""
    assert why_not_replace(Credentials(tokens=tokens()), None, MIRROR) == ""


def test_the_provider_that_tokens_record() -> None:
    assert provider_of(tokens()) == CHATGPT
    assert provider_of(tokens(provenance=OTHER)) == MIRROR
    assert why_not(tokens(provenance=OTHER), None) == ""


@pytest.mark.parametrize(
    "origin",
    [Provenance(issuer="https://id.example", client_id=None), Provenance(issuer="http://x.test", client_id="c")],
)
def test_a_provider_that_tokens_do_not_name_must_be_named(origin: Provenance) -> None:
    assert provider_of(tokens(provenance=origin)) is None
    assert why_not(tokens(provenance=origin), None).endswith(", and that provider must be named")


def test_another_providers_tokens_in_auth_json_need_that_provider() -> None:
    """The format has no place for the endpoints, so that the provider must be named."""
    openid = Provider.openid("https://id.example", client_id="client-1")
    saved = Credentials(auth_mode="oauth", tokens=tokens(provider=openid))
    stored = parse(serialise(saved))
    assert stored.tokens is not None
    assert stored.tokens.provenance == OTHER
    assert why_not_from(stored, openid) == ""
    named = "they were issued by https://id.example (client client-1), and that provider must be named"
    # (The last has the issuer and the client of the tokens, and the endpoints of Codex's provider.)
    assert [why_not_from(stored, provider) for provider in (None, CHATGPT, MIRROR)] == [named] * 3
    other = Provider.openid("https://other.example", client_id="client-1")
    assert why_not_from(stored, other).endswith(", not by https://other.example (client client-1)")
    # Without a record, as it was written before.
    old = Credentials(auth_mode="oauth", tokens=tokens())
    assert why_not_from(old, openid) == ""
    unnamed = "they were issued by another provider than Codex's, and that provider must be named"
    assert [why_not_from(old, provider) for provider in (None, CHATGPT)] == [unnamed] * 2
    # A store that keeps the provider.
    assert why_not_from(saved, None) == ""


def test_a_login_replaces_only_what_its_own_provider_issued() -> None:
    stored = Credentials(tokens=tokens(provenance=OTHER))
    assert why_not_replace(None, stored) == ""
    assert why_not_replace(stored, stored) == ""
    assert why_not_replace(stored, None, MIRROR) == ""
    assert why_not_replace(stored, None) == ""
    assert why_not_replace(Credentials.from_api_key(Secret("sk")), stored) == ""
    problem = (
        "they hold a sign-in at https://id.example (client client-1), and this one is at "
        "https://auth.openai.com (client app_EMoamEEZ73f0CkXaXp7hrann): "
        "sign out there first, or use another home folder"
    )
    assert why_not_replace(stored, Credentials(tokens=tokens(provenance=CODEX))) == problem
    assert why_not_replace(stored, None, CHATGPT) == problem
    # The provider of a login with an API key.
    assert why_not_replace(stored, Credentials.from_api_key(Secret("sk")), CHATGPT) == problem


def test_a_refresh_records_the_provider_if_it_is_not_recorded() -> None:
    def refreshed(credentials: Credentials) -> Provenance | None:
        new = credentials.refreshed(RefreshedTokens(), received_at=0.0, provenance=CODEX)
        return new.tokens.provenance if new.tokens else None

    assert refreshed(Credentials(tokens=tokens())) == CODEX
    assert refreshed(Credentials(tokens=tokens(provenance=OTHER))) == OTHER

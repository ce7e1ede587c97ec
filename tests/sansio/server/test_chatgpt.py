"""Sign in with ChatGPT: the constants of OpenAI's documentation."""

from __future__ import annotations

import json

import pytest

from loginmachine.sansio import Provider
from loginmachine.sansio.model.provider_json import provider_members, read_provider


def test_the_documented_constants() -> None:
    provider = Provider.chatgpt(app_name="my_program")
    assert (provider.name, provider.issuer, provider.client_id) == ("chatgpt", "https://auth.openai.com", "")
    assert provider.scopes == (
        *("openid", "profile", "email", "offline_access", "resource.invoke", "chatgpt.tokens.use.direct"),
    )
    assert (provider.port, provider.callback_path) == (0, "/auth/callback")
    assert provider.id_token_signing_alg_values_supported == ("RS256",)
    assert provider.needs_discovery
    assert provider.uses_nonce
    dialect = provider.dialect
    assert (dialect.bootstrap_client_id, dialect.name_parameter) == ("dynamic_agent_client", "agent_name_hint")
    assert (dialect.host_parameter, dialect.resource) == ("ext_agent_host_id", ("https://api.openai.com/v1",))
    assert dialect.plan_scope == "chatgpt.tokens.use.direct"
    assert not dialect.stores_in_auth_json
    assert not dialect.revokes_replaced_tokens


@pytest.mark.parametrize("name", ["", "x" * 121, "two\nlines", "\u202ereversed"])
def test_a_name_that_a_person_cannot_read(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        Provider.chatgpt(app_name=name)


def test_the_bootstrap_client_is_never_stored() -> None:
    provider = Provider.chatgpt(app_name="my_program").__replace__(
        client_id="oaiapp_1", token_endpoint="https://id.example/t", authorization_endpoint="https://id.example/a"
    )
    members = provider_members(provider)
    assert "dynamic_agent_client" not in json.dumps(members)
    stored = read_provider(json.loads(json.dumps(members)))
    assert stored == provider.__replace__(dialect=provider.dialect.__replace__(bootstrap_client_id=None))

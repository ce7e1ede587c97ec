"""ID tokens that are not what they should be, keys that are out of reach, and metadata of others."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.demo.shared.answers import Answer

from .support import ADA, Computer, open_page, with_drivers

if TYPE_CHECKING:
    from loginmachine.demo.shared.signing import IdTokenFault

HOUR = 3600


def still_pending(computer: Computer) -> None:
    """Check that no account is signed in, and that the next sign-in uses the issued client."""
    (registration,) = computer.provider.registrations
    assert [account for account in computer.accounts() if account["signed_in"]] == []
    assert computer.call("token")[0] == 1
    assert computer.signed_in()["client_id"] == registration.client_id
    assert len(computer.provider.registrations) == 1


# cases 21 to 23
@pytest.mark.parametrize("fault", ["signature", "alg_none", "alg_hs256", "unknown_kid"])
def test_a_signature_that_is_not_the_providers(computer: Computer, fault: IdTokenFault) -> None:
    computer.provider.switches.id_token_fault = fault
    login = computer.login()
    assert (login.code, login.category) == (1, "id_token_invalid")
    computer.provider.switches.id_token_fault = None
    still_pending(computer)


# cases 27 to 35
@pytest.mark.parametrize(
    ("computer", "claims"),
    with_drivers(
        [
            {"iss": "https://auth.openai.com"},
            {"iss": None},
            {"aud": "dynamic_agent_client"},
            {"aud": ["dynamic_agent_client"]},
            {"aud": []},
            {"aud": None},
            {"aud": ["ISSUED", "oaiapp_another"]},
            {"azp": "oaiapp_another"},
            {"aud": ["ISSUED", "oaiapp_another"], "azp": "oaiapp_another"},
            {"exp": -HOUR},
            {"exp": None},
            {"iat": HOUR},
            {"iat": None},
            {"nonce": None},
            {"nonce": "that-of-another-attempt"},
            {"sub": ""},
            {"sub": 7},
            {"sub": None},
        ]
    ),
    indirect=["computer"],
)
def test_a_claim_that_is_wrong(computer: Computer, claims: dict[str, Any]) -> None:
    now = int(time.time())
    moved = {name: now + value if name in ("exp", "iat") and value else value for name, value in claims.items()}

    def browse(url: str) -> str:
        callback = ADA.callback(url)
        (registration,) = computer.provider.registrations
        given = moved.get("aud")
        if isinstance(given, list):
            moved["aud"] = [registration.client_id if value == "ISSUED" else value for value in given]
        computer.provider.switches.id_token_claims = moved
        return open_page(callback)

    login = computer.login(browse=browse)
    assert (login.code, login.category) == (1, "id_token_invalid")
    computer.provider.switches.id_token_claims = {}
    still_pending(computer)


def test_a_token_for_several_clients_that_names_ours(computer: Computer) -> None:
    def browse(url: str) -> str:
        callback = ADA.callback(url)
        client_id = computer.provider.registrations[0].client_id
        computer.provider.switches.id_token_claims = {"aud": [client_id, "oaiapp_another"], "azp": client_id}
        return open_page(callback)

    computer.signed_in(browse=browse)


# Keys


def test_the_key_comes_at_the_second_fetch(computer: Computer) -> None:  # case 24
    computer.provider.switches.key_sets_without_current = 1
    computer.signed_in()
    assert len(computer.provider.requests_to("jwks")) == 2


@pytest.mark.parametrize("answer", [Answer.json({}, status=503), Answer.html(), Answer.json({"keys": []})])
def test_keys_that_are_out_of_reach(computer: Computer, answer: Answer) -> None:  # cases 25 and 26
    computer.provider.switches.answers = {"jwks": answer}
    login = computer.login()
    assert (login.code, login.category) == (1, "keys_unavailable")
    computer.provider.switches.answers = {}
    still_pending(computer)


# Metadata


# cases 73 to 75
@pytest.mark.parametrize(
    ("computer", "metadata"),
    with_drivers(
        [
            {"issuer": "https://auth.openai.com"},
            {"token_endpoint": "http://127.0.0.1:1/api/accounts/oauth/token"},
            {"token_endpoint": "https://stranger.example/token"},
            {"authorization_endpoint": "https://stranger.example/authorize"},
            {"jwks_uri": "https://stranger.example/jwks"},
            {"revocation_endpoint": "https://stranger.example/revoke"},
            {"token_endpoint": None},
            {"jwks_uri": None},
        ]
    ),
    indirect=["computer"],
)
def test_metadata_of_a_stranger_are_refused(computer: Computer, metadata: dict[str, Any]) -> None:
    computer.provider.switches.metadata = metadata
    login = computer.login()
    assert (login.code, login.category, login.opened) == (1, "discovery_failed", [])


@pytest.mark.parametrize("answer", [Answer.json({}, status=503), Answer.dropped(), Answer.html()])
def test_metadata_that_are_out_of_reach(computer: Computer, answer: Answer) -> None:
    computer.provider.switches.answers = {"openid_configuration": answer}
    login = computer.login()
    assert (login.code, login.category, login.opened) == (1, "discovery_failed", [])
    computer.provider.switches.answers = {}
    computer.signed_in()

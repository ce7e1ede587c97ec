"""The id of this installation's host."""

from __future__ import annotations

import json

import pytest

from loginmachine import CredentialsError
from loginmachine.sansio.accounts.host import is_host_id, parse_host, serialise_host

UUID = "urn:uuid:5f0c2f9e-3c1b-4d8e-9a57-0d3b6f2e8c11"


@pytest.mark.parametrize(
    "text",
    [UUID, "urn:ietf:params:oauth:jwk-thumbprint:sha-256:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "did:key:z6Mk"],
)
def test_the_documented_forms(text: str) -> None:
    assert is_host_id(text)
    assert parse_host(serialise_host(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "ada@example.org", "did:web:example.org", "5f0c2f9e-3c1b-4d8e-9a57-0d3b6f2e8c11", None, 7),
        *(f"{UUID}\n", UUID.replace("-4d8e", "-1d8e"), "did:key:" + "z" * 600),
    ],
)
def test_no_other_form(text: object) -> None:
    assert not is_host_id(text)
    with pytest.raises(CredentialsError, match="host_id is not the id of a host"):
        parse_host(json.dumps({"host_id": text}).encode())


def test_a_file_that_is_no_object() -> None:
    with pytest.raises(CredentialsError, match="cannot be used"):
        parse_host(b"")


def test_other_members_are_kept() -> None:
    content = json.loads(serialise_host(UUID, previous={"note": "mine", "host_id": "old"}))
    assert (content["note"], content["host_id"]) == ("mine", UUID)

"""The challenges of a resource, as servers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginmachine.sansio.server.challenge import BearerChallenge, bearer_challenge

ADDRESS = "https://api.example/.well-known/oauth-protected-resource/mcp"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Bearer", BearerChallenge()),
        ("bearer", BearerChallenge()),
        ('Bearer realm="example"', BearerChallenge()),
        # The examples of RFC 6750 section 3 and RFC 9728 section 5.1.
        (
            'Bearer realm="example", error="invalid_token", error_description="The access token expired"',
            BearerChallenge(error="invalid_token"),
        ),
        (f'Bearer resource_metadata="{ADDRESS}"', BearerChallenge(resource_metadata=ADDRESS)),
        (
            f'Bearer error="insufficient_scope", scope="files:read files:write", resource_metadata="{ADDRESS}"',
            BearerChallenge(error="insufficient_scope", scope=("files:read", "files:write"), resource_metadata=ADDRESS),
        ),
        # Without quotes, with spaces around the equals sign, without commas, and with names in capitals.
        ("Bearer error=invalid_token,scope=a", BearerChallenge(error="invalid_token", scope=("a",))),
        ("Bearer error = invalid_token , scope = a", BearerChallenge(error="invalid_token", scope=("a",))),
        ("Bearer error=invalid_token scope=a", BearerChallenge(error="invalid_token", scope=("a",))),
        ('BEARER Error="invalid_token"', BearerChallenge(error="invalid_token")),
        # A quoted pair, and a comma and the name of a parameter within quotes.
        (r'Bearer error="a\"b\\c"', BearerChallenge(error='a"b\\c')),
        ('Bearer realm="a, scope=b", scope="c"', BearerChallenge(scope=("c",))),
        # The name of a parameter is the whole name.
        ('Bearer max_scope="a", scope="b"', BearerChallenge(scope=("b",))),
        # If a parameter is repeated, the first counts.
        ('Bearer scope="a", scope="b"', BearerChallenge(scope=("a",))),
        # Other challenges in the same field.
        ('Basic realm="x", Bearer scope="a"', BearerChallenge(scope=("a",))),
        ('Bearer scope="a", Basic realm="x"', BearerChallenge(scope=("a",))),
        ('Negotiate, Bearer scope="a"', BearerChallenge(scope=("a",))),
        ('Negotiate YWJj==, Bearer scope="a"', BearerChallenge(scope=("a",))),
        ('DPoP algs="ES256", scope="x", Bearer scope="a"', BearerChallenge(scope=("a",))),
        (' , Bearer  scope="a" ,, error="b"', BearerChallenge(scope=("a",), error="b")),
        # What cannot be read ends the field.
        ('Bearer scope="a", error="b', BearerChallenge(scope=("a",))),
        ('Bearer scope="a" é', BearerChallenge(scope=("a",))),
    ],
)
def test_a_challenge(field: str, expected: BearerChallenge) -> None:
    assert bearer_challenge([field]) == expected


@pytest.mark.parametrize(
    "field", ["", ",", 'Basic realm="Bearer scope=a"', "BearerToken", '"Bearer"', "=Bearer", "é Bearer", "Bearer\x00"]
)
def test_no_challenge(field: str) -> None:
    assert bearer_challenge([field]) is None


def test_several_fields() -> None:
    assert bearer_challenge([]) is None
    assert bearer_challenge(['Basic realm="x"', 'Bearer scope="a"']) == BearerChallenge(scope=("a",))


def test_a_field_without_end_is_read_in_part() -> None:
    long = "Bearer " + ", ".join(f"a{number}=1" for number in range(100_000)) + ', scope="a"'
    assert bearer_challenge([long]) == BearerChallenge()


@given(st.text())
def test_any_text_can_be_read(field: str) -> None:
    found = bearer_challenge([field])
    assert (found is not None) <= ("bearer" in field.lower())

"""The options of a sign-in, from what a resource wants."""

from __future__ import annotations

from typing import Any

import pytest

from loginmachine import LoginOptions, Provider
from loginmachine.mcp.wanted import options_for
from loginmachine.sansio.server.challenge import BearerChallenge

URL = "https://api.example/mcp"
MORE = {"error": "insufficient_scope"}


@pytest.mark.parametrize(
    ("chosen", "challenge", "granted", "expected"),
    [
        # The first sign-in: what the program has chosen, or what the challenge names, or nothing.
        ((), {}, None, ()),
        ((), {"scope": ("read",)}, None, ("read",)),
        (("mail",), {"scope": ("read",)}, None, ("mail",)),
        ((), {"scope": ("read",), "error": "invalid_token"}, ("read",), ("read",)),
        # More scopes than the token has. What was granted is asked for again.
        ((), {"scope": ("write",), **MORE}, ("read",), ("read", "write")),
        (("mail",), {"scope": ("write", "read"), **MORE}, ("read",), ("mail", "read", "write")),
        ((), {"scope": ("write",), **MORE}, (), ("write",)),
        # The token has them already. A sign-in would change nothing.
        ((), {"scope": ("read",), **MORE}, ("read", "write"), None),
        ((), {"scope": (), **MORE}, ("read",), None),
    ],
)
def test_the_scopes(
    chosen: tuple[str, ...],
    challenge: dict[str, Any],
    granted: tuple[str, ...] | None,
    expected: tuple[str, ...] | None,
) -> None:
    options = LoginOptions(provider=Provider.for_resource(URL, scopes=chosen))
    found = options_for(options, BearerChallenge(**challenge), granted)
    assert (None if found is None else found.requested_scopes) == expected


def test_the_options_come_before_the_provider() -> None:
    options = LoginOptions(provider=Provider.for_resource(URL, scopes=("a",)), scopes=("b",), deadline=5.0)
    found = options_for(options, BearerChallenge(scope=("c",)), None)
    assert found is not None
    assert (found.requested_scopes, found.deadline) == (("b",), 5.0)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (None, None),
        ("https://docs.example/resource", "https://docs.example/resource"),
        # These cannot be used. The usual addresses are tried.
        ("http://docs.example/resource", None),
        ("resource", None),
    ],
)
def test_the_address_of_the_metadata(address: str | None, expected: str | None) -> None:
    options = LoginOptions(provider=Provider.for_resource(URL))
    found = options_for(options, BearerChallenge(resource_metadata=address), None)
    assert found is not None
    assert found.provider.resource_metadata == expected

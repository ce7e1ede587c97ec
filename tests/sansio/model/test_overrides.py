"""The endpoints that the environment names for OpenAI's issuer."""

from __future__ import annotations

import pytest

from loginmachine.sansio import Provider
from loginmachine.sansio.model.overrides import EndpointOverrides

CHATGPT = Provider.codex()
OTHER = Provider.codex(issuer="https://login.example")
REFRESH, REVOKE = "CODEX_REFRESH_TOKEN_URL_OVERRIDE", "CODEX_REVOKE_TOKEN_URL_OVERRIDE"


@pytest.mark.parametrize("environment", [{}, {REFRESH: "", REVOKE: " "}, {"OTHER": "x"}])
def test_nothing_is_named(environment: dict[str, str]) -> None:
    overrides = EndpointOverrides.read(environment)
    assert overrides == EndpointOverrides()
    assert (overrides.for_login(CHATGPT), overrides.for_tokens(CHATGPT)) == (CHATGPT, CHATGPT)


@pytest.mark.parametrize(
    ("environment", "refresh", "revocation"),
    [
        ({REFRESH: "https://a.example/t"}, "https://a.example/t", "https://a.example/oauth/revoke"),
        ({REFRESH: "http://127.0.0.1:8080/a/t"}, "http://127.0.0.1:8080/a/t", "http://127.0.0.1:8080/oauth/revoke"),
        ({REFRESH: "http://[::1]:1/t"}, "http://[::1]:1/t", "http://[::1]:1/oauth/revoke"),
        ({REVOKE: "https://b.example/r"}, "https://auth.openai.com/oauth/token", "https://b.example/r"),
        ({REFRESH: "https://a.example/t", REVOKE: "https://b.example/r"}, "https://a.example/t", "https://b.example/r"),
    ],
)
def test_other_endpoints(environment: dict[str, str], refresh: str, revocation: str) -> None:
    overrides = EndpointOverrides.read(environment)
    changed = CHATGPT.__replace__(revocation_endpoint=revocation)
    assert overrides.for_login(CHATGPT) == changed
    assert overrides.for_tokens(CHATGPT) == changed.__replace__(token_endpoint=refresh)
    assert (overrides.for_login(OTHER), overrides.for_tokens(OTHER)) == (OTHER, OTHER)


@pytest.mark.parametrize("name", [REFRESH, REVOKE])
@pytest.mark.parametrize(
    "value",
    [
        *(
            "http://a.example/canary",
            "http://localhost.example/canary",
            "ftp://a.example/canary",
            "canary",
            "https:///canary",
        ),
        *("https://ada:canary@a.example/", "https://a.example/canary?x=1", "https://a.example/#canary"),
        *("https://a.example/can ary", "https://a.example/can\nary", "https://a.example:99999/canary"),
    ],
)
def test_an_endpoint_that_must_not_get_tokens(name: str, value: str) -> None:
    with pytest.raises(
        ValueError, match=f"^the environment variable {name} cannot be used: the provider's URL "
    ) as caught:
        EndpointOverrides.read({name: value})
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None

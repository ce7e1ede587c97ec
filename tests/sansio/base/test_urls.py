"""The URLs that may be opened, shown, or asked for tokens."""

from __future__ import annotations

import pytest

from loginmachine.sansio.base.urls import check_endpoint, check_provider_url, is_verification_url

GOOD_URLS = [
    "https://auth.openai.com",
    "https://auth.openai.com/",
    "https://auth.openai.com:8443/tenant-1/v2.0",
    "HTTPS://auth.openai.com",
    "https://10.0.0.1/",
    "https://[2001:db8::1]/",
    "http://127.0.0.1:9000",
    "http://localhost:8080/realms/dev",
    "http://[::1]:9000/path",
]
HOSTILE_URLS = [
    "",
    "auth.openai.com",
    "//auth.openai.com",
    "https:auth.openai.com",
    "https://",
    "https:///path",
    "https://:443/",
    "http://auth.openai.com",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.2",
    "http://localhost.evil.example",
    "http://0.0.0.0",
    "http://evil.example/127.0.0.1",
    "ftp://auth.openai.com",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "data:text/html,x",
    "ms-settings://x",
    "https://user@auth.openai.com",
    "https://user:canary@auth.openai.com",
    "https://@auth.openai.com",
    "https://auth.openai.com@evil.example",
    "https://auth.openai.com?x=canary",
    "https://auth.openai.com/?",
    "https://auth.openai.com#canary",
    "https://auth.openai.com/#",
    "https://auth.openai.com:99999",
    "https://auth.openai.com:port",
    "https://[::1",
    "https://[x]/",
    "https://auth.openai.com/a b",
    " https://auth.openai.com",
    "https://auth.openai.com\n",
    "https://auth.openai.com/\x00",
    "https://auth.openai.com/\t",
    "https://auth.openai.com/\x7f",
    "https://auth.\u043epenai.com",
    "https://auth.openai.com/\u202e",
    *(f"https://auth.openai.com/{character}calc" for character in "\"'`\\^|<>"),
]


@pytest.mark.parametrize("url", GOOD_URLS)
def test_urls_that_may_be_opened(url: str) -> None:
    check_provider_url(url)


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_urls_that_may_not_be_opened(url: str) -> None:
    with pytest.raises(ValueError, match=r"^the provider's URL ") as caught:
        check_provider_url(url)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("url", [*GOOD_URLS, "https://id.example/device?user_code=WDJB-MJHT"])
def test_addresses_that_may_be_shown(url: str) -> None:
    assert is_verification_url(url)


@pytest.mark.parametrize(
    "url", [*(url for url in HOSTILE_URLS if "?" not in url), None, 5, ["https://id.example"], f"https://{'a' * 2041}"]
)
def test_addresses_that_may_not_be_shown(url: object) -> None:
    assert not is_verification_url(url)


def test_an_endpoint_may_have_a_query() -> None:
    """RFC 6749 sections 3.1 and 3.2. Azure AD B2C has its policy there."""
    check_endpoint("https://id.example/token?p=b2c_1_signin")
    with pytest.raises(ValueError, match="user name or a fragment"):
        check_endpoint("https://user:canary@id.example/token")

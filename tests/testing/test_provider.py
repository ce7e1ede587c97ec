"""The provider on loopback, and the browser that signs in there."""

from __future__ import annotations

import pytest
import trio

from loginmachine import Credentials, LoginFailed, LoginMethod, LoginSuccess, MemoryStore, open_login, start_login
from loginmachine.demo.browser import BrowsingError
from loginmachine.drivers.system import browser as system_browser
from loginmachine.testing import Browser, FakeProvider


def sign_in(provider: FakeProvider) -> tuple[Credentials, str | None]:
    """Sign in with the browser of the machine. Return the credentials and the person's address."""
    with start_login(provider.options(), store=MemoryStore()) as login:
        credentials = login.wait()
        assert isinstance(login.outcome, LoginSuccess)
        return credentials, login.outcome.account.email


def failure_of(provider: FakeProvider) -> str:
    with pytest.raises(LoginFailed) as caught:
        sign_in(provider)
    return caught.value.category


def test_a_login_that_opens_the_browser() -> None:
    with FakeProvider() as provider, Browser(email="grace@example.com") as browser:
        credentials, email = sign_in(provider)
        assert email == "grace@example.com"
        assert credentials.tokens is not None
        assert provider.is_active(credentials.tokens.access_token.reveal())
        provider.end_sign_ins()
        assert not provider.is_active(credentials.tokens.access_token.reveal())
    assert browser.headings == ["You are signed in"]
    assert (len(browser.opened), browser.problems) == (1, [])
    assert system_browser.opener is None


def test_a_person_who_refuses() -> None:
    with FakeProvider() as provider, Browser(refuses=True):
        assert failure_of(provider) == "provider_callback_error"


def test_a_browser_that_the_test_moves() -> None:
    with FakeProvider() as provider:
        options = provider.options(open_browser=False)
        with start_login(options, store=MemoryStore()) as login:
            assert Browser().sign_in(login.auth_url) == "You are signed in"
            login.wait()


def test_trio() -> None:
    async def main(provider: FakeProvider) -> None:
        async with open_login(provider.options(), store=MemoryStore()) as login:
            await login.wait()

    with FakeProvider() as provider, Browser() as browser:
        trio.run(main, provider)
    assert browser.headings == ["You are signed in"]


def test_a_device_code() -> None:
    with FakeProvider() as provider:
        provider.switches.device_interval = 1
        options = provider.options()
        with start_login(options, store=MemoryStore(), method=LoginMethod.DEVICE_CODE) as login:
            Browser().enter(login.device_code)
            assert login.wait().tokens is not None


def test_switches() -> None:
    with FakeProvider() as provider, Browser():
        provider.switches.id_token_fault = "signature"
        assert failure_of(provider) == "id_token_invalid"
        provider.switches.id_token_fault = None
        provider.switches.refresh_tokens = "never"
        credentials, _ = sign_in(provider)
        assert credentials.tokens is not None
        assert credentials.tokens.refresh_token is None


def test_many_at_once() -> None:
    with FakeProvider() as one, FakeProvider(path="/realms/two") as two:
        assert one.issuer != two.issuer
        assert two.provider(scopes=("openid",)).issuer == two.issuer
        assert two.provider(scopes=("openid",)).scopes == ("openid",)


def test_a_page_without_a_form() -> None:
    with FakeProvider() as provider, pytest.raises(BrowsingError):
        Browser().sign_in(f"{provider.issuer}/nothing")


def test_a_browser_that_cannot_open_the_page() -> None:
    with Browser() as browser:
        assert system_browser.open_url("https://id.example/authorize", None) is None  # type: ignore[arg-type]
    assert browser.problems == ["a page leads away from this computer"]
    assert browser.headings == []

"""Addresses that are pasted while the listener waits, with each driver."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
import trio

from loginmachine import (
    LoginFailed,
    LoginMachine,
    LoginMethod,
    MemoryStore,
    asyncio_open_login,
    open_login,
    start_login,
)
from loginmachine.sansio.login.events import RequestReceived
from loginmachine.sansio.login.progress import PasteRefused

from ..support import CANARIES, CODE, PATIENCE, Browser, Progress
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all
from ..trio.support import run as run_trio
from .without_browser_support import DRIVERS, DeviceCodes, Person, sign_in

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

    from loginmachine.sansio.login.actions import Action
    from loginmachine.sansio.login.events import Event

    from ..conftest import ScriptedProvider

LISTENED = ["binding", "listening"]
DONE = ["exchanging_code", "exchanging_api_key", "saving_credentials", "succeeded"]


def address(person: Person, query: str | None = None) -> str:
    """Return the address on which the person's browser ends."""
    assert person.auth_url is not None
    browser = Browser(person.auth_url)
    return f"http://127.0.0.1:{browser.port}{browser.target(query)}"


@pytest.mark.parametrize("driver", DRIVERS)
def test_wrong_old_and_right_addresses(driver: str, provider: ScriptedProvider, progress: Progress) -> None:
    def act(person: Person) -> None:
        assert person.auth_url is not None
        wrong = (
            "what is this?",
            person.auth_url,
            "http://192.0.2.1:1455/auth/callback",
            address(person, "code=c&state=an-old-state-an-old-state-an-old-state-an-old-state"),
            address(person)[:-5],
        )
        for count, text in enumerate(wrong, 1):
            person.paste(text)
            progress.wait_for("paste_refused", count)
        person.paste(f" {address(person)}\n")

    ended = sign_in(driver, provider.options(), on_progress=progress, act=act)
    assert ended.trouble is None
    assert ended.credentials is not None
    assert progress.names == [*LISTENED, *["paste_refused"] * 5, "paste_accepted", *DONE]
    refusals = [phase.problem for phase in progress.phases if isinstance(phase, PasteRefused)]
    assert refusals == ["not_an_address", "authorization_request", "other_address", "other_sign_in", "incomplete"]
    assert dict(provider.forms[0])["code"] == CODE
    assert not [canary for canary in CANARIES if canary in repr(progress.phases)]


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_refusal_that_is_pasted(driver: str, provider: ScriptedProvider, progress: Progress) -> None:
    ended = sign_in(
        driver,
        provider.options(),
        on_progress=progress,
        act=lambda person: person.paste(address(person, "error=access_denied&state={state}")),
    )
    assert isinstance(ended.trouble, LoginFailed)
    assert ended.trouble.category == "provider_callback_error"
    assert provider.forms == []


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(
    "shape", ["It ended here: [{}]({}).", "\u201c{}\u201d\u200b", "<a href='{}'>", "curl '{}' and that is all"]
)
def test_an_address_of_a_tunnel_with_something_around_it(driver: str, shape: str, provider: ScriptedProvider) -> None:
    def act(person: Person) -> None:
        tunnel = f"https://name.tunnel.example/auth/callback?{address(person).partition('?')[2]}"
        person.paste(shape.format(tunnel.replace("&", "&amp;"), tunnel))

    ended = sign_in(driver, provider.options(), on_progress=Progress(), act=act)
    assert ended.trouble is None
    assert dict(provider.forms[0])["code"] == CODE


@pytest.mark.parametrize("driver", DRIVERS)
def test_pasting_and_the_callback_at_once(
    driver: str, provider: ScriptedProvider, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.hold()
    statuses: list[int] = []
    has_come = threading.Event()
    handle = LoginMachine.handle

    def watched(machine: LoginMachine, event: Event) -> list[Action]:
        done = handle(machine, event)
        if isinstance(event, RequestReceived):
            has_come.set()
        return done

    monkeypatch.setattr(LoginMachine, "handle", watched)

    def act(person: Person) -> None:
        assert person.auth_url is not None
        browser = Browser(person.auth_url)
        tab = threading.Thread(target=lambda: statuses.append(browser.callback().status))
        tab.start()
        person.paste(address(person))
        assert provider.asked.wait(PATIENCE)
        # Late, again, and another one.
        person.paste(address(person))
        person.paste(address(person, "code=other&state={state}"))
        progress.wait_for("paste_refused")
        assert has_come.wait(PATIENCE)
        provider.released.set()
        tab.join(PATIENCE)
        browser.follow()

    ended = sign_in(driver, provider.options(), on_progress=progress, act=act)
    assert ended.trouble is None
    assert statuses == [302]
    assert [dict(form)["grant_type"] for form in provider.forms].count("authorization_code") == 1
    assert [phase.problem for phase in progress.phases if isinstance(phase, PasteRefused)] == ["already_answered"]


def test_pasting_after_the_end_does_nothing(provider: ScriptedProvider) -> None:
    with start_login(provider.options(), store=MemoryStore()) as login:
        right = address(Person(login.paste, login.cancel, auth_url=login.auth_url))
        login.cancel()
        with pytest.raises(LoginFailed):
            login.wait(PATIENCE)
        login.paste(right)
    login.paste(right)
    assert provider.forms == []


def test_pasting_after_the_end_does_nothing_in_trio(provider: ScriptedProvider) -> None:
    async def program() -> None:
        async with open_login(provider.options(), store=MemoryStore()) as login:
            right = address(Person(login.paste, login.cancel, auth_url=login.auth_url))
            login.cancel()
            with pytest.raises(LoginFailed):
                await login.wait()
            login.paste(right)
        login.paste(right)

    run_trio(program)
    assert provider.forms == []


def test_pasting_after_the_end_does_nothing_in_asyncio(provider: ScriptedProvider) -> None:
    async def program() -> None:
        async with asyncio_open_login(provider.options(), store=MemoryStore()) as login:
            right = address(Person(login.paste, login.cancel, auth_url=login.auth_url))
            login.cancel()
            with pytest.raises(LoginFailed):
                await login.wait()
            login.paste(right)
        login.paste(right)

    asyncio.run(program())
    assert provider.forms == []


def test_pasting_before_the_login_is_entered(provider: ScriptedProvider) -> None:
    login = start_login(provider.options(), store=MemoryStore())
    with pytest.raises(RuntimeError, match="is not running"):
        login.paste("x")


@pytest.mark.parametrize("driver", DRIVERS)
def test_pasting_in_a_login_with_a_device_code(
    driver: str, provider: ScriptedProvider, identity_server: HTTPServer
) -> None:
    DeviceCodes(identity_server)
    options, code = provider.options(), LoginMethod.DEVICE_CODE
    expected = r"^this login has a device code, and no callback address$"
    if driver == "threads":
        with (
            start_login(options, store=MemoryStore(), method=code) as login,
            pytest.raises(RuntimeError, match=expected),
        ):
            login.paste("x")
        return

    async def program(sign_in: Any) -> None:
        async with sign_in(options, store=MemoryStore(), method=code) as login:
            with pytest.raises(RuntimeError, match=expected):
                login.paste("x")

    if driver == "trio":
        trio.run(program, open_login)
    else:
        asyncio.run(program(asyncio_open_login))

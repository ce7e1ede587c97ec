"""What a program does during a played login is answered by the machine, as in a real login."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
import trio

from loginmachine import (
    AsyncioLogin,
    Credentials,
    LoginCancelled,
    LoginFailed,
    LoginOptions,
    LoginTimedOut,
    MemoryStore,
    Provider,
    StoreError,
    ThreadedLogin,
    TrioLogin,
    asyncio_open_login,
    open_login,
    progress,
    start_login,
)
from loginmachine.testing import played, playing, steps

if TYPE_CHECKING:
    from loginmachine.sansio.login.progress import LoginPhase

CODEX = LoginOptions(provider=Provider.codex(), port=0)


def pasted_address(port: int, code: str = "pasted-code", state: str = "played-state") -> str:
    return f"http://127.0.0.1:{port}/auth/callback?code={code}&state={state}"


# The login objects


def test_it_is_the_login_object_of_its_driver() -> None:
    assert isinstance(played(), ThreadedLogin)
    assert isinstance(played(driver="trio"), TrioLogin)
    assert isinstance(played(driver="asyncio"), AsyncioLogin)


def test_the_address_and_the_port() -> None:
    with played("waiting", options=CODEX) as login:
        assert login.port == 50000
        assert login.auth_url.startswith("https://auth.openai.com/oauth/authorize?response_type=code&")
        assert "state=played-state" in login.auth_url
        with pytest.raises(RuntimeError, match="has no device code"):
            _ = login.device_code
    with pytest.raises(RuntimeError, match="use it in a with statement"):
        played().wait()


def test_a_login_is_the_same_in_each_run() -> None:
    urls = set()
    for _ in range(2):
        with played() as login:
            login.wait()
            urls.add((login.auth_url, tuple(request.url for request in login.requests), login.responses[-1].body))
    assert len(urls) == 1


def test_the_browser_is_shown_the_last_page() -> None:
    with played() as login:
        login.wait()
    assert [response.status for response in login.responses] == [302, 200]
    assert b"You are signed in" in login.responses[-1].body


def test_a_block_that_is_left_cancels_the_login() -> None:
    store = MemoryStore()
    with played("waiting", store=store) as login:
        pass
    assert store.credentials is None
    with pytest.raises(LoginCancelled):
        login.wait()


def test_a_login_is_entered_once() -> None:
    with played() as login:
        login.wait()
    with pytest.raises(RuntimeError, match="entered only once"), login:
        pass


# Cancelling


def test_the_program_cancels_from_its_observer() -> None:
    def cancel(phase: LoginPhase) -> None:
        if isinstance(phase, progress.ExchangingCode):
            login.cancel("the button")

    store = MemoryStore()
    login = played(on_progress=cancel, store=store)
    with login, pytest.raises(LoginCancelled, match="the button") as caught:
        login.wait()
    assert caught.value.step == "exchange_token"
    assert store.credentials is None


def test_it_is_too_late_to_cancel_while_the_credentials_are_stored() -> None:
    def cancel(phase: LoginPhase) -> None:
        if isinstance(phase, progress.SavingCredentials):
            login.cancel()

    store = MemoryStore()
    login = played(on_progress=cancel, store=store)
    with login:
        assert login.wait() is store.credentials


def test_another_thread_cancels_while_the_program_waits() -> None:
    with played("waiting") as login:
        thread = threading.Thread(target=login.canceller().cancel)
        thread.start()
        with pytest.raises(LoginCancelled):
            login.wait()
        thread.join()


def test_a_program_that_does_nothing_in_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loginmachine.testing.logins.threaded.PATIENCE", 0.01)
    with played("waiting") as login, pytest.raises(AssertionError, match="neither cancelled nor pasted anything"):
        login.wait()


def test_a_program_of_asyncio_that_does_nothing_in_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with played("waiting", driver="asyncio") as login:
            await login.wait()

    monkeypatch.setattr("loginmachine.testing.logins.asyncio.PATIENCE", 0.01)
    with pytest.raises(AssertionError, match="neither cancelled nor pasted anything"):
        asyncio.run(main())


def test_a_task_cancels() -> None:
    async def main() -> None:
        async with played("waiting", driver="trio") as login, trio.open_nursery() as nursery:
            nursery.start_soon(press, login)
            with pytest.raises(LoginCancelled):
                await login.wait()

    async def press(login: TrioLogin) -> None:
        login.cancel()

    trio.run(main)


def test_a_task_of_asyncio_cancels() -> None:
    async def main() -> None:
        async with played("waiting", driver="asyncio") as login, asyncio.TaskGroup() as tasks:
            tasks.create_task(press(login))
            with pytest.raises(LoginCancelled):
                await login.wait()

    async def press(login: AsyncioLogin) -> None:
        login.canceller().cancel()

    asyncio.run(main())


def test_a_time_limit_of_asyncio_ends_a_played_login() -> None:
    async def main() -> None:
        async with asyncio.timeout(0), played("waiting", driver="asyncio") as login:
            await login.wait()

    with pytest.raises(TimeoutError):
        asyncio.run(main())


def test_a_cancelled_scope_ends_a_played_login() -> None:
    async def main() -> bool:
        with trio.CancelScope() as scope:
            async with played("waiting", driver="trio") as login:
                scope.cancel()
                await login.wait()
        return scope.cancelled_caught

    assert trio.run(main)


# Pasting


def test_the_program_pastes_a_wrong_address_and_the_right_one() -> None:
    with played("waiting") as login:
        login.paste("https://id.example/authorize?response_type=code")
        with pytest.raises(TimeoutError):
            login.wait(timeout=0.001)
        login.paste(pasted_address(login.port))
        login.wait()
    names = [phase.name for phase in login.progress]
    assert names.index("paste_refused") < names.index("paste_accepted") < names.index("succeeded")
    assert dict(login.requests[0].form)["code"] == "pasted-code"


def test_a_task_pastes() -> None:
    async def main() -> Credentials:
        async with played("waiting", driver="trio") as login:
            login.paste(pasted_address(login.port))
            return await login.wait()

    assert trio.run(main).tokens is not None


# Time


def test_time_passes_without_taking_time() -> None:
    with played([steps.time_passes(90), steps.callback()]) as login:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                login.wait(timeout=25)
        login.wait(timeout=25)


def test_nobody_comes() -> None:
    with played([]) as login:
        with pytest.raises(TimeoutError):
            login.wait(timeout=599)
        with pytest.raises(LoginTimedOut):
            login.wait(timeout=2)


def test_the_deadline_passes_on_the_way() -> None:
    with played([steps.time_passes(700), steps.callback()]) as login, pytest.raises(LoginTimedOut):
        login.wait()


def test_a_provider_that_takes_too_long() -> None:
    with played([steps.callback(), steps.time_passes(31)]) as login, pytest.raises(LoginFailed) as caught:
        login.wait()
    assert caught.value.category == "token_exchange_timeout"


def test_a_provider_that_takes_long() -> None:
    with played([steps.callback(), steps.time_passes(29)]) as login:
        login.wait()


def test_more_steps_are_added_later() -> None:
    with played([steps.wait_for_program()]) as login:
        login.play(steps.callback())
        login.paste(pasted_address(login.port))
        login.wait()


# The store and the observer


def test_the_programs_store_fails() -> None:
    class Full(MemoryStore):
        def save(self, credentials: Credentials) -> Credentials | None:
            del credentials
            raise StoreError("the disk is full")

    with played(store=Full()) as login, pytest.raises(LoginFailed, match="the disk is full") as caught:
        login.wait()
    assert caught.value.category == "persist_failed"


def test_replaced_tokens_are_revoked() -> None:
    store = MemoryStore()
    for source in ("succeeded", [steps.callback(), steps.tokens(refresh_token="another")]):
        with played(source, store=store, options=CODEX) as login:
            login.wait()
    assert [request.url for request in login.revoked] == ["https://auth.openai.com/oauth/revoke"]


def test_an_observer_that_raises_does_no_harm() -> None:
    def fail(_: LoginPhase) -> None:
        raise KeyError

    with played(on_progress=fail) as login:
        login.wait()


def test_an_observer_that_exits() -> None:
    def leave(phase: LoginPhase) -> None:
        if isinstance(phase, progress.CallbackReceived):
            raise SystemExit(3)

    with pytest.raises(SystemExit), played(on_progress=leave) as login:
        login.wait()


def test_an_observer_that_waits_for_the_login() -> None:
    def wait(phase: LoginPhase) -> None:
        if isinstance(phase, progress.CallbackReceived):
            with pytest.raises(RuntimeError, match="waits for the function that waits for it"):
                login.wait()
            seen.append(phase)

    seen: list[LoginPhase] = []
    login = played(on_progress=wait)
    with login:
        login.wait()
    assert len(seen) == 1


# Logins that the program starts


def sign_in(attempts: int = 3) -> tuple[list[str], Credentials | None]:
    """A program that tries again, and that knows nothing of this kit."""
    shown: list[str] = []
    for _ in range(attempts):
        try:
            with start_login(CODEX, store=MemoryStore()) as login:
                return shown, login.wait()
        except LoginFailed as failed:
            shown.append(failed.failure.title)
    return shown, None


def test_a_program_that_tries_again() -> None:
    with playing("token_endpoint_rejected", "provider_callback_error", "succeeded") as stage:
        shown, credentials = sign_in()
    assert shown == ["The token endpoint refused the sign-in", "The provider did not sign you in"]
    assert credentials is not None
    assert len(stage.logins) == 3
    assert isinstance(stage.login.progress[-1], progress.Succeeded)


def test_a_program_that_starts_too_many() -> None:
    with playing("token_endpoint_rejected"), pytest.raises(AssertionError, match=r"more than 1 login\(s\)"):
        sign_in()


def test_a_program_that_starts_none() -> None:
    with playing("succeeded") as stage, pytest.raises(AssertionError, match="has started no login"):
        _ = stage.login


def test_a_program_with_trio() -> None:
    async def main() -> Credentials:
        async with open_login(CODEX, store=MemoryStore()) as login:
            return await login.wait()

    with playing("succeeded"):
        assert trio.run(main).api_key is not None


def test_a_program_with_asyncio() -> None:
    async def main() -> Credentials:
        async with asyncio_open_login(CODEX, store=MemoryStore()) as login:
            return await login.wait()

    with playing("succeeded"):
        assert asyncio.run(main()).api_key is not None


def test_afterwards_logins_are_real() -> None:
    with pytest.raises(KeyError), playing():
        raise KeyError
    assert type(start_login(CODEX, store=MemoryStore())) is ThreadedLogin
    assert type(open_login(CODEX, store=MemoryStore())) is TrioLogin

"""`check_driver` names the property that a wrong driver lacks, and our own drivers have them all."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import pickle
import re
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trio

from loginmachine import LoginFailed, MemoryStore, asyncio_open_login, open_login, progress, start_login
from loginmachine.sansio.login import events
from loginmachine.testing import DriverCheckFailed, SignIn, check_driver
from loginmachine.testing.drivers.properties import PROPERTIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine import Credentials, CredentialStore, LoginOptions, ThreadedLogin
    from loginmachine.sansio.login.progress import LoginPhase

    Observe = Callable[[LoginPhase], None]
    OnStart = Callable[[Callable[[], object]], None]

ROOT = Path(__file__).parents[3]
NAMES = [each.__name__ for each in PROPERTIES]


# Our own drivers


def in_threads(
    options: LoginOptions, *, store: CredentialStore, on_progress: Observe, on_start: OnStart
) -> Credentials:
    with start_login(options, store=store, on_progress=on_progress) as login:
        on_start(login.cancel)
        return login.wait()


def in_trio(options: LoginOptions, *, store: CredentialStore, on_progress: Observe, on_start: OnStart) -> Credentials:
    async def main() -> Credentials:
        async with open_login(options, store=store, on_progress=on_progress) as login:
            on_start(login.canceller().cancel)
            return await login.wait()

    return trio.run(main)


def in_asyncio(
    options: LoginOptions, *, store: CredentialStore, on_progress: Observe, on_start: OnStart
) -> Credentials:
    async def main() -> Credentials:
        async with asyncio_open_login(options, store=store, on_progress=on_progress) as login:
            on_start(login.canceller().cancel)
            return await login.wait()

    return asyncio.run(main())


def blocking(options: LoginOptions, *, store: CredentialStore, on_progress: Observe, on_start: OnStart) -> Credentials:
    """The example of a driver, with its own place for an observer."""
    spec = importlib.util.spec_from_file_location("blocking_driver", ROOT / "examples" / "blocking_driver.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    login: Any = module.BlockingLogin(options, store)
    perform = login.perform

    def watch(action: Any) -> None:
        if type(action).__name__ == "ReportProgress":
            with contextlib.suppress(LookupError):
                on_progress(action.phase)
        perform(action)

    login.perform = watch
    on_start(lambda: login.inbox.append(events.CancelRequested()))
    credentials: Credentials = login.run()
    return credentials


@pytest.mark.parametrize("sign_in", [in_threads, in_trio, in_asyncio, blocking])
def test_a_driver_of_ours(sign_in: SignIn) -> None:
    check_driver(sign_in)


# Wrong drivers


def observer(how: str, on_progress: Observe, cancel: Callable[[], object]) -> Observe:
    """What a wrong driver does with an observer."""

    def observe(phase: LoginPhase) -> None:
        if how == "reports less" and isinstance(phase, progress.ExchangingCode):
            return
        try:
            on_progress(phase)
        except LookupError:
            if how == "fails with its observer":
                cancel()

    return observe


def wrong(
    options: LoginOptions, *, store: CredentialStore, on_progress: Observe, on_start: OnStart, how: str
) -> Credentials:
    """The threaded driver with one fault."""
    deadline = None if how == "ignores the deadline" else options.deadline
    port = 0 if how == "ignores the port" else options.port
    store = MemoryStore() if how == "stores nothing" else store

    def cancel() -> None:
        login.cancel()

    options = options.__replace__(deadline=deadline, port=port)
    login = start_login(options, store=store, on_progress=observer(how, on_progress, cancel))
    begun.append(login)
    try:
        with login:
            on_start((lambda: None) if how == "ignores cancel" else login.cancel)
            return login.wait()
    except LoginFailed:
        if how == "hides failures":
            return None  # type: ignore[return-value]
        raise
    finally:
        if how == "keeps its port open":
            left.append(socket.create_server(("127.0.0.1", login.port)))


begun: list[ThreadedLogin] = []
left: list[socket.socket] = []
WRONG = {
    "stores nothing": "a_login_succeeds",
    "keeps its port open": "a_login_succeeds",
    "reports less": "phases_are_reported_in_order",
    "hides failures": "a_refusal_ends_the_login",
    "ignores cancel": "the_program_cancels",
    "ignores the deadline": "the_deadline_passes",
    "ignores the port": "a_port_that_is_taken_is_a_failure",
    "fails with its observer": "an_observer_that_raises_changes_nothing",
}
"""Each fault with the property that it breaks."""


def only(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Test one property only: those before it take their time."""
    chosen = tuple(each for each in PROPERTIES if each.__name__ == name)
    monkeypatch.setattr("loginmachine.testing.drivers.check.PROPERTIES", chosen)


@pytest.mark.parametrize(("how", "name"), WRONG.items())
def test_a_wrong_driver(how: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    only(name, monkeypatch)
    # A fault that is found by waiting needs no long wait.
    patience = 1.0 if how.startswith("ignores") else 30.0
    with pytest.raises(DriverCheckFailed) as caught:
        check_driver(partial(wrong, how=how), patience=patience)
    while begun:
        begun.pop().cancel()
    while left:
        left.pop().close()
    assert caught.value.property == name
    assert str(caught.value).startswith(f"{name}: ")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_driver_that_crashes(monkeypatch: pytest.MonkeyPatch) -> None:
    only("a_login_succeeds", monkeypatch)

    def crash(options: LoginOptions, **arguments: Any) -> Credentials:
        raise ZeroDivisionError(options, arguments)

    with pytest.raises(DriverCheckFailed, match="no port was opened") as caught:
        check_driver(crash)
    assert caught.value.property == "a_login_succeeds"


def test_the_page_lists_the_properties() -> None:
    page = (ROOT / "docs" / "writing-a-driver.md").read_text(encoding="utf-8")
    assert [row for row in re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) if row in NAMES] == NAMES

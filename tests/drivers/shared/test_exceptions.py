"""Exceptions that are no `Exception`, from a program's store, observer or recorder: the same with each driver.

`SystemExit`, `KeyboardInterrupt`, `asyncio.CancelledError`, and what `pytest.fail` raises.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest
import trio

from loginmachine import (
    Credentials,
    LoginFailed,
    LoginSuccess,
    MemoryStore,
    StoreError,
    asyncio_open_login,
    open_login,
    start_login,
)
from loginmachine.drivers.error_report import report

from ..support import CANARIES, PATIENCE, REFRESH_TOKEN, Browser
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all
from .session_drivers import DRIVER_IDS, SESSION_DRIVERS, Do, Start, Until
from .session_support import mark_of
from .test_session import FaultyStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loginmachine import AsyncioLogin, LoginOptions, ThreadedLogin, TrioLogin
    from loginmachine.sansio.login.progress import LoginPhase

    from ..conftest import ScriptedProvider
    from .session_support import TokenEndpoint

KINDS = [SystemExit, KeyboardInterrupt, asyncio.CancelledError, pytest.fail.Exception, GeneratorExit]
PHASES = ["binding", "listening", "exchanging_code", "exchanging_api_key", "saving_credentials", "succeeded"]


class _Program:
    """A program with one login: what it gives to the driver, and how its block ends."""

    def __init__(self, options: LoginOptions, **arguments: Any) -> None:
        self.login: ThreadedLogin | TrioLogin | AsyncioLogin | None = None
        self.waited: BaseException | None = None
        """What `wait` raised."""
        self.raised: BaseException | None = None
        """What the block raised."""
        self._options = options
        self._observe: Callable[[LoginPhase], None] = arguments.pop("on_progress", lambda _: None)
        self._arguments = arguments
        self._people: list[threading.Thread] = []

    def _on_progress(self, phase: LoginPhase) -> None:
        if phase.name == "listening":
            browser = Browser(getattr(phase, "url"))  # noqa: B009 - other phases have none
            self._people.append(threading.Thread(target=self._visit, args=(browser,)))
            self._people[0].start()
        self._observe(phase)

    def _visit(self, browser: Browser) -> None:
        # The login may have ended by now.
        with contextlib.suppress(OSError, LookupError):
            page = browser.callback()
            if page.status == 302:
                browser.request(page.headers["location"])

    def run(self, driver: str, *, waits: bool = True) -> None:
        """Run the program to its end."""
        try:
            if driver == "threads":
                self._run_in_threads(waits=waits)
            elif driver == "trio":
                trio.run(self._run_in_loop, open_login, waits)
            else:
                asyncio.run(self._run_in_loop(asyncio_open_login, waits))
        except BaseException as raised:  # noqa: BLE001 - to be compared
            self.raised = raised
        for person in self._people:
            person.join(PATIENCE)

    def _run_in_threads(self, *, waits: bool) -> None:
        with start_login(self._options, on_progress=self._on_progress, **self._arguments) as self.login:
            if waits:
                try:
                    self.login.wait()
                except BaseException as waited:
                    self.waited = waited
                    raise
            else:
                self.login._owner.finished.wait(PATIENCE)

    async def _run_in_loop(self, sign_in: Any, waits: bool) -> None:  # noqa: FBT001 - trio.run has no keywords
        async with sign_in(self._options, on_progress=self._on_progress, **self._arguments) as login:
            self.login = login
            if waits:
                try:
                    await login.wait()
                except BaseException as waited:
                    self.waited = waited
                    raise
            else:
                await login._owner.finished.wait()

    @property
    def outcome(self) -> Any:
        assert self.login is not None
        return self.login.outcome


each_driver = pytest.mark.parametrize("driver", ["threads", "trio", "asyncio"])


class _Raising:
    """A store that raises an exception."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def save(self, _: Credentials) -> None:
        raise self._error


@each_driver
@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_raises(provider: ScriptedProvider, driver: str, kind: type[BaseException]) -> None:
    error = kind("canary")
    program = _Program(provider.options(), store=_Raising(error))
    program.run(driver)
    assert type(program.raised) is LoginFailed
    assert program.raised.category == "persist_failed"
    assert program.raised.message == f"the store raised {kind.__name__}"
    assert program.raised.__cause__ is error


@each_driver
@pytest.mark.parametrize("error", [ValueError("canary"), StoreError("the disk is full")])
def test_an_ordinary_exception_of_a_store_is_no_cause(
    provider: ScriptedProvider, driver: str, error: Exception
) -> None:
    # Its text, and the values in its frames, may hold the credentials.
    program = _Program(provider.options(), store=_Raising(error))
    program.run(driver)
    assert isinstance(program.raised, LoginFailed)
    assert program.raised.__cause__ is None


@each_driver
@pytest.mark.parametrize("waits", [True, False], ids=["waits", "does not wait"])
@pytest.mark.parametrize("phase", PHASES)
def test_an_observer_that_raises(
    provider: ScriptedProvider,
    driver: str,
    phase: str,
    waits: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    error = SystemExit("enough")

    def observe(seen: LoginPhase) -> None:
        if seen.name == phase:
            raise error

    store = MemoryStore()
    program = _Program(provider.options(), store=store, on_progress=observe)
    program.run(driver, waits=waits)
    assert program.raised is error
    if phase == "binding":
        # The block was not entered.
        assert program.waited is None
        return
    assert program.waited is (error if waits else None)
    is_stored = phase in ("saving_credentials", "succeeded")
    assert isinstance(program.outcome, LoginSuccess) == is_stored
    assert (store.credentials is not None) == is_stored


@each_driver
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_passes_on(provider: ScriptedProvider, driver: str, kind: type[BaseException]) -> None:
    def observe(phase: LoginPhase) -> None:
        if phase.name == "exchanging_code":
            raise kind("canary")

    program = _Program(provider.options(), store=MemoryStore(), on_progress=observe)
    program.run(driver)
    assert type(program.raised) is kind
    assert program.outcome.failure.message == f"the program raised {kind.__name__}"


@each_driver
def test_the_first_exception_passes_on(provider: ScriptedProvider, driver: str) -> None:
    def observe(phase: LoginPhase) -> None:
        raise SystemExit(phase.name)

    program = _Program(provider.options(), store=MemoryStore(), on_progress=observe)
    program.run(driver)
    assert isinstance(program.raised, SystemExit)
    assert program.raised.code == "binding"


@each_driver
@pytest.mark.parametrize("line", [1, 2, 4, 6])
def test_a_recorder_that_raises(provider: ScriptedProvider, driver: str, line: int) -> None:
    lines: list[str] = []

    def record(text: str) -> None:
        lines.append(text)
        if len(lines) > line:
            raise SystemExit("full")

    program = _Program(provider.options(), store=MemoryStore(), record=record)
    program.run(driver)
    assert isinstance(program.raised, SystemExit)
    assert len(lines) == line + 1


def test_a_recorder_that_raises_for_the_first_line(provider: ScriptedProvider) -> None:
    def record(_: str) -> None:
        raise SystemExit("full")

    for start in (start_login, open_login):
        with pytest.raises(SystemExit):
            trio.run(_start, start, provider.options(), record)


async def _start(start: Any, options: LoginOptions, record: Callable[[str], None]) -> None:
    start(options, store=MemoryStore(), record=record)


@each_driver
def test_an_exception_of_the_block_comes_first(provider: ScriptedProvider, driver: str) -> None:
    def observe(phase: LoginPhase) -> None:
        if phase.name == "cancelled":
            raise SystemExit("too late")

    async def in_trio() -> None:
        async with open_login(provider.options(), store=MemoryStore(), on_progress=observe):
            raise KeyError("mine")

    def in_threads() -> None:
        with start_login(provider.options(), store=MemoryStore(), on_progress=observe):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        in_threads() if driver == "threads" else trio.run(in_trio)


@each_driver
def test_what_was_caught_is_not_raised_again(provider: ScriptedProvider, driver: str) -> None:
    def observe(phase: LoginPhase) -> None:
        if phase.name == "listening":
            raise SystemExit("enough")

    async def in_trio() -> None:
        async with open_login(provider.options(), store=MemoryStore(), on_progress=observe) as login:
            with pytest.raises(SystemExit):
                await login.wait()

    def in_threads() -> None:
        login = start_login(provider.options(), store=MemoryStore(), on_progress=observe)
        with login, pytest.raises(SystemExit):
            login.wait()

    in_threads() if driver == "threads" else trio.run(in_trio)


@each_driver
def test_an_ordinary_exception_harms_nothing(provider: ScriptedProvider, driver: str) -> None:
    def fail(_: object) -> None:
        raise ValueError("canary")

    program = _Program(provider.options(), store=MemoryStore(), on_progress=fail, record=fail)
    program.run(driver)
    assert program.raised is None


# Sessions

sessions = pytest.mark.parametrize("driver", SESSION_DRIVERS, ids=DRIVER_IDS)


@sessions
def test_tokens_are_returned_though_the_store_raises(driver: Any, endpoint: TokenEndpoint) -> None:
    store, warnings = FaultyStore(), list[str]()
    store.failing = {"save": SystemExit("canary")}
    session = driver.session(store, endpoint.provider, on_warning=warnings.append)
    assert [mark_of(driver.run(session.access_token)) for _ in range(2)] == ["new-1", "new-1"]
    assert [text.rpartition(": ")[2] for text in warnings] == ["the store raised SystemExit"]


@sessions
@pytest.mark.parametrize("place", ["load", "lock", "release", "on_warning"])
def test_what_a_session_passes_on(driver: Any, endpoint: TokenEndpoint, place: str) -> None:
    store, error = FaultyStore(), SystemExit("enough")
    store.failing = {place: error}
    if place == "on_warning":
        store.failing = {"save": StoreError("disk full")}

    def observe(_: str) -> None:
        raise error

    session = driver.session(store, endpoint.provider, on_warning=observe)
    with pytest.raises(SystemExit) as caught:
        driver.run(session.access_token)
    assert caught.value is error
    # The tokens are not lost, and the session goes on.
    store.failing = {}
    assert mark_of(driver.run(session.access_token)) == "new-1"
    assert endpoint.requests == 1


@sessions
def test_a_caller_whose_refresh_was_ended_by_another_tries_itself(driver: Any, endpoint: TokenEndpoint) -> None:
    error, begun, going_on = SystemExit("enough"), threading.Event(), threading.Event()

    class Slow(FaultyStore):
        @contextlib.contextmanager
        def renewing(self, *, timeout: float = 5.0) -> Iterator[None]:
            del timeout
            begun.set()
            assert going_on.wait(PATIENCE)
            raise error
            yield

    session = driver.session(Slow(), endpoint.provider)
    raised: list[BaseException] = []

    def blocking() -> None:
        try:
            session.access_token()
        except BaseException as caught:  # noqa: BLE001 - to be compared
            raised.append(caught)

    async def in_trio() -> None:
        try:
            await session.access_token()
        except BaseException as caught:  # noqa: BLE001 - to be compared
            raised.append(caught)

    call = Start(blocking if driver is SESSION_DRIVERS[0] else in_trio)
    together = Until(lambda: session._current is not None and session._current.waiting == 2)
    driver.play(call, Until(begun.is_set), call, together, Do(going_on.set))
    assert raised == [error, error]


# The log


class _Sealed(Exception):  # noqa: N818 - the name is what is looked for
    """What a program's own store raises."""


@each_driver
@pytest.mark.parametrize("kind", [_Sealed, SystemExit])
def test_the_log_has_more_than_a_type_name(
    provider: ScriptedProvider, driver: str, kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    class Vault:
        def save(self, credentials: Credentials) -> None:
            assert credentials.tokens is not None
            assert credentials.tokens.refresh_token is not None
            token = credentials.tokens.refresh_token.reveal()
            try:
                raise OSError(28, "no space left", "/srv/vault/ada.json")
            except OSError as error:
                raise kind(f"the vault 7 is sealed, with {token} in it") from error

    caplog.set_level(logging.DEBUG, logger="loginmachine")
    program = _Program(provider.options(), store=Vault())
    program.run(driver)
    assert program.raised is not None
    (text,) = [record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG]
    assert f"{kind.__qualname__}: the vault 7 is sealed, with [redacted] in it" in text
    assert "no space left: '/srv/vault/ada.json'" in text
    assert "test_exceptions.py:" in text
    assert " in save" in text
    assert not [canary for canary in CANARIES if canary in text]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("it is locked", "it is locked"),
        ("an InternalServerErrorOccurred", "an InternalServerErrorOccurred"),
        ("/home/ada/.config/vault.db is full", "/home/ada/.config/vault.db is full"),
        ("https://vault.example:8200/v1/ada is sealed", "https://vault.example:8200/v1/ada is sealed"),
        (f"token {REFRESH_TOKEN}!", "token [redacted]!"),
        ("eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2ln", "[redacted]"),
        ("QUJD/REVGRw+abcdefgh0123456789==", "[redacted]"),
        ("red\x1b[31m", "red\ufffd[31m"),
        ("a secret", "a [redacted]"),
    ],
)
def test_what_a_report_shows(text: str, shown: str) -> None:
    assert report(ValueError(text), hide=["secret"]) == f"ValueError: {shown}"


def test_a_report_of_causes_and_of_a_broken_text() -> None:
    class Odd(Exception):  # noqa: N818 - it is odd
        def __str__(self) -> str:
            raise RuntimeError

    first, second, third = Odd(), ValueError("second"), KeyError("third")
    second.__cause__, third.__context__, first.__context__ = first, second, third
    shown = report(third).splitlines()
    assert [line.rpartition(".")[2] for line in shown] == [
        "Odd: (its text cannot be shown)",
        "ValueError: second",
        "KeyError: 'third'",
    ]
    third.__suppress_context__ = True
    assert report(third) == "KeyError: 'third'"

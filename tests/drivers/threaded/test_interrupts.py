"""Ctrl-C in a program with threads, at any moment: the login is closed, or its credentials are stored and it is closed.

At two places Python itself leaves a block too early: before the first line of an ``__exit__`` (bpo-29988), and where a
``with`` releases a lock.
"""

from __future__ import annotations

import _thread
import contextlib
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import Credentials, LoginSuccess, MemoryStore, Secret, sign_out, start_login
from loginmachine.drivers.waiting import Flag

from ..conftest import open_files
from ..support import PATIENCE, TOKENS, Browser, Progress, connect, eventually
from .interrupts import Interrupt
from .test_endings import own_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine import ThreadedLogin
    from loginmachine.sansio.login.progress import LoginPhase

    from ..conftest import ScriptedProvider


class _Program:
    """A program with one login, and the person at the browser."""

    def __init__(self, provider: ScriptedProvider, *, comes_back: bool) -> None:
        self.store = MemoryStore()
        self.ports: list[int] = []
        self._comes_back = comes_back
        self._people: list[threading.Thread] = []
        self.login = start_login(provider.options(), store=self.store, on_progress=self._on_progress)

    def _on_progress(self, phase: LoginPhase) -> None:
        if phase.name == "listening":
            browser = Browser(getattr(phase, "url"))  # noqa: B009 - other phases have none
            self.ports.append(browser.port)
            if self._comes_back:
                self._people.append(threading.Thread(target=self._visit, args=(browser,)))
                self._people[0].start()

    def _visit(self, browser: Browser) -> None:
        # The login may end at any moment.
        with contextlib.suppress(OSError, LookupError, AssertionError):
            browser.finish()

    def run(self, interrupt: Interrupt) -> None:
        with interrupt(), self.login:
            if self._comes_back:
                self.login.wait()

    def left(self) -> list[str]:
        """Return what is open at the end of the block."""
        found = own_threads()
        for port in self.ports:
            with contextlib.suppress(OSError), connect(port):
                found.append(f"port {port}")
        for person in self._people:
            person.join(PATIENCE)
        if isinstance(self.login.outcome, LoginSuccess) and self.store.credentials is None:
            found.append("credentials that are not stored")
        return found


@pytest.mark.parametrize("comes_back", [False, True], ids=["entering and leaving", "a whole login"])
def test_an_interrupt_at_every_line(
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
    comes_back: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    monkeypatch.setattr("loginmachine.sansio.login.state.LINGER", 0.05)
    answers = list(provider.answers)
    for line in range(1000):
        provider.forms.clear()
        provider.answers = list(answers)
        program, interrupt = _Program(provider, comes_back=comes_back), Interrupt(line)
        try:
            program.run(interrupt)
        except KeyboardInterrupt:
            assert interrupt.where
        else:
            assert interrupt.where == ""
        assert program.left() == [], interrupt.where
        if not interrupt.where:
            break
    assert line > 20


def test_an_interrupt_at_every_line_of_a_sign_out(provider: ScriptedProvider) -> None:
    tokens = {name: Secret(token) for name, token in TOKENS.items()}
    before = open_sockets()
    for line in range(1000):
        store, interrupt = MemoryStore(), Interrupt(line)
        store.save(Credentials.parse(b'{"tokens": {%s}}' % _members(tokens)))
        try:
            with interrupt():
                sign_out(store, provider.provider())
        except KeyboardInterrupt:
            assert interrupt.where
        assert own_threads() == [], interrupt.where
        if not interrupt.where:
            break
    assert line > 20
    assert eventually(lambda: open_sockets() <= before)


def _members(tokens: dict[str, Secret]) -> bytes:
    return ", ".join(f'"{name}": "{token.reveal()}"' for name, token in tokens.items()).encode()


def open_sockets() -> int:
    """Return the number of sockets of this process."""
    return sum(name.startswith("socket:") for _, name in open_files())


class _Slow(MemoryStore):
    """A store that saves when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.may = threading.Event(), threading.Event()

    def save(self, credentials: Credentials) -> Credentials | None:
        self.begun.set()
        assert self.may.wait(PATIENCE)
        return super().save(credentials)


class _Term(Exception):  # noqa: N818 - a signal
    """What a program's own signal handler raises."""


def _raise_term(*_: object) -> None:
    raise _Term


@pytest.mark.parametrize("times", [1, 2, 3, 20])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupts_while_the_credentials_are_stored(
    provider: ScriptedProvider, times: int, number: signal.Signals
) -> None:
    store = _Slow()
    main = threading.main_thread().ident
    assert main is not None
    people: list[threading.Thread] = []

    def visit(login: ThreadedLogin, progress: Progress) -> None:
        person = threading.Thread(target=Browser(login.auth_url).finish)
        person.start()
        assert store.begun.wait(PATIENCE)
        for _ in range(times):
            signal.pthread_kill(main, number)
            # Long enough for the main thread to wait again.
            threading.Event().wait(0.01)
        assert progress.names[-1] == "saving_credentials"
        store.may.set()
        person.join(PATIENCE)

    def run() -> None:
        progress = Progress()
        with start_login(provider.options(), store=store, on_progress=progress) as login:
            people.append(threading.Thread(target=visit, args=(login, progress)))
            people[0].start()
            login.wait()

    before = signal.signal(signal.SIGTERM, _raise_term)
    try:
        with pytest.raises((KeyboardInterrupt, _Term)):
            run()
        assert own_threads() == []
    finally:
        people[0].join(PATIENCE)
        signal.signal(signal.SIGTERM, before)
    assert store.credentials is not None


def test_an_interrupted_wait_takes_nothing_from_the_others() -> None:
    flag = Flag()
    # What an interrupt between the two calls in `Flag.wait` leaves behind.
    flag.set()
    assert flag._lock.acquire(timeout=0)
    assert flag.wait(0)
    flag.set()
    assert flag.is_set()


def test_a_flag_that_two_threads_set() -> None:
    flag = Flag()
    assert not flag.wait(0)
    flag._lock.release()
    flag.set()
    assert flag.wait(0)


# Where Python itself leaves the block too early


def test_a_login_that_was_dropped_is_cancelled(provider: ScriptedProvider, progress: Progress) -> None:
    login = start_login(provider.options(), store=MemoryStore(), on_progress=progress)
    login.__enter__()
    port = login.port
    del login
    progress.wait_for("cancelled")
    assert eventually(lambda: own_threads() == [])
    with pytest.raises(ConnectionRefusedError):
        connect(port)


def test_a_login_goes_on_while_a_thread_waits_for_it(provider: ScriptedProvider, progress: Progress) -> None:
    login = start_login(provider.options(), store=MemoryStore(), on_progress=progress)
    enter = threading.Thread(target=login.__enter__)
    enter.start()
    enter.join(PATIENCE)
    # The thread that entered the login has ended, and this one has taken it over.
    for _ in range(3):
        with pytest.raises(TimeoutError):
            login.wait(timeout=0.5)
    with login_left(login):
        Browser(login.auth_url).finish()
        assert login.wait() is not None


@contextlib.contextmanager
def login_left(login: ThreadedLogin) -> Any:
    """Leave a login that was entered elsewhere."""
    try:
        yield
    finally:
        login.__exit__(None, None, None)


_LOST = """
import sys
from loginmachine import LoginOptions, MemoryStore, Provider, ThreadedLogin, start_login

def interrupted(*_):
    raise KeyboardInterrupt

ThreadedLogin.__exit__ = interrupted
provider = Provider.codex(issuer="http://127.0.0.1:1").__replace__(port=0, fallback_port=None)
with start_login(LoginOptions(provider=provider, open_browser=False, deadline=3600.0), store=MemoryStore()) as login:
    print(login.port, flush=True)
"""


def test_a_program_ends_though_its_login_was_lost() -> None:
    program = subprocess.run(
        [sys.executable, "-c", _LOST], capture_output=True, text=True, timeout=10 * PATIENCE, check=False
    )
    assert "KeyboardInterrupt" in program.stderr
    socket.create_server(("127.0.0.1", int(program.stdout))).close()


# Without threads


def test_a_system_without_threads(provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    login = start_login(provider.options(), store=MemoryStore())
    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    with pytest.raises(RuntimeError, match="can't start new thread"), login:
        pytest.fail("entered")


def test_the_last_thread_of_a_system(provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    start: Callable[[threading.Thread], None] = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "loginmachine-owner":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    login = start_login(provider.options(), store=MemoryStore())
    with pytest.raises(RuntimeError, match="can't start new thread"), login:
        pytest.fail("entered")
    assert own_threads() == []

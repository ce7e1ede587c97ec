"""Runs a scenario with one driver, and checks the result."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
from typing import TYPE_CHECKING, Any, assert_never

from loginmachine import Credentials, FileStore, LoginCancelled, LoginFailed, LoginMachine, LoginTimedOut, StoreError
from loginmachine.sansio.login.events import RequestReceived

from ..replies import reply
from ..support import (
    CANARIES,
    CLIENT_ID,
    PATIENCE,
    TOKENS,
    Browser,
    Progress,
    connect,
    eventually,
    parse_reply,
    read_to_end,
)
from ..support import reset as leave_with_a_reset
from .drivers import DRIVERS, HOST_ERROR, Play
from .scenarios import (
    Ask,
    Asked,
    Cancel,
    Drip,
    Dropped,
    Gets,
    HostGoes,
    Idle,
    IdleAsks,
    Leave,
    Open,
    Release,
    Says,
    Scenario,
    Seen,
    Send,
    Step,
    Until,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    from werkzeug import Response

    from loginmachine import LoginOptions
    from loginmachine.sansio.login.actions import Action
    from loginmachine.sansio.login.events import Event
    from loginmachine.sansio.login.progress import LoginPhase

    from ..conftest import ScriptedProvider

BEFORE = json.dumps(
    {
        "auth_mode": "chatgpt",
        "tokens": {"id_token": "old-id", "access_token": "old-access", "refresh_token": "old-refresh"},
        "mine": 1,
    }
).encode()
REVOKED = {"token": "old-refresh", "token_type_hint": "refresh_token", "client_id": CLIENT_ID}
_LOCKS = {"auth.lock", "auth.json.lock"}


class _Store(FileStore):
    """A file store that can fail as a store of a host may."""

    def __init__(self, home: Path, kind: str, released: threading.Event) -> None:
        super().__init__(home)
        self._kind = kind
        self._released = released

    def save(self, credentials: Credentials) -> Credentials | None:
        if self._kind == "broken":
            raise StoreError("the disk is full")
        if self._kind == "raising":
            raise RuntimeError(CANARIES[0])
        if self._kind == "held":
            assert self._released.wait(PATIENCE)
        return super().save(credentials)


class Stage:
    """One scenario with its provider, its store and its person."""

    def __init__(self, scenario: Scenario, provider: ScriptedProvider, home: Path) -> None:
        self.scenario = scenario
        self.provider = provider
        self.progress = Progress()
        self.requests = 0
        """Requests that the machine has handled."""
        self._home = home
        home.mkdir()
        (home / "auth.json").write_bytes(BEFORE)
        provider.answers = [self._answer(says) for says in scenario.answers]
        provider.revocation = self._answer(scenario.revocation)
        self._tabs: dict[str, socket.socket] = {}
        self._idle: list[socket.socket] = []

    def play(self, driver: str, options: LoginOptions, record: Callable[[str], object] | None = None) -> None:
        """Run the scenario, and check the result."""
        store = _Store(self._home, self.scenario.store, self.provider.released)
        play = Play(options, store, self._watch, self._visit, self.scenario.host, record)
        self._play = play
        DRIVERS[driver](play)
        self._judge(play)
        self._judge_revocation(driver)

    def watch_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Count the requests that the machine handles, with every driver."""
        handle = LoginMachine.handle

        def counting(machine: LoginMachine, event: Event) -> list[Action]:
            done = handle(machine, event)
            self.requests += isinstance(event, RequestReceived)
            return done

        monkeypatch.setattr(LoginMachine, "handle", counting)

    def agreed(self) -> None:
        """Cancel the login when the holder of the port has agreed to stop."""
        self._play.cancel()

    def _answer(self, says: Says) -> Callable[[], Response]:
        answer = reply(says.content, says.status, **dict(says.headers))

        def held() -> Response:
            self.provider.released.wait(PATIENCE)
            return answer()

        return held if says.is_held else answer

    def _watch(self, phase: LoginPhase) -> None:
        self.progress(phase)
        if phase.name == self.scenario.cancel_at:
            self._play.cancel()

    # The person

    def _visit(self, play: Play) -> None:
        self._browser = Browser(play.auth_url)
        try:
            for step in self.scenario.steps:
                self._do(step)
        finally:
            for client in (*self._tabs.values(), *self._idle):
                client.close()

    def _do(self, step: Step) -> None:  # noqa: C901, PLR0912 - one arm a step
        match step:
            case Ask():
                for _ in range(step.times):
                    self._ask(step)
            case Open():
                self._tabs[step.tab] = client = connect(self._browser.port)
                if step.buffer is not None:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, step.buffer)
                asks = step.target and not step.start
                client.sendall(self._browser.request_bytes(self._target(step.target)) if asks else step.start)
            case Gets():
                with self._tabs[step.tab] as client:
                    self._gets(client, step.status, step.says)
            case Leave(how="reset"):
                leave_with_a_reset(self._tabs[step.tab])
            case Leave(how="close"):
                self._tabs[step.tab].close()
            case Leave():
                self._tabs[step.tab].shutdown(1)
            case Send():
                with connect(self._browser.port) as client:
                    client.sendall(step.data)
                    self._gets(client, step.status, "", is_head=step.data.startswith(b"HEAD"))
            case Drip():
                self._drip(step.data)
            case Idle():
                self._idle += [self._idle_client(step.target) for _ in range(step.count)]
            case Dropped():
                assert read_to_end(self._idle[0]) == b""
            case IdleAsks():
                self._idle[1].sendall(self._browser.request_bytes(step.target))
                self._gets(self._idle[1], step.status, "")
            case Until():
                self.progress.wait_for(step.phase)
            case Asked():
                assert eventually(lambda: len(self.provider.forms) >= step.times)
            case Seen():
                assert eventually(lambda: self.requests >= step.times)
            case Release():
                self.provider.released.set()
            case Cancel():
                self._play.cancel()
            case HostGoes():
                self._play.goes.set()
                if self.scenario.host == "is cancelled":
                    self._play.cancel()
            case _:
                assert_never(step)

    def _ask(self, step: Ask) -> None:
        headers = {name: value.format(port=self._browser.port) for name, value in step.headers}
        request = self._browser.request_bytes(self._target(step.target), step.method, **headers)
        with connect(self._browser.port) as client:
            client.sendall(request + step.extra)
            self._gets(client, step.status, step.says, is_head=step.method == "HEAD")

    def _idle_client(self, target: str) -> socket.socket:
        client = connect(self._browser.port)
        if target:
            client.sendall(self._browser.request_bytes(target))
            assert client.recv(1) == b"H"
        return client

    def _drip(self, data: bytes) -> None:
        received = None
        with connect(self._browser.port) as client:
            client.sendall(data)
            client.settimeout(0.02)
            while received is None:
                # A byte that comes too late is answered with a reset.
                with contextlib.suppress(TimeoutError):
                    try:
                        received = client.recv(100)
                    except ConnectionResetError:
                        received = b""
                with contextlib.suppress(OSError):
                    client.sendall(data[-1:])
        assert received == b""

    def _target(self, target: str) -> str:
        browser = self._browser
        return target.format(
            callback=browser.target(),
            path=browser.path,
            state=browser.state,
            port=browser.port,
            success=browser.last_page,
        )

    def _gets(self, client: socket.socket, status: int, says: str, *, is_head: bool = False) -> None:
        received = bytearray()
        # Bytes that the server did not read cause a reset behind the answer.
        with contextlib.suppress(ConnectionResetError):
            while data := client.recv(65536):
                received += data
        if not status:
            assert received == b""
            return
        assert received
        answer = parse_reply(bytes(received))
        assert is_head or int(answer.headers["content-length"]) == len(answer.body)
        self._browser.note_redirect(answer)
        seen = answer.headers.get("location", "") + answer.body.decode()
        assert (answer.status, says in seen) == (status, True), (answer.status, seen)
        assert answer.headers["connection"] == "close"
        assert answer.headers["cache-control"] == "no-store"
        assert not [canary for canary in (*CANARIES, self._browser.state) if canary in seen]

    # The judgement

    def _judge(self, play: Play) -> None:
        # How many callbacks are refused depends on the tabs. test_callback_reports has the reports of them.
        names = [phase.name for phase in self.progress.phases if getattr(phase, "accepted", True)]
        scenario = self.scenario
        if scenario.holders[:1] == ("ours",):
            # How often it is tried until the old login has gone is a matter of time.
            names = [name for name, _ in itertools.groupby(names)]
        assert tuple(names) == scenario.progress, names
        self._judge_trouble(play)
        assert self._ends() == scenario.ends
        assert scenario.problems in (None, tuple(self.progress.problems))
        kinds = [dict(form)["grant_type"] for form in self.provider.forms]
        assert kinds.count("authorization_code") <= 1
        assert scenario.exchanges in (None, len(kinds))
        stored = (self._home / "auth.json").read_bytes()
        if scenario.ends is None:
            assert TOKENS["refresh_token"].encode() in stored
        else:
            assert stored == BEFORE
        assert {path.name for path in self._home.iterdir()} <= {"auth.json", *_LOCKS}

    def _judge_revocation(self, driver: str) -> None:
        """Check that old tokens are revoked if and only if new ones are stored. A host that leaves does not wait."""
        scenario = self.scenario
        leaves = scenario.host != "waits" or any(isinstance(step, Cancel) for step in scenario.steps)
        if scenario.ends is not None or driver == "blocking":
            assert self.provider.revoked == []
        elif leaves:
            assert self.provider.revoked in ([], [REVOKED])
        else:
            assert self.provider.revoked == [REVOKED]

    def _ends(self) -> tuple[str, str] | None:
        """Return the step and category of the reported end; None for a success."""
        last: Any = next((phase for phase in reversed(self.progress.phases) if getattr(phase, "fatal", True)), None)
        if last.name == "succeeded":
            return None
        return last.step, "login_cancelled" if last.name == "cancelled" else last.category

    def _judge_trouble(self, play: Play) -> None:
        """Check the exception that the block of the host raised."""
        ends, host = self.scenario.ends, self.scenario.host
        if host == "raises":
            assert isinstance(play.trouble, KeyError)
            assert play.trouble.args == (HOST_ERROR,)
            return
        if ends is None or host != "waits":
            assert play.trouble is None
            assert (play.credentials is not None) == (host == "waits")
            return
        if play.trouble is None:
            # Only trio and asyncio: what is cancelled from outside, before there is a login to cancel, is the block.
            assert self.scenario.cancel_at
            return
        assert isinstance(play.trouble, LoginFailed)
        kind = {"login_cancelled": LoginCancelled, "login_timed_out": LoginTimedOut}.get(ends[1], LoginFailed)
        assert type(play.trouble) is kind
        assert (play.trouble.step, play.trouble.category) == ends
        assert play.trouble.__context__ is None
        assert not [canary for canary in CANARIES if canary in str(play.trouble)]

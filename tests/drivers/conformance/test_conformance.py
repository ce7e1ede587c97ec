"""Run every scenario with every driver, over real sockets."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from typing import TYPE_CHECKING

import pytest

from loginmachine import LoginCancelled, MemoryStore, start_login
from loginmachine.drivers.asyncio import callback_server as asyncio_server
from loginmachine.drivers.callback import http11
from loginmachine.drivers.callback import previous_login as previous
from loginmachine.drivers.trio import callback_server as trio_server
from loginmachine.sansio.login import effects
from loginmachine.sansio.login import state as login_data
from loginmachine.sansio.oauth import revocation, token_requests

from ..replies import reply
from ..scripted_server import OK, Peer, ScriptedServer, drips
from ..support import CODE, TOKENS, Browser, free_port
from ..traces.comparing import without_times
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all
from .nuisances import NUISANCES, PORTS, TABS
from .play import Stage
from .scenarios import FAILURES, SUCCESSES, THREE, Scenario
from .troubles import TROUBLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ..conftest import ScriptedProvider

SCENARIOS = (*SUCCESSES, *FAILURES, *NUISANCES, *TABS, *PORTS, *TROUBLES)
PLAYS = [
    pytest.param(scenario, driver, id=f"{scenario.name}-{driver}")
    for scenario in SCENARIOS
    for driver in (*scenario.drivers, *(("uvloop",) if scenario in (*SUCCESSES, *TABS) else ()))
]
RECORDED = [
    scenario
    for scenario in (*SUCCESSES, *FAILURES)
    if set(THREE) <= set(scenario.drivers) and scenario.token_server == "scripted" and not scenario.holders
    if not scenario.constants
]
"""Scenarios in which the order of the events is not a matter of timing."""
CLOCKS = (http11, previous, trio_server, asyncio_server, effects, login_data, token_requests, revocation)
"""The modules that hold the constants of time."""


def garbage(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"SSH-2.0-canary\r\n")


def stranger(peer: Peer) -> None:
    peer.read_request()
    peer.send(OK % (2, b"hi"))


def stubborn(peer: Peer) -> None:
    peer.read_request()
    peer.send(OK % (15, b"Login cancelled"))
    peer.wait_for_end()


TOKEN_SERVERS: dict[str, Callable[[Peer], object]] = {"garbage": garbage, "drips": drips, "hangs up": Peer.read_request}
HOLDERS: dict[str, Callable[[Peer], object]] = {
    "stranger": stranger,
    "rude": lambda _: None,
    "silent": Peer.wait_for_end,
    "stubborn": stubborn,
}


@contextlib.contextmanager
def holding(kind: str, port: int, options: Callable[..., object], stage: Stage) -> Iterator[None]:
    """Run another program that holds the port."""
    if kind == "":
        yield
    elif kind == "deaf":
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", port))
            yield
    elif kind.startswith("ours"):
        with start_login(options(port=port), store=MemoryStore()) as old:  # type: ignore[arg-type]
            yield
            if kind == "ours":
                with pytest.raises(LoginCancelled, match="another sign-in on this machine took over"):
                    old.wait(0)
            else:
                assert old.outcome is None
    else:

        def script(peer: Peer) -> None:
            HOLDERS[kind](peer)
            stage.agreed()

        with ScriptedServer(script if stage.scenario.cancel_at == "agreed" else HOLDERS[kind], port=port) as server:  # type: ignore[arg-type]
            yield
            server.reached.set()


@pytest.mark.parametrize(("scenario", "driver"), PLAYS)
def test_scenario(
    scenario: Scenario, driver: str, provider: ScriptedProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    for name, value in scenario.constants.items():
        for module in CLOCKS:
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)
    stage = Stage(scenario, provider, tmp_path / "home")
    stage.watch_machine(monkeypatch)
    changes = dict(scenario.provider)
    with contextlib.ExitStack() as stack:
        if scenario.token_server == "unreachable":
            changes["token_endpoint"] = f"http://127.0.0.1:{free_port()}/oauth/token"
        elif scenario.token_server != "scripted":
            server = stack.enter_context(ScriptedServer(TOKEN_SERVERS[scenario.token_server]))  # type: ignore[arg-type]
            stack.callback(server.reached.set)
            changes["token_endpoint"] = f"{server.url}/oauth/token"
        if scenario.holders:
            first, fallback = free_port(), free_port()
            changes.update(port=first, fallback_port=fallback)
            for kind, port in zip(scenario.holders, (first, fallback), strict=True):
                stack.enter_context(holding(kind, port, provider.options, stage))
        stage.play(driver, provider.options(provider=provider.provider(**changes), **scenario.options))
    assert not list(scratch.iterdir())


@pytest.mark.parametrize("scenario", RECORDED, ids=lambda scenario: scenario.name)
def test_each_driver_records_the_same(
    scenario: Scenario, provider: ScriptedProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces = []
    for driver in THREE:
        # The provider's responses are one list, and each driver begins with the first one.
        provider.forms.clear()
        provider.revoked.clear()
        stage, lines = Stage(scenario, provider, tmp_path / driver), list[str]()
        with monkeypatch.context() as patched:
            stage.watch_machine(patched)
            options = provider.options(provider=provider.provider(**scenario.provider), **scenario.options)
            stage.play(driver, options, lines.append)
        traces.append(without_times("".join(lines)))
    assert traces == [traces[0]] * 3


def test_many_logins_at_once_in_threads(provider: ScriptedProvider) -> None:
    count = 30
    provider.answers = [reply(TOKENS)] * count
    options = provider.options(provider=provider.provider(exchanges_api_key=False))
    stores = [MemoryStore() for _ in range(count)]
    with contextlib.ExitStack() as stack:
        logins = [stack.enter_context(start_login(options, store=store)) for store in stores]
        people = [threading.Thread(target=Browser(login.auth_url).finish) for login in logins]
        for person in people:
            person.start()
        for login, store in zip(logins, stores, strict=True):
            assert login.wait() is store.credentials
        for person in people:
            person.join()
    assert len({login.port for login in logins}) == count
    assert [dict(form)["code"] for form in provider.forms] == [CODE] * count


def test_every_scenario_has_its_own_name() -> None:
    assert len({param.id for param in PLAYS}) == len(PLAYS)

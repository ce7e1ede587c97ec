"""Run the examples as programs. They print their address, and the test acts as the browser."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio

import loginmachine
from loginmachine import LoginOptions, Provider, progress
from loginmachine.demo.chatgpt.browser import Visitor
from loginmachine.demo.chatgpt.provider import ChatGptProvider
from loginmachine.testing import playing, possible_outcomes

from .support import PATIENCE, Browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loginmachine import TrioLogin

    from .conftest import ScriptedProvider

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = ("threads.py", "trio_program.py", "asyncio_program.py")


@contextmanager
def program(name: str, issuer: str, scratch: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], Browser]]:
    """Run an example until it shows its address."""
    path = os.pathsep.join((str(Path(loginmachine.__file__).parents[1]), os.environ.get("PYTHONPATH", "")))
    process = subprocess.Popen(
        [sys.executable, "-W", "error", str(EXAMPLES / name), issuer, *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(scratch), "XDG_STATE_HOME": str(scratch)},
    )
    with process:
        assert process.stdout is not None
        try:
            lines = iter(process.stdout.readline, "")
            url = next((line.strip() for line in lines if line.startswith("http")), None)
            if url is None:
                pytest.fail(process.communicate(timeout=PATIENCE)[1])
            yield process, Browser(url)
        finally:
            process.kill()


def ends(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return the exit status and the output. Standard input stays open, as at a terminal."""
    assert process.stdout is not None
    assert process.stderr is not None
    status = process.wait(PATIENCE)
    return status, process.stdout.read().splitlines()[-1], process.stderr.read()


@pytest.mark.parametrize("name", PROGRAMS)
def test_signing_in(name: str, provider: ScriptedProvider, tmp_path: Path) -> None:
    with program(name, provider.url, tmp_path) as (process, browser):
        assert b"You are signed in" in browser.finish().body
        status, last, errors = ends(process)
    assert (status, last, errors) == (0, "The account is acc-1", "")
    assert len(provider.forms) == 2
    assert [path.name for path in tmp_path.glob("*/auth.json")] == ["auth.json"]


async def no_button(_login: TrioLogin) -> None:
    await trio.sleep_forever()


def played_main(name: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return what runs an example in this process, without its button."""
    spec = importlib.util.spec_from_file_location(Path(name).stem, EXAMPLES / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    issuer = "https://id.example"
    if name == "threads.py":
        return lambda: int(module.main(issuer))
    if name == "trio_program.py":
        monkeypatch.setattr(module, "cancel_button", no_button)
        return lambda: int(trio.run(module.main, issuer))
    monkeypatch.setattr(module, "cancel_button", contextlib.nullcontext)
    return lambda: int(asyncio.run(module.main(issuer)))


OUTCOMES = possible_outcomes(LoginOptions(provider=Provider.codex(), open_browser=False))
AT_ONCE = {"local_server_unavailable"}
"""Failures before there is an address, which these programs do not expect."""


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("outcome", [each for each in OUTCOMES if each != "waiting" and each not in AT_ONCE])
def test_each_outcome(
    name: str, outcome: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with playing(outcome) as stage:
        status = played_main(name, monkeypatch)()
    last = capsys.readouterr().out.splitlines()[-1]
    ended = stage.login.progress[-1]
    if isinstance(ended, progress.Cancelled):
        assert (status, last) == (1, "You cancelled the sign-in.")
    elif isinstance(ended, progress.Failed) and ended.fatal:
        assert (status, last) == (1, f"{outcome}: {ended.message}")
    else:
        assert (status, last) == (0, "The account is played-account")
    assert len(list(tmp_path.glob("*/auth.json"))) == (status == 0)


@pytest.mark.parametrize("name", ["trio_program.py", "asyncio_program.py"])
def test_the_cancel_button(name: str, provider: ScriptedProvider, tmp_path: Path) -> None:
    with program(name, provider.url, tmp_path) as (process, _):
        assert process.stdin is not None
        process.stdin.write("what?\ncancel\n")
        process.stdin.flush()
        status, last, errors = ends(process)
    assert (status, last, errors) == (1, "You cancelled the sign-in.", "")


def test_sign_in_with_chatgpt(tmp_path: Path) -> None:
    with ChatGptProvider() as service:
        with program("chatgpt.py", service.issuer, tmp_path, service.api) as (process, browser):
            assert Visitor().sign_in(browser.auth_url) == "You are signed in"
            status, last, errors = ends(process)
        assert (status, last, errors) == (0, "gpt-demo: This is the demonstration.", "")
        assert service.violations == ()

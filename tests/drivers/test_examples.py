"""Run the examples as programs. They print their address, and the test acts as the browser."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import loginmachine
from loginmachine.demo.chatgpt.browser import Visitor
from loginmachine.demo.chatgpt.provider import ChatGptProvider

from .replies import reply
from .support import CANARIES, PATIENCE, Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_failure(name: str, provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.answers = [reply({"error": "invalid_grant"}, 400)]
    with program(name, provider.url, tmp_path) as (process, browser):
        assert browser.callback().status == 502
        status, last, errors = ends(process)
    assert (status, errors) == (1, "")
    assert last == f"token_endpoint_rejected: {provider.url}/oauth/token: status 400: invalid_grant"
    assert not [canary for canary in CANARIES if canary in last]
    assert not list(tmp_path.glob("*/auth.json"))


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

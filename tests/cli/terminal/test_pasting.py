"""Pasting a callback address into a real terminal: it is not shown, and the terminal is restored."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from ..conftest import CODE, REFRESH, ScriptedProvider, callback_url

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

from .support import Screen, login_on_terminal, login_without_job_control, terminal

if TYPE_CHECKING:
    from pathlib import Path

OLD = "old-canary-" + "x" * 32
NOT_HERE = "old-code-canary"


def stored(home: Path) -> str:
    token = json.loads((home / "auth.json").read_text())["tokens"]["refresh_token"]
    assert isinstance(token, str)
    return token


def hidden(screen: Screen, *secrets: str) -> None:
    """Check that no secret was ever shown."""
    assert not [secret for secret in secrets if secret in screen.shown]


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_a_wrong_an_old_and_the_right_address(driver: str, provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login_on_terminal(tmp_path, provider.issuer, "--driver", driver) as screen:
        url = screen.url()
        screen.wait_for_no_echo()
        screen.type(f"{provider.issuer}/log-in?code={NOT_HERE}\r")
        screen.wait_for("That is the address of another page")
        old = callback_url(url, code=NOT_HERE, state=OLD)
        screen.type(f"{old}\r")
        screen.wait_for("belongs to another sign-in")
        screen.type(f"{callback_url(url, code=CODE)}\r")
        screen.wait_for("That is the right address")
        assert screen.end() == (0, True)
    assert "Signed in as ada@example.com." in screen.shown
    assert provider.forms[0]["code"] == CODE
    assert stored(tmp_path) == REFRESH
    hidden(screen, CODE, NOT_HERE, OLD)


def test_several_lines_at_once(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login_on_terminal(tmp_path, provider.issuer) as screen:
        url = screen.url()
        screen.wait_for_no_echo()
        screen.type(f"hello\r{callback_url(url, code=NOT_HERE, state=OLD)}\r{callback_url(url, code=CODE)}\r")
        assert screen.end() == (0, True)
    hidden(screen, CODE, NOT_HERE, OLD, "hello")


def test_an_address_longer_than_a_terminal_line(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    code = f"{CODE}-" + "long" * 1020
    with login_on_terminal(tmp_path, provider.issuer) as screen:
        url = screen.url()
        screen.wait_for_no_echo()
        address = callback_url(url, code=code)
        assert len(address) > 4096
        screen.type(f"{address}\r")
        assert screen.end() == (0, True)
    assert provider.forms[0]["code"] == code
    hidden(screen, CODE)


def test_a_bracketed_paste_with_line_breaks(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login_on_terminal(tmp_path, provider.issuer) as screen:
        url = screen.url()
        screen.wait_for_no_echo()
        screen.wait_for(r"\x1b\[\?2004h")
        address = callback_url(url, code=CODE)
        screen.type(f"\x1b[200~  {address[:50]}\r\n {address[50:]}\r\n\x1b[201~")
        assert screen.end() == (0, True)
    assert screen.shown.count("\x1b[?2004l") == 1
    assert "another page" not in screen.shown
    hidden(screen, CODE)


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_ctrl_c_restores_the_terminal(driver: str, provider: ScriptedProvider, tmp_path: Path) -> None:
    with login_on_terminal(tmp_path, provider.issuer, "--driver", driver) as screen:
        screen.url()
        screen.wait_for_no_echo()
        screen.type("half an addr\x03")
        assert screen.end() == (130, True)
    hidden(screen, "half")


def test_sigterm_restores_the_terminal(provider: ScriptedProvider, tmp_path: Path) -> None:
    with login_on_terminal(tmp_path, provider.issuer) as screen:
        screen.url()
        screen.wait_for_no_echo()
        os.kill(screen.job(), signal.SIGTERM)
        assert screen.end() == (143, True)


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_suspending_restores_the_terminal(driver: str, provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login_on_terminal(tmp_path, provider.issuer, "--driver", driver) as screen:
        url = screen.url()
        screen.wait_for_no_echo()
        for count in (1, 2):
            screen.type("\x1a")
            screen.wait_for(r"\[stopped echo=True\]", count)
            screen.wait_for_no_echo()
        screen.type(f"{callback_url(url, code=CODE)}\r")
        assert screen.end() == (0, True)
    assert "[stopped echo=False]" not in screen.shown
    hidden(screen, CODE)


def test_sigstop_and_resume(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login_on_terminal(tmp_path, provider.issuer) as screen:
        url = screen.url()
        screen.wait_for_no_echo()
        os.kill(screen.job(), signal.SIGSTOP)
        screen.wait_for(r"\[stopped echo=")
        screen.wait_for_no_echo()
        screen.type(f"{callback_url(url, code=CODE)}\r")
        assert screen.end() == (0, True)
    hidden(screen, CODE)


def test_complete_in_another_terminal(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login_on_terminal(tmp_path, provider.issuer) as waiting:
        url = waiting.url()
        with terminal("complete") as other:
            other.wait_for("input is hidden")
            other.wait_for_no_echo()
            other.type(f"{callback_url(url, code=CODE)}\r")
            assert other.end() == (0, True)
        assert "Done: the waiting sign-in is complete." in other.shown
        assert waiting.end() == (0, True)
    assert stored(tmp_path) == REFRESH
    hidden(other, CODE)
    hidden(waiting, CODE)


def test_a_terminal_that_is_not_the_controlling_one(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login_without_job_control(tmp_path, provider.issuer) as screen:
        url = screen.url()
        screen.wait_for_no_echo()
        screen.type(f"{callback_url(url, code=CODE)}\r")
        screen.wait_for("Your credentials are in")
    hidden(screen, CODE)
    assert stored(tmp_path) == REFRESH


def test_the_quit_key_is_ignored(provider: ScriptedProvider, tmp_path: Path) -> None:
    with login_on_terminal(tmp_path, provider.issuer) as screen:
        screen.url()
        screen.wait_for_no_echo()
        screen.type("\x1c\x1chello\r")
        screen.wait_for("That is not an address")
        screen.type("\x03")
        assert screen.end() == (130, True)


def test_sigterm_during_complete_restores_the_terminal(provider: ScriptedProvider) -> None:
    del provider
    with terminal("complete") as screen:
        screen.wait_for("input is hidden")
        screen.wait_for_no_echo()
        os.kill(screen.job(), signal.SIGTERM)
        assert screen.end() == (143, True)


def test_ctrl_c_during_complete_restores_the_terminal(provider: ScriptedProvider) -> None:
    del provider
    with terminal("complete") as screen:
        screen.wait_for("input is hidden")
        screen.wait_for_no_echo()
        screen.type("half an addr\x03")
        assert screen.end() == (130, True)
    hidden(screen, "half")

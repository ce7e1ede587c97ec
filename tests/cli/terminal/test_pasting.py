"""Addresses pasted into a real terminal: what is shown, what is not, and how the terminal is left."""

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
    """Neither on the screen nor in what has left it."""
    assert not [secret for secret in secrets if secret in screen.shown]


@pytest.mark.parametrize("driver", ["threaded", "trio"])
def test_a_wrong_address_an_old_one_and_the_right_one(driver: str, provider: ScriptedProvider, tmp_path: Path) -> None:
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


def test_all_at_once(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login_on_terminal(tmp_path, provider.issuer) as screen:
        url = screen.url()
        screen.wait_for_no_echo()
        screen.type(f"hello\r{callback_url(url, code=NOT_HERE, state=OLD)}\r{callback_url(url, code=CODE)}\r")
        assert screen.end() == (0, True)
    hidden(screen, CODE, NOT_HERE, OLD, "hello")


def test_an_address_longer_than_the_line_of_a_terminal(provider: ScriptedProvider, tmp_path: Path) -> None:
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


def test_a_paste_with_line_breaks_that_the_terminal_marks(provider: ScriptedProvider, tmp_path: Path) -> None:
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


@pytest.mark.parametrize("driver", ["threaded", "trio"])
def test_the_terminal_after_ctrl_c(driver: str, provider: ScriptedProvider, tmp_path: Path) -> None:
    with login_on_terminal(tmp_path, provider.issuer, "--driver", driver) as screen:
        screen.url()
        screen.wait_for_no_echo()
        screen.type("half an addr\x03")
        assert screen.end() == (130, True)
    hidden(screen, "half")


def test_the_terminal_after_sigterm(provider: ScriptedProvider, tmp_path: Path) -> None:
    with login_on_terminal(tmp_path, provider.issuer) as screen:
        screen.url()
        screen.wait_for_no_echo()
        os.kill(screen.job(), signal.SIGTERM)
        assert screen.end() == (143, True)


@pytest.mark.parametrize("driver", ["threaded", "trio"])
def test_the_terminal_while_the_command_is_suspended(driver: str, provider: ScriptedProvider, tmp_path: Path) -> None:
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


def test_stopped_without_warning(provider: ScriptedProvider, tmp_path: Path) -> None:
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


def test_complete_from_another_terminal(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login_on_terminal(tmp_path, provider.issuer) as waiting:
        url = waiting.url()
        with terminal("complete") as other:
            other.wait_for("it is not shown")
            other.wait_for_no_echo()
            other.type(f"{callback_url(url, code=CODE)}\r")
            assert other.end() == (0, True)
        assert "Done: the waiting sign-in is complete." in other.shown
        assert waiting.end() == (0, True)
    assert stored(tmp_path) == REFRESH
    hidden(other, CODE)
    hidden(waiting, CODE)


def test_a_terminal_that_does_not_control_the_command(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login_without_job_control(tmp_path, provider.issuer) as screen:
        url = screen.url()
        screen.wait_for_no_echo()
        screen.type(f"{callback_url(url, code=CODE)}\r")
        screen.wait_for("Your credentials are in")
    hidden(screen, CODE)
    assert stored(tmp_path) == REFRESH


def test_the_key_that_ends_a_program_at_once_does_not(provider: ScriptedProvider, tmp_path: Path) -> None:
    with login_on_terminal(tmp_path, provider.issuer) as screen:
        screen.url()
        screen.wait_for_no_echo()
        screen.type("\x1c\x1chello\r")
        screen.wait_for("That is not an address")
        screen.type("\x03")
        assert screen.end() == (130, True)


def test_the_terminal_when_complete_is_ended(provider: ScriptedProvider) -> None:
    del provider
    with terminal("complete") as screen:
        screen.wait_for("it is not shown")
        screen.wait_for_no_echo()
        os.kill(screen.job(), signal.SIGTERM)
        assert screen.end() == (143, True)


def test_complete_given_up(provider: ScriptedProvider) -> None:
    del provider
    with terminal("complete") as screen:
        screen.wait_for("it is not shown")
        screen.wait_for_no_echo()
        screen.type("half an addr\x03")
        assert screen.end() == (130, True)
    hidden(screen, "half")

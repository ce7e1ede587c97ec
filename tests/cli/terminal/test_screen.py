"""The command on terminals of any width and kind: the waiting indicator, colours, `--help`."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

from ..conftest import CODE, REFRESH, ScriptedProvider, callback_url, called

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

from .support import Screen, login_on_terminal, rendered, terminal

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_httpserver import HTTPServer

WAITING = {
    120: "Waiting for the browser (Ctrl-C to stop)",
    47: "Waiting for the browser",
    46: "Waiting for the browser",
    40: "Waiting for the browser",
    30: "Waiting for the bro...",
    20: "Waiting f...",
}
CLEAR = "\r\x1b[K"
PLAIN = ["dumb", "", None]


def frames(screen: Screen, columns: int) -> list[str]:
    """Wait for some frames of the waiting indicator, and return the lines from it on, as the screen shows them."""
    screen.wait_for(re.escape(CLEAR), 5)
    before, *drawn = screen.shown.split(CLEAR)
    above = rendered(before, columns)
    assert above[-1] == ""
    return rendered(CLEAR.join([before, *drawn[:-1]]), columns)[len(above) - 1 :]


@pytest.mark.parametrize("columns", [120, 47, 46, 40, 30, 20])
def test_there_is_one_waiting_line(provider: ScriptedProvider, tmp_path: Path, columns: int) -> None:
    with login_on_terminal(tmp_path, provider.issuer, columns=columns, TERM="xterm-256color") as screen:
        screen.wait_for_no_echo()
        lines = frames(screen, columns)
        screen.type("\x03")
        assert screen.end() == (130, True)
    assert len(lines) == 1, lines
    assert re.fullmatch(rf"[|/\\-] {re.escape(WAITING[columns])} \d:\d\d", lines[0])
    assert len(lines[0]) < columns
    # It is gone at the end.
    assert not [line for line in rendered(screen.shown, columns) if line.startswith(lines[0][2:10], 2)]


@pytest.mark.parametrize("columns", [120, 57, 46, 30, 20, 8, 4, 1])
def test_there_is_one_waiting_line_with_a_device_code(
    httpserver: HTTPServer, provider: ScriptedProvider, tmp_path: Path, columns: int
) -> None:
    code = {"device_auth_id": "id", "user_code": "WXYZ-1234", "interval": "60"}
    httpserver.expect_request("/api/accounts/deviceauth/usercode", method="POST").respond_with_json(code)
    with login_on_terminal(tmp_path, provider.issuer, "--device-code", columns=columns) as screen:
        screen.wait_for("WXYZ-1234")
        lines = frames(screen, columns)
        screen.type("\x03")
        assert screen.end()[0] == 130
    assert len(lines) == 1, lines


def test_a_terminal_that_becomes_narrower(provider: ScriptedProvider, tmp_path: Path) -> None:
    with login_on_terminal(tmp_path, provider.issuer, columns=100) as screen:
        screen.wait_for(re.escape(CLEAR), 2)
        screen.set_width(30)
        screen.wait_for(r"[|/\\-] Waiting for the bro\.\.\. \d:\d\d")
        screen.set_width(20)
        screen.wait_for(r"[|/\\-] Waiting f\.\.\. \d:\d\d")
        screen.set_width(100)
        screen.wait_for(r"f\.\.\. [\s\S]*[|/\\-] Waiting for the browser \(Ctrl-C to stop\) \d:\d\d")
        screen.type("\x03")
        assert screen.end() == (130, True)


def test_a_terminal_that_does_not_know_its_width(provider: ScriptedProvider, tmp_path: Path) -> None:
    with login_on_terminal(tmp_path, provider.issuer, columns=0, COLUMNS="40") as screen:
        screen.wait_for(r"[|/\\-] Waiting for the browser \d:\d\d")
        screen.type("\x03")
        assert screen.end() == (130, True)


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("columns", [80, 20])
def test_a_terminal_without_sequences_gets_none(
    provider: ScriptedProvider, tmp_path: Path, kind: str | None, columns: int
) -> None:
    provider.will_sign_in()
    with login_on_terminal(tmp_path, provider.issuer, columns=columns, TERM=kind) as screen:
        url = screen.url()
        screen.wait_for_no_echo()
        screen.wait_for("Waiting for the browser")
        screen.type("hello\r")
        screen.wait_for("That is not an address")
        screen.type(f"{callback_url(url, code=CODE)}\r")
        assert screen.end() == (0, True)
    assert "\x1b" not in screen.shown
    assert not re.search(r"\r(?!\n)", screen.shown)
    assert screen.shown.count("Waiting for the browser (Ctrl-C to stop)") == 1
    assert not [secret for secret in (CODE, REFRESH) if secret in screen.shown]


@pytest.mark.parametrize("kind", PLAIN)
def test_complete_switches_no_bracketed_paste_on_there(provider: ScriptedProvider, kind: str | None) -> None:
    del provider
    with terminal("complete", TERM=kind) as screen:
        screen.wait_for("input is hidden")
        screen.wait_for_no_echo()
        screen.type("\x03")
        assert screen.end() == (130, True)
    assert "\x1b" not in screen.shown


def test_no_color_keeps_the_waiting_line(provider: ScriptedProvider, tmp_path: Path) -> None:
    with login_on_terminal(tmp_path, provider.issuer, columns=80, NO_COLOR="1") as screen:
        screen.wait_for(re.escape(CLEAR), 2)
        screen.type("\x03")
        assert screen.end() == (130, True)
    assert not re.search(r"\x1b\[\d*m", screen.shown)


# --help


@pytest.mark.parametrize("columns", [120, 60, 47, 40])
@pytest.mark.parametrize("command", ["", "login", "complete", "status", "replay", "token", "demo", "diagram"])
def test_help_has_the_width_of_the_terminal(command: str, columns: int) -> None:
    with terminal(*[command] * bool(command), "--help", columns=columns) as screen:
        screen.end()
    help_text = screen.shown.partition("usage:")[2].partition("[over")[0]
    assert max(map(len, f"usage:{help_text}".splitlines())) <= columns


@pytest.mark.parametrize("columns", [200, 50, 45])
def test_help_has_the_width_of_the_variable(columns: int) -> None:
    _, out, _ = called("login", "--help", COLUMNS=str(columns))
    longest = max(map(len, out.splitlines()))
    assert min(columns, 100) - 12 <= longest <= min(columns, 100)
    assert "  130  interrupted" in out.splitlines()


@pytest.mark.parametrize("columns", ["", "0", "-5", "many", "9" * 5000])
def test_a_variable_that_is_no_width_is_ignored(columns: str) -> None:
    assert called("login", "--help", COLUMNS=columns) == called("login", "--help")


def test_help_without_a_terminal_has_the_usual_width() -> None:
    _, out, _ = called("login", "--help")
    assert 90 < max(map(len, out.splitlines())) <= 100


@pytest.mark.parametrize("columns", [20, 2, 1])
def test_help_in_a_very_narrow_terminal(columns: int) -> None:
    code, out, err = called("login", "--help", COLUMNS=str(columns))
    assert (code, err) == (0, "")
    assert "--device-code" in out

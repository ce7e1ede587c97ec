"""The command on terminals of any width and kind: the waiting indicator, colours, `--help`."""

from __future__ import annotations

import re
import sys
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from loginmachine.cli.terminal.screen import has_links

from ..conftest import CODE, REFRESH, ScriptedProvider, callback_url, called

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

from .support import Screen, login_on_terminal, rendered, terminal

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_httpserver import HTTPServer

WAITING = {
    120: "Waiting for the browser (Ctrl-C to stop)",
    53: "Waiting for the browser (Ctrl-C to stop)",
    52: "Waiting for the browser",
    40: "Waiting for the browser",
    30: "Waiting for th...",
    20: "Wait...",
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


@pytest.mark.parametrize("columns", [120, 53, 52, 40, 30, 20])
def test_there_is_one_waiting_line(provider: ScriptedProvider, tmp_path: Path, columns: int) -> None:
    with login_on_terminal(tmp_path, provider.issuer, columns=columns, TERM="xterm-256color") as screen:
        screen.wait_for_no_echo()
        lines = frames(screen, columns)
        screen.type("\x03")
        assert screen.end() == (130, True)
    assert len(lines) == 1, lines
    assert re.fullmatch(rf"[|/\\-] {re.escape(WAITING[columns])} \d:\d\d left", lines[0])
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
        screen.wait_for(r"[|/\\-] Waiting for th\.\.\. \d:\d\d left")
        screen.set_width(20)
        screen.wait_for(r"[|/\\-] Wait\.\.\. \d:\d\d left")
        screen.set_width(100)
        screen.wait_for(r"Wait\.\.\. [\s\S]*[|/\\-] Waiting for the browser \(Ctrl-C to stop\) \d:\d\d left")
        screen.type("\x03")
        assert screen.end() == (130, True)


def test_a_terminal_that_does_not_know_its_width(provider: ScriptedProvider, tmp_path: Path) -> None:
    with login_on_terminal(tmp_path, provider.issuer, columns=0, COLUMNS="40") as screen:
        screen.wait_for(r"[|/\\-] Waiting for the browser \d:\d\d left")
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
        screen.wait_for(r"Waiting\s+for\s+the\s+browser")
        screen.type("hello\r")
        screen.wait_for(r"That\s+is\s+not\s+an\s+address")
        screen.type(f"{callback_url(url, code=CODE)}\r")
        assert screen.end() == (0, True)
    assert "\x1b" not in screen.shown
    assert not re.search(r"\r(?!\n)", screen.shown)
    assert " ".join(screen.shown.split()).count("Waiting for the browser for 10 minutes at most (Ctrl-C to stop)") == 1
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


LINK = re.compile("\x1b]8;id=loginmachine;(.*?)\x1b\\\\(.*?)\x1b]8;;\x1b\\\\", re.DOTALL)
COPIED = re.compile("\x1b]52;c;(.*?)\x07")


def test_the_address_is_a_link_and_copied_on_request(provider: ScriptedProvider, tmp_path: Path) -> None:
    with login_on_terminal(tmp_path, provider.issuer, columns=40, VTE_VERSION="7600") as screen:
        screen.wait_for_no_echo()
        screen.wait_for("left")
        screen.type("c")
        screen.wait_for("is sent to your clipboard")
        # The key is not the beginning of a text, and within a text it is no key.
        screen.type("xc\r")
        screen.wait_for(r"not\s+an\s+address")
        screen.type("\x03")
        assert screen.end() == (130, True)
    ((url, shown),) = LINK.findall(screen.shown)
    assert shown == f"\x1b[1m{url}\x1b[0m"
    assert url.startswith(f"{provider.issuer}/oauth/authorize?")
    assert [b64decode(text).decode() for text in COPIED.findall(screen.shown)] == [url]
    lines = rendered(screen.shown, 40)
    assert "To copy the address, press c." in lines
    assert url in "".join(lines)


@pytest.mark.parametrize("kind", ["dumb", "xterm"])
def test_other_terminals_get_no_link(provider: ScriptedProvider, tmp_path: Path, kind: str) -> None:
    forced = {"FORCE_HYPERLINK": "1"} if kind == "dumb" else {}
    with login_on_terminal(tmp_path, provider.issuer, columns=100, TERM=kind, **forced) as screen:
        screen.wait_for_no_echo()
        screen.wait_for("Waiting")
        screen.type("c" if kind == "dumb" else "")
        screen.type("\x03")
        assert screen.end() == (130, True)
    assert "\x1b]" not in screen.shown
    assert ("press c" in screen.shown) == (kind == "xterm")


@pytest.mark.parametrize("columns", [40, 60])
def test_no_word_is_broken(provider: ScriptedProvider, tmp_path: Path, columns: int) -> None:
    options = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.7 22", "USER": "ada", "TERM": "dumb"}
    with login_on_terminal(tmp_path, provider.issuer, columns=columns, **options) as screen:
        screen.wait_for_no_echo()
        screen.wait_for(r"Waiting[\s\S]*stop\)")
        screen.type("\x03")
        assert screen.end() == (130, True)
    for line in screen.shown.replace("\r", "").splitlines():
        # The addresses, and the command, can be copied whole.
        assert len(line) <= columns or re.match(r"http://|  ssh -L|\[", line), line


@pytest.mark.parametrize(
    ("variables", "has"),
    [
        ({}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "foot"}, True),
        ({"TERM": "xterm", "VTE_VERSION": "5000"}, True),
        ({"TERM": "xterm", "VTE_VERSION": "4999"}, False),
        ({"TERM": "xterm", "VTE_VERSION": "new"}, False),
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"WT_SESSION": "id"}, True),
        ({"TERM": "screen-256color", "VTE_VERSION": "7600"}, False),
        ({"TERM": "tmux-256color", "FORCE_HYPERLINK": "1"}, True),
        ({"TERM": "xterm-kitty", "FORCE_HYPERLINK": "0"}, False),
    ],
)
def test_which_terminals_have_links(variables: dict[str, str], *, has: bool) -> None:
    assert has_links(variables) == has


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

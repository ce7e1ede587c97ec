"""A job of continuous integration does not wait for a browser in vain."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from ..conftest import called

if sys.platform != "win32":
    from ..terminal.support import login_on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from ..conftest import ScriptedProvider

REFUSED = "No sign-in was started: CI is set, and without a terminal no person would see the address."


def login(home: Path, *more: str, ci: str = "true") -> tuple[int, str, str]:
    arguments = ("--port", "0", "--no-browser", "--home", str(home))
    return called("login", *arguments, *more, CI=ci)


def test_it_ends_at_once(tmp_path: Path) -> None:
    code, out, err = login(tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith(REFUSED)
    assert "loginmachine login --with-token" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("more", "ci"), [(("--timeout", "0.01"), "true"), (("--json", "--timeout", "0.01"), "1")])
def test_it_waits_if_it_shall(tmp_path: Path, more: tuple[str, ...], ci: str) -> None:
    code, _, err = login(tmp_path, *more, ci=ci)
    assert (code, REFUSED in err) == (1, False)
    assert "login_timed_out" in err


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_on_a_terminal_there_is_a_person(provider: ScriptedProvider, tmp_path: Path) -> None:
    with login_on_terminal(tmp_path, provider.issuer, CI="true") as screen:
        screen.wait_for_no_echo()
        screen.type("\x03")
        assert screen.end() == (130, True)
    assert "No sign-in was started" not in screen.shown

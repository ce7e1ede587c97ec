"""The short commands when nobody reads what they say, or when nothing can be read from standard input."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ..conftest import ACCESS, CODE, ID_TOKEN, REFRESH, called, environment, started

if TYPE_CHECKING:
    from pathlib import Path

NOWHERE = "http://127.0.0.1:1"
TOKENS = {"id_token": ID_TOKEN, "access_token": ACCESS, "refresh_token": REFRESH, "account_id": "acc-1"}
BAD_DESCRIPTOR = os.strerror(errno.EBADF)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="redirects of a POSIX shell")


def sign_in(home: Path, **tokens: str) -> None:
    content = {"auth_mode": "chatgpt", "tokens": {**TOKENS, **tokens}, "last_refresh": "9000-01-01T00:00:00Z"}
    (home / "auth.json").write_text(json.dumps(content))


def redirected(redirects: str, *arguments: str) -> tuple[int, str, str]:
    """The command, with its streams redirected by a shell."""
    shell = ["/bin/sh", "-c", f'exec "$@" {redirects}', "sh", sys.executable, "-m", "loginmachine", *arguments]
    done = subprocess.run(shell, capture_output=True, text=True, env=environment(), timeout=30, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("redirects", [">&-", ">/dev/full", ">&- 2>&-", "<&- >&- 2>&-"])
def test_what_was_done_decides_whoever_reads(tmp_path: Path, redirects: str) -> None:
    sign_in(tmp_path)
    home = ["--home", str(tmp_path)]
    assert redirected(redirects, "status", *home) == (0, "", "")
    assert redirected(redirects, "status", "--json", *home) == (0, "", "")
    assert redirected(redirects, "refresh", "--if-due", *home) == (0, "", "")
    # A token that nobody got is another matter.
    assert redirected(redirects, "token", *home) == (1, "", "")
    assert redirected(redirects, "logout", "--json", "--issuer", NOWHERE, *home) == (0, "", "")
    assert not (tmp_path / "auth.json").exists()


def test_a_reader_that_left_gets_no_token(tmp_path: Path) -> None:
    sign_in(tmp_path)
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "loginmachine", "token", "--home", str(tmp_path)]
    done = subprocess.run(
        command, stdout=writer, stderr=subprocess.PIPE, env=environment(), timeout=30, text=True, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_what_is_for_standard_error_never_comes_on_standard_output(tmp_path: Path) -> None:
    assert redirected("2>&-", "token", "--home", str(tmp_path)) == (1, "", "")


@pytest.mark.parametrize("closed", ["<&-", "0>/dev/null"])
def test_without_standard_input(tmp_path: Path, closed: str) -> None:
    code, out, err = redirected(closed, "complete")
    assert (code, out) == (1, "")
    assert err.startswith("That is not the address")
    code, out, err = redirected(closed, "login", "--api-key", "--home", str(tmp_path))
    assert (code, out) == (1, "")
    assert err.startswith("No API key came")
    assert redirected(closed, "replay", "-") == (2, "", f"- cannot be read: {BAD_DESCRIPTOR}.\n")


def test_a_drawing_without_standard_output() -> None:
    told = f"The drawing could not be written to standard output: {BAD_DESCRIPTOR}.\n"
    assert redirected(">&-", "diagram") == (1, "", told)


def test_bytes_that_are_no_text_are_no_address() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "loginmachine", "complete"],
        input=b"http://127.0.0.1:1455/auth/callback?code=\xff\xfe",
        capture_output=True,
        env=environment(PYTHONUTF8="1"),
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b"That is not the address")


def test_an_address_on_the_command_line_is_refused_and_not_repeated() -> None:
    code, out, err = started("complete", f"http://127.0.0.1:1455/auth/callback?code={CODE}&state=s")
    assert (code, out) == (2, "")
    assert "standard input" in err
    assert CODE not in err


def test_what_is_misplaced_is_shown_safely() -> None:
    code, _, err = started("status", "--x\x1b[2J" + 5000 * "y")
    assert code == 2
    assert "--x\ufffd[2Jyyy" in err
    assert len(err) < 1000


def test_a_path_does_not_act_on_the_terminal(tmp_path: Path) -> None:
    home = tmp_path / "a\x1b[2J\udcff"
    home.mkdir()
    sign_in(home)
    _, out, _ = started("status", "--home", str(home))
    assert "a\ufffd[2J\ufffd/auth.json" in out
    (home / "auth.json").write_text("{")
    for command in ("status", "token", "refresh"):
        code, out, err = called(command, "--home", str(home))
        assert (code, out) == (1, "")
        assert "a\ufffd[2J\ufffd/auth.json" in err


@pytest.mark.parametrize("name", ["id_token", "access_token", "refresh_token"])
def test_a_stored_token_that_would_act_on_the_terminal(tmp_path: Path, name: str) -> None:
    sign_in(tmp_path, **{name: "canary\x1b[2J"})
    for command in ("status", "token", "refresh"):
        code, out, err = called(command, "--home", str(tmp_path))
        assert (code, out) == (1, "")
        assert f"tokens.{name} holds a character that is in no token" in err
        assert "canary" not in err

"""Commands with closed or broken standard streams, and with input that contains control characters."""

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
    """Run the command with streams that a shell redirects."""
    shell = ["/bin/sh", "-c", f'exec "$@" {redirects}', "sh", sys.executable, "-m", "loginmachine", *arguments]
    done = subprocess.run(shell, capture_output=True, text=True, env=environment(), timeout=30, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("redirects", [">&-", ">/dev/full", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_output_does_not_change_the_exit_code(tmp_path: Path, redirects: str) -> None:
    sign_in(tmp_path)
    home = ["--home", str(tmp_path)]
    assert redirected(redirects, "status", *home) == (0, "", "")
    assert redirected(redirects, "status", "--json", *home) == (0, "", "")
    assert redirected(redirects, "refresh", "--if-due", *home) == (0, "", "")
    # Without a reader, printing the token has failed.
    assert redirected(redirects, "token", *home) == (1, "", "")
    assert redirected(redirects, "logout", "--json", "--provider", "codex", "--issuer", NOWHERE, *home) == (0, "", "")
    assert not (tmp_path / "auth.json").exists()


def test_token_fails_if_the_pipe_is_closed(tmp_path: Path) -> None:
    sign_in(tmp_path)
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "loginmachine", "token", "--home", str(tmp_path)]
    done = subprocess.run(
        command, stdout=writer, stderr=subprocess.PIPE, env=environment(), timeout=30, text=True, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_errors_never_appear_on_standard_output(tmp_path: Path) -> None:
    assert redirected("2>&-", "token", "--home", str(tmp_path)) == (1, "", "")


@pytest.mark.parametrize("closed", ["<&-", "0>/dev/null"])
def test_closed_or_empty_standard_input(tmp_path: Path, closed: str) -> None:
    code, out, err = redirected(closed, "complete")
    assert (code, out) == (1, "")
    assert err.startswith("That is not the address")
    code, out, err = redirected(closed, "login", "--api-key", "--home", str(tmp_path))
    assert (code, out) == (1, "")
    assert err.startswith("No API key: ")
    assert redirected(closed, "replay", "-") == (2, "", f"- cannot be read: {BAD_DESCRIPTOR}.\n")


def test_diagram_with_closed_standard_output() -> None:
    message = f"The diagram could not be written to standard output: {BAD_DESCRIPTOR}.\n"
    assert redirected(">&-", "diagram") == (1, "", message)


def test_complete_refuses_bytes_that_are_not_text() -> None:
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


def test_complete_refuses_and_hides_an_address_argument() -> None:
    code, out, err = started("complete", f"http://127.0.0.1:1455/auth/callback?code={CODE}&state=s")
    assert (code, out) == (2, "")
    assert "standard input" in err
    assert CODE not in err


def test_unknown_arguments_are_shown_without_control_characters() -> None:
    code, _, err = started("status", "--x\x1b[2J" + 5000 * "y")
    assert code == 2
    assert "--x\ufffd[2Jyyy" in err
    assert len(err) < 1000


def test_paths_are_shown_without_control_characters(tmp_path: Path) -> None:
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
def test_stored_tokens_with_control_characters_are_refused(tmp_path: Path, name: str) -> None:
    sign_in(tmp_path, **{name: "canary\x1b[2J"})
    for command in ("status", "token", "refresh"):
        code, out, err = called(command, "--home", str(tmp_path))
        assert (code, out) == (1, "")
        assert f"tokens.{name} holds a character that is in no token" in err
        assert "canary" not in err

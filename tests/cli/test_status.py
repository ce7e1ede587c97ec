"""`loginmachine status`, `--version`, and what the command says without a command."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from .conftest import ID_TOKEN, environment

if TYPE_CHECKING:
    from pathlib import Path

TOKENS = {"id_token": ID_TOKEN, "access_token": "canary-a", "refresh_token": "canary-r", "account_id": "acc-1"}


def loginmachine(*arguments: str, **extra: str) -> tuple[int, str, str]:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "loginmachine", *arguments],
        capture_output=True,
        text=True,
        env=environment(**extra),
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def status(home: Path, content: object = None, **extra: str) -> tuple[int, str, str]:
    if content is not None:
        (home / "auth.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return loginmachine("status", "--home", str(home), **extra)


def test_nobody(tmp_path: Path) -> None:
    assert status(tmp_path) == (1, "Nobody is signed in.\n", "")


def test_only_a_key_in_the_environment(tmp_path: Path) -> None:
    code, out, _ = status(tmp_path, OPENAI_API_KEY="canary-key")
    assert (code, out) == (0, "Nobody is signed in; the API key in OPENAI_API_KEY is used.\n")


def test_chatgpt(tmp_path: Path) -> None:
    received = datetime.now(UTC) - timedelta(hours=3, minutes=5)
    content = {"auth_mode": "chatgpt", "OPENAI_API_KEY": "canary-k", "tokens": TOKENS}
    code, out, _ = status(tmp_path, {**content, "last_refresh": received.strftime("%Y-%m-%dT%H:%M:%S.123456789Z")})
    assert code == 0
    assert out.splitlines() == [
        "Signed in with ChatGPT as ada@example.com.",
        "Plan: plus",
        "Workspace: acc-1",
        "API key: there is one for this account",
        f"Tokens: received 3 hours ago ({received:%Y-%m-%d %H:%M} UTC)",
        f"Stored in: {tmp_path / 'auth.json'}",
    ]


def test_an_api_key(tmp_path: Path) -> None:
    code, out, _ = status(tmp_path, {"auth_mode": "apikey", "OPENAI_API_KEY": "canary-k"})
    assert (code, out.splitlines()[0]) == (0, "Signed in with an API key.")
    assert "canary" not in out


def test_codex_home_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "auth.json").write_text('{"OPENAI_API_KEY": "canary-k", "tokens": null}')
    code, out, _ = loginmachine("status", CODEX_HOME=str(tmp_path))
    assert (code, out.splitlines()[0]) == (0, "Signed in with an API key.")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "the file cannot be used: not JSON"),
        ('{"tokens": "canary"}', "tokens is not an object"),
        ('{"tokens": {"id_token": "canary"}}', "tokens.access_token is missing"),
        ('{"OPENAI_API_KEY": 5}', "OPENAI_API_KEY is not a string"),
    ],
)
def test_a_malformed_file_is_an_error_and_never_nobody(tmp_path: Path, content: str, words: str) -> None:
    code, out, err = status(tmp_path, content, OPENAI_API_KEY="canary-key")
    assert (code, out) == (1, "")
    assert words in err
    assert "canary" not in err


def test_version() -> None:
    from importlib.metadata import version

    assert loginmachine("--version") == (0, f"loginmachine {version('loginmachine')}\n", "")


def test_without_a_command_it_explains_itself() -> None:
    code, out, _ = loginmachine()
    assert code == 2
    assert "login" in out
    assert "13   the callback port is in use" in out

"""Codex's settings for logins in `config.toml`: a login names those that it does not obey."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest

from loginmachine.cli.codex_config import warnings_about

from .conftest import CODE, ScriptedProvider, browse, callback_url, called, login

if TYPE_CHECKING:
    from pathlib import Path

BOTH = 'forced_login_method = "api"\nforced_chatgpt_workspace_id = "acc-9"\n'


def warned(home: Path, content: str | bytes, *workspaces: str) -> list[str]:
    path = home / "config.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [words.replace(str(path), "FILE") for words in warnings_about(str(home), workspaces)]


METHOD = "FILE sets forced_login_method to 'api' for Codex, which this command does not obey"
WORKSPACE = (
    "FILE sets forced_chatgpt_workspace_id to acc-9 for Codex, which this command does not obey: "
    "use --workspace to allow no other"
)


def test_settings_that_are_not_obeyed(tmp_path: Path) -> None:
    assert warned(tmp_path, BOTH) == [METHOD, WORKSPACE]
    assert warned(tmp_path, BOTH, "acc-1") == [METHOD, WORKSPACE]


def test_a_workspace_that_is_allowed_on_the_command_line(tmp_path: Path) -> None:
    assert warned(tmp_path, BOTH, "acc-9") == [METHOD]


def test_a_list_of_workspaces(tmp_path: Path) -> None:
    both = 'forced_chatgpt_workspace_id = ["acc-9", "acc-8", 5]'
    assert warned(tmp_path, both) == [WORKSPACE.replace("acc-9", "acc-9, acc-8")]
    assert warned(tmp_path, both, "acc-8", "acc-9") == []


def test_a_value_is_cleaned(tmp_path: Path) -> None:
    (words,) = warned(tmp_path, 'forced_login_method = "a\\u001B[2J"')
    assert "'a\N{REPLACEMENT CHARACTER}[2J'" in words


@pytest.mark.parametrize(
    "content",
    ["", 'model = "x"', "forced_login_method = 5", 'forced_login_method = ""', "[forced_login_method]\na = 1"],
)
def test_other_settings(tmp_path: Path, content: str) -> None:
    assert warned(tmp_path, content) == []


@pytest.mark.parametrize(
    "content", ["forced_login_method", b"\xff", "a = " + "[" * 100_000], ids=["no TOML", "no text", "deep"]
)
def test_a_broken_file_is_ignored(tmp_path: Path, content: str | bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "loginmachine")
    assert warned(tmp_path, content) == []
    assert [record.levelname for record in caplog.records] == ["DEBUG"]
    assert caplog.messages[0].startswith("Codex's config.toml could not be read: ")


def test_no_file_is_not_worth_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "loginmachine")
    assert warnings_about(str(tmp_path)) == []
    assert caplog.records == []


def test_a_folder_or_a_pipe_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    assert warnings_about(str(tmp_path)) == []
    other = tmp_path / "other"
    other.mkdir()
    os.mkfifo(other / "config.toml")
    assert warnings_about(str(other)) == []


def test_a_login_warns_after_its_url(tmp_path: Path, provider: ScriptedProvider) -> None:
    (tmp_path / "config.toml").write_text(BOTH)
    provider.will_sign_in()
    with login(tmp_path, provider.issuer) as command:
        browse(callback_url(command.event("listening")["url"], code=CODE))
        code, err = command.end()
    assert code == 0
    lines = err.replace(str(tmp_path / "config.toml"), "FILE").splitlines()
    assert [line for line in lines if line.startswith("Warning: ")] == [f"Warning: {METHOD}.", f"Warning: {WORKSPACE}."]
    url = next(number for number, line in enumerate(lines) if "/oauth/authorize?" in line)
    assert lines.index(f"Warning: {METHOD}.") > url


def test_a_login_with_an_api_key_warns_too(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('forced_login_method = "chatgpt"')
    code, _, err = called("login", "--api-key", "--home", str(tmp_path), given="sk-new")
    assert code == 0
    assert "sets forced_login_method to 'chatgpt' for Codex, which this command does not obey.\n" in err

"""`loginmachine login --api-key`: the key is read from standard input, never from the command line."""

from __future__ import annotations

import io
import json
import sys
from getpass import GetPassWarning
from typing import TYPE_CHECKING

import pytest

from loginmachine.cli import main

from ..conftest import called, started
from .test_logout import OLD, REVOKED

if TYPE_CHECKING:
    from pathlib import Path

    from ..conftest import ScriptedProvider

STORED = b'{\n  "auth_mode": "apikey",\n  "OPENAI_API_KEY": "sk-canary"\n}'


def store_key(home: Path, key: bytes, *more: str) -> tuple[int, str, str]:
    return called("login", "--home", str(home), *more, given=key)


@pytest.mark.parametrize("key", [b"sk-canary", b"sk-canary\n", b" sk-canary\r\n"])
def test_key_from_a_pipe(tmp_path: Path, key: bytes) -> None:
    path = tmp_path / "auth.json"
    assert started("login", "--home", str(tmp_path), "--api-key", given=key) == (
        0,
        "",
        f"Signed in with an API key.\nYour credentials are in {path}\n",
    )
    assert path.read_bytes() == STORED


@pytest.mark.parametrize("key", [b"", b"\n", b"sk canary", b"sk-canary\x00", b"canary-\xff", b"c" * 4097, b"c" * 9999])
def test_invalid_keys(tmp_path: Path, key: bytes) -> None:
    code, out, err = store_key(tmp_path, key, "--api-key")
    assert (code, out) == (1, "")
    assert err == "No API key: expected 1 to 4096 visible ASCII characters on standard input.\n"
    assert list(tmp_path.iterdir()) == []


def test_the_longest_key(tmp_path: Path) -> None:
    assert store_key(tmp_path, b"c" * 4096, "--api-key")[0] == 0


@pytest.mark.parametrize(
    "arguments", [("--api-key=sk-canary",), ("--api-key", "sk-canary"), ("sk-canary", "--api-key")]
)
def test_a_key_on_the_command_line_is_refused_and_not_shown(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, out, err = store_key(tmp_path, b"sk-other", *arguments)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].endswith(
        ": error: --api-key takes no value, because others could see it: the key is read from standard input"
    )
    assert "canary" not in err
    assert list(tmp_path.iterdir()) == []


def test_other_unknown_arguments_are_shown(tmp_path: Path) -> None:
    code, _, err = store_key(tmp_path, b"", "nonsense")
    assert code == 2
    assert err.splitlines()[-1] == "loginmachine login: error: unrecognized arguments: nonsense"


def test_json(tmp_path: Path) -> None:
    no_account = {"account_id": None, "email": None, "plan": None}
    _, out, _ = store_key(tmp_path, b"sk-canary", "--api-key", "--json")
    done = {"event": "finished", "outcome": "succeeded", "category": None, "message": None}
    assert json.loads(out) == {**done, **no_account}
    _, out, _ = store_key(tmp_path, b"", "--api-key", "--json")
    line = json.loads(out)
    assert line.pop("message").startswith("No API key: expected ")
    assert line == {"event": "finished", "outcome": "failed", "category": "persist_failed", **no_account}


@pytest.mark.parametrize("status", [200, 500])
def test_replaced_tokens_are_revoked(tmp_path: Path, provider: ScriptedProvider, status: int) -> None:
    (tmp_path / "auth.json").write_text(json.dumps({"auth_mode": "chatgpt", "tokens": OLD}))
    provider.revocation = status
    code, _, err = store_key(tmp_path, b"sk-canary", "--api-key", "--provider", "codex", "--issuer", provider.issuer)
    assert code == 0
    assert (tmp_path / "auth.json").read_bytes() == STORED
    assert provider.revoked == [REVOKED]
    words = (
        f"Note: the tokens of the previous sign-in could not be revoked: {provider.issuer}/oauth/revoke: status 500."
    )
    assert (words in err) == (status == 500)


def test_nothing_is_revoked_if_the_key_cannot_be_stored(tmp_path: Path, provider: ScriptedProvider) -> None:
    (tmp_path / "auth.json").mkdir()
    code, _, err = store_key(tmp_path, b"sk-canary", "--api-key", "--provider", "codex", "--issuer", provider.issuer)
    assert code == 1
    assert err == f"The API key is not stored: {tmp_path / 'auth.json'}: it is not a regular file.\n"
    assert provider.revoked == []


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_key_from_a_hidden_prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts: list[str] = []

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        return "sk-canary"

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", answer)
    assert main(["login", "--api-key", "--home", str(tmp_path)]) == 0
    assert prompts == ["API key (input is hidden): "]
    assert (tmp_path / "auth.json").read_bytes() == STORED


@pytest.mark.parametrize(("trouble", "code"), [(EOFError, 1), (GetPassWarning, 1), (KeyboardInterrupt, 130)])
def test_no_input_at_the_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: type[BaseException], code: int
) -> None:
    def refuse(_prompt: str) -> str:
        raise trouble

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", refuse)
    assert main(["login", "--api-key", "--home", str(tmp_path)]) == code
    assert list(tmp_path.iterdir()) == []


def test_no_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["login", "--api-key", "--home", str(tmp_path)]) == 1


def test_interrupt_during_the_revocation(
    tmp_path: Path, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from loginmachine.drivers.threaded import revocation

    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    (tmp_path / "auth.json").write_text(json.dumps({"auth_mode": "chatgpt", "tokens": OLD}))
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda _: "sk-canary")
    monkeypatch.setattr(revocation, "revoke", interrupted)
    # The key is stored: that is a success.
    assert (
        main(["login", "--api-key", "--home", str(tmp_path), "--provider", "codex", "--issuer", provider.issuer]) == 0
    )
    assert "could not be revoked: it was interrupted." in capsys.readouterr().err

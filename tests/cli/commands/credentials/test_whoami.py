"""`loginmachine whoami`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ...conftest import ID_TOKEN, called, started

if TYPE_CHECKING:
    from pathlib import Path

TOKENS = {"id_token": ID_TOKEN, "access_token": "canary-a", "refresh_token": "canary-r", "account_id": "acc-1"}
CHATGPT = {"auth_mode": "chatgpt", "tokens": TOKENS}
NOBODY = dict.fromkeys(
    ("who", "provider", "issuer", "client_id", "subject", "email", "name", "account_id", "auth_mode"), None
)


def whoami(home: Path, content: object = None, *more: str, **extra: str) -> tuple[int, str, str]:
    if content is not None:
        (home / "auth.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return called("whoami", "--home", str(home), *more, **extra)


def test_signed_in(tmp_path: Path) -> None:
    (tmp_path / "auth.json").write_text(json.dumps(CHATGPT))
    assert started("whoami", "--home", str(tmp_path)) == (0, "ada@example.com at auth.openai.com (codex)\n", "")


def test_json(tmp_path: Path) -> None:
    code, out, err = whoami(tmp_path, CHATGPT, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "signed_in": True,
        "from_environment": False,
        "who": "ada@example.com",
        "provider": "codex",
        "issuer": "https://auth.openai.com",
        "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
        "subject": None,
        "email": "ada@example.com",
        "name": None,
        "account_id": "acc-1",
        "auth_mode": "chatgpt",
        "message": None,
    }


def test_signed_out(tmp_path: Path) -> None:
    path = tmp_path / "auth.json"
    nothing = f"Not signed in: nothing is stored in {path}."
    assert whoami(tmp_path) == (1, "", f"{nothing}\nTo sign in, run: loginmachine login --home {tmp_path}\n")
    code, out, err = whoami(tmp_path, None, "--json")
    assert (code, err) == (1, "")
    assert json.loads(out) == {"signed_in": False, "from_environment": False, **NOBODY, "message": nothing}


def test_api_keys(tmp_path: Path) -> None:
    variable = "the API key in OPENAI_API_KEY at auth.openai.com (codex)\n"
    assert whoami(tmp_path, OPENAI_API_KEY="canary-key") == (0, variable, "")
    _, out, _ = whoami(tmp_path, None, "--json", OPENAI_API_KEY="canary-key")
    # As `status` has it: nothing is stored.
    assert (json.loads(out)["signed_in"], json.loads(out)["from_environment"]) == (False, True)
    stored = {"auth_mode": "apikey", "OPENAI_API_KEY": "canary-key"}
    assert whoami(tmp_path, stored) == (0, "an API key at auth.openai.com (codex)\n", "")


def test_tokens_without_a_name(tmp_path: Path) -> None:
    content = {"auth_mode": "chatgpt", "tokens": {**TOKENS, "id_token": "e30.e30.e30", "account_id": None}}
    words = "an unnamed account at auth.openai.com (codex)\n"
    assert whoami(tmp_path, content) == (0, words, "")


@pytest.mark.parametrize(
    ("content", "words"),
    [("canary", "The stored credentials cannot be read: "), ({"auth_mode": "chatgpt"}, "Not signed in: the tokens ")],
)
def test_credentials_that_cannot_be_used(tmp_path: Path, content: object, words: str) -> None:
    code, out, err = whoami(tmp_path, content)
    assert (code, out, err.startswith(words)) == (1, "", True)
    code, out, err = whoami(tmp_path, None, "--json")
    assert (code, err) == (1, "")
    assert json.loads(out)["message"].startswith(words)
    assert "canary" not in out

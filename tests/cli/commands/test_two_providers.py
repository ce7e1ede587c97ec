"""With the credentials of one provider stored, no command sends them to another, or replaces them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pytest_httpserver import HTTPServer

from ..conftest import CODE, ID_TOKEN, ScriptedProvider, browse, callback_url, called, jwt, login

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLIENT = "app_EMoamEEZ73f0CkXaXp7hrann"


@pytest.fixture
def other() -> Iterator[ScriptedProvider]:
    """Another provider, which would answer every request."""
    with HTTPServer(host="127.0.0.1") as server:
        scripted = ScriptedProvider(issuer=f"http://127.0.0.1:{server.port}")
        scripted.answers += [(200, {"access_token": "stolen", "refresh_token": "stolen", "id_token": ID_TOKEN})] * 5
        server.expect_request("/oauth/token", method="POST").respond_with_handler(scripted.answer)
        server.expect_request("/oauth/revoke", method="POST").respond_with_handler(scripted.revoke)
        yield scripted


@pytest.fixture
def stored(tmp_path: Path, provider: ScriptedProvider) -> bytes:
    """Sign in at the first provider, and return the bytes of the file."""
    provider.will_sign_in()
    with login(tmp_path, provider.issuer) as command:
        browse(callback_url(command.event("listening")["url"], code=CODE))
        assert command.end()[0] == 0
    provider.forms.clear()
    return (tmp_path / "auth.json").read_bytes()


def test_a_login_records_its_provider(stored: bytes, provider: ScriptedProvider) -> None:
    assert json.loads(stored)["tokens"]["oauth_provenance"] == {"issuer": provider.issuer, "client_id": CLIENT}


def test_a_login_at_another_provider_fails_before_the_browser(
    tmp_path: Path, stored: bytes, provider: ScriptedProvider, other: ScriptedProvider
) -> None:
    with login(tmp_path, other.issuer) as command:
        code, err = command.end()
    assert code == 1
    assert [event["event"] for event in command.events] == ["finished"]
    assert command.events[0]["category"] == "persist_failed"
    assert f"a sign-in at {provider.issuer} (client {CLIENT})" in err
    assert f"at {other.issuer} (client {CLIENT})" in err
    assert "loginmachine logout" in err
    assert (tmp_path / "auth.json").read_bytes() == stored
    assert provider.revoked == other.revoked == other.forms == []


def test_an_api_key_does_not_replace_a_sign_in_at_another_provider(
    tmp_path: Path, stored: bytes, provider: ScriptedProvider
) -> None:
    code, _, err = called("login", "--api-key", "--home", str(tmp_path), given="sk-new")
    assert code == 1
    assert f"a sign-in at {provider.issuer}" in err
    assert (tmp_path / "auth.json").read_bytes() == stored
    assert provider.revoked == []


@pytest.mark.parametrize("command", ["token", "refresh"])
@pytest.mark.parametrize("named", ["issuer", "client"])
def test_no_token_is_sent_to_another_provider_or_client(  # noqa: PLR0913, PLR0917 - fixtures
    tmp_path: Path, stored: bytes, provider: ScriptedProvider, other: ScriptedProvider, command: str, named: str
) -> None:
    options = ("--provider", "codex", "--issuer", other.issuer) if named == "issuer" else ("--client-id", "client-2")
    code, out, err = called(command, "--home", str(tmp_path), *options)
    assert (code, out) == (1, "")
    assert "Details: provider_mismatch" in err
    assert f"{provider.issuer} (client {CLIENT})" in err
    assert options[-1] in err
    assert (tmp_path / "auth.json").read_bytes() == stored
    assert provider.forms == other.forms == []


def test_logout_at_another_provider_removes_and_sends_nothing(
    tmp_path: Path, stored: bytes, provider: ScriptedProvider, other: ScriptedProvider
) -> None:
    code, _, err = called("logout", "--home", str(tmp_path), "--provider", "codex", "--issuer", other.issuer)
    assert code == 1
    assert provider.issuer in err
    assert other.issuer in err
    assert (tmp_path / "auth.json").read_bytes() == stored
    assert provider.revoked == other.revoked == []


def test_the_provider_need_not_be_named_again(tmp_path: Path, stored: bytes, provider: ScriptedProvider) -> None:
    assert stored
    new = jwt({"exp": 4_000_000_000})
    # (The scripted provider reads forms, and Codex's refresh is JSON.)
    provider.answers.append((200, {"access_token": new, "refresh_token": "canary-next"}))
    assert called("refresh", "--home", str(tmp_path))[0] == 0
    assert called("token", "--home", str(tmp_path))[:2] == (0, f"{new}\n")
    assert called("logout", "--home", str(tmp_path))[0] == 0
    assert [request["token"] for request in provider.revoked] == ["canary-next"]


def test_tokens_of_an_older_file_are_used_at_the_issuer_that_they_name(
    tmp_path: Path, provider: ScriptedProvider, other: ScriptedProvider
) -> None:
    old = {"id_token": jwt({"iss": provider.issuer}), "access_token": "opaque", "refresh_token": "canary-old"}
    content = {"auth_mode": "chatgpt", "tokens": old}
    path = tmp_path / "auth.json"
    path.write_text(json.dumps(content))
    for options in ((), ("--provider", "codex", "--issuer", other.issuer)):
        code, _, err = called("refresh", "--home", str(tmp_path), *options)
        assert code == 1
        assert f"issued by {provider.issuer}" in err
    assert json.loads(path.read_text()) == content
    provider.answers.append((200, {"access_token": "canary-new"}))
    assert called("refresh", "--home", str(tmp_path), "--provider", "codex", "--issuer", provider.issuer)[0] == 0
    kept = json.loads(path.read_text())["tokens"]
    assert kept["oauth_provenance"] == {"issuer": provider.issuer, "client_id": CLIENT}
    assert kept["access_token"] == "canary-new"
    assert other.forms == []


def test_tokens_of_openai_are_never_sent_to_another_issuer(tmp_path: Path, other: ScriptedProvider) -> None:
    old = {"id_token": jwt({"iss": "https://auth.openai.com"}), "access_token": "opaque", "refresh_token": "canary-old"}
    path = tmp_path / "auth.json"
    path.write_text(json.dumps({"auth_mode": "chatgpt", "tokens": old}))
    before = path.read_bytes()
    for command in ("refresh", "token", "logout"):
        assert called(command, "--home", str(tmp_path), "--provider", "codex", "--issuer", other.issuer)[0] == 1
    with login(tmp_path, other.issuer) as running:
        assert running.end()[0] == 1
    assert path.read_bytes() == before
    assert other.forms == other.revoked == []

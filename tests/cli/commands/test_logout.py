"""`loginmachine logout`, and how a new login replaces stored credentials."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ...drivers.support import free_port
from ...sansio.trace.beside import everything_told
from ..conftest import CODE, ID_TOKEN, browse, callback_url, called, login, started
from .test_status import NO_KEYRING

if TYPE_CHECKING:
    from pathlib import Path

    from ..conftest import ScriptedProvider

OLD = {"id_token": ID_TOKEN, "access_token": "canary-a", "refresh_token": "canary-old"}
REVOKED = {
    "token": "canary-old",
    "token_type_hint": "refresh_token",
    "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
}
SIGNED_OUT = "Signed out: the credentials are removed from this machine.\n"


@pytest.fixture
def signed_in(tmp_path: Path) -> Path:
    (tmp_path / "auth.json").write_text(json.dumps({"auth_mode": "chatgpt", "tokens": OLD}))
    return tmp_path


def logout(home: Path, provider: ScriptedProvider, *more: str, **extra: str) -> tuple[int, str, str]:
    return called("logout", "--home", str(home), "--provider", "codex", "--issuer", provider.issuer, *more, **extra)


def test_logout(signed_in: Path, provider: ScriptedProvider) -> None:
    output = f"{SIGNED_OUT}The provider has revoked the tokens.\n"
    assert started("logout", "--home", str(signed_in), "--provider", "codex", "--issuer", provider.issuer) == (
        0,
        output,
        "",
    )
    assert provider.revoked == [REVOKED]
    assert not (signed_in / "auth.json").exists()
    nothing = (
        f"You were not signed in: nothing is stored in {signed_in / 'auth.json'}.\n"
        f"To sign in, run: loginmachine login --home {signed_in} --provider codex --issuer {provider.issuer}\n"
    )
    assert logout(signed_in, provider) == (0, nothing, "")
    assert provider.revoked == [REVOKED]


@pytest.mark.parametrize("status", [200, 503])
def test_record(signed_in: Path, provider: ScriptedProvider, status: int) -> None:
    path = signed_in / "trace"
    provider.revocation = status
    assert logout(signed_in, provider, "--record", str(path))[0] == 0
    assert path.stat().st_mode & 0o777 == 0o600
    content = everything_told(path.read_text())
    assert [secret for secret in ("canary", ID_TOKEN, "ada@", str(signed_in)) if secret in content] == []
    code, out, err = called("replay", str(path))
    assert (code, err) == (0, "")
    assert "Recorded by loginmachine logout" in out
    assert f"revoke the tokens at {provider.issuer}/oauth/revoke" in out
    not_confirmed = f"the revocation is not confirmed: {provider.issuer}/oauth/revoke: status 503"
    assert ("the tokens are revoked" if status == 200 else not_confirmed) in out
    assert "The sign-out succeeded." in out


def test_failed_revocation(signed_in: Path, provider: ScriptedProvider) -> None:
    provider.revocation = 503
    code, out, err = logout(signed_in, provider, OPENAI_API_KEY="canary-key")
    assert (code, out) == (
        0,
        f"{SIGNED_OUT}The environment variable OPENAI_API_KEY is still set, and its API key is used.\n",
    )
    assert err.splitlines() == [
        f"The provider did not confirm that the tokens are revoked: {provider.issuer}/oauth/revoke: status 503.",
        "If someone else may have them, sign out of all sessions in your account's settings.",
    ]
    assert "canary" not in out + err
    assert not (signed_in / "auth.json").exists()


def test_provider_cannot_be_reached(signed_in: Path, provider: ScriptedProvider) -> None:
    provider.issuer = f"http://127.0.0.1:{free_port()}"
    code, _, err = started("logout", "--home", str(signed_in), "--provider", "codex", "--issuer", provider.issuer)
    assert code == 0
    assert "did not confirm that the tokens are revoked" in err
    assert not (signed_in / "auth.json").exists()


def test_an_api_key_is_removed_but_not_revoked(tmp_path: Path, provider: ScriptedProvider) -> None:
    (tmp_path / "auth.json").write_text('{"auth_mode": "apikey", "OPENAI_API_KEY": "canary"}')
    assert logout(tmp_path, provider) == (0, SIGNED_OUT, "")
    assert provider.revoked == []


def test_unreadable_file_is_removed(tmp_path: Path, provider: ScriptedProvider) -> None:
    path = tmp_path / "auth.json"
    path.write_text("canary")
    assert logout(tmp_path, provider) == (
        0,
        SIGNED_OUT,
        f"Warning: {path} could not be read; it was removed as it was.\n",
    )
    assert not path.exists()


def test_file_that_cannot_be_removed(tmp_path: Path, provider: ScriptedProvider) -> None:
    path = tmp_path / "auth.json"
    path.mkdir()
    code, out, err = logout(tmp_path, provider)
    assert (code, out) == (1, "")
    assert err == f"You are still signed in. The credentials cannot be removed: {path}: it is not a regular file.\n"
    code, out, _ = logout(tmp_path, provider, "--json")
    answer = json.loads(out)
    assert (code, answer["removed"], answer["revoked"]) == (1, False, None)
    assert answer["error"] == f"{path}: it is not a regular file"
    assert f"{answer['message']}\n" == err


@pytest.mark.parametrize(("status", "revoked"), [(200, True), (400, False)])
def test_json(signed_in: Path, provider: ScriptedProvider, status: int, revoked: bool) -> None:  # noqa: FBT001
    provider.revocation = status
    code, out, _ = logout(signed_in, provider, "--json")
    assert code == 0
    assert json.loads(out) == {
        "removed": True,
        "revoked": revoked,
        "error": None if revoked else f"{provider.issuer}/oauth/revoke: status 400",
        "message": None,
        "warnings": [],
        "fallback": None,
        "store": "file",
        "path": str(signed_in / "auth.json"),
    }
    _, out, _ = logout(signed_in, provider, "--json")
    assert (json.loads(out)["removed"], json.loads(out)["revoked"]) == (False, None)


def test_invalid_issuer_is_a_usage_error(signed_in: Path) -> None:
    code, _, err = called("logout", "--home", str(signed_in), "--provider", "codex", "--issuer", "ftp://x")
    assert code == 2
    assert "--issuer: the provider's URL must be https" in err
    assert (signed_in / "auth.json").exists()


# A new login


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_a_new_login_revokes_the_old_tokens(signed_in: Path, provider: ScriptedProvider, driver: str) -> None:
    provider.will_sign_in()
    with login(signed_in, provider.issuer, "--driver", driver) as command:
        browse(callback_url(command.event("listening")["url"], code=CODE))
        code, _ = command.end()
    assert code == 0
    assert command.events[-1]["outcome"] == "succeeded"
    assert provider.revoked == [REVOKED]


def test_a_failed_login_keeps_the_old_tokens(signed_in: Path, provider: ScriptedProvider) -> None:
    before = (signed_in / "auth.json").read_bytes()
    provider.answers = [(400, {"error": "invalid_grant"})]
    with login(signed_in, provider.issuer) as command:
        browse(callback_url(command.event("listening")["url"], code=CODE))
        code, _ = command.end()
    assert code == 1
    assert provider.revoked == []
    assert (signed_in / "auth.json").read_bytes() == before


def test_login_reports_the_fallback_to_the_file(tmp_path: Path, provider: ScriptedProvider) -> None:
    provider.will_sign_in()
    arguments = ("--store", "auto")
    with login(tmp_path, provider.issuer, *arguments, PYTHON_KEYRING_BACKEND=NO_KEYRING) as command:
        browse(callback_url(command.event("listening")["url"], code=CODE))
        code, err = command.end()
    warning = (
        f"the keyring cannot be used, {tmp_path / 'auth.json'} is used instead "
        "(this system has no keyring that could be used)"
    )
    assert code == 0
    assert {"event": "store_fallback", "store": "file", "message": warning} in command.events
    assert command.events[-1]["outcome"] == "succeeded"
    assert f"Warning: {warning}." in err
    assert f"Your credentials are in {tmp_path / 'auth.json'}" in err


def test_login_without_the_required_keyring_is_not_started(tmp_path: Path, provider: ScriptedProvider) -> None:
    arguments = ("--store", "keyring")
    with login(tmp_path, provider.issuer, *arguments, PYTHON_KEYRING_BACKEND=NO_KEYRING) as command:
        code, err = command.end()
    problem = "This system has no keyring that could be used."
    hint = "Set up a keyring, or use --store file. (--store auto uses the file if there is no keyring.)"
    assert (code, err) == (1, f"{problem}\n{hint}\n")
    (finished,) = command.events
    assert (finished["outcome"], finished["category"]) == ("failed", "persist_failed")
    assert provider.forms == []


def test_the_environment_names_the_endpoint_for_revocations(signed_in: Path, provider: ScriptedProvider) -> None:
    named = {"CODEX_REFRESH_TOKEN_URL_OVERRIDE": f"{provider.issuer}/oauth/token"}
    assert called("logout", "--home", str(signed_in), **named)[0] == 0
    assert provider.revoked == [REVOKED]


def test_a_login_revokes_replaced_tokens_there_too(signed_in: Path, provider: ScriptedProvider) -> None:
    named = {"CODEX_REVOKE_TOKEN_URL_OVERRIDE": f"{provider.issuer}/oauth/revoke"}
    assert called("login", "--api-key", "--home", str(signed_in), given="sk-new", **named)[0] == 0
    assert provider.revoked == [REVOKED]


@pytest.mark.parametrize(
    "arguments",
    [("login",), ("login", "--api-key"), ("logout",), ("token",), ("refresh",), ("logout", "--client-id", "c")],
    ids=" ".join,
)
@pytest.mark.parametrize("name", ["CODEX_REFRESH_TOKEN_URL_OVERRIDE", "CODEX_REVOKE_TOKEN_URL_OVERRIDE"])
def test_an_endpoint_that_must_not_get_tokens(signed_in: Path, arguments: tuple[str, ...], name: str) -> None:
    before = (signed_in / "auth.json").read_bytes()
    command, *more = arguments
    code, out, err = called(
        command, "--home", str(signed_in), *more, given="sk-new", **{name: "http://a.example/canary"}
    )
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].endswith(
        f"error: the environment variable {name} cannot be used: "
        "the provider's URL must be https (http only on loopback)"
    )
    assert (signed_in / "auth.json").read_bytes() == before


# --keep-tokens


def test_keep_tokens(signed_in: Path, provider: ScriptedProvider) -> None:
    path = signed_in / "trace"
    kept = f"{SIGNED_OUT}The tokens are not revoked. They are valid until they expire.\n"
    assert logout(signed_in, provider, "--keep-tokens", "--record", str(path)) == (0, kept, "")
    assert not (signed_in / "auth.json").exists()
    assert provider.revoked == []
    code, out, _ = called("replay", str(path))
    assert code == 0
    assert "the person signs out, and keeps the tokens valid" in out
    assert "revoke the tokens" not in out
    assert "Replayed: the machine does today what was recorded." in out


def test_keep_tokens_says_nothing_of_tokens_that_are_not_there(tmp_path: Path, provider: ScriptedProvider) -> None:
    (tmp_path / "auth.json").write_text('{"auth_mode": "apikey", "OPENAI_API_KEY": "canary"}')
    assert logout(tmp_path, provider, "--keep-tokens") == (0, SIGNED_OUT, "")
    assert logout(tmp_path, provider, "--keep-tokens")[1].startswith("You were not signed in: ")


def test_keep_tokens_as_json(signed_in: Path, provider: ScriptedProvider) -> None:
    code, out, _ = logout(signed_in, provider, "--keep-tokens", "--json")
    answer = json.loads(out)
    assert (code, answer["removed"], answer["revoked"], answer["error"]) == (0, True, None, None)
    assert provider.revoked == []


def test_keep_tokens_keeps_the_credentials_of_another_provider(signed_in: Path, provider: ScriptedProvider) -> None:
    content = {
        "auth_mode": "chatgpt",
        "tokens": {**OLD, "oauth_provenance": {"issuer": "https://id.example", "client_id": "c"}},
    }
    (signed_in / "auth.json").write_text(json.dumps(content))
    code, _, err = logout(signed_in, provider, "--keep-tokens")
    assert code == 1
    assert "You are still signed in. The credentials cannot be removed: the credentials are kept, because" in err
    assert (signed_in / "auth.json").exists()

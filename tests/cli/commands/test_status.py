"""`loginmachine status`, `--version`, and the command line without a command."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ..conftest import ID_TOKEN, called, jwt, started

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_httpserver import HTTPServer

NAMESPACE = "https://api.openai.com/auth"
TOKENS = {"id_token": ID_TOKEN, "access_token": "canary-a", "refresh_token": "canary-r", "account_id": "acc-1"}


def status(home: Path, content: object = None, **extra: str) -> tuple[int, str, str]:
    if content is not None:
        (home / "auth.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return called("status", "--home", str(home), **extra)


def not_signed_in(home: Path) -> str:
    advice = f"To sign in, run: loginmachine login --home {home}"
    return f"Not signed in: nothing is stored in {home / 'auth.json'}.\n{advice}\n"


def test_not_signed_in(tmp_path: Path) -> None:
    assert status(tmp_path) == (1, not_signed_in(tmp_path), "")


def test_api_key_in_the_environment(tmp_path: Path) -> None:
    code, out, _ = status(tmp_path, OPENAI_API_KEY="canary-key")
    first, second = not_signed_in(tmp_path).splitlines()
    assert (code, out.splitlines()) == (0, [first, "The API key in OPENAI_API_KEY is used.", second])


def test_signed_in_with_chatgpt(tmp_path: Path) -> None:
    received = datetime.now(UTC) - timedelta(hours=3, minutes=5)
    content = {"auth_mode": "chatgpt", "OPENAI_API_KEY": "canary-k", "tokens": TOKENS}
    content["last_refresh"] = received.strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
    (tmp_path / "auth.json").write_text(json.dumps(content))
    code, out, _ = started("status", "--home", str(tmp_path))
    assert code == 0
    assert out.splitlines() == [
        "Signed in with ChatGPT as ada@example.com.",
        "Plan: plus",
        "Workspace: acc-1",
        "API key: there is one for this account",
        f"Tokens: received 3 hours ago ({received:%Y-%m-%d %H:%M} UTC)",
        "Access token: valid until an unknown time",
        f"Stored in: {tmp_path / 'auth.json'}",
    ]


def test_signed_in_with_an_api_key(tmp_path: Path) -> None:
    code, out, _ = status(tmp_path, {"auth_mode": "apikey", "OPENAI_API_KEY": "canary-k"})
    assert (code, out.splitlines()[0]) == (0, "Signed in with an API key.")
    assert "canary" not in out


def test_codex_home_is_the_default_for_home(tmp_path: Path) -> None:
    (tmp_path / "auth.json").write_text('{"OPENAI_API_KEY": "canary-k", "tokens": null}')
    code, out, _ = called("status", CODEX_HOME=str(tmp_path))
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
def test_a_malformed_file_is_an_error(tmp_path: Path, content: str, words: str) -> None:
    code, out, err = status(tmp_path, content, OPENAI_API_KEY="canary-key")
    assert (code, out) == (1, "")
    assert words in err
    assert "canary" not in err


def test_expiry_of_the_access_token(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    for ahead, words in (
        (timedelta(hours=2, minutes=5), "valid until {:%Y-%m-%d %H:%M} UTC (in 2 hours)"),
        (timedelta(seconds=40), "valid until {:%Y-%m-%d %H:%M} UTC (in less than a minute)"),
        (
            timedelta(days=-3, minutes=-5),
            "expired 3 days ago ({:%Y-%m-%d %H:%M} UTC); it is renewed when it is next needed",
        ),
    ):
        end = now + ahead
        access = jwt({"exp": int(end.timestamp())})
        _, out, _ = status(tmp_path, {"auth_mode": "chatgpt", "tokens": {**TOKENS, "access_token": access}})
        assert f"Access token: {words.format(end)}" in out


def plan(name: str | None) -> dict[str, str]:
    claims = {} if name is None else {"chatgpt_plan_type": name}
    return {**TOKENS, "id_token": jwt({NAMESPACE: claims})}


@pytest.mark.parametrize(
    ("content", "mode"),
    [
        pytest.param({"OPENAI_API_KEY": None, "tokens": plan("pro")}, "chatgpt", id="pro without a key"),
        pytest.param({"OPENAI_API_KEY": "canary", "tokens": plan("pro")}, "chatgpt", id="pro with a key"),
        pytest.param({"OPENAI_API_KEY": "canary", "tokens": plan("enterprise")}, "apikey", id="enterprise with a key"),
        pytest.param({"OPENAI_API_KEY": None, "tokens": plan("enterprise")}, "chatgpt", id="enterprise without"),
        pytest.param({"OPENAI_API_KEY": "canary", "tokens": plan(None)}, "apikey", id="no plan, with a key"),
        pytest.param({"OPENAI_API_KEY": "canary"}, "apikey", id="API key only"),
        pytest.param({"OPENAI_API_KEY": "canary", "tokens": None}, "apikey", id="null tokens"),
        pytest.param({"auth_mode": "apikey", "OPENAI_API_KEY": "canary", "tokens": plan("pro")}, "apikey", id="named"),
        pytest.param(
            {
                "OPENAI_API_KEY": "canary",
                "personal_access_token": "at-canary",
                "bedrock_api_key": {"api_key": "canary"},
            },
            "personalAccessToken",
            id="a personal access token",
        ),
        pytest.param(
            {"OPENAI_API_KEY": "canary", "bedrock_api_key": {"api_key": "canary"}, "tokens": plan("pro")},
            "bedrockApiKey",
            id="a key for Bedrock",
        ),
        pytest.param({"OPENAI_API_KEY": None, "bedrock_access_keys": {"id": "canary"}}, "bedrockAccessKeys", id="two"),
        pytest.param({"OPENAI_API_KEY": "canary", "personal_access_token": None}, "apikey", id="no such token"),
    ],
)
def test_which_credentials_apply(tmp_path: Path, content: object, mode: str) -> None:
    (tmp_path / "auth.json").write_text(json.dumps(content))
    code, out, err = called("status", "--json", "--home", str(tmp_path), OPENAI_API_KEY="canary-environment")
    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert (answer["signed_in"], answer["auth_mode"], answer["from_environment"]) == (True, mode, False)
    assert "canary" not in out


def test_json(tmp_path: Path) -> None:
    content = {
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": "canary-k",
        "tokens": {**TOKENS, "access_token": jwt({"exp": 1_795_000_000})},
        "last_refresh": "2026-11-18T11:06:40.123456789Z",
    }
    (tmp_path / "auth.json").write_text(json.dumps(content))
    code, out, err = started("status", "--json", "--home", str(tmp_path))
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "signed_in": True,
        "sign_in_ended": False,
        "auth_mode": "chatgpt",
        "from_environment": False,
        "account_id": "acc-1",
        "email": "ada@example.com",
        "plan": "plus",
        "has_api_key": True,
        "expires_at": "2026-11-18T11:06:40Z",
        "last_refresh": "2026-11-18T11:06:40Z",
        "provider": "codex",
        "issuer": "https://auth.openai.com",
        "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
        "subject": None,
        "name": None,
        "scopes": None,
        "has_refresh_token": True,
        "plan_enabled": None,
        "store": "file",
        "path": str(tmp_path / "auth.json"),
        "fallback": None,
        "warnings": [],
        "error": None,
        "message": None,
    }
    assert "canary" not in out


@pytest.mark.parametrize(
    ("content", "extra", "code", "expected"),
    [
        (None, {}, 1, {"signed_in": False, "auth_mode": None, "error": None}),
        (None, {"OPENAI_API_KEY": "canary"}, 0, {"signed_in": False, "auth_mode": "apikey", "from_environment": True}),
        ("{}", {}, 1, {"signed_in": False, "auth_mode": None, "error": None}),
        ('{"auth_mode": "agentIdentity", "agent_identity": "canary"}', {}, 0, {"auth_mode": "agentIdentity"}),
        ('{"auth_mode": "chatgpt"}', {}, 1, {"signed_in": False, "auth_mode": "chatgpt", "error": None}),
    ],
)
def test_json_without_tokens(
    tmp_path: Path, content: str | None, extra: dict[str, str], code: int, expected: dict[str, object]
) -> None:
    if content is not None:
        (tmp_path / "auth.json").write_text(content)
    got, out, _ = called("status", "--json", "--home", str(tmp_path), **extra)
    answer = json.loads(out)
    assert got == code
    assert {key: answer[key] for key in expected} == expected
    assert "canary" not in out


@pytest.mark.parametrize(
    "mode",
    ["chatgptAuthTokens", "agentIdentity", "personalAccessToken", "bedrockApiKey", "bedrockAccessKeys"],
)
def test_a_mode_that_only_codex_uses(tmp_path: Path, mode: str) -> None:
    code, out, _ = status(tmp_path, {"auth_mode": mode, "personal_access_token": "at-canary"})
    assert (code, out.splitlines()[0]) == (0, f"Signed in (mode: {mode}).")


@pytest.mark.parametrize("mode", ["newer", "ChatGPT", "", "a\x1b[2J"])
def test_a_mode_that_codex_does_not_know(tmp_path: Path, mode: str) -> None:
    shown = mode.replace("\x1b", "\N{REPLACEMENT CHARACTER}")
    content = {"auth_mode": mode, "OPENAI_API_KEY": "canary-k", "tokens": TOKENS}
    words = f"{tmp_path / 'auth.json'}: auth_mode is '{shown}', which is not known here"
    code, out, err = status(tmp_path, content)
    assert (code, out) == (1, "")
    assert err == (
        f"The stored credentials cannot be read: {words}; use the program that wrote it, or sign in again.\n"
    )
    code, out, _ = called("status", "--json", "--home", str(tmp_path))
    answer = json.loads(out)
    assert (code, answer["signed_in"], answer["auth_mode"]) == (1, False, shown)
    assert answer["error"].startswith(words)


def test_json_with_an_unreadable_file(tmp_path: Path) -> None:
    (tmp_path / "auth.json").write_text("canary")
    code, out, _ = called("status", "--json", "--home", str(tmp_path), OPENAI_API_KEY="canary")
    answer = json.loads(out)
    assert (code, answer["signed_in"], answer["auth_mode"]) == (1, False, None)
    assert answer["error"] == f"{tmp_path / 'auth.json'}: the file cannot be used: not JSON"


def test_incomplete_credentials(tmp_path: Path) -> None:
    code, out, _ = status(tmp_path, {"auth_mode": "apikey", "OPENAI_API_KEY": None})
    missing = f"Not signed in: the API key cannot be found in {tmp_path / 'auth.json'}."
    assert (code, out) == (1, f"{missing}\nTo sign in, run: loginmachine login --home {tmp_path}\n")


NO_KEYRING = "keyring.backends.fail.Keyring"


def test_keyring_is_unavailable(tmp_path: Path) -> None:
    arguments = ("status", "--home", str(tmp_path), "--store")
    code, out, err = started(*arguments, "keyring", PYTHON_KEYRING_BACKEND=NO_KEYRING)
    problem = "this system has no keyring that could be used"
    doctor = f"To look for the cause, run: loginmachine doctor --home {tmp_path} --store keyring"
    assert (code, out, err) == (1, "", f"The stored credentials cannot be read: {problem}.\n{doctor}\n")
    (tmp_path / "auth.json").write_text('{"OPENAI_API_KEY": "canary"}')
    code, _, err = started(*arguments, "auto", PYTHON_KEYRING_BACKEND=NO_KEYRING)
    # There is a file, so that the keyring is not needed.
    assert (code, err) == (0, "")
    (tmp_path / "auth.json").unlink()
    code, out, err = started(*arguments, "auto", PYTHON_KEYRING_BACKEND=NO_KEYRING)
    warning = f"the keyring cannot be used, {tmp_path / 'auth.json'} is used instead ({problem})"
    looked, run = out.splitlines()
    places = rf"{re.escape(str(tmp_path / 'auth.json'))} and in the keyring entry 'Codex Auth', 'cli\|[0-9a-f]{{16}}'"
    assert re.fullmatch(rf"Not signed in: nothing is stored in {places}\.", looked)
    assert run == f"To sign in, run: loginmachine login --home {tmp_path} --store auto"
    assert (code, err) == (1, f"Warning: {warning}.\n")
    _, out, _ = started(*arguments, "auto", "--json", PYTHON_KEYRING_BACKEND=NO_KEYRING)
    assert json.loads(out)["fallback"] == warning


def test_version() -> None:
    from importlib.metadata import version

    assert started("--version") == (0, f"loginmachine {version('loginmachine')}\n", "")


def test_no_command_prints_the_help() -> None:
    code, out, _ = started()
    assert code == 2
    assert "login" in out
    assert "13   the callback port is in use" in out


# A sign-in that has ended


class Refusing:
    """A home whose refresh token a provider refuses, as a refresh by this command finds out."""

    def __init__(self, home: Path, server: HTTPServer, *, expires_in: float, records: bool) -> None:
        self.home = home
        self.issuer = f"http://127.0.0.1:{server.port}"
        server.expect_request("/oauth/token").respond_with_json({"error": "invalid_grant"}, status=400)
        tokens: dict[str, object] = {**TOKENS, "access_token": jwt({"exp": int(time.time() + expires_in)})}
        if records:
            tokens["oauth_provenance"] = {"issuer": self.issuer, "client_id": "client-1"}
        content = {"auth_mode": "chatgpt", "tokens": tokens, "last_refresh": "2026-01-01T00:00:00Z"}
        (home / "auth.json").write_text(json.dumps(content))
        self.provider = [] if records else ["--provider", "codex", "--issuer", self.issuer, "--client-id", "client-1"]

    def run(self, command: str, *more: str) -> tuple[int, str, str]:
        return called(command, "--home", str(self.home), *self.provider, *more)


@pytest.mark.parametrize("records", [True, False])
@pytest.mark.parametrize(("expires_in", "is_usable"), [(90_000, True), (-90_000, False)])
def test_a_sign_in_that_has_ended(
    tmp_path: Path, httpserver: HTTPServer, expires_in: float, *, is_usable: bool, records: bool
) -> None:
    ended = Refusing(tmp_path, httpserver, expires_in=expires_in, records=records)
    assert json.loads(ended.run("status", "--json")[1])["sign_in_ended"] is False
    assert ended.run("refresh")[0] == 1
    code, out, err = ended.run("status")
    lines = out.splitlines()
    assert (code, err) == (0 if is_usable else 1, "")
    assert lines[0] == "The sign-in with ChatGPT as ada@example.com has ended: its tokens can no longer be renewed."
    assert "it is renewed" not in out
    assert f"Stored in: {tmp_path / 'auth.json'}" in lines
    advice = f"loginmachine login --home {tmp_path} --provider codex --issuer {ended.issuer} --client-id client-1"
    assert lines[-1] == f"To sign in, run: {advice}"
    code, out, _ = ended.run("status", "--json")
    answer = json.loads(out)
    assert (code, answer["sign_in_ended"], answer["signed_in"]) == (0 if is_usable else 1, True, is_usable)
    # `token` agrees.
    assert ended.run("token")[0] == code
    assert "canary" not in out
    # A new sign-in with the same refresh token is another one.
    content = json.loads((tmp_path / "auth.json").read_text())
    (tmp_path / "auth.json").write_text(json.dumps({**content, "last_refresh": "2026-01-02T00:00:00Z"}))
    assert json.loads(ended.run("status", "--json")[1])["sign_in_ended"] is False


def test_a_refusal_does_not_end_the_use_of_an_api_key(tmp_path: Path, httpserver: HTTPServer) -> None:
    ended = Refusing(tmp_path, httpserver, expires_in=-10, records=True)
    assert ended.run("refresh")[0] == 1
    content = json.loads((tmp_path / "auth.json").read_text())
    content |= {"auth_mode": "apikey", "OPENAI_API_KEY": "canary-k"}
    (tmp_path / "auth.json").write_text(json.dumps(content))
    code, out, _ = ended.run("status", "--json")
    answer = json.loads(out)
    assert (code, answer["signed_in"], answer["sign_in_ended"]) == (0, True, False)


@pytest.mark.parametrize("command", ["status", "logout", "token", "refresh"])
def test_what_to_run_needs_no_options_for_the_usual_home(tmp_path: Path, command: str) -> None:
    code, out, err = called(command, CODEX_HOME=str(tmp_path / "my home"))
    assert code == (0 if command == "logout" else 1)
    assert f"nothing is stored in {tmp_path / 'my home' / 'auth.json'}." in out + err
    assert "To sign in, run: loginmachine login" in (out + err).splitlines()


@pytest.mark.parametrize("command", ["status", "logout", "token", "refresh"])
def test_what_to_run_has_the_options_for_the_same_place(tmp_path: Path, command: str) -> None:
    home = tmp_path / "my home"
    home.mkdir()
    options = (
        "--home",
        str(home),
        "--store",
        "auto",
        "--provider",
        "codex",
        "--issuer",
        "http://127.0.0.1:1",
        "--client-id",
        "a b",
    )
    _, out, err = called(command, *options, PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring")
    assert f"nothing is stored in {home / 'auth.json'} and in the keyring entry 'Codex Auth', 'cli|" in out + err
    more = "--provider codex --issuer http://127.0.0.1:1 --client-id 'a b'"
    assert f"To sign in, run: loginmachine login --home '{home}' --store auto {more}" in (out + err).splitlines()

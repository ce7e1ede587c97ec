"""The outputs of all commands with `--json`, successful and not, fit docs/json.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.cli.arguments import make_parsers

from .commands.test_tokens import Endpoint, sign_in
from .conftest import CODE, browse, callback_url, called, login, run
from .json_schema import KINDS, TABLES, check, fit

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

    from .conftest import ScriptedProvider

TRACES = Path(__file__).parents[1] / "traces"
CONFIGURATION = (
    '[profile.work]\nprovider = "openid"\nissuer = "https://id.example"\nclient_id = "c"\nscope = "openid"\n'
)


def test_every_command_with_json_has_a_table() -> None:
    _, commands = make_parsers()
    with_json = {name for name, command in commands.items() if "--json" in command.option_names()}
    assert {heading.partition(":")[0] for heading in TABLES} == {*with_json, "token"}
    kinds = {value.partition(":")[0].removesuffix(" (below)") for table in TABLES.values() for value in table.values()}
    assert {kind for words in kinds for kind in words.split(" or ")} == set(KINDS)


@pytest.mark.parametrize("wrong", [{}, {"event": "x", "message": None}, {"event": "x", "message": "m", "more": 1}])
def test_what_does_not_fit_is_noticed(wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        check("replay: not_a_trace", wrong)


@pytest.mark.parametrize("command", ["status", "whoami", "logout", "refresh", "accounts"])
@pytest.mark.parametrize("stored", ["tokens", "key", "nothing", "damaged", "folder"])
def test_stored_credentials(tmp_path: Path, httpserver: HTTPServer, command: str, stored: str) -> None:
    endpoint = Endpoint(httpserver)
    httpserver.expect_request("/oauth/revoke", method="POST").respond_with_data("")
    path = tmp_path / "auth.json"
    if stored == "tokens":
        sign_in(tmp_path, 86400)
    elif stored == "key":
        path.write_text('{"auth_mode": "apikey", "OPENAI_API_KEY": "canary"}')
    elif stored == "damaged":
        path.write_text("canary")
    elif stored == "folder":
        path.mkdir()
    code, out, err = endpoint.run(command, tmp_path, "--json")
    (answer,) = fit(command, code, out)
    assert "canary" not in out + err
    fails = {"damaged": {"status", "whoami", "refresh", "accounts"}, "nothing": {"status", "whoami", "refresh"}}
    fails |= {"folder": {"status", "whoami", "logout", "refresh", "accounts"}}
    assert (code, answer["message"] is not None) == ((1, True) if command in fails.get(stored, ()) else (0, False))


@pytest.mark.parametrize(("status", "error", "code"), [(400, "invalid_grant", 1), (503, "busy", 0)])
def test_a_refresh_that_fails(tmp_path: Path, httpserver: HTTPServer, status: int, error: str, code: int) -> None:
    endpoint = Endpoint(httpserver)
    endpoint.status, endpoint.error = status, error
    for command in (("refresh", "--if-due", "--json"), ("token", "--format", "json")):
        sign_in(tmp_path, 100)
        name, *more = command
        found, out, _ = endpoint.run(name, tmp_path, *more)
        (answer,) = fit(name, found, out)
        assert answer["message"]
        assert found == (code if name == "refresh" else 0)


def test_token(tmp_path: Path) -> None:
    arguments = ("token", "--format", "json", "--home", str(tmp_path))
    code, out, _ = called(*arguments)
    fit("token", code, out)
    assert code == 1
    sign_in(tmp_path, 86400)
    code, out, _ = called(*arguments)
    fit("token", code, out)
    assert code == 0


@pytest.mark.parametrize("command", ["status", "whoami", "logout", "refresh", "token"])
def test_an_account_that_is_not_stored(tmp_path: Path, command: str) -> None:
    form = ("--format", "json") if command == "token" else ("--json",)
    code, out, err = called(command, "--home", str(tmp_path), "--account", "bob", *form)
    assert (code, json.loads(out)) == (1, {"message": "Not signed in: no stored account is called bob."})
    assert err.startswith("Not signed in: no stored account is called bob.\n")


@pytest.mark.parametrize(("content", "code"), [(None, 0), (CONFIGURATION, 0), ("canary", 2)])
def test_profiles(tmp_path: Path, content: str | None, code: int) -> None:
    folder = tmp_path / "loginmachine"
    folder.mkdir()
    if content is not None:
        (folder / "config.toml").write_text(content)
    found, out, _ = called("profiles", "--json", XDG_CONFIG_HOME=str(tmp_path))
    (answer,) = fit("profiles", found, out)
    assert (found, len(answer["profiles"])) == (code, content == CONFIGURATION)


@pytest.mark.parametrize("answer", [200, 400])
def test_login(tmp_path: Path, provider: ScriptedProvider, answer: int) -> None:
    provider.will_sign_in()
    if answer == 400:
        provider.answers = [(400, {"error": "invalid_grant"})]
    with login(tmp_path, provider.issuer) as command:
        browse(callback_url(command.event("listening")["url"], code=CODE))
        code, _ = command.end()
    lines = fit("login", code, "\n".join(map(json.dumps, command.events)))
    assert lines[-1]["outcome"] == ("succeeded" if answer == 200 else "failed")
    assert (lines[-1]["message"] is None) == (answer == 200)
    assert {"listening", "progress", "finished"} <= {line["event"] for line in lines}


def test_a_login_that_is_not_started(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with run("login", "--json", "--no-browser", "--home", str(tmp_path / "file")) as command:
        code, _ = command.end()
    (line,) = fit("login", code, "\n".join(map(json.dumps, command.events)))
    assert (code, line["category"]) == (1, "persist_failed")


@pytest.mark.parametrize("key", ["canary-key", ""])
def test_an_api_key(tmp_path: Path, key: str) -> None:
    code, out, _ = called("login", "--api-key", "--json", "--home", str(tmp_path), given=key)
    (line,) = fit("login", code, out)
    assert (code, bool(line["message"])) == ((0, False) if key else (1, True))


@pytest.mark.parametrize("name", ["succeeded.jsonl", "refreshes/unfinished.jsonl", "sign_outs/confirmed.jsonl"])
def test_replay(tmp_path: Path, name: str) -> None:
    code, out, _ = called("replay", "--json", str(TRACES / name))
    assert (code, fit("replay", code, out)[-1]["identical"]) == (0, True)
    path = tmp_path / "trace"
    path.write_text(
        (TRACES / name)
        .read_text()
        .replace('"type":"LoadCredentials"', '"type":"Other"')
        .replace('"type":"Bind"', '"type":"Other"')
    )
    code, out, _ = called("replay", "--json", str(path))
    assert (code, fit("replay", code, out)[-1]["identical"]) == (1, False)
    code, out, _ = called("replay", "--json", "--processes", "1", str(path), str(TRACES / name), str(tmp_path / "none"))
    lines = fit("replay", code, out)
    assert [line["event"] for line in lines] == ["trace", "trace", "unreadable", "summary"]
    assert (code, lines[-1]["message"]) == (1, "1 have another result today, 1 cannot be read")
    path.write_bytes(b"")
    code, out, err = called("replay", "--json", str(path))
    (line,) = fit("replay", code, out)
    assert (code, err) == (2, f"{line['message']}\n")

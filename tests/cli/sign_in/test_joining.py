"""`login --wait`: a second sign-in waits for the outcome of the first."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from loginmachine import LoginOptions, Provider
from loginmachine.cli.sign_in.joining import MeetingPoint
from loginmachine.drivers.stores.locks import locked
from loginmachine.sansio import (
    LoginCancellation,
    LoginFailure,
    LoginFailureCategory,
    LoginFailureStep,
    LoginSuccess,
)
from loginmachine.sansio.base.secret import Secret
from loginmachine.sansio.model.account import Account
from loginmachine.sansio.model.credentials import Credentials

from ...drivers.support import eventually
from ..conftest import CODE, ID_TOKEN, browse, callback_url, called, login

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from loginmachine.sansio.login.outcome import LoginOutcome

    from ..conftest import Command, ScriptedProvider

CODEX = LoginOptions(provider=Provider.codex())
FAILURE = LoginFailure(
    step=LoginFailureStep.EXCHANGE_TOKEN, category=LoginFailureCategory.TOKEN_EXCHANGE_TIMEOUT, message="too late"
)
SUCCESS = LoginSuccess(
    credentials=Credentials.from_api_key(Secret("canary-key")), account=Account(email="canary@x.example")
)


def point(folder: Path, options: LoginOptions = CODEX, policy: str = "file") -> MeetingPoint:
    return MeetingPoint(str(folder), options, policy)


@pytest.mark.parametrize(
    ("outcome", "joined"),
    [
        (SUCCESS, (True, None, None)),
        (FAILURE, (False, "token_exchange_timeout", "too late")),
        (LoginCancellation(failure=FAILURE), (False, "token_exchange_timeout", "too late")),
        (None, (False, None, "it ended without an outcome")),
    ],
)
def test_the_outcome_is_passed_on(tmp_path: Path, outcome: LoginOutcome | None, joined: tuple[object, ...]) -> None:
    first, second = point(tmp_path), point(tmp_path)
    assert not second.is_busy()
    first.begin()
    assert second.is_busy()
    assert second.wait(0, bool) is None
    assert second.wait(None, lambda: True) is None
    first.end(outcome)
    assert second.wait(None, bool) == joined
    assert not second.is_busy()
    (path,) = tmp_path.iterdir()
    assert "canary" not in path.read_text() + path.name
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600


def test_an_old_outcome_is_not_that_of_the_next(tmp_path: Path) -> None:
    first, second = point(tmp_path), point(tmp_path)
    first.begin()
    first.end(SUCCESS)
    first.begin()
    # As after the end of a process.
    first._held.close()
    assert second.wait(None, bool) == (False, None, "it ended without an outcome")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"outcome": 1}', '{"outcome": "x", "message": 5}'])
def test_what_is_no_outcome_is_no_success(tmp_path: Path, content: str) -> None:
    first = point(tmp_path)
    first.begin()
    first.end(SUCCESS)
    (path,) = tmp_path.iterdir()
    path.write_text(content)
    joined = first.wait(None, bool)
    assert joined is not None
    assert not joined.is_success


def test_without_the_lock_it_cannot_be_joined_and_goes_on(tmp_path: Path) -> None:
    first = point(tmp_path)
    first.begin()
    first.end(SUCCESS)
    (path,) = tmp_path.iterdir()
    with locked(path, 0):
        point(tmp_path).begin()
    second = point(tmp_path / "no folder")
    second.begin()
    assert not second.is_busy()
    second.end(SUCCESS)


OTHERS = [
    CODEX.__replace__(provider=Provider.codex(client_id="other")),
    CODEX.__replace__(provider=Provider.codex(issuer="https://mirror.example")),
    CODEX.__replace__(allowed_workspaces=("acc-1",)),
    CODEX.__replace__(scopes=("openid",)),
    CODEX.__replace__(required_scopes=("files",)),
    CODEX.__replace__(login_hint="ada@example.com"),
    CODEX.__replace__(parameters=(("a", "b"),)),
]


@pytest.mark.parametrize("options", OTHERS)
def test_a_sign_in_for_something_else_is_not_joined(tmp_path: Path, options: LoginOptions) -> None:
    first = point(tmp_path)
    first.begin()
    assert not point(tmp_path, options).is_busy()
    assert not point(tmp_path, policy="keyring").is_busy()
    # These change nothing about what is stored.
    same = CODEX.__replace__(port=0, open_browser=False, deadline=None, any_user=True, app_name="Ada")
    assert point(tmp_path, same).is_busy()
    first.end(None)


# The command


@contextlib.contextmanager
def first_and_second(provider: ScriptedProvider, home: Path) -> Iterator[tuple[Command, str, Command]]:
    """Start a sign-in, and when it waits, another one with `--wait`, which waits for the first."""
    with login(home, provider.issuer) as first:
        url = first.event("listening")["url"]
        eventually(lambda: any(home.glob("login-*.lock")))
        with login(home, provider.issuer, "--wait") as second:
            assert second.process.stderr is not None
            words = "Another sign-in for the same account is waiting: finish it in your browser.\n"
            assert second.process.stderr.readline() == words
            yield first, url, second


@pytest.mark.parametrize("answer", [200, 400])
def test_it_has_the_outcome_of_the_first(provider: ScriptedProvider, tmp_path: Path, answer: int) -> None:
    if answer == 200:
        provider.will_sign_in()
    else:
        provider.answers = [(400, {"error": "invalid_grant"})]
    with first_and_second(provider, tmp_path) as (first, url, second):
        browse(callback_url(url, code=CODE))
        assert first.end()[0] == (0 if answer == 200 else 1)
        code, err = second.end()
    (line,) = second.events
    if answer == 200:
        assert (code, err) == (0, "Signed in as ada@example.com by the other sign-in.\n")
        assert (line["outcome"], line["email"], line["account_id"]) == ("succeeded", "ada@example.com", "acc-1")
        assert json.loads((tmp_path / "auth.json").read_text())["tokens"]["id_token"] == ID_TOKEN
    else:
        assert code == 1
        assert (line["outcome"], line["category"]) == ("failed", "token_endpoint_rejected")
        assert err.startswith("The other sign-in has failed: ")
    assert len([form for form in provider.forms if form["grant_type"] == "authorization_code"]) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_ctrl_c_ends_the_wait_and_not_the_first(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with first_and_second(provider, tmp_path) as (first, url, second):
        second.process.send_signal(signal.SIGINT)
        assert second.end() == (130, "The wait was stopped.\n")
        browse(callback_url(url, code=CODE))
        assert first.end()[0] == 0


def test_the_wait_has_a_limit(tmp_path: Path) -> None:
    first = point(tmp_path)
    first.begin()
    code, out, err = called("login", "--wait", "--json", "--timeout", "0.01", "--home", str(tmp_path))
    first.end(None)
    assert (code, json.loads(out)["category"]) == (1, "login_timed_out")
    assert err.splitlines()[1:] == ["The other sign-in has not ended in time."]


def test_without_another_it_signs_in_itself(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer, "--wait") as command:
        browse(callback_url(command.event("listening")["url"], code=CODE))
        assert command.end()[0] == 0


def test_what_else_holds_the_port_is_not_asked_to_stop(provider: ScriptedProvider, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with login(tmp_path, provider.issuer, "--wait", "--port", str(port)) as command:
            code, err = command.end()
        holder.setblocking(False)
        with pytest.raises(BlockingIOError):
            holder.accept()
    assert (code, command.events[-1]["category"]) == (13, "local_server_unavailable")
    assert err.startswith(f"Port {port} is in use by another program, or by a sign-in for another account.")

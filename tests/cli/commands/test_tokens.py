"""`loginmachine token` and `loginmachine refresh`."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Request, Response

import loginmachine
from loginmachine.drivers.traces import replay_file

from ...sansio.trace.beside import everything_told
from ..conftest import ID_TOKEN, called, jwt, run, started

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_httpserver import HTTPServer


def access_token(expires_in: float) -> str:
    return jwt({"exp": int(time.time() + expires_in)})


def sign_in(home: Path, expires_in: float) -> str:
    """Write a file as Codex does, and return the access token."""
    token = access_token(expires_in)
    tokens = {"id_token": ID_TOKEN, "access_token": token, "refresh_token": "canary-refresh", "account_id": "acc-1"}
    content = {"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": tokens, "last_refresh": "2026-01-01T00:00:00Z"}
    (home / "auth.json").write_text(json.dumps(content))
    return token


class Endpoint:
    """A token endpoint. By default it issues one new access token, valid for a day."""

    def __init__(self, server: HTTPServer) -> None:
        self.issuer = f"http://127.0.0.1:{server.port}"
        self.bodies: list[dict[str, Any]] = []
        self.new = access_token(86400)
        self.status = 200
        self.error: object = "canary-refresh"
        self.asked = threading.Event()
        self.released = threading.Event()
        self.released.set()
        self.meanwhile: Callable[[], object] = bool
        """Called during each request."""
        server.expect_request("/oauth/token", method="POST").respond_with_handler(self.answer)

    def answer(self, request: Request) -> Response:
        self.bodies.append(json.loads(request.get_data()))
        self.meanwhile()
        self.asked.set()
        self.released.wait(20)
        body = {"access_token": self.new} if self.status == 200 else {"error": self.error}
        return Response(json.dumps(body), self.status, content_type="application/json")

    def run(self, command: str, home: Path, *more: str, **extra: str) -> tuple[int, str, str]:
        return called(command, "--home", str(home), "--provider", "codex", "--issuer", self.issuer, *more, **extra)

    def start(self, command: str, home: Path, *more: str) -> tuple[int, str, str]:
        return started(command, "--home", str(home), "--provider", "codex", "--issuer", self.issuer, *more)


@pytest.fixture
def endpoint(httpserver: HTTPServer) -> Endpoint:
    return Endpoint(httpserver)


def test_token_prints_only_the_token(tmp_path: Path, endpoint: Endpoint) -> None:
    token = sign_in(tmp_path, 86400)
    assert endpoint.start("token", tmp_path) == (0, f"{token}\n", "")
    assert endpoint.bodies == []


def test_token_refreshes_an_expiring_token(tmp_path: Path, endpoint: Endpoint) -> None:
    sign_in(tmp_path, 10)
    assert endpoint.start("token", tmp_path, "--client-id", "client-1") == (0, f"{endpoint.new}\n", "")
    assert endpoint.bodies == [
        {"client_id": "client-1", "grant_type": "refresh_token", "refresh_token": "canary-refresh"}
    ]
    stored = json.loads((tmp_path / "auth.json").read_text())
    assert stored["tokens"]["access_token"] == endpoint.new
    assert stored["tokens"]["refresh_token"] == "canary-refresh"


def test_not_signed_in(tmp_path: Path, endpoint: Endpoint) -> None:
    words = (
        f"You are not signed in: nothing is stored in {tmp_path / 'auth.json'}.\n"
        f"To sign in, run: loginmachine login --home {tmp_path} --provider codex --issuer {endpoint.issuer}\n"
        "Details: not_signed_in - nothing is stored\n"
    )
    assert endpoint.start("token", tmp_path) == (1, "", words)
    assert endpoint.run("refresh", tmp_path) == (1, "", words)


def test_api_keys_are_printed_and_never_refreshed(tmp_path: Path, endpoint: Endpoint) -> None:
    assert endpoint.run("token", tmp_path, OPENAI_API_KEY="canary-key") == (0, "canary-key\n", "")
    said = (0, "An API key is used, which is never renewed.\n", "")
    assert endpoint.run("refresh", tmp_path, OPENAI_API_KEY="canary-key") == said
    (tmp_path / "auth.json").write_text('{"auth_mode": "apikey", "OPENAI_API_KEY": "canary-stored"}')
    assert endpoint.run("token", tmp_path, OPENAI_API_KEY="canary-key") == (0, "canary-stored\n", "")


def test_a_malformed_file_does_not_fall_back_to_the_environment(tmp_path: Path, endpoint: Endpoint) -> None:
    (tmp_path / "auth.json").write_text('{"tokens": "canary"}')
    code, out, err = endpoint.run("token", tmp_path, OPENAI_API_KEY="canary-key")
    assert (code, out) == (1, "")
    assert "credentials_unreadable" in err
    assert "tokens is not an object" in err
    assert "canary" not in err


def test_refresh_with_and_without_if_due(tmp_path: Path, endpoint: Endpoint) -> None:
    sign_in(tmp_path, 86400)
    code, out, _ = endpoint.run("refresh", tmp_path, "--if-due")
    assert (code, len(endpoint.bodies)) == (0, 0)
    assert out.startswith("The tokens are not due to be renewed; they last until 20")
    code, out, err = endpoint.start("refresh", tmp_path)
    assert (code, len(endpoint.bodies), err) == (0, 1, "")
    assert out.startswith("The tokens are renewed; they last until 20")


def test_a_wrong_clock_causes_one_refresh(tmp_path: Path, endpoint: Endpoint) -> None:
    sign_in(tmp_path, -10)
    endpoint.new = access_token(-3600)
    for _ in range(2):
        assert endpoint.run("token", tmp_path) == (0, f"{endpoint.new}\n", "")
    assert endpoint.run("refresh", tmp_path, "--if-due")[0] == 0
    assert len(endpoint.bodies) == 1


def test_refresh_with_an_expiry_out_of_range(tmp_path: Path, endpoint: Endpoint) -> None:
    sign_in(tmp_path, 10)
    endpoint.new = access_token(5 * 10**11)
    assert endpoint.run("refresh", tmp_path) == (0, "The tokens are renewed.\n", "")


def test_refresh_with_an_unknown_expiry(tmp_path: Path, endpoint: Endpoint) -> None:
    sign_in(tmp_path, 10)
    endpoint.new = "canary-opaque"
    assert endpoint.run("refresh", tmp_path) == (0, "The tokens are renewed.\n", "")


def test_rejected_refresh_token(tmp_path: Path, endpoint: Endpoint) -> None:
    sign_in(tmp_path, -10)
    endpoint.status, endpoint.error = 400, {"code": "invalid_grant", "message": "canary-refresh"}
    reason = f"{endpoint.issuer}/oauth/token: status 400: invalid_grant: [redacted]"
    before = "the provider has refused this refresh token before, and it was not sent again"
    for command, why in (("token", reason), ("refresh", before), ("token", before)):
        words = (
            f"The sign-in has ended.\nSign in again.\nDetails: refresh_token_rejected - {why}\n"
            f"Stored in: {tmp_path / 'auth.json'}\n"
            f"To sign in, run: loginmachine login --home {tmp_path} --provider codex --issuer {endpoint.issuer}\n"
        )
        assert endpoint.run(command, tmp_path) == (1, "", words)
    assert len(endpoint.bodies) == 1


def test_the_last_token_of_a_sign_in_that_has_ended(tmp_path: Path, endpoint: Endpoint) -> None:
    token = sign_in(tmp_path, 60)
    endpoint.status, endpoint.error = 400, "invalid_grant"
    for _ in range(2):
        code, out, err = endpoint.run("token", tmp_path)
        assert (code, out) == (0, f"{token}\n")
        assert err.startswith("Warning: the sign-in has ended, and its last access token is used until it expires: ")
    for more in ((), ("--if-due",)):
        code, out, err = endpoint.run("refresh", tmp_path, *more)
        assert (code, out) == (1, "")
        assert err.startswith("The sign-in has ended.\nSign in again.\nDetails: refresh_token_rejected - ")
        code, out, err = endpoint.run("refresh", tmp_path, "--json", *more)
        line = json.loads(out)
        assert (code, line["outcome"], line["category"]) == (1, "failed", "refresh_token_rejected")
    # One command has sent it, and no other.
    assert len(endpoint.bodies) == 1
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name != "auth.json")
    assert b"canary" not in held
    # A new sign-in with the same refresh token makes it irrelevant.
    content = json.loads((tmp_path / "auth.json").read_text())
    (tmp_path / "auth.json").write_text(json.dumps({**content, "last_refresh": "2026-01-02T00:00:00Z"}))
    endpoint.status = 200
    assert endpoint.run("token", tmp_path) == (0, f"{endpoint.new}\n", "")


def test_token_endpoint_is_temporarily_unavailable(tmp_path: Path, endpoint: Endpoint) -> None:
    token = sign_in(tmp_path, 60)
    endpoint.status = 503
    assert endpoint.run("token", tmp_path) == (0, f"{token}\n", "")
    code, out, _ = endpoint.run("refresh", tmp_path, "--if-due")
    assert code == 0
    assert out.startswith("The tokens could not be renewed just now (http://127.0.0.1:")
    code, out, err = endpoint.run("refresh", tmp_path)
    assert (code, out) == (1, "")
    assert "refresh_unavailable" in err


def test_refresh_fails_if_the_tokens_cannot_be_stored(tmp_path: Path, endpoint: Endpoint) -> None:
    sign_in(tmp_path, 86400)
    lock = tmp_path / "auth.json.lock"

    def break_lock() -> None:
        lock.unlink()
        lock.mkdir()

    endpoint.meanwhile = break_lock
    code, out, err = endpoint.run("refresh", tmp_path)
    assert (code, out) == (1, "")
    assert "Warning: the new tokens could not be stored" in err
    assert "The provider renewed the tokens, but they could not be stored. Sign in again.\n" in err
    assert err.endswith(
        f"\nTo sign in, run: loginmachine login --home {tmp_path} --provider codex --issuer {endpoint.issuer}\n"
    )
    lock.rmdir()
    code, out, _ = endpoint.run("refresh", tmp_path, "--json")
    line = json.loads(out)
    assert (code, line["outcome"], line["category"]) == (1, "failed", "persist_failed")
    # `token` succeeds all the same: the new token can be used until it expires.
    sign_in(tmp_path, 10)
    lock.rmdir()
    code, out, err = endpoint.run("token", tmp_path)
    assert (code, out) == (0, f"{endpoint.new}\n")
    assert "Warning: the new tokens could not be stored" in err


@pytest.mark.skipif(sys.platform == "win32", reason="this system has other signals")
@pytest.mark.parametrize("command", ["token", "refresh"])
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_new_tokens_are_stored_despite_signals(tmp_path: Path, endpoint: Endpoint, command: str, number: str) -> None:
    old = sign_in(tmp_path, 10)
    path = tmp_path / "trace"
    endpoint.released.clear()
    with run(
        command, "--home", str(tmp_path), "--provider", "codex", "--issuer", endpoint.issuer, "--record", str(path)
    ) as running:
        assert endpoint.asked.wait(20)
        running.process.send_signal(getattr(signal, number))
        running.process.send_signal(signal.SIGTERM)
        endpoint.released.set()
        out, err = running.process.communicate(timeout=30)
        code = running.process.returncode
    # Signals that arrive at the same time have no order.
    assert code in {128 + getattr(signal, number), 128 + signal.SIGTERM}
    assert (out, err) == ("", "")
    assert json.loads((tmp_path / "auth.json").read_text())["tokens"]["access_token"] == endpoint.new
    # The trace goes on as the refresh does.
    assert "The refresh succeeded." in recorded(path, (old, endpoint.new))


def test_refresh_json(tmp_path: Path, endpoint: Endpoint) -> None:
    sign_in(tmp_path, 86400)
    code, out, err = endpoint.run("refresh", tmp_path, "--json")
    line = json.loads(out)
    assert (code, err) == (0, "")
    assert line.pop("expires_at").endswith("Z")
    who = {"account_id": "acc-1", "email": "ada@example.com", "plan": "plus"}
    assert line == {"event": "finished", "outcome": "refreshed", "category": None, "message": None, **who}
    endpoint.status, endpoint.error = 401, "invalid_grant"
    code, out, err = endpoint.start("refresh", tmp_path, "--json")
    line = json.loads(out)
    assert (code, line["outcome"], line["category"]) == (1, "failed", "refresh_token_rejected")
    assert "canary" not in out + err


@pytest.mark.parametrize("command", ["token", "refresh"])
def test_invalid_issuer_is_a_usage_error(tmp_path: Path, endpoint: Endpoint, command: str) -> None:
    code, out, err = endpoint.run(command, tmp_path, "--provider", "codex", "--issuer", "http://id.example")
    assert (code, out) == (2, "")
    assert "the provider's URL must be https" in err


# --record


def recorded(path: Path, secrets: tuple[str, ...]) -> str:
    """Check a trace, and return its story."""
    assert path.stat().st_mode & 0o777 == 0o600
    content = everything_told(path.read_text())
    assert [secret for secret in (*secrets, "canary", "acc-1", "ada@", str(path.parent)) if secret in content] == []
    code, out, err = called("replay", str(path))
    assert (code, err) == (0, "")
    assert called("replay", str(path), "--json")[0] == 0
    return out


@pytest.mark.parametrize("command", ["refresh", "token"])
def test_record(tmp_path: Path, endpoint: Endpoint, command: str) -> None:
    path = tmp_path / "trace"
    old = sign_in(tmp_path, 10)
    assert endpoint.start(command, tmp_path, "--record", str(path))[0] == 0
    story = recorded(path, (old, endpoint.new, ID_TOKEN))
    assert f"Recorded by loginmachine {command} {loginmachine.__version__}" in story
    assert "is answered: status 200, application/json, " in story
    assert "The refresh succeeded." in story
    assert "Replayed: the machine does today what was recorded." in story
    refused = (2, "", f"{path} is the trace of a refresh, and only a login can be drawn.\n")
    assert called("replay", str(path), "--diagram") == refused
    assert called("diagram", "--highlight", str(path)) == refused


def test_record_a_failure(tmp_path: Path, endpoint: Endpoint) -> None:
    path = tmp_path / "trace"
    old = sign_in(tmp_path, -10)
    endpoint.status, endpoint.error = 400, "invalid_grant"
    assert endpoint.run("refresh", tmp_path, "--record", str(path))[0] == 1
    assert "The refresh failed: refresh_token_rejected - " in recorded(path, (old,))
    path.write_bytes(path.read_bytes()[:-30])
    code, out, err = called("replay", str(path))
    assert (code, "The trace stops while the refresh is " in out) == (0, True)
    assert "ends in the middle of line" in err


def test_record_to_an_unwritable_file_is_a_usage_error(tmp_path: Path, endpoint: Endpoint) -> None:
    sign_in(tmp_path, 10)
    for command in ("refresh", "token", "logout"):
        code, _, err = endpoint.run(command, tmp_path, "--record", str(tmp_path))
        assert code == 2
        assert f"{command}: error: --record: {tmp_path}: " in err
    assert endpoint.bodies == []


def test_a_difference_in_a_recorded_refresh(tmp_path: Path, endpoint: Endpoint) -> None:
    path = tmp_path / "trace"
    sign_in(tmp_path, 10)
    endpoint.run("refresh", tmp_path, "--record", str(path))
    path.write_text(path.read_text().replace('"timeout":0.25', '"timeout":0.5'))
    code, out, _ = called("replay", str(path))
    assert code == 1
    assert '-   "timeout": 0.5' in out
    (report,) = replay_file(path)
    assert (report.outcome, report.diverges_at) == ("unfinished", 3)


@pytest.mark.parametrize(
    "options", [(), ("--provider", "codex", "--issuer", "https://auth.openai.com")], ids=["recorded", "named"]
)
def test_the_environment_names_the_endpoint_for_refreshes(
    tmp_path: Path, httpserver: HTTPServer, options: tuple[str, ...]
) -> None:
    endpoint = Endpoint(httpserver)
    sign_in(tmp_path, -60)
    named = {"CODEX_REFRESH_TOKEN_URL_OVERRIDE": f"{endpoint.issuer}/oauth/token"}
    assert called("token", "--home", str(tmp_path), *options, **named) == (0, f"{endpoint.new}\n", "")
    assert [body["refresh_token"] for body in endpoint.bodies] == ["canary-refresh"]


def test_a_mode_that_is_not_known(tmp_path: Path) -> None:
    sign_in(tmp_path, 3600)
    path = tmp_path / "auth.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "auth_mode": "newer"}))
    code, out, err = called("token", "--home", str(tmp_path))
    assert (code, out) == (1, "")
    assert "auth_mode is 'newer', which is not known here" in err
    assert called("login", "--api-key", "--home", str(tmp_path), given="sk-new")[0] == 0
    assert json.loads(path.read_text()) == {"auth_mode": "apikey", "OPENAI_API_KEY": "sk-new"}

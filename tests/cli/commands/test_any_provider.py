"""The command with a strict OpenID provider: sign in, show, refresh, choose and sign out."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.demo.browser import sign_in
from loginmachine.demo.openid.provider import OpenIdProvider
from loginmachine.demo.shared.answers import Answer

from ..conftest import called, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server() -> Iterator[OpenIdProvider]:
    with OpenIdProvider() as provider:
        yield provider


class Person:
    """A person with folders of their own, who uses the command."""

    def __init__(self, home: Path) -> None:
        self.folders = {
            "HOME": str(home),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CONFIG_HOME": str(home / "config"),
        }

    def login(self, *options: str, email: str = "ada@example.com") -> tuple[int, str, list[dict[str, Any]]]:
        with run("login", "--json", "--no-browser", *options, **self.folders) as command:
            method = "device_code" if "--device-code" in options else "listening"
            shown = command.event(method)
            url = shown["complete_url"] if method == "device_code" else shown["url"]
            browser = threading.Thread(target=sign_in, args=(url,), kwargs={"email": email, "password": "any"})
            browser.start()
            code, err = command.end()
            browser.join()
            return code, err, command.events

    def call(self, *arguments: str, **extra: str) -> tuple[int, str, str]:
        return called(*arguments, **self.folders, **extra)


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path)


def native(server: OpenIdProvider) -> tuple[str, ...]:
    return "--issuer", server.issuer, "--client-id", server.client.client_id


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_sign_in_and_out(person: Person, server: OpenIdProvider, tmp_path: Path, driver: str) -> None:
    code, err, events = person.login("--provider", "openid", *native(server), "--driver", driver)
    assert code == 0, err
    assert "ChatGPT" not in err
    assert (events[-1]["outcome"], events[-1]["email"]) == ("succeeded", "ada@example.com")
    host = server.issuer.removeprefix("http://")
    code, out, _ = person.call("status")
    assert (code, out.splitlines()[0]) == (0, f"Signed in at {host} as ada@example.com.")
    assert "ChatGPT" not in out
    assert person.call("whoami") == (0, f"ada@example.com at {host} (openid)\n", "")
    shown = json.loads(person.call("status", "--json")[1])
    assert (shown["signed_in"], shown["provider"], shown["issuer"]) == (True, "openid", server.issuer)
    assert (shown["client_id"], shown["email"], shown["name"]) == ("native", "ada@example.com", "Ada")
    assert shown["scopes"] == ["openid", "profile", "email", "offline_access"]
    assert shown["has_refresh_token"]
    assert shown["subject"].startswith("user-")
    token = person.call("token")[1].strip()
    assert server.is_active(token)
    assert person.call("refresh")[0] == 0
    # The environment's key is Codex's.
    assert person.call("token", OPENAI_API_KEY="sk-canary")[1].strip() not in {token, "sk-canary"}
    code, out, _ = person.call("logout", OPENAI_API_KEY="sk-canary")
    assert (code, out.splitlines()[-1]) == (0, "The provider has revoked the tokens.")
    assert person.call("status")[0] == 1
    assert not (tmp_path / ".codex").exists()


@pytest.mark.parametrize("method", ["basic", "post"])
def test_a_confidential_client(person: Person, server: OpenIdProvider, tmp_path: Path, method: str) -> None:
    client = server.confidential_client if method == "basic" else server.post_client
    secret = tmp_path / "secret"
    secret.write_text(client.client_secret or "")
    secret.chmod(0o600)
    options = ("--issuer", server.issuer, "--client-id", client.client_id, "--client-secret-file", str(secret))
    assert person.login(*options, "--client-auth", method)[0] == 0
    # The secret need not be named again, and is not copied.
    assert person.call("refresh")[0] == 0
    stored = [path.read_text() for path in (tmp_path / "state").rglob("*.json")]
    assert not [text for text in stored if json.dumps(client.client_secret)[1:-1] in text]
    assert person.call("logout")[0] == 0


def test_a_device_code(person: Person, server: OpenIdProvider) -> None:
    server.switches.device_interval = 0
    assert person.login(*native(server), "--device-code")[0] == 0
    assert person.call("status")[0] == 0


def test_registration_is_used_again(person: Person, server: OpenIdProvider) -> None:
    for _ in range(2):
        assert person.login("--issuer", server.issuer, "--register")[0] == 0
        assert person.call("logout")[0] == 0
    assert len(server.requests_to("registration")) == 1


def test_plain_oauth(person: Person, server: OpenIdProvider) -> None:
    endpoints = {
        "--authorization-endpoint": f"{server.issuer}/account/authorize",
        "--token-endpoint": f"{server.issuer}/token",
        "--client-id": "native",
        "--scope": "profile",
    }
    given = [word for pair in endpoints.items() for word in pair]
    assert person.login("--provider", "oauth", *given)[0] == 0
    shown = json.loads(person.call("status", "--json")[1])
    assert (shown["provider"], shown["subject"], shown["scopes"]) == ("oauth", None, ["profile"])
    assert person.call("refresh", "--provider", "oauth")[0] == 0


def test_several_accounts(person: Person, server: OpenIdProvider) -> None:
    for email in ("ada@example.com", "bob@example.com"):
        assert person.login(*native(server), email=email)[0] == 0
    listed = json.loads(person.call("accounts", "--json")[1])["accounts"]
    assert [(each["email"], each["default"]) for each in listed] == [
        ("bob@example.com", True),
        ("ada@example.com", False),
    ]
    assert person.call("use", "ada@example.com")[0] == 0
    assert "as ada@example.com" in person.call("status")[1]
    assert "as bob@example.com" in person.call("status", "--account", "bob@example.com")[1]
    code, _, err = person.call("token", "--account", "native")
    assert code == 2
    assert err.count("(client native)") == 2
    assert person.call("token", "--account", "eve")[0] == person.call("use", "eve")[0] == 1
    code, out, _ = person.call("status", "--provider", "google")
    assert (code, out.splitlines()[0][:36]) == (1, "Not signed in: nothing is stored in ")


def test_two_providers_without_a_choice(person: Person, server: OpenIdProvider) -> None:
    with OpenIdProvider() as other:
        for each in (server, other):
            assert person.login(*native(each))[0] == 0
        code, out, err = person.call("token")
        assert (code, out) == (2, "")
        assert server.issuer in err
        assert other.issuer in err
        assert person.call("token", *native(other))[0] == 0
        assert person.call("token", "--provider", "openid")[0] == 2


def test_a_sign_in_that_has_ended(person: Person, server: OpenIdProvider) -> None:
    assert person.login(*native(server))[0] == 0
    server.answer_next("token", Answer.error("invalid_grant", status=400))
    code, _, err = person.call("refresh")
    assert code == 1
    assert f"loginmachine login --provider openid --issuer {server.issuer} --client-id native" in err
    code, out, _ = person.call("status")
    # The access token is still valid.
    assert code == 0
    assert out.startswith("The sign-in at 127.0.0.1:")
    assert json.loads(person.call("status", "--json")[1])["sign_in_ended"]


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_a_fixed_port_that_is_taken(person: Person, server: OpenIdProvider, driver: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        uri = f"http://127.0.0.1:{taken.getsockname()[1]}/callback"
        options = ("login", "--no-browser", *native(server), "--redirect-uri", uri, "--driver", driver)
        assert person.call(*options)[0] == 13


def test_a_client_file_of_google(person: Person, server: OpenIdProvider, tmp_path: Path) -> None:
    client = {
        "client_id": "native-post",
        "client_secret": server.post_client.client_secret,
        "auth_uri": f"{server.issuer}/account/authorize",
        "token_uri": f"{server.issuer}/token",
    }
    file = tmp_path / "client.json"
    file.write_text(json.dumps({"installed": client}))
    options = ("--provider", "google", "--client-file", str(file), "--issuer", server.issuer)
    code, err, events = person.login(*options)
    assert code == 0, err
    asked = next(event["url"] for event in events if event["event"] == "listening")
    assert "&access_type=offline" in asked
    assert person.call("refresh", "--provider", "google")[0] == 0
    assert person.call("logout", "--provider", "google")[0] == 0

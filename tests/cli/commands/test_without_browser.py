"""Signing in with a browser on another machine: hints, device codes, and `loginmachine complete`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from werkzeug import Response

from ..conftest import CODE, ScriptedProvider, callback_url, called, login, started

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_httpserver import HTTPServer

GRANT = {"authorization_code": "canary-grant", "code_challenge": "c", "code_verifier": "canary-device-verifier"}


def complete(address: str, how: Callable[..., tuple[int, str, str]] = called) -> tuple[int, str]:
    """Run `loginmachine complete` with an address on standard input, and a proxy that must not be used."""
    proxies = {"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}
    code, out, err = how("complete", given=address, **proxies)
    assert out == ""
    assert CODE not in err
    return code, err


# loginmachine complete


def test_complete(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer) as command:
        url = command.event("listening")["url"]
        code, said = complete(f"{callback_url(url, code=CODE)}\n", started)
        assert (code, said) == (0, "Done: the waiting sign-in is complete.\n")
        assert command.end()[0] == 0
    assert provider.forms[0]["code"] == CODE


def test_complete_with_an_old_and_then_the_right_address(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer) as command:
        url = command.event("listening")["url"]
        code, said = complete(callback_url(url, code=CODE, state="old"))
        assert (code, "refused that address" in said) == (1, True)
        assert complete(callback_url(url, code=CODE))[0] == 0
        assert command.end()[0] == 0


def test_complete_after_the_person_refused(provider: ScriptedProvider, tmp_path: Path) -> None:
    with login(tmp_path, provider.issuer) as command:
        url = command.event("listening")["url"]
        code, said = complete(callback_url(url, error="access_denied"))
        assert (code, "the provider did not sign you in" in said) == (1, True)
        assert command.end()[0] == 1


def test_complete_with_a_rejected_code(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.answers.append((400, {"error": "invalid_grant"}))
    with login(tmp_path, provider.issuer) as command:
        url = command.event("listening")["url"]
        code, said = complete(callback_url(url, code=CODE))
        assert (code, "accepted the address, but failed afterwards" in said) == (1, True)
        assert command.end()[0] == 1


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hello",
        "https://auth.openai.com/oauth/authorize?response_type=code&state=s&code=c",
        "http://127.0.0.1:1455/auth/callback?code=c",
        "http://127.0.0.1:1455/auth/callback?state=s",
        "http://127.0.0.1:1455",
    ],
)
def test_complete_with_another_text(address: str) -> None:
    code, said = complete(address)
    assert code == 1
    # Most of these are cut off.
    assert said == (
        "That is not the address at which a sign-in ends, or not all of it. Copy everything in your browser's "
        "address bar; it begins with http://127.0.0.1:\n"
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://name-1455.app.example/auth/callback?code=c&state=s",
        "http://192.0.2.1:1455/auth/callback?code=c&state=s",
        "http://127.0.0.1/auth/callback?code=c&state=s",
        "http://127.0.0.1:0/auth/callback?code=c&state=s",
        "code=c&state=s",
    ],
)
def test_complete_with_an_address_without_our_port(address: str) -> None:
    code, said = complete(address)
    assert (code, "Add --port with the port that the sign-in shows" in said) == (1, True)


@pytest.mark.parametrize("port", ["65536", "x", "-1"])
def test_complete_with_a_port_that_is_none(port: str) -> None:
    assert called("complete", "--port", port)[0] == 2


@pytest.mark.parametrize(
    "shape",
    [
        "Here it is: {}. Thanks!",
        "[the address]({})",
        "\u201c{}\u201d\u200b",
        "<a href='{}'>",
    ],
)
def test_complete_with_words_around_the_address(shape: str, provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer) as command:
        address = callback_url(command.event("listening")["url"], code=CODE).replace("http:", "https:")
        assert complete(shape.format(address.replace("&", "&amp;")))[0] == 0
        assert command.end()[0] == 0


def test_complete_with_the_address_of_a_tunnel(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer) as command:
        address = urlsplit(callback_url(command.event("listening")["url"], code=CODE))
        tunnel = f"https://name.tunnel.example{address.path}?{address.query}"
        code, _, err = called("complete", "--port", str(address.port), given=tunnel)
        assert (code, err) == (0, "Done: the waiting sign-in is complete.\n")
        assert command.end()[0] == 0


def test_complete_without_a_waiting_login() -> None:
    code, said = complete(f"http://127.0.0.1:1/auth/callback?code={CODE}&state=s", started)
    assert (code, said) == (1, "No sign-in waits on port 1 of this machine.\n")


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {}),
        (404, {}),
        (302, {"Location": "https://evil.example/success"}),
        (302, {"Location": "/success/../cancel"}),
    ],
)
def test_complete_with_another_program_on_the_port(
    status: int, headers: dict[str, str], httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/auth/callback").respond_with_response(Response("", status, headers))
    code, said = complete(f"http://127.0.0.1:{httpserver.port}/auth/callback?code={CODE}&state=s")
    assert (code, said) == (1, "No sign-in waits at that address.\n")
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("page", ["/success", "/success/AZaz09-._~"])
def test_complete_fetches_the_page_of_the_redirect(page: str, httpserver: HTTPServer) -> None:
    """Older logins redirect to the same page every time."""
    httpserver.expect_request("/auth/callback").respond_with_response(Response("", 302, {"Location": page}))
    httpserver.expect_request(page).respond_with_data("You are signed in")
    assert complete(f"http://127.0.0.1:{httpserver.port}/auth/callback?code={CODE}&state=s")[0] == 0
    assert [request.path for request, _ in httpserver.log] == ["/auth/callback", page]


# Device codes


@pytest.fixture
def device_codes(httpserver: HTTPServer) -> list[tuple[int, dict[str, str]]]:
    """Return the list of responses to the polls, which a test may change."""
    answers: list[tuple[int, dict[str, str]]] = []

    def poll(_: object) -> Response:
        status, body = answers.pop(0)
        return Response(json.dumps(body), status, content_type="application/json")

    path, code = "/api/accounts/deviceauth", {"device_auth_id": "canary-id", "user_code": "WXYZ-1234", "interval": "1"}
    httpserver.expect_request(f"{path}/usercode", method="POST").respond_with_json(code)
    httpserver.expect_request(f"{path}/token", method="POST").respond_with_handler(poll)
    return answers


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_login_with_a_device_code(
    driver: str, provider: ScriptedProvider, device_codes: list[tuple[int, dict[str, str]]], tmp_path: Path
) -> None:
    device_codes += [(200, GRANT)]
    provider.will_sign_in()
    with login(tmp_path, provider.issuer, "--device-code", "--verbose", "--driver", driver) as command:
        shown = command.event("device_code")
        code, err = command.end()
    assert code == 0
    assert shown == {
        "event": "device_code",
        "url": f"{provider.issuer}/codex/device",
        "user_code": "WXYZ-1234",
        "complete_url": None,
        "expires_in": 900.0,
    }
    assert [event.get("phase") for event in command.events] == [
        "requesting_device_code",
        None,
        "device_code_authorized",
        "exchanging_code",
        "saving_credentials",
        "succeeded",
        None,
    ]
    assert command.events[-1]["outcome"] == "succeeded"
    assert shown["url"] in err
    assert "WXYZ-1234" in err
    assert "Never enter a code that someone else gave you." in err
    assert "within 15 minutes" in err
    log = (tmp_path / "log" / "codex-login.log").read_text()
    rest = json.dumps([event for event in command.events if event["event"] != "device_code"]) + log
    assert not [secret for secret in ("canary", "WXYZ-1234") if secret in rest]


def test_login_with_a_refused_device_code(
    provider: ScriptedProvider, device_codes: list[tuple[int, dict[str, str]]], tmp_path: Path
) -> None:
    device_codes += [(400, {"error": "access_denied"})]
    with login(tmp_path, provider.issuer, "--device-code") as command:
        code, err = command.end()
    assert code == 1
    assert "The sign-in with the device code was refused." in err
    assert command.events[-1]["category"] == "device_code_denied"


def test_login_reports_failing_device_code_endpoint(provider: ScriptedProvider, tmp_path: Path) -> None:
    # The server answers unknown requests with 500.
    with login(tmp_path, provider.issuer, "--device-code") as command:
        code, _ = command.end()
    assert code == 1
    assert command.events[-1]["category"] == "device_code_unavailable"


def test_device_codes_not_enabled_fall_back_to_the_browser(
    provider: ScriptedProvider, httpserver: HTTPServer, tmp_path: Path
) -> None:
    httpserver.expect_request("/api/accounts/deviceauth/usercode").respond_with_data("", 404)
    provider.will_sign_in()
    with login(tmp_path, provider.issuer, "--device-code") as command:
        url = command.event("listening")["url"]
        assert complete(callback_url(url, code=CODE))[0] == 0
        code, err = command.end()
    assert code == 0
    assert "Device codes are not enabled for this provider: going on in the browser." in err


# Hints


def test_ssh_session_gets_a_hint(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer, SSH_CONNECTION="192.0.2.1 50000 192.0.2.2 22") as command:
        url = command.event("listening")["url"]
        complete(callback_url(url, code=CODE))
        _, err = command.end()
    assert "This looks like a session over SSH." in err
    assert "'loginmachine complete'" in err
    assert "run the same command with --device-code added" in err


def test_the_hint_is_shown_once(provider: ScriptedProvider, tmp_path: Path) -> None:
    arguments = [
        "--port",
        "0",
        "--home",
        str(tmp_path),
        "--provider",
        "codex",
        "--issuer",
        provider.issuer,
        "--timeout",
        "0.5",
    ]
    _, _, err = started("login", *arguments)
    assert "Note: No browser could be opened." in err
    assert err.count("--device-code") == 1

"""`loginmachine doctor`."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from werkzeug import Response

from loginmachine import Provider
from loginmachine.cli.doctor import machine, network
from loginmachine.cli.providers.metadata import Metadata
from loginmachine.drivers.stores.locks import locked
from loginmachine.sansio.base.http import HttpResponse

from ..conftest import called
from ..json_schema import fit

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

needs_modes = pytest.mark.skipif(sys.platform == "win32", reason="there are no modes")


class Doctor:
    """Checks a machine with a home folder of its own, and returns the findings of one check."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.folder = folder
        self.code = -1

    def all(self, *options: str, **extra: str) -> list[tuple[str, str, str, str | None]]:
        arguments = ("--json", "--port", "0", "--home", str(self.home), *options)
        state = {"XDG_STATE_HOME": str(self.folder / "state"), "SSL_CERT_FILE": "", "REQUESTS_CA_BUNDLE": ""}
        others = {"CURL_CA_BUNDLE": "", "NODE_EXTRA_CA_CERTS": "", "CODEX_CA_CERTIFICATE": ""}
        self.code, out, err = called("doctor", *arguments, **{**state, **others, **extra})
        assert err == ""
        assert "canary" not in out
        (answer,) = fit("doctor", self.code, out)
        return [tuple(each.values()) for each in answer["findings"]]

    def __call__(self, check: str, *options: str, **extra: str) -> list[tuple[str, str]]:
        return [(state, text) for name, state, text, _ in self.all(*options, **extra) if name == check]


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    return Doctor(tmp_path)


def test_a_machine_where_all_is_well(doctor: Doctor, tmp_path: Path) -> None:
    found = doctor.all(DISPLAY=":0", BROWSER=sys.executable)
    checks = [name for name, *_ in found]
    once = ["program", "port", "browser", "proxy", "certificates", "home", "accounts", "stored", "stored", "codex"]
    assert checks == [*once, "variables"]
    assert [name for name, state, *_ in found if state != "ok"] in ([], ["browser"])
    assert doctor.code == 0
    # Nothing was created.
    assert list(tmp_path.iterdir()) == []


def test_for_people(tmp_path: Path) -> None:
    code, out, err = called("doctor", "--port", "0", "--home", str(tmp_path / "home"), HTTPS_PROXY="ftp://canary@proxy")
    lines = out.splitlines()
    assert (code, err) == (1, "")
    assert lines[0].startswith("ok: loginmachine ")
    at = lines.index(
        "problem: The proxy that HTTPS_PROXY names cannot be used: it is neither an http, https nor socks5 proxy."
    )
    assert lines[at + 1] == "- Correct it, or name the provider's host in NO_PROXY."
    assert lines[-2].startswith("Found: 1 problem")
    assert lines[-1] == "The provider and the clock were not checked. To do that, add --online."
    assert "canary" not in out


def test_a_port_that_is_taken(doctor: Doctor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        found = doctor("port", "--port", port)
    assert (found, doctor.code) == ([("problem", f"Port {port} is in use, perhaps by a sign-in that waits.")], 1)


@pytest.mark.parametrize(
    ("variables", "state", "text"),
    [
        ({"BROWSER": "none"}, "ok", "No browser is opened, because BROWSER is none."),
        (
            {"SSH_TTY": "/dev/pts/1"},
            "warning",
            "This looks like a session over SSH, where your browser probably is not.",
        ),
        ({"CI": "true"}, "warning", "CI is set: without a terminal, login does not wait for a browser."),
    ],
)
def test_the_browser(doctor: Doctor, variables: dict[str, str], state: str, text: str) -> None:
    assert (state, text) in doctor("browser", **variables)


@pytest.mark.parametrize(("options", "is_named"), [((), True), (("--provider", "chatgpt"), False)])
def test_only_a_provider_with_device_codes_gets_the_advice_to_use_one(
    doctor: Doctor,
    options: tuple[str, ...],
    *,
    is_named: bool,
) -> None:
    (advice,) = [advice for name, *_, advice in doctor.all(*options, SSH_TTY="/dev/pts/1") if name == "browser"]
    assert advice is not None
    assert advice.startswith("Open the address in a browser anywhere")
    assert ("--device-code" in advice) == is_named


def test_the_extras_are_those_of_the_package() -> None:
    document = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(machine._EXTRAS) == set(document["project"]["optional-dependencies"])


def test_the_launcher(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loginmachine.cli.doctor.machine.why_no_browser", lambda: None)
    assert doctor("browser", BROWSER=sys.executable) == [("ok", f"A browser is opened with {sys.executable}.")]
    monkeypatch.setattr("loginmachine.cli.doctor.machine.first_launcher", lambda: "")
    assert doctor("browser") == [("warning", "No program that opens a browser was found.")]


@pytest.mark.parametrize(
    ("variables", "state", "text"),
    [
        ({}, "ok", "No proxy is used for auth.openai.com."),
        (
            {"https_proxy": "http://me:canary@proxy.example:3128"},
            "ok",
            "For auth.openai.com, the proxy http://proxy.example:3128 (https_proxy) is used.",
        ),
        (
            {"HTTPS_PROXY": "http://me:canary@"},
            "problem",
            "The proxy that HTTPS_PROXY names cannot be used: its address has no valid host.",
        ),
    ],
)
def test_the_proxy(doctor: Doctor, variables: dict[str, str], state: str, text: str) -> None:
    assert doctor("proxy", **variables) == [(state, text)]


def test_certificates(doctor: Doctor, tmp_path: Path) -> None:
    trusted = "The certificate authorities of certifi and of the system are trusted"
    assert doctor("certificates") == [("ok", f"{trusted}.")]
    assert doctor("certificates", CURL_CA_BUNDLE="/file") == [
        ("ok", f"{trusted}."),
        ("warning", "These environment variables are set, but are not used here: CURL_CA_BUNDLE."),
    ]
    path = tmp_path / "no file"
    words = f"The certificate bundle that SSL_CERT_FILE names, {path}, cannot be used: No such file or directory."
    assert doctor("certificates", SSL_CERT_FILE=str(path)) == [("problem", words)]


def test_a_home_that_is_a_file(doctor: Doctor) -> None:
    doctor.home.touch()
    words = f"The folder for your credentials, {doctor.home}, cannot be used: it is a file."
    assert doctor("home") == [("problem", words)]
    assert doctor.code == 1


@needs_modes
def test_files_that_others_can_read(doctor: Doctor) -> None:
    doctor.home.mkdir(0o700)
    path = doctor.home / "auth.json"
    path.write_text('{"auth_mode": "apikey", "OPENAI_API_KEY": "canary"}')
    path.chmod(0o640)
    fine = ("ok", f"Credentials can be stored in {doctor.home}.")
    assert doctor("home") == [fine, ("warning", f"{path} has mode 0640, so that other users can use it.")]
    path.chmod(0o600)
    assert doctor("home") == [fine]
    assert ("ok", f"Codex's credentials: an API key in {path}.") in doctor("stored")
    assert [each.name for each in doctor.home.iterdir()] == ["auth.json"]


@needs_modes
def test_a_folder_that_others_can_change(doctor: Doctor) -> None:
    doctor.home.mkdir()
    doctor.home.chmod(0o777)
    (_, (state, text)) = doctor("home")
    assert (state, text.partition(",")[0]) == ("warning", f"The folder {doctor.home} has mode 0777")


def test_what_was_set_aside_and_what_is_damaged(doctor: Doctor) -> None:
    doctor.home.mkdir(0o700)
    for name in ("auth.json", "auth.json.corrupt-1"):
        (doctor.home / name).write_text("canary")
        (doctor.home / name).chmod(0o600)
    found = doctor("home")
    assert ("warning", f"{doctor.home / 'auth.json.corrupt-1'} was set aside, because it could not be read.") in found
    assert [state for state, _ in doctor("stored")] == ["problem", "ok"]
    assert doctor.code == 1


def test_a_lock_that_is_held(doctor: Doctor) -> None:
    doctor.home.mkdir(0o700)
    path = doctor.home / "auth.refresh.lock"
    script = (
        "import sys; from loginmachine.drivers.stores.locks import locked\n"
        "with locked(sys.argv[1], 1): print(flush=True); input()"
    )
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        held = ("warning", f"Another program holds auth.refresh.lock in {doctor.home} just now.")
        assert held in doctor("home")
        other.communicate("\n", timeout=20)
    assert held not in doctor("home")
    # It takes no lock away.
    with locked(path, 0):
        pass


def test_variables_are_named_and_not_shown(doctor: Doctor) -> None:
    ((state, text),) = doctor("variables", OPENAI_API_KEY="canary", no_proxy="canary")
    assert state == "ok"
    assert {"OPENAI_API_KEY", "no_proxy", "XDG_STATE_HOME"} <= set(text.rpartition(": ")[2].rstrip(".").split(", "))


def test_codex_beside_us(doctor: Doctor, tmp_path: Path) -> None:
    doctor.home.mkdir()
    (doctor.home / "config.toml").write_text('forced_login_method = "api"')
    program = tmp_path / ("codex.exe" if sys.platform == "win32" else "codex")
    program.touch(0o700)
    first, second = doctor("codex", PATH=str(tmp_path))
    assert first == ("ok", f"The Codex CLI is {program}.")
    assert second[0] == "warning"
    assert "forced_login_method" in second[1]
    assert doctor("codex", PATH=os.devnull)[0] == ("ok", "The Codex CLI is not installed here.")


# With --online


@pytest.fixture
def issuer(httpserver: HTTPServer) -> str:
    return httpserver.url_for("").rstrip("/")


def metadata(issuer: str, server: HTTPServer, status: int = 200) -> None:
    content = {"issuer": issuer, "authorization_endpoint": f"{issuer}/a", "token_endpoint": f"{issuer}/t"}
    answer = Response(json.dumps(content), status, content_type="application/json")
    server.expect_request("/.well-known/openid-configuration").respond_with_handler(lambda _: answer)


@pytest.mark.parametrize(
    ("received", "state", "words"),
    [
        (1_000_000_060, "ok", "This clock agrees with the provider's (60 s)."),
        (999_999_940, "ok", "This clock agrees with the provider's (60 s)."),
        (1_000_000_061, "warning", "This clock is 61 s ahead of the provider's."),
        (999_999_701, "warning", "This clock is 299 s behind the provider's."),
        (1_000_000_300, "problem", "This clock is 300 s ahead of the provider's."),
        (999_999_700, "problem", "This clock is 300 s behind the provider's."),
    ],
)
def test_the_clock(monkeypatch: pytest.MonkeyPatch, received: int, state: str, words: str) -> None:
    provider = Provider.openid("https://id.example", client_id="c")
    headers = ((b"Date", b"Sun, 09 Sep 2001 01:46:40 GMT"),)
    response = HttpResponse(status=200, headers=headers, body=b"", received_at=received)
    monkeypatch.setattr(network, "fetch_metadata", lambda _: Metadata(provider, "https://id.example/m", response))
    _, clock = network.check_provider(provider)
    assert clock[:3] == ("clock", state, words)


def test_a_clock_that_is_right(doctor: Doctor, issuer: str, httpserver: HTTPServer) -> None:
    metadata(issuer, httpserver)
    ((state, text),) = doctor("clock", "--online", "--issuer", issuer, "--client-id", "c")
    assert (state, text.partition(" (")[0]) == ("ok", "This clock agrees with the provider's")


def test_the_provider(doctor: Doctor, issuer: str, httpserver: HTTPServer) -> None:
    metadata(issuer, httpserver)
    options = ("--online", "--issuer", issuer, "--client-id", "c")
    ((state, text),) = doctor("provider", *options)
    assert (state, text.partition(" has ")[0]) == ("ok", f"{issuer}/.well-known/openid-configuration")
    (request,) = (request for request, _ in httpserver.log)
    assert (request.method, request.query_string) == ("GET", b"")


def test_a_provider_with_an_error(doctor: Doctor, issuer: str, httpserver: HTTPServer) -> None:
    metadata(issuer, httpserver, status=500)
    ((state, text),) = doctor("provider", "--online", "--issuer", issuer, "--client-id", "c")
    assert (state, "status 500" in text, doctor.code) == ("problem", True, 1)


def test_a_provider_that_is_not_there(doctor: Doctor) -> None:
    ((state, text),) = doctor("provider", "--online", "--issuer", "http://127.0.0.1:1", "--client-id", "c")
    assert (state, "does not answer" in text) == ("problem", True)


def test_codex_needs_no_metadata(doctor: Doctor, issuer: str, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("")
    ((state, text),) = doctor("provider", "--online", "--provider", "codex", "--issuer", issuer)
    assert (state, "which this provider does not need" in text) == ("ok", True)


def test_nothing_is_sent_otherwise(doctor: Doctor, issuer: str, httpserver: HTTPServer) -> None:
    doctor.all("--issuer", issuer, "--client-id", "c")
    assert httpserver.log == []


def test_wrong_options(tmp_path: Path) -> None:
    code, _, err = called("doctor", "--home", str(tmp_path), "--issuer", "https://id.example")
    assert (code, "--issuer alone is not enough" in err) == (2, True)

"""`loginmachine login`, mostly as a child process."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

import loginmachine

from ..conftest import (
    ACCESS,
    CODE,
    ID_TOKEN,
    KEY,
    REFRESH,
    Command,
    browse,
    callback_url,
    called,
    environment,
    login,
    run,
)

if TYPE_CHECKING:
    from ..conftest import ScriptedProvider


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_a_whole_login(provider: ScriptedProvider, tmp_path: Path, driver: str) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer, "--driver", driver) as command:
        listening = command.event("listening")
        assert list(listening) == ["event", "url", "port"]
        status, page = browse(callback_url(listening["url"], code=CODE))
        code, err = command.end()

    assert (status, code) == (200, 0)
    assert "You are signed in" in page
    assert [event.get("phase", event["event"]) for event in command.events] == [
        "binding",
        "listening",
        "callback_received",
        "exchanging_code",
        "exchanging_api_key",
        "saving_credentials",
        "succeeded",
        "finished",
    ]
    assert command.events[-1] == {
        "event": "finished",
        "outcome": "succeeded",
        "category": None,
        "message": None,
        "account_id": "acc-1",
        "email": "ada@example.com",
        "plan": "plus",
    }
    assert "Signed in as ada@example.com." in err
    assert f"Your credentials are in {tmp_path / 'auth.json'}" in err
    assert "\x1b" not in err
    stored = json.loads((tmp_path / "auth.json").read_text())
    assert stored["tokens"] == {
        "id_token": ID_TOKEN,
        "access_token": ACCESS,
        "refresh_token": REFRESH,
        "account_id": "acc-1",
        "oauth_provenance": {"issuer": provider.issuer, "client_id": "app_EMoamEEZ73f0CkXaXp7hrann"},
    }
    assert stored["OPENAI_API_KEY"] == KEY
    assert provider.forms[0]["code"] == CODE


def test_a_success_page_of_ones_own(provider: ScriptedProvider, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>Good day, {email} \u263a</p>", encoding="utf-8")
    provider.will_sign_in()
    with login(tmp_path, provider.issuer, "--success-page", str(tmp_path / "page.html")) as command:
        status, page = browse(callback_url(command.event("listening")["url"], code=CODE))
        command.end()
    assert (status, page) == (200, "<p>Good day, ada@example.com \u263a</p>")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "the file cannot be read: No such file or directory"),
        (b"", "the file has more than 262144 characters, or none"),
        (b"x" * 262_145, "the file has more than 262144 characters, or none"),
        (b"\xff", "the file is not in UTF-8"),
    ],
)
def test_a_success_page_that_cannot_be_used(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "page.html"
    if content is not None:
        path.write_bytes(content)
    code, _, err = called("login", "--success-page", str(path))
    assert (code, err.splitlines()[-1]) == (2, f"loginmachine login: error: argument --success-page: {problem}")


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has only one loopback address by default")
@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_another_address_to_listen_at(provider: ScriptedProvider, tmp_path: Path, driver: str) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer, "--driver", driver, "--listen-address", "127.0.0.2") as command:
        listening = command.event("listening")
        port = listening["port"]
        target = callback_url(listening["url"], code=CODE).removeprefix(f"http://127.0.0.1:{port}")
        answers = []
        # What a published port passes on has the host of the redirect URI. Every other host is refused.
        for host in ("127.0.0.2", "other.example", "127.0.0.1"):
            with contextlib.closing(http.client.HTTPConnection("127.0.0.2", port, timeout=20)) as connection:
                connection.request("GET", target, headers={"Host": f"{host}:{port}"})
                response = connection.getresponse()
                answers.append(response.status)
                location = response.headers["Location"]
        with contextlib.closing(http.client.HTTPConnection("127.0.0.2", port, timeout=20)) as connection:
            connection.request("GET", location, headers={"Host": f"127.0.0.1:{port}"})
            answers.append(connection.getresponse().status)
        code, err = command.end()
    assert (answers, code) == ([403, 403, 302, 200], 0)
    assert "Warning: the sign-in listens at 127.0.0.2, where other machines may reach it" in err


@pytest.mark.parametrize("address", ["", "localhost", "0.0.0.0:1455"])
def test_what_is_no_address_to_listen_at(address: str) -> None:
    code, _, err = called("login", "--listen-address", address)
    assert (code, err.splitlines()[-1].partition("error: ")[2]) == (
        2,
        "the address to listen at is an IPv4 or IPv6 address, such as 0.0.0.0",
    )


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_failed_revocation_is_a_warning(provider: ScriptedProvider, tmp_path: Path, driver: str) -> None:
    old = {"id_token": ID_TOKEN, "access_token": "canary-old", "refresh_token": "canary-older", "account_id": "acc-1"}
    (tmp_path / "auth.json").write_text(json.dumps({"auth_mode": "chatgpt", "tokens": old}))
    provider.will_sign_in()
    provider.revocation = 500
    with login(tmp_path, provider.issuer, "--driver", driver) as command:
        browse(callback_url(command.event("listening")["url"], code=CODE))
        code, err = command.end()
    assert code == 0
    about = [line for line in err.splitlines() if "revoked" in line]
    why = f"{provider.issuer}/oauth/revoke: status 500"
    assert about == [f"Warning: the tokens of the previous sign-in could not be revoked: {why}."]


def test_the_url_is_shown_first(provider: ScriptedProvider, tmp_path: Path) -> None:
    with login(tmp_path, provider.issuer) as command:
        url = command.event("listening")["url"]
        command.process.send_signal(signal.SIGINT)
        _, err = command.end()
    assert err.splitlines()[:3] == ["To sign in, open this address in a browser:", "", url]


@pytest.mark.parametrize(("below", "problem"), [("", "it is a file"), ("/home", "it cannot be created")])
def test_home_that_is_a_file_is_refused_before_the_browser(
    provider: ScriptedProvider, tmp_path: Path, below: str, problem: str
) -> None:
    home = tmp_path / "file"
    home.write_text("other content")
    with login(Path(f"{home}{below}"), provider.issuer) as command:
        code, err = command.end()
    assert code == 1
    assert err.splitlines() == [
        f"The folder for your credentials, {home}{below}, cannot be used: {problem}.",
        "Choose another folder with --home.",
    ]
    assert [(event["event"], event["category"]) for event in command.events] == [("finished", "persist_failed")]
    assert home.read_text() == "other content"


def test_home_without_write_permission_is_refused(provider: ScriptedProvider, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("this user may write everywhere")
    with login(tmp_path, provider.issuer) as command:
        code, err = command.end()
    assert code == 1
    assert "cannot be used: it is not writable." in err


def loaded_when_the_url_is_printed(home: Path, call: str, first: str = "") -> set[str]:
    """Return the modules that are loaded when the URL and the hint below it are shown.

    What is loaded for the hint delays the URL too, because another thread writes the URL to the terminal.

    Args:
        home: The home folder.
        call: Code that calls the command with the list `arguments`, in a fresh interpreter.
        first: Code to run before.
    """
    script = (
        f"{first}\n"
        "import sys; from loginmachine.cli.commands.login_view import LoginView; from loginmachine.cli import main\n"
        "show_url = LoginView._show_url\n"
        "def spy(self, url):\n"
        "    show_url(self, url)\n"
        "    print(' '.join(sorted(sys.modules))); sys.stdout.flush()\n"
        "LoginView._show_url = spy\n"
        f"arguments = ['login', '--no-browser', '--port', '0', '--timeout', '0.01', '--home', {str(home)!r}]\n"
        f"{call}\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment(), timeout=30
    ).stdout
    return set(output.split())


HEAVY = {
    *("typing", "dataclasses", "h11", "httpx", "httpcore", "anyio", "sniffio", "attr", "idna", "certifi", "authlib"),
    *("ssl", "json", "asyncio", "concurrent", "pathlib", "shutil", "tempfile", "subprocess", "shlex", "webbrowser"),
    *("email", "html", "http", "http.client", "urllib.request", "datetime", "random", "secrets", "importlib.metadata"),
}
"""Modules that a login needs later or never."""


def test_no_heavy_module_is_loaded_before_the_url(tmp_path: Path) -> None:
    loaded = loaded_when_the_url_is_printed(tmp_path, "main(arguments)")
    assert "transitions" in loaded
    assert loaded & (HEAVY | {"trio"}) == set()


def test_the_own_process_loads_even_less_before_the_url(tmp_path: Path) -> None:
    # `main` calls this too, but here it must come before the imports of the script.
    first = "from loginmachine.cli.startup import defer_imports; defer_imports()"
    loaded = loaded_when_the_url_is_printed(tmp_path, "sys.argv[1:] = arguments; main()", first)
    assert "transitions" in loaded
    # The last four are imported by `inspect` and `traceback`. anyio is in `sys.modules` as None, so that it is blocked.
    assert loaded & (HEAVY | {"ast", "dis", "opcode", "textwrap"}) == {"anyio"}


def test_the_proxy_is_checked_without_a_heavy_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://me:canary@127.0.0.1:3128")
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.0/8,[::1],fd00::/8,.example")
    loaded = loaded_when_the_url_is_printed(tmp_path, "main(arguments)")
    assert loaded & (HEAVY | {"trio", "socksio"}) == set()


def test_only_modules_loaded_before_the_url_avoid_typing(tmp_path: Path) -> None:
    """`TYPE_CHECKING = False` instead of importing it saves 5 ms until the URL is shown. Elsewhere it is not needed."""
    loaded = loaded_when_the_url_is_printed(tmp_path, "main(arguments)")
    root = Path(loginmachine.__file__).parent
    avoid, import_it = set(), set()
    for path in root.rglob("*.py"):
        module = ".".join((root.name, *path.relative_to(root).with_suffix("").parts)).removesuffix(".__init__")
        code = path.read_text(encoding="utf-8")
        if "\nTYPE_CHECKING = False\n" in code:
            avoid.add(module)
        if re.search(r"^from typing import .*\bTYPE_CHECKING\b", code, re.MULTILINE):
            import_it.add(module)
    assert import_it & loaded == set()
    assert avoid - loaded == set()


PRELOADED = {
    "threaded": ("Owner._load", "def spy_load(self): load(self); print(self.auth_url, flush=True)"),
    "trio": ("Owner._preload", "async def spy_load(self): await load(self); print(self.auth_url, flush=True)"),
    "asyncio": ("Owner._preload", "async def spy_load(self): await load(self); print(self.auth_url, flush=True)"),
}
"""The method in which a driver loads what it needs later, and a replacement that prints the URL after it."""


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_nothing_is_loaded_or_compiled_after_the_callback(
    provider: ScriptedProvider, tmp_path: Path, driver: str
) -> None:
    """The driver has loaded everything before, while the person signed in."""
    provider.will_sign_in()
    home, issuer = str(tmp_path), provider.issuer
    arguments = [
        "login",
        "--no-browser",
        "--port",
        "0",
        "--home",
        home,
        "--provider",
        "codex",
        "--issuer",
        issuer,
        "--driver",
        driver,
    ]
    preload, spy = PRELOADED[driver]
    script = (
        f"import re, sys; from loginmachine.cli import main; from loginmachine.drivers.{driver}.owner import Owner\n"
        f"load, post, compile, patterns = {preload}, Owner.post, re._compiler.compile, []\n"
        "def spy_compile(pattern, flags):\n"
        "    patterns.append(f'pattern-{len(patterns)}')\n"
        "    return compile(pattern, flags)\n"
        f"{spy}\n"
        "def spy_post(self, event):\n"
        "    if type(event).__name__ in ('RequestReceived', 'CredentialsSaved'):\n"
        "        print(' '.join([*sys.modules, *patterns]), flush=True)\n"
        "    post(self, event)\n"
        f"{preload}, Owner.post, re._compiler.compile = spy_load, spy_post, spy_compile\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "sys.exit(main())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment()
    )
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert browse(callback_url(url, code=CODE))[0] == 200
        before, after, _success_page = (set(line.split()) for line in process.stdout)
    assert process.returncode == 0
    assert {"httpx", "pattern-0"} < before
    assert after - before == set()


def test_no_secret_is_shown_or_logged(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer, "--verbose") as command:
        url = command.event("listening")["url"]
        _, page = browse(callback_url(url, code=CODE))
        _, err = command.end()
    verifier = provider.forms[0]["code_verifier"]
    state = callback_url(url).rpartition("=")[2]
    log = (tmp_path / "log" / "codex-login.log").read_text()
    said = json.dumps([event for event in command.events if event["event"] != "listening"]) + err.replace(url, "")
    for secret in (CODE, KEY, ACCESS, REFRESH, ID_TOKEN, verifier, state):
        assert secret not in said + log + page
    assert "ada@example.com" not in log
    assert stat.S_IMODE((tmp_path / "log" / "codex-login.log").stat().st_mode) == 0o600


def test_refusal_by_the_person(provider: ScriptedProvider, tmp_path: Path) -> None:
    with login(tmp_path, provider.issuer) as command:
        url = command.event("listening")["url"]
        status, page = browse(callback_url(url, error="access_denied", error_description="No <b>entry</b>\x1b[2J"))
        code, err = command.end()
    assert (status, code) == (403, 1)
    assert "No &lt;b&gt;entry&lt;/b&gt;" in page
    assert command.events[-2:] == [
        {
            "event": "problem",
            "phase": "validate_callback",
            "category": "provider_callback_error",
            "message": "access_denied: No <b>entry</b>\ufffd[2J",
            "fatal": True,
        },
        {
            "event": "finished",
            "outcome": "failed",
            "category": "provider_callback_error",
            "message": "access_denied: No <b>entry</b>\ufffd[2J",
            "account_id": None,
            "email": None,
            "plan": None,
        },
    ]
    assert "Details: provider_callback_error - access_denied: No <b>entry</b>\ufffd[2J" in err
    assert "\x1b" not in err
    assert not (tmp_path / "auth.json").exists()


def test_wrong_state_does_not_end_the_login(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer) as command:
        url = command.event("listening")["url"]
        assert browse(callback_url(url, state="another", code=CODE))[0] == 400
        problem = command.event("problem")
        assert (problem["category"], problem["fatal"]) == ("callback_state_mismatch", False)
        assert browse(callback_url(url, code=CODE))[0] == 200
        assert command.end()[0] == 0


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals_cancel_the_login(  # noqa: PLR0913, PLR0917
    provider: ScriptedProvider, tmp_path: Path, number: signal.Signals, code: int, times: int, driver: str
) -> None:
    with login(tmp_path, provider.issuer, "--driver", driver) as command:
        command.event("listening")
        for _ in range(times):
            command.process.send_signal(number)
        returned, err = command.end()
    assert returned == code
    assert "Traceback" not in err
    assert command.events[-1]["outcome"] == "cancelled"
    assert command.events[-1]["category"] == "login_cancelled"


def test_timeout(provider: ScriptedProvider, tmp_path: Path) -> None:
    with login(tmp_path, provider.issuer, "--timeout", "0.05") as command:
        code, err = command.end()
    assert code == 1
    assert command.events[-1]["category"] == "login_timed_out"
    assert "no callback came within 0.05 seconds" in err


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_port_in_use_has_its_own_exit_code(provider: ScriptedProvider, tmp_path: Path, driver: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.settimeout(10)
        port = str(stranger.getsockname()[1])
        arguments = ["login", "--no-browser", "--json", "--driver", driver]
        arguments += ["--home", str(tmp_path), "--provider", "codex", "--issuer", provider.issuer]
        with run(*arguments, "--port", port) as command:
            connection, _ = stranger.accept()
            with connection:
                assert connection.recv(1024).startswith(b"GET /cancel HTTP/1.1\r\n")
            code, err = command.end()
    assert code == 13
    assert command.events[-1]["category"] == "local_server_unavailable"
    assert f"port {port} is in use by another program" in err


def test_the_browser_is_opened_without_a_shell(provider: ScriptedProvider, tmp_path: Path) -> None:
    launcher, seen = tmp_path / "launcher", tmp_path / "seen"
    launcher.write_text(f'#!/bin/sh\nprintf "%s\\n" "$#" "$1" > {seen}\n')
    launcher.chmod(0o755)
    arguments = ["--json", "--port", "0", "--home", str(tmp_path), "--provider", "codex", "--issuer", provider.issuer]
    with run("login", *arguments, BROWSER=str(launcher)) as command:
        url = command.event("listening")["url"]
        while command.event("progress")["phase"] != "browser_launched":
            pass
        command.process.send_signal(signal.SIGINT)
        command.end()
    assert seen.read_text().splitlines() == ["1", url]


def test_missing_browser_does_not_end_the_login(provider: ScriptedProvider, tmp_path: Path) -> None:
    arguments = ["--json", "--port", "0", "--home", str(tmp_path), "--provider", "codex", "--issuer", provider.issuer]
    with run("login", *arguments) as command:
        command.event("listening")
        assert command.event("problem")["category"] == "browser_launch_failed"
        command.process.send_signal(signal.SIGINT)
        assert command.end()[0] == 130


def test_closed_pipe_does_not_end_the_login(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer) as command:
        url = command.event("listening")["url"]
        assert command.process.stdout is not None
        command.process.stdout.close()
        assert browse(callback_url(url, code=CODE))[0] == 200
        assert command.process.wait(20) == 0
    assert (tmp_path / "auth.json").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--provider", "codex", "--issuer", "http://example.com"], "https"),
        (["--provider", "codex", "--issuer", "https://user:canary@example.com"], "user name"),
        (["--provider", "codex", "--issuer", "https://example.com/$(reboot)`'"], "not allowed"),
        (["--provider", "codex", "--issuer", ""], "empty"),
        (["--port", "65536"], "a port is a number from 0 to 65535"),
        (["--port", "-1"], "a port is a number from 0 to 65535"),
        (["--timeout", "nan"], "SECONDS must be a number, at least 0"),
        (["--timeout", "soon"], "SECONDS must be a number, at least 0"),
        (["--workspace", ""], "workspace"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: list[str], words: str) -> None:
    code, _, err = called("login", "--no-browser", "--home", str(tmp_path / "home"), *arguments)
    assert code == 2
    assert words in err
    assert "canary" not in err
    assert "Traceback" not in err
    assert not (tmp_path / "home").exists()


def test_unusable_ca_bundle_is_refused_at_the_start(tmp_path: Path) -> None:
    bundle = tmp_path / "missing.pem"
    with run(
        "login", "--no-browser", "--port", "0", "--home", str(tmp_path), CODEX_CA_CERTIFICATE=str(bundle)
    ) as command:
        code, err = command.end()
    assert code == 1
    assert f"CODEX_CA_CERTIFICATE names, {bundle}, cannot be used: No such file or directory." in err


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
@pytest.mark.parametrize("method", ["--no-browser", "--device-code"])
def test_unusable_proxy_is_refused_at_the_start(tmp_path: Path, driver: str, method: str) -> None:
    arguments = ["--driver", driver, method, "--port", "0", "--home", str(tmp_path), "--json"]
    proxies = {"https_proxy": "canary://me:canary@127.0.0.1:1", "no_proxy": ""}
    with run("login", *arguments, **proxies) as command:
        code, err = command.end()
    assert code == 1
    words = "proxy that https_proxy names cannot be used: it is neither an http, https nor socks5 proxy"
    assert f"The {words}." in err
    assert [event["event"] for event in command.events] == ["finished"]
    assert command.events[0]["category"] == "token_exchange_connect"
    assert "canary" not in err + json.dumps(command.events)


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_closed_standard_error_does_not_change_the_outcome(
    provider: ScriptedProvider, tmp_path: Path, driver: str
) -> None:
    provider.will_sign_in()
    arguments = [
        "--driver",
        driver,
        "--no-browser",
        "--port",
        "0",
        "--home",
        str(tmp_path),
        "--provider",
        "codex",
        "--issuer",
        provider.issuer,
    ]
    with subprocess.Popen(
        ["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", sys.executable, "-m", "loginmachine", "login", "--json", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        command = Command(process)
        assert browse(callback_url(command.event("listening")["url"], code=CODE))[0] == 200
        assert command.event("finished")["outcome"] == "succeeded"
        assert process.wait(20) == 0
    assert (tmp_path / "auth.json").exists()


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_a_full_pipe_does_not_block_the_login(provider: ScriptedProvider, tmp_path: Path, driver: str) -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write_end, b"x" * 4096)
    os.set_blocking(write_end, True)
    arguments = ["--driver", driver, "--no-browser", "--port", "0", "--home", str(tmp_path), "--timeout", "0.05"]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "loginmachine",
            "login",
            "--json",
            *arguments,
            "--provider",
            "codex",
            "--issuer",
            provider.issuer,
        ],
        stdout=write_end,
        stderr=write_end,
        env=environment(),
    )
    # The timeout passes, and the process ends.
    assert process.wait(20) == 1
    for end in (read_end, write_end):
        os.close(end)


def test_signals_after_the_outcome_are_ignored(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer) as command:
        url = command.event("listening")["url"]
        with socket.create_connection(("127.0.0.1", int(urlsplit(callback_url(url)).port or 0))) as client:
            # The browser does not fetch the success page, so that the listener waits for it.
            target = callback_url(url, code=CODE).partition("/auth/")[2]
            client.sendall(
                f"GET /auth/{target} HTTP/1.1\r\nHost: {urlsplit(callback_url(url)).netloc}\r\n\r\n".encode()
            )
            command.event("finished")
            while command.process.poll() is None:
                command.process.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    command.process.wait(0.01)
    assert command.process.returncode == 0

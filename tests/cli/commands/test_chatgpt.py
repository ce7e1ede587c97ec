"""Sign in with ChatGPT through the command, with processes that are killed and processes that run at once."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.demo.browser import Browser, BrowsingError
from loginmachine.demo.chatgpt.provider import ChatGptProvider
from loginmachine.demo.chatgpt.switches import DECLINED_PLAN
from loginmachine.demo.shared.answers import Answer

from ..conftest import called, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..conftest import Command

BROWSER = """#!{python}
import sys
from loginmachine.demo.browser import Browser

open({log!r}, "a").write(sys.argv[1] + "\\n")
with Browser() as browser:
    browser.open(sys.argv[1])
"""
NOTICE = "Requests of this program use your ChatGPT plan. Manage usage: https://chatgpt.com/settings/usage"


@pytest.fixture
def service() -> Iterator[ChatGptProvider]:
    with ChatGptProvider() as provider:
        provider.switches.consent = "automatic"
        provider.switches.earliest_refresh_at = "absent"
        yield provider
        assert [violation.rule for violation in provider.violations] == []


class Person:
    """A person with folders of their own, who uses the command."""

    def __init__(self, home: Path, service: ChatGptProvider) -> None:
        self.home = home
        self.service = service
        self.options = ("--provider", "chatgpt", "--issuer", service.issuer)
        self.folders = {
            "HOME": str(home),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CONFIG_HOME": str(home / "config"),
        }

    def login(self, *more: str) -> tuple[int, str, list[dict[str, Any]]]:
        with run("login", "--json", "--no-browser", "--timeout", "20", *self.options, *more, **self.folders) as command:
            browser = self.browse(command)
            code, err = command.end()
            browser.join()
            return code, err, command.events

    def browse(self, command: Command) -> threading.Thread:
        url = command.event("listening")["url"]
        browser = threading.Thread(target=_open, args=(url,))
        browser.start()
        return browser

    def signed_in(self, *more: str) -> dict[str, Any]:
        """Sign in, and return the last line."""
        code, err, events = self.login(*more)
        assert code == 0, err
        return events[-1]

    def call(self, *arguments: str) -> tuple[int, str, str]:
        return called(arguments[0], "--provider", "chatgpt", *arguments[1:], **self.folders)

    def json(self, *arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.call(*arguments, "--json")[1].splitlines()[-1])
        return found

    def wait_for(self, endpoint: Any, count: int) -> None:
        """Wait until the service has received a number of requests."""
        end = time.monotonic() + 20
        while len(self.service.requests_to(endpoint)) < count and time.monotonic() < end:
            time.sleep(0.01)


def _open(url: str) -> None:
    try:
        with Browser() as browser:
            browser.open(url)
    except BrowsingError:
        # The command was killed, or has failed.
        pass


@pytest.fixture
def person(tmp_path: Path, service: ChatGptProvider) -> Person:
    return Person(tmp_path, service)


def test_the_last_line_of_a_login(person: Person) -> None:
    last = person.signed_in()
    assert {name: last[name] for name in ("event", "outcome", "provider", "email", "plan_enabled")} == {
        "event": "finished",
        "outcome": "succeeded",
        "provider": "chatgpt",
        "email": "ada@example.com",
        "plan_enabled": True,
    }
    assert (last["account_id"], last["plan"]) == (None, None)
    assert last["client_id"].startswith("oaiapp_")
    assert "chatgpt.tokens.use.direct" in last["scopes"]
    assert not (person.home / ".codex").exists()


def test_the_notice_comes_once(person: Person) -> None:
    assert NOTICE in person.login()[1]
    assert NOTICE not in person.login()[1]
    assert NOTICE not in person.login("--new-account")[1]


def test_plan_use_is_off_and_is_enabled(person: Person) -> None:
    person.service.switches.declined_scopes = DECLINED_PLAN
    code, err, events = person.login()
    client_id = events[-1]["client_id"]
    assert (code, events[-1]["plan_enabled"]) == (0, False)
    at = f"--issuer {person.service.issuer}"
    command = f"loginmachine login --provider chatgpt {at} --account {client_id} --enable-plan"
    assert f"Plan use is off. To turn it on, run: {command}" in err
    assert f"Plan use is off. To turn it on, run: {command}" in person.call("status")[1]
    person.service.switches.declined_scopes = ()
    assert person.signed_in("--account", client_id, "--enable-plan")["plan_enabled"] is True
    assert "Using ChatGPT plan. Manage usage: https://chatgpt.com/settings/usage" in person.call("status")[1]
    assert dict(person.service.requests_to("authorization")[-1].query)["prompt"] == "consent"


def test_the_browser_alone_gets_the_hints(person: Person) -> None:
    """No argument list, terminal, JSON line, log or trace has them."""
    log, program, trace = person.home / "urls", person.home / "browser", person.home / "trace"
    program.write_text(BROWSER.format(python=sys.executable, log=str(log)))
    program.chmod(0o755)
    person.signed_in()
    options = ("--timeout", "20", "--json", "--record", str(trace), *person.options)
    with run("login", *options, BROWSER=str(program), **person.folders) as command:
        code, err = command.end()
    assert code == 0, err
    asked = dict(person.service.requests_to("authorization")[-1].query)
    assert asked["login_hint"] == "ada@example.com"
    everywhere = (err, json.dumps(command.events), log.read_text(), trace.read_text())
    assert not any(asked["id_token_hint"] in text for text in everywhere)
    assert not any("hint=" in text for text in everywhere[:3])
    assert "id_token_hint=redacted-id-token-hint-1" in trace.read_text()
    assert log.read_text().startswith("http://127.0.0.1:")
    state = person.home / "state" / "loginmachine" / "log" / "login.log"
    assert "hint" not in state.read_text()
    code, out, _ = called("replay", str(trace), **person.folders)
    assert code == 0, out


def test_an_account_that_is_named(person: Person) -> None:
    first = person.signed_in()["client_id"]
    person.service.switches.workspace = "Work"
    second = person.signed_in("--new-account")["client_id"]
    code, err = _begin(person, "--account", "ada@example.com")
    assert (code, first in err, second in err) == (2, True, True)
    assert _begin(person, "--account", "nobody@example.com")[0] == 1
    assert _begin(person, "--account", first, "--new-account")[0] == 2
    accounts = person.json("accounts")["accounts"]
    assert [(each["client_id"], each["default"], each["signed_in"]) for each in accounts] == [
        (second, True, True),
        (first, False, True),
    ]
    assert called("use", "--provider", "chatgpt", first, **person.folders)[0] == 0
    assert person.json("status")["client_id"] == first
    assert person.json("status", "--account", second)["client_id"] == second
    assert person.call("status", "--account", "ada@example.com")[0] == 2


def _begin(person: Person, *more: str) -> tuple[int, str]:
    code, _, err = called("login", "--no-browser", *person.options, *more, **person.folders)
    return code, err


@pytest.mark.parametrize(
    "option",
    [
        *(("--device-code",), ("--port", "1455"), ("--client-id", "x"), ("--workspace", "x"), ("--originator", "x")),
        *(("--api-key",), ("--home", "/elsewhere"), ("--scope", "x"), ("--prompt", "login"), ("--register",)),
    ],
)
def test_options_that_mean_nothing_here(person: Person, option: tuple[str, ...]) -> None:
    assert _begin(person, *option)[0] == 2
    assert person.service.requests == ()


@pytest.mark.parametrize("option", [("--new-account",), ("--enable-plan",), ("--account", "x")])
def test_options_that_are_for_this_provider_only(person: Person, option: tuple[str, ...]) -> None:
    code, _, err = called("login", "--no-browser", *option, **person.folders)
    assert (code, "is for chatgpt only" in err) == (2, True)


def test_a_sign_out(person: Person) -> None:
    client_id = person.signed_in()["client_id"]
    person.service.answer_next("revocation", Answer.error("no"))
    done = person.json("logout")
    assert (done["removed"], done["revoked"]) == (True, False)
    assert "https://chatgpt.com/settings" in done["message"]
    code, out, _ = person.call("status", "--json")
    shown = json.loads(out)
    assert (code, shown["signed_in"], shown["client_id"], shown["email"]) == (1, False, client_id, "ada@example.com")
    code, out, _ = person.call("status")
    assert (code, out.startswith("Signed out: ada@example.com")) == (1, True)
    (account,) = person.json("accounts")["accounts"]
    assert (account["signed_in"], account["client_id"], account["plan_enabled"]) == (False, client_id, False)
    assert person.call("token")[0] == 1
    assert person.signed_in()["client_id"] == client_id


def test_an_identity_gives_no_token(person: Person) -> None:
    person.service.switches.declined_scopes = DECLINED_PLAN
    person.service.switches.access_token_without_plan = False
    person.signed_in()
    assert person.call("status")[0] == 0
    code, out, err = person.call("token")
    assert (code, out) == (1, "")
    assert "only says who the person is" in err


# Processes that are killed, and several at once


def test_a_process_that_is_killed_in_the_exchange(person: Person) -> None:
    person.service.answer_next("token", Answer.held())
    with run("login", "--json", "--no-browser", *person.options, **person.folders) as command:
        browser = person.browse(command)
        person.wait_for("token", 1)
        command.process.kill()
        command.process.wait()
        browser.join()
    assert person.json("accounts")["accounts"] == []
    assert person.signed_in()["email"] == "ada@example.com"
    assert len(person.service.registrations) == 1
    (form, other) = [dict(request.form) for request in person.service.requests_to("token")]
    assert form["client_id"] == other["client_id"]


def test_a_process_that_is_killed_in_a_refresh(person: Person) -> None:
    """The answer is lost, so the old refresh token is tried once, and the sign-in has ended then."""
    client_id = person.signed_in()["client_id"]
    person.service.answer_next("token", Answer.held())
    with run("refresh", "--provider", "chatgpt", **person.folders) as command:
        person.wait_for("token", 2)
        command.process.kill()
        command.process.wait()
    # The access token lasts, and nothing is sent for it.
    assert person.service.is_active(person.call("token")[1].strip())
    assert len(person.service.requests_to("token")) == 2
    code, out, err = person.call("refresh", "--json")
    assert (code, json.loads(out)["category"]) == (1, "refresh_token_rejected")
    assert client_id in err
    assert len(person.service.requests_to("token")) == 3
    assert person.signed_in()["client_id"] == client_id


def test_two_processes_refresh_at_once(person: Person) -> None:
    person.signed_in()
    person.service.switches.delays["token"] = 0.3
    with (
        run("refresh", "--provider", "chatgpt", "--json", **person.folders) as one,
        run("refresh", "--provider", "chatgpt", "--json", **person.folders) as other,
    ):
        ends = [command.end()[0] for command in (one, other)]
    assert ends == [0, 0]
    assert sorted(command.events[-1]["outcome"] for command in (one, other)) == ["adopted", "refreshed"]
    assert len(person.service.requests_to("token")) == 2


def test_too_early(person: Person) -> None:
    person.service.switches.earliest_refresh_at = "iso"
    person.signed_in()
    code, out, _ = person.call("refresh", "--json")
    assert (code, json.loads(out)["outcome"]) == (0, "kept")
    assert len(person.service.requests_to("token")) == 1

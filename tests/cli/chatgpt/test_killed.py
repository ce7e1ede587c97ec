"""Commands that are killed, run at once, or find damaged files: no client and no sign-in is lost."""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.demo.shared.answers import Answer

from ..conftest import run
from .support import ADA, Computer, browser_that

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def killed_at(computer: Computer, endpoint: Any, *arguments: str) -> None:
    """Start a command, and kill it when an endpoint has received its request."""
    count = len(computer.provider.requests_to(endpoint)) + 1
    with (
        browser_that(computer.home, ADA) as (launcher, _, _),
        run(*arguments, **computer.folders, BROWSER=launcher) as command,
    ):
        try:
            computer.provider.wait_for(endpoint, count=count)
        finally:
            command.process.kill()


@pytest.fixture
def login(computer: Computer) -> tuple[str, ...]:
    return ("login", "--json", *computer.at, "--driver", computer.driver)


@pytest.mark.parametrize("handled", [True, False])
def test_a_login_that_is_killed_in_the_exchange(computer: Computer, login: tuple[str, ...], *, handled: bool) -> None:
    if handled:
        computer.provider.answer_next("token", Answer.held())
    else:
        computer.provider.switches.delays = {"token": 3600.0}
    killed_at(computer, "token", *login)
    computer.provider.switches.delays = {}
    (registration,) = computer.provider.registrations
    assert computer.signed_in()["client_id"] == registration.client_id
    assert len(computer.provider.registrations) == 1


def test_a_login_that_is_killed_while_the_person_decides(computer: Computer, login: tuple[str, ...]) -> None:
    opened = threading.Event()
    with (
        browser_that(computer.home, lambda _: opened.set()) as (launcher, _, _),
        run(*login, **computer.folders, BROWSER=launcher) as command,
    ):
        assert opened.wait(30)
        command.process.kill()
    host_ids = [content for name, content in computer.files().items() if "host" in name and "urn:uuid:" in content]
    assert len(host_ids) == 1
    computer.signed_in()
    assert computer.asked()[0]["ext_agent_host_id"] in host_ids[0]


def test_a_later_login_that_is_killed_in_the_exchange(computer: Computer, login: tuple[str, ...]) -> None:
    client_id = computer.signed_in()["client_id"]
    token = computer.token()
    computer.provider.answer_next("token", Answer.held())
    killed_at(computer, "token", *login)
    assert computer.token() == token
    assert computer.refresh()[0] == 0
    assert computer.signed_in()["client_id"] == client_id


def test_a_refresh_that_is_killed_before_the_token_is_spent(computer: Computer) -> None:
    computer.signed_in()
    token = computer.token()
    computer.provider.switches.delays = {"token": 3600.0}
    killed_at(computer, "token", "refresh")
    computer.provider.switches.delays = {}
    assert computer.token() == token
    assert computer.refresh()[1]["outcome"] == "refreshed"


def test_a_refresh_that_is_killed_after_the_token_was_spent(computer: Computer) -> None:
    client_id = computer.signed_in()["client_id"]
    token = computer.token()
    computer.provider.answer_next("token", Answer.held())
    killed_at(computer, "token", "refresh")
    # The access token still works, and the client is kept.
    assert computer.token() == token
    assert computer.refresh()[1]["outcome"] == "failed"
    assert computer.signed_in()["client_id"] == client_id


@pytest.mark.parametrize("computer", ["threaded"], indirect=True)
def test_a_sign_out_that_is_killed_can_be_repeated(computer: Computer) -> None:
    client_id = computer.signed_in()["client_id"]
    computer.provider.answer_next("revocation", Answer.held())
    killed_at(computer, "revocation", "logout")
    assert computer.json("logout")["revoked"] is True
    assert computer.json("status")["signed_in"] is False
    assert computer.signed_in()["client_id"] == client_id


@pytest.mark.parametrize("computer", ["threaded"], indirect=True)
def test_a_refresh_that_ends_after_a_sign_out_stores_nothing(computer: Computer) -> None:
    computer.signed_in()
    computer.provider.answer_next("token", Answer.held())
    with run("refresh", "--json", **computer.folders) as command:
        computer.provider.wait_for("token", count=2)
        assert computer.call("logout")[0] == 0
        computer.provider.release()
        assert command.end()[0] == 1
    assert command.events[-1]["category"] == "not_signed_in"
    stored = "".join(computer.files().values())
    assert [token[:6] for token in computer.provider.tokens if token in stored] == []
    assert [token[:6] for token in computer.provider.tokens if computer.provider.is_active(token)] == []


@pytest.mark.parametrize("computer", ["threaded"], indirect=True)
def test_a_refresh_that_ends_after_a_sign_in_adopts_its_tokens(computer: Computer) -> None:
    computer.signed_in()
    computer.provider.answer_next("token", Answer.held())
    with run("refresh", "--json", **computer.folders) as command:
        computer.provider.wait_for("token", count=2)
        computer.signed_in()
        token = computer.token()
        computer.provider.release()
        assert command.end()[0] == 0
    assert computer.token() == token
    assert computer.refresh()[1]["outcome"] == "refreshed"


def test_two_first_logins_at_once_have_one_host_id(computer: Computer, login: tuple[str, ...]) -> None:
    together = threading.Barrier(2)
    codes: list[int] = []

    def browse(url: str) -> str:
        together.wait(30)
        return ADA.sign_in(url)

    def sign_in(folder: Path) -> None:
        with (
            browser_that(folder, browse) as (launcher, _, _),
            run(*login, **computer.folders, BROWSER=launcher) as command,
        ):
            codes.append(command.end()[0])

    threads = [threading.Thread(target=sign_in, args=(computer.home.parent / name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0, 0]
    assert len({request["ext_agent_host_id"] for request in computer.asked()}) == 1
    assert len(computer.accounts()) == len(computer.provider.registrations) == 2


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def deep(path: Path) -> None:
    path.write_text("[" * 100_000)


def not_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


def role_of(name: str) -> str:
    """Return a pattern for the names of files with the same role."""
    return re.sub(r"[0-9a-f]{32}", "*", name)


@pytest.mark.parametrize("computer", ["threaded"], indirect=True)
@pytest.mark.parametrize("damage", [truncated, deep, not_text])
def test_damaged_files_end_no_command_with_a_traceback(computer: Computer, damage: Callable[[Path], None]) -> None:
    computer.signed_in()
    for number, role in enumerate(sorted({role_of(name) for name in computer.files() if not name.endswith(".lock")})):
        fresh = Computer(computer.home.parent / f"damaged-{number}", computer.provider)
        fresh.signed_in()
        (path,) = [path for path in fresh.home.glob(role) if role_of(str(path)) == role_of(str(fresh.home / role))]
        damage(path)
        before = path.read_bytes()
        results = [fresh.call(command) for command in ("status", "accounts", "token", "refresh")]
        login = fresh.login()
        if login.code == 1:
            assert path.read_bytes() == before
            assert str(path) in login.err
        results += [(login.code, "", login.err), fresh.call("logout")]
        assert {code for code, _, _ in results} <= {0, 1, 2}
        assert [err for _, _, err in results if "Traceback" in err] == []


def test_an_entry_of_another_account_is_not_used(computer: Computer) -> None:
    first = computer.signed_in()["client_id"]
    second = computer.signed_in("--new-account")["client_id"]
    entries = {}
    for name, content in computer.files().items():
        if content.startswith("{") and "access_token" in content:
            entries[json.loads(content).get("client_id") or content.count(first)] = computer.home / name
    assert len(entries) == 2
    one, other = entries.values()
    one.write_text(other.read_text())
    for client_id in (first, second):
        computer.call("refresh", "--account", client_id)
    forms = computer.forms("refresh_token")
    assert [form["client_id"] for form in forms if form["client_id"] == first] in ([], [first])

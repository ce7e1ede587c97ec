"""A computer on which a person uses the command with the imitation of "Sign in with ChatGPT"."""

from __future__ import annotations

import contextlib
import json
import os
import select
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from loginmachine.demo.browser import Browser, BrowsingError
from loginmachine.demo.chatgpt.browser import Visitor

from ..conftest import called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from loginmachine.demo.chatgpt.provider import ChatGptProvider

PLAN = "chatgpt.tokens.use.direct"
SCOPES = ["openid", "profile", "email", "offline_access", "resource.invoke", PLAN]
ADA = Visitor()
GRACE = Visitor(email="grace@example.com")
AT_WORK = Visitor(workspace="Analytical Engines")


@dataclass
class Login:
    """A login that has ended."""

    code: int
    events: list[dict[str, Any]]
    err: str
    opened: list[str]
    """What the browser was started with."""
    pages: list[str]
    """The headings of the last pages, or why there is none."""

    @property
    def finished(self) -> dict[str, Any]:
        assert self.events[-1]["event"] == "finished", self.err
        return self.events[-1]

    @property
    def category(self) -> str | None:
        category: str | None = self.finished["category"]
        return category


@dataclass
class Computer:
    """Folders of a person, and what the command wrote there and on the screen."""

    home: Path
    provider: ChatGptProvider
    driver: str = "threaded"
    screen: list[str] = field(default_factory=list)
    """Everything that commands have written, but for tokens that were asked for."""

    @property
    def folders(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
        }

    @property
    def at(self) -> tuple[str, ...]:
        return "--provider", "chatgpt", "--issuer", self.provider.issuer

    def login(self, *options: str, browse: Visitor | Callable[[str], object] = ADA) -> Login:
        """Sign in with a browser that is started by the command."""
        arguments = ("login", "--json", *self.at, "--driver", self.driver, *options)
        with browser_that(self.home, browse) as (launcher, opened, pages):
            code, out, err = called(*arguments, **self.folders, BROWSER=launcher)
        self.screen += [out, err]
        return Login(code, [json.loads(line) for line in out.splitlines()], err, opened, pages)

    def signed_in(self, *options: str, browse: Visitor | Callable[[str], object] = ADA) -> dict[str, Any]:
        """Sign in, which must succeed, and return the last event."""
        login = self.login(*options, browse=browse)
        assert (login.code, login.finished["outcome"]) == (0, "succeeded"), (login.err, login.pages)
        return login.finished

    def call(self, command: str, *options: str) -> tuple[int, str, str]:
        """Run another command, and return its exit code, standard output and standard error."""
        code, out, err = called(command, *options, **self.folders)
        self.screen += [err] if command == "token" else [out, err]
        return code, out, err

    def json(self, command: str, *options: str) -> dict[str, Any]:
        """Run another command with ``--json``, and return its object."""
        found: dict[str, Any] = json.loads(self.call(command, "--json", *options)[1])
        return found

    def refresh(self, *options: str) -> tuple[int, dict[str, Any]]:
        """Refresh, and return the exit code and the object."""
        code, out, _ = self.call("refresh", "--json", *options)
        return code, json.loads(out)

    def token(self, *options: str) -> str:
        """Return the access token."""
        code, out, err = self.call("token", *options)
        assert code == 0, err
        return out.strip()

    def accounts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json("accounts")["accounts"]
        return found

    def files(self) -> dict[str, str]:
        """Return the contents of all files in the state folder, without logs."""
        state = self.home / "state"
        found = [path for path in state.rglob("*") if path.is_file()]
        # (The outcomes of attempts, for logs and for sign-ins that wait, are no credentials.)
        paths = [path for path in found if path.suffix != ".log" and not path.name.startswith("login-")]
        return {str(path.relative_to(self.home)): path.read_text() for path in paths}

    def logs(self) -> str:
        """Return everything that was logged, and the environment of each browser."""
        return "".join(path.read_text() for name in ("*.log", "environment") for path in self.home.rglob(name))

    def asked(self) -> list[dict[str, str]]:
        """Return the authorization requests, each once."""
        found = [dict(request.query) for request in self.provider.requests_to("authorization")]
        return [request for number, request in enumerate(found) if request not in found[:number]]

    def forms(self, grant_type: str) -> list[dict[str, str]]:
        """Return the bodies of the token requests of one kind."""
        found = [dict(request.form) for request in self.provider.requests_to("token")]
        return [form for form in found if form.get("grant_type") == grant_type]


@contextlib.contextmanager
def browser_that(folder: Path, browse: Visitor | Callable[[str], object]) -> Iterator[tuple[str, list[str], list[str]]]:
    """A program that the command starts as a browser. It passes the address to a thread, which acts as the person.

    Returns:
        The program, what it was started with, and the last pages.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pipe, launcher = folder / "launched", folder / "launch"
    if not pipe.exists():
        os.mkfifo(pipe)
        launcher.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > '{pipe}'\nenv >> '{folder}/environment'\n")
        launcher.chmod(0o700)
    opened: list[str] = []
    pages: list[str] = []
    visit = browse.sign_in if isinstance(browse, Visitor) else browse
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    end, wake = os.pipe()

    def wait() -> None:
        while end not in (ready := select.select([reader, end], [], [])[0]) or reader in ready:
            for url in os.read(reader, 65536).decode().split():
                opened.append(url)
                try:
                    pages.append(str(visit(url)))
                except BrowsingError as error:
                    pages.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield str(launcher), opened, pages
    finally:
        os.write(wake, b"x")
        thread.join()
        for number in (reader, end, wake):
            os.close(number)


def with_drivers(cases: Iterable[object]) -> list[tuple[str, object]]:
    """Return each case with a driver, in turn: for rules of the core, which both drivers use."""
    return [(("threaded", "trio")[number % 2], case) for number, case in enumerate(cases)]


def open_page(url: str) -> str:
    """Open a page, and return its heading; or the status if it is an error."""
    with Browser() as browser:
        try:
            return browser.open(url).heading
        except BrowsingError as error:
            return str(error)


def with_changes(callback: str, **changes: str) -> str:
    """Return the address of a callback with other parameters. Those that are empty are left out."""
    address, _, query = callback.partition("?")
    parameters = {**dict(parse_qsl(query, keep_blank_values=True)), **changes}
    return f"{address}?{urlencode({name: value for name, value in parameters.items() if value})}"


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))

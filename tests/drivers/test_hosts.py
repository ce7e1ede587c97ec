"""Run the examples for kinds of programs on asyncio: FastAPI, Django, Textual, a notebook."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import loginmachine

from .asyncio.support import until
from .replies import reply
from .support import CANARIES, PATIENCE, Browser, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from .conftest import ScriptedProvider

EXAMPLES = Path(__file__).parents[2] / "examples"
PACKAGE = str(Path(loginmachine.__file__).parents[1])


@contextlib.contextmanager
def served(name: str, issuer: str, scratch: Path) -> Iterator[httpx.Client]:
    """Run an example that is a server, with a client for it."""
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLES / name), issuer],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": PACKAGE, "TMPDIR": str(scratch)},
    )
    with process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:")
            with httpx.Client(base_url=address, trust_env=False, timeout=4 * PATIENCE) as client:
                yield client
        finally:
            process.terminate()
    # The server has ended by itself.
    assert process.returncode in (0, -15)


def events_of(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Return the name and the data of each server-sent event."""
    for line in lines:
        if line.startswith("event: "):
            yield line.removeprefix("event: "), json.loads(next(lines).removeprefix("data: "))


def listens(port: int) -> bool:
    """Return whether a port is open."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


# FastAPI


def signed_in(client: httpx.Client, visit: Callable[[Browser], object]) -> list[tuple[str, str]]:
    """Sign in from the page, and return the events that it gets."""
    seen: list[tuple[str, str]] = []
    with client.stream("GET", "/sign-in", headers={"Sec-Fetch-Site": "same-origin"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for name, data in events_of(response.iter_lines()):
            seen.append((name, data))
            if name == "address":
                visit(Browser(data))
    assert not [canary for canary in CANARIES if canary in str(seen)]
    return seen


def test_fastapi(provider: ScriptedProvider, tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn")
    provider.answers.insert(0, reply({"error": "invalid_grant"}, 400))
    with served("fastapi_app.py", provider.url, tmp_path) as client:
        assert "EventSource" in client.get("/").text
        # Closing the page cancels the login.
        with client.stream("GET", "/sign-in") as response:
            address = next(data for name, data in events_of(response.iter_lines()) if name == "address")
        assert eventually(lambda: not listens(Browser(address).port))
        assert client.get("/account").status_code == 401
        # A failure.
        assert signed_in(client, Browser.callback)[-1] == ("end", "token_endpoint_rejected")
        # A success.
        seen = signed_in(client, Browser.finish)
        assert seen[-1] == ("end", "")
        assert any("Signed in" in data for name, data in seen if name == "phase")
        assert client.get("/account").json() == {"account": "acc-1"}
        # The page of another site, and another name for this machine.
        assert client.get("/sign-in", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert client.get("/account", headers={"Host": "evil.example"}).status_code == 400


# Django


def test_django(provider: ScriptedProvider, tmp_path: Path) -> None:
    pytest.importorskip("django")
    pytest.importorskip("uvicorn")
    with served("django_app.py", provider.url, tmp_path) as client:
        assert client.get("/account/").status_code == 401
        response = client.get("/sign-in/")
        assert response.status_code == 302
        assert b"You are signed in" in Browser(response.headers["location"]).finish().body
        assert client.get("/account/").json() == {"account": "acc-1"}
        assert client.get("/sign-in/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


WSGI = """
import sys, threading
import django_app
from django.conf import settings
from django.test import Client
from loginmachine import Credentials, Secret

settings.configure(ALLOWED_HOSTS=["testserver"], ROOT_URLCONF="django_app", SECRET_KEY="x")
django_app.store.save(Credentials(auth_mode="apikey", api_key=Secret("canary")))
seen = []
threads = [threading.Thread(target=lambda: seen.append(Client().get("/account/").json())) for _ in range(5)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(seen)
"""


def test_django_without_asgi(tmp_path: Path) -> None:
    """Each request runs in an event loop of its own, in its own thread. They share one session."""
    pytest.importorskip("django")
    pytest.importorskip("uvicorn")
    done = subprocess.run(
        [sys.executable, "-c", WSGI],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((PACKAGE, str(EXAMPLES))), "TMPDIR": str(tmp_path)},
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.strip() == str([{"account": None}] * 5)


# Textual


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def shown_address(program: Any) -> str:
    """Wait until the login screen shows its address."""

    def address() -> str:
        return next((link.url for link in program.screen.query("Link")), "")

    await until(address)
    return address()


def test_textual(provider: ScriptedProvider) -> None:
    pytest.importorskip("textual")

    async def main() -> Any:
        program = example("textual_app").Program(provider.url)
        async with program.run_test():
            browser = Browser(await shown_address(program))
            page = await asyncio.to_thread(browser.finish)
            assert b"You are signed in" in page.body
            await until(lambda: program.return_value)
        return program.return_value

    assert asyncio.run(main()) == "The account is acc-1"


@pytest.mark.parametrize("how", ["escape", "button"])
def test_cancelling_in_textual(provider: ScriptedProvider, how: str) -> None:
    pytest.importorskip("textual")

    async def main() -> Any:
        program = example("textual_app").Program(provider.url)
        async with program.run_test() as pilot:
            browser = Browser(await shown_address(program))
            if how == "escape":
                await pilot.press("escape")
            else:
                await pilot.click("Button")
            assert await asyncio.to_thread(eventually, lambda: not listens(browser.port))
        return program.return_value

    assert asyncio.run(main()) == "You are not signed in."


# A notebook

NOTEBOOK = """
import json, sys, threading, time
import nbclient, nbformat

notebook = nbformat.read(sys.argv[1], as_version=4)
texts = lambda: ["".join(each.get("text", "") for each in cell.get("outputs", ())) for cell in notebook.cells]
thread = threading.Thread(target=nbclient.NotebookClient(notebook, timeout=40).execute)
thread.start()
while thread.is_alive() and "\\n" not in "".join(texts()):
    time.sleep(0.01)
print("".join(texts()), flush=True)
thread.join()
print(json.dumps(texts()))
"""


def test_a_notebook(provider: ScriptedProvider, tmp_path: Path) -> None:
    for package in ("nbformat", "nbclient", "ipykernel"):
        pytest.importorskip(package)
    environment = {**os.environ, "ISSUER": provider.url, "PYTHONPATH": PACKAGE, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", NOTEBOOK, str(EXAMPLES / "notebook.ipynb")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as kernel:
        assert kernel.stdout is not None
        assert b"You are signed in" in Browser(kernel.stdout.readline().strip()).finish().body
        texts = json.loads(kernel.stdout.read())
    assert kernel.returncode == 0
    assert texts[2].splitlines()[-1] == "The account is acc-1"
    assert texts[4].startswith("The token has ")

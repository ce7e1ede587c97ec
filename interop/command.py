"""The command as a way to sign in: a process for each step, with a home and folders of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from .processes import environment
from .sites import CALLBACK_PATH
from .ways import LIMIT, Held, StepFailed, device_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loginmachine import Provider

    from .sites import Site
    from .ways import Browse

_AUTHENTICATIONS = {"client_secret_basic": "basic", "client_secret_post": "post", "none": "none"}


class Command:
    """``loginmachine`` as a person would call it.

    Args:
        provider: The provider and the client.
        site: Where it runs.
        folder: An empty folder for the command's files.
        executable: The command.
    """

    name = "command"

    def __init__(self, provider: Provider, site: Site, folder: Path, executable: str = "") -> None:
        self.provider = provider
        self._site = site
        self._executable = executable or str(Path(sys.executable).with_name("loginmachine"))
        self._folder = folder
        home = folder / "home"
        home.mkdir(parents=True)
        self._environment = environment(HOME=str(home), USERPROFILE=str(home))
        self._secret = folder / "client-secret"
        if provider.client_secret is not None:
            self._secret.touch(mode=0o600)
            self._secret.write_text(provider.client_secret.reveal(), encoding="utf-8")

    def login(self, browse: Browse, *, device_code: bool = False) -> Held:
        """Run ``login --json``, and go where it says."""
        problem: list[Exception] = []
        with self._running("login", *self._options(device_code=device_code)) as process:

            def visit(url: str) -> None:
                try:
                    browse(url)
                except Exception as error:  # noqa: BLE001 - raised at the end
                    problem.append(error)
                    process.terminate()

            person: threading.Thread | None = None
            outcome: dict[str, object] = {}
            assert process.stdout is not None
            for line in process.stdout:
                event = json.loads(line)
                if event["event"] == "listening":
                    person = threading.Thread(target=visit, args=(event["url"],))
                elif event["event"] == "device_code":
                    page = device_page(event.get("complete_url"), event["url"], event["user_code"])
                    person = threading.Thread(target=visit, args=(page,))
                elif event["event"] in ("problem", "finished"):
                    outcome |= event
                    continue
                else:
                    continue
                person.start()
            code = process.wait(LIMIT)
            if person is not None:
                person.join(LIMIT)
        if problem:
            raise StepFailed(f"browser: {problem[0]}")
        if code != 0:
            raise StepFailed(f"login ended with {code}: {outcome.get('category')}: {outcome.get('message')}")
        return self._held()

    def refresh(self) -> Held:
        """Run ``refresh``."""
        self._run("refresh")
        return self._held()

    def status(self) -> str:
        """Run ``status --json``."""
        said = json.loads(self._run("status", "--json"))
        expected = (self.provider.issuer, self.provider.client_id, True)
        if (said.get("issuer"), said.get("client_id"), said.get("signed_in")) != expected:
            raise StepFailed("status names another issuer or client")
        return str(said.get("email") or "signed in")

    def logout(self) -> str:
        """Run ``logout --json``."""
        said = json.loads(self._run("logout", "--json"))
        if said.get("revoked") is True:
            return ""
        return str(said.get("problem") or said.get("error") or "nothing was revoked")

    def _options(self, *, device_code: bool) -> list[str]:
        provider, site = self.provider, self._site
        port = f":{site.port}" if site.port else ""
        options = {
            "--issuer": site.issuer,
            "--client-id": provider.client_id,
            "--client-auth": _AUTHENTICATIONS[str(provider.token_endpoint_auth_method)],
            "--timeout": f"{LIMIT:g}",
            "--prompt": dict(site.parameters).get("prompt", ""),
            "--client-secret-file": "" if provider.client_secret is None else str(self._secret),
            "--redirect-uri": "" if device_code else f"http://{site.host}{port}{CALLBACK_PATH}",
            "--device-authorization-endpoint": site.endpoints.get("device_authorization_endpoint", ""),
        }
        words = [word for name, value in options.items() if value for word in (name, value)]
        words += [word for scope in provider.scopes for word in ("--scope", scope)]
        return [*words, "--no-browser", "--json", *(["--device-code"] if device_code else [])]

    @contextlib.contextmanager
    def _running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [self._executable, *arguments],
            env=self._environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=(self._folder / "stderr").open("ab"),
            text=True,
        ) as process:
            # The command has a limit of its own. This one is for a command that does not keep it.
            watchdog = threading.Timer(LIMIT + 15, process.kill)
            watchdog.start()
            try:
                yield process
            finally:
                watchdog.cancel()
                process.kill()

    def _run(self, *arguments: str) -> str:
        with self._running(*arguments) as process:
            output, _ = process.communicate(timeout=LIMIT)
            code = process.returncode
        if code != 0:
            said = (self._folder / "stderr").read_text(encoding="utf-8")
            raise StepFailed(f"{arguments[0]} ended with {code}: {' '.join(said.split())[-200:]}")
        return output

    def _held(self) -> Held:
        """Return the tokens: the access token as the command prints it, the others as they are stored."""
        access_token = self._run("token").strip()
        stored = [stored_tokens(path, access_token) for path in sorted((self._folder / "home").rglob("*.json"))]
        found = next((tokens for tokens in stored if tokens), {})
        refresh_token = found.get("refresh_token")
        return Held(
            access_token, refresh_token if isinstance(refresh_token, str) else None, bool(found.get("id_token")), ()
        )


def stored_tokens(path: Path, access_token: str) -> dict[str, object]:
    """Return the object in a file that holds an access token."""
    waiting = [json.loads(path.read_text(encoding="utf-8"))]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if value.get("access_token") == access_token:
                return value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return {}

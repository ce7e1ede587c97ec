"""Canaille, from PyPI."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from ..cache import installed, python_environment, run
from ..processes import environment, free_port, running
from ..sites import CALLBACK_PATH, CONFIDENTIAL, EMAIL, PASSWORD, PERSON, PUBLIC, SECRET, Client, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

VERSION = "0.3.6"
SCOPES = ("openid", "profile", "email")
CLIENTS = (
    Client(PUBLIC, "native-public"),
    Client(CONFIDENTIAL, "native-confidential", SECRET, "client_secret_basic"),
)


class Canaille:
    """The PyPI package `canaille`, with SQLite."""

    name = "Canaille"
    package = f"PyPI, canaille {VERSION}"

    def install(self) -> Path:
        """Install it in an environment of its own."""
        package = f"canaille[front,oidc,server,sqlite]=={VERSION}"
        return installed("canaille", VERSION, lambda folder: python_environment(folder, package))

    def version(self, folder: Path) -> str:
        """Return what its metadata say."""
        code = "from importlib.metadata import version; print(version('canaille'))"
        return run(folder / "bin" / "python", "-c", code, cwd=folder).strip()

    @contextlib.contextmanager
    def start(self, folder: Path, state: Path) -> Iterator[Site]:
        """Run it. It compares the whole redirect URI, so that the clients have a fixed port."""
        port, callback = free_port(), free_port()
        issuer = f"http://127.0.0.1:{port}"
        variables = {"CANAILLE_CONFIG": str(state / "config.toml")}
        program = folder / "bin" / "canaille"

        def ask(*arguments: str) -> str:
            return run(program, *arguments, cwd=state, environment=environment(**variables))

        self._configure(ask, state, port)
        ask("install")
        ask("create", "user", "--user-name", PERSON, "--password", PASSWORD, "--family-name", "L", "--emails", EMAIL)
        for client in CLIENTS:
            ask("create", "client", *_registered(client, callback))
            ask("set", "client", client.client_id, "--audience", client.client_id)
        with running((program, "run", "--bind", f"127.0.0.1:{port}"), folder=state, ready=issuer, extra=variables):
            yield Site(
                issuer,
                CLIENTS,
                scopes=SCOPES,
                port=callback,
                # Access tokens of the same second are equal, and its database refuses the second one: status 500.
                pause=1.1,
                limits={("logout", PUBLIC): "its revocation endpoint has no public clients (status 401)"},
                answers={"login": PERSON, "password": PASSWORD},
                registration="redirect URI with a fixed port: `http://127.0.0.1:1456/auth/callback`; the client "
                "itself among its token audiences; ID tokens signed with RS256",
            )

    def _configure(self, ask: Callable[..., str], state: Path, port: int) -> None:
        settings = (
            'SECRET_KEY = "for one run"',
            f'SERVER_NAME = "127.0.0.1:{port}"',
            'PREFERRED_URL_SCHEME = "http"',
            'BROKER = "dramatiq_eager_broker:EagerBroker"',
            '[CANAILLE]\nDATABASE = "sql"',
            f'[CANAILLE_SQL]\nDATABASE_URI = "sqlite:///{state / "db.sqlite"}"',
            '[CANAILLE.ACL.DEFAULT]\nPERMISSIONS = ["use_oidc", "edit_self"]',
        )
        config = state / "config.toml"
        config.write_text("\n".join(settings), encoding="utf-8")
        key = json.loads(ask("jwk", "create", "rsa"))
        members = ", ".join(f"{name} = {json.dumps(value)}" for name, value in key.items())
        with config.open("a", encoding="utf-8") as file:
            file.write(f"\n[CANAILLE_OIDC]\nACTIVE_JWKS = [{{{members}}}]\n")


def _registered(client: Client, port: int) -> list[str]:
    several = {"grant-types": ("authorization_code", "refresh_token"), "scope": SCOPES}
    single = {
        "client-id": client.client_id,
        "client-name": client.client_id,
        "redirect-uris": f"http://127.0.0.1:{port}{CALLBACK_PATH}",
        "token-endpoint-auth-method": client.auth,
        "response-types": "code",
        # Otherwise it signs with another algorithm, such as PS512.
        "id-token-signed-response-alg": "RS256",
        **({} if client.secret is None else {"client-secret": client.secret}),
    }
    pairs = [*single.items(), *((name, value) for name, values in several.items() for value in values)]
    return [word for name, value in pairs for word in (f"--{name}", value)]

"""oidc-provider, from npm: a strict OpenID provider with pages of its own for development."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from ..cache import PROGRAMS, installed, run
from ..processes import free_port, running
from ..sites import CALLBACK_PATH, CONFIDENTIAL, PASSWORD, PERSON, PUBLIC, SECRET, Client, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = "9.13.3"
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
CLIENTS = (
    Client(PUBLIC, "native-public"),
    Client(CONFIDENTIAL, "native-confidential", SECRET, "client_secret_basic"),
)


class OidcProvider:
    """The npm package `oidc-provider`."""

    name = "oidc-provider"
    package = f"npm, oidc-provider {VERSION}"

    def install(self) -> Path:
        """Install it with npm."""
        return installed("oidc-provider", VERSION, _install)

    def version(self, folder: Path) -> str:
        """Return what its package says."""
        text = (folder / "node_modules" / "oidc-provider" / "package.json").read_text(encoding="utf-8")
        return str(json.loads(text)["version"])

    @contextlib.contextmanager
    def start(self, folder: Path, state: Path) -> Iterator[Site]:
        """Run it, with both clients in its configuration."""
        port = free_port()
        issuer = f"http://127.0.0.1:{port}"
        module = folder / "node_modules" / "oidc-provider" / "lib" / "index.js"
        command = ("node", PROGRAMS / "oidc_provider.mjs", module, str(port))
        document = json.dumps([_registered(client) for client in CLIENTS])
        ready = f"{issuer}/.well-known/openid-configuration"
        with running(command, folder=state, ready=ready, document=document):
            yield Site(
                issuer,
                CLIENTS,
                parameters=(("prompt", "consent"),),
                answers={"login": PERSON, "password": PASSWORD},
                registration="`application_type` native, redirect URI `http://127.0.0.1/auth/callback`",
            )


def _install(folder: Path) -> None:
    run("npm", "install", "--no-audit", "--no-fund", f"oidc-provider@{VERSION}", "--prefix", folder, cwd=folder)


def _registered(client: Client) -> dict[str, object]:
    secret = {} if client.secret is None else {"client_secret": client.secret}
    return {
        "client_id": client.client_id,
        "application_type": "native",
        "token_endpoint_auth_method": client.auth,
        "redirect_uris": [f"http://127.0.0.1{CALLBACK_PATH}"],
        "grant_types": ["authorization_code", "refresh_token", _DEVICE_GRANT],
        "response_types": ["code"],
        **secret,
    }

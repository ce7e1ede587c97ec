"""Ory Hydra, built with Go. It has no pages: the program that runs it accepts sign-ins and consents."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

import httpx

from ..cache import installed, run
from ..processes import environment, free_port, running
from ..sites import CALLBACK_PATH, CONFIDENTIAL, EMAIL, PERSON, PUBLIC, SECRET, Client, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..browser import Browser

VERSION = "v2.3.0"
_MODULE = "github.com/ory/hydra/v2"
_POP = "github.com/gobuffalo/pop/v6=github.com/ory/pop/v6@v6.2.1-0.20241121111754-e5dfc0f3344b"
"""The replacement of Hydra's own go.mod, which counts only there."""
_LIMIT = 30.0
CLIENTS = (
    Client(PUBLIC, "native-public"),
    Client(CONFIDENTIAL, "native-confidential", SECRET, "client_secret_basic"),
)
SCOPES = ("openid", "profile", "email", "offline_access")


class Hydra:
    """The Go program `github.com/ory/hydra/v2`, with its database in memory."""

    name = "Ory Hydra"
    package = f"Go, {_MODULE} {VERSION}"

    def install(self) -> Path:
        """Build it."""
        return installed("hydra", VERSION, _install)

    def version(self, folder: Path) -> str:  # noqa: ARG002 - a program that was built so does not know its version
        """Return the version that was built."""
        return VERSION.removeprefix("v")

    @contextlib.contextmanager
    def start(self, folder: Path, state: Path) -> Iterator[Site]:
        """Run it, and register the clients with its administration."""
        port, administration = free_port(), free_port()
        issuer, admin = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{administration}/admin"
        extra = {
            "DSN": "memory",
            "SERVE_PUBLIC_PORT": str(port),
            "SERVE_PUBLIC_HOST": "127.0.0.1",
            "SERVE_ADMIN_PORT": str(administration),
            "SERVE_ADMIN_HOST": "127.0.0.1",
            "URLS_SELF_ISSUER": issuer,
            # Pages that are there. `_accept` looks at the challenges in their addresses.
            "URLS_LOGIN": f"{issuer}/health/ready?page=login",
            "URLS_CONSENT": f"{issuer}/health/ready?page=consent",
            "SECRETS_SYSTEM": SECRET,
            "SQA_OPT_OUT": "true",
        }
        with running(
            (folder / "hydra", "serve", "all", "--dev"), folder=state, ready=f"{issuer}/health/ready", extra=extra
        ):
            for client in CLIENTS:
                answer = httpx.post(f"{admin}/clients", json=_registered(client), timeout=_LIMIT, trust_env=False)
                answer.raise_for_status()
            yield Site(
                issuer,
                CLIENTS,
                scopes=SCOPES,
                hook=functools.partial(_accept, admin),
                registration="redirect URI `http://127.0.0.1/auth/callback`, grant types `authorization_code` and "
                "`refresh_token`, scope `offline_access`",
            )


def _install(folder: Path) -> None:
    variables = environment(GOFLAGS="-mod=mod")
    for arguments in (
        ("mod", "init", "interop.example/hydra"),
        ("mod", "edit", "-replace", _POP),
        ("get", "-tool", f"{_MODULE}@{VERSION}"),
        ("build", "-tags", "sqlite", "-o", "hydra", _MODULE),
    ):
        run("go", *arguments, cwd=folder, environment=variables)


def _registered(client: Client) -> dict[str, object]:
    return {
        "client_id": client.client_id,
        "client_secret": client.secret or "",
        "token_endpoint_auth_method": client.auth,
        "redirect_uris": [f"http://127.0.0.1{CALLBACK_PATH}"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": " ".join(SCOPES),
    }


def _accept(admin: str, browser: Browser, page: httpx.Response) -> httpx.Response | None:
    """Accept the sign-in or the consent that Hydra asks for."""
    for kind in ("login", "consent"):
        challenge = page.url.params.get(f"{kind}_challenge")
        if challenge is None:
            continue
        body: dict[str, object] = {"subject": PERSON, "remember": False}
        if kind == "consent":
            claims = {"email": EMAIL, "email_verified": True}
            body = {"grant_scope": list(SCOPES), "session": {"id_token": claims}}
        address = f"{admin}/oauth2/auth/requests/{kind}/accept"
        parameters = {f"{kind}_challenge": challenge}
        answer = httpx.put(address, params=parameters, json=body, timeout=_LIMIT, trust_env=False)
        return browser.get(answer.raise_for_status().json()["redirect_to"])
    return None

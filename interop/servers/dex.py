"""Dex, built with Go. The module proxy has no version after 2.13 of 2018, which has neither PKCE nor device codes."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ..cache import installed, run
from ..processes import environment, free_port, running
from ..sites import CALLBACK_PATH, CONFIDENTIAL, EMAIL, PASSWORD, PUBLIC, SECRET, Client, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "v2.13.0+incompatible"
_MODULE = "github.com/dexidp/dex"
_OLD = {
    "google.golang.org/grpc": "google.golang.org/grpc@v1.26.0",
    "github.com/prometheus/client_golang": "github.com/prometheus/client_golang@v0.8.0",
    "github.com/cockroachdb/cockroach-go": "./crdb",
}
"""Dependencies of 2018, which a module of that time does not name."""
_NO_COCKROACH = """\
// Package crdb stands in for CockroachDB's of 2018, which is not available. Dex calls it with CockroachDB only.
package crdb

import (
	"database/sql"
	"errors"
)

// ExecuteTx refuses.
func ExecuteTx(*sql.DB, func(*sql.Tx) error) error {
	return errors.New("this build has no CockroachDB")
}
"""
_HASH = "$2b$12$f4mrrQh8r/tPb5UT5GNSl.Kmp.eULatLtzX4CslP0sCeBIErSK042"
"""`PASSWORD`, hashed with bcrypt."""
CLIENTS = (
    Client(PUBLIC, "native-public"),
    Client(CONFIDENTIAL, "native-confidential", SECRET, "client_secret_basic"),
)


class Dex:
    """The Go program `github.com/dexidp/dex`, with its database in memory."""

    name = "Dex"
    package = f"Go, {_MODULE} {VERSION}"

    def install(self) -> Path:
        """Build it."""
        return installed("dex", VERSION, _install)

    def version(self, folder: Path) -> str:  # noqa: ARG002 - a program that was built so does not know its version
        """Return the version that was built."""
        return VERSION.removeprefix("v").partition("+")[0]

    @contextlib.contextmanager
    def start(self, folder: Path, state: Path) -> Iterator[Site]:
        """Run it, with the clients in its configuration."""
        port, callback = free_port(), free_port()
        issuer = f"http://127.0.0.1:{port}/dex"
        config = state / "config.yaml"
        config.write_text(_configuration(issuer, port, callback, folder / "web"), encoding="utf-8")
        ready = f"{issuer}/.well-known/openid-configuration"
        with running((folder / "dex", "serve", config), folder=state, ready=ready):
            yield Site(
                issuer,
                CLIENTS,
                host="localhost",
                port=callback,
                answers={"login": EMAIL, "password": PASSWORD},
                registration="`public: true` for the public client, which may use `http://localhost` with any port; "
                "the confidential one has a redirect URI with a fixed port",
            )


def _install(folder: Path) -> None:
    variables = environment(GOFLAGS="-mod=mod")
    (folder / "crdb" / "crdb").mkdir(parents=True)
    (folder / "crdb" / "go.mod").write_text("module github.com/cockroachdb/cockroach-go\n", encoding="ascii")
    (folder / "crdb" / "crdb" / "crdb.go").write_text(_NO_COCKROACH, encoding="ascii")
    replaced = [f"-replace={old}={new}" for old, new in _OLD.items()]
    for arguments in (
        ("mod", "init", "interop.example/dex"),
        ("mod", "edit", *replaced),
        ("get", "-tool", f"{_MODULE}/cmd/dex@{VERSION}"),
        ("build", "-o", "dex", f"{_MODULE}/cmd/dex"),
    ):
        run("go", *arguments, cwd=folder, environment=variables)
    source = run("go", "list", "-m", "-f", "{{.Dir}}", _MODULE, cwd=folder, environment=variables).strip()
    shutil.copytree(Path(source, "web"), folder / "web")
    for path in (folder / "web").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _configuration(issuer: str, port: int, callback: int, web: Path) -> str:
    lines = [
        f"issuer: {issuer}",
        "storage: {type: memory}",
        f"web: {{http: '127.0.0.1:{port}'}}",
        f"frontend: {{dir: '{web}'}}",
        "enablePasswordDB: true",
        f"staticPasswords: [{{email: {EMAIL}, hash: '{_HASH}', username: ada, userID: '1'}}]",
        "staticClients:",
    ]
    redirect_uri = f"http://localhost:{callback}{CALLBACK_PATH}"
    for client in CLIENTS:
        lines += [f"- id: {client.client_id}", f"  name: {client.client_id}"]
        lines += ["  public: true"] if client.secret is None else []
        lines += [f"  secret: {client.secret}", f"  redirectURIs: ['{redirect_uri}']"] if client.secret else []
    return "\n".join(lines)

"""Keycloak, from its distribution at Maven Central."""

from __future__ import annotations

import contextlib
import json
import shutil
import zipfile
from typing import TYPE_CHECKING

from ..cache import Unavailable, installed, run
from ..processes import free_port, running
from ..sites import CALLBACK_PATH, CONFIDENTIAL, EMAIL, PASSWORD, PERSON, PUBLIC, SECRET, Client, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = "26.7.3"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.0:copy"
CLIENTS = (
    Client(PUBLIC, "native-public", device_client="device-public"),
    Client(CONFIDENTIAL, "native-confidential", SECRET, "client_secret_basic", device_client="device-confidential"),
)


class Keycloak:
    """Keycloak in development mode, with its database in memory."""

    name = "Keycloak"
    package = f"Maven Central, keycloak-quarkus-dist {VERSION}"

    def install(self) -> Path:
        """Fetch and unpack it. Maven and Java are needed."""
        if shutil.which("java") is None:
            raise Unavailable("java is not installed")
        return installed("keycloak", VERSION, _install)

    def version(self, folder: Path) -> str:
        """Return what its folder is called after."""
        return next(folder.glob("keycloak-*")).name.partition("-")[2]

    @contextlib.contextmanager
    def start(self, folder: Path, state: Path) -> Iterator[Site]:
        """Run a copy of it, because it writes into its own folder, with a realm that holds the clients."""
        home = state / "keycloak"
        shutil.copytree(folder / f"keycloak-{VERSION}", home)
        (home / "bin" / "kc.sh").chmod(0o755)
        imports = home / "data" / "import"
        imports.mkdir(parents=True)
        (imports / "interop.json").write_text(json.dumps(_realm()), encoding="utf-8")
        port = free_port()
        issuer = f"http://localhost:{port}/realms/interop"
        options = (f"--http-port={port}", "--http-host=127.0.0.1", "--db=dev-mem", "--cache=local", "--import-realm")
        command = (home / "bin" / "kc.sh", "start-dev", *options)
        ready = f"http://127.0.0.1:{port}/realms/interop/.well-known/openid-configuration"
        with running(command, folder=state, ready=ready, extra={"JAVA_OPTS_APPEND": "-Xmx768m"}):
            yield Site(
                issuer,
                CLIENTS,
                answers={"username": PERSON, "password": PASSWORD},
                user_code_field="device_user_code",
                registration="redirect URI `http://127.0.0.1/auth/callback`, PKCE method S256; for device codes, "
                "turn the device grant on and choose no PKCE method, because Keycloak would then want a challenge too",
            )


def _install(folder: Path) -> None:
    artifact = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
    run("mvn", "-B", "-q", _COPY, f"-Dartifact={artifact}", f"-DoutputDirectory={folder}", cwd=folder)
    archive = next(folder.glob("*.zip"))
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    archive.unlink()


def _realm() -> dict[str, object]:
    person = {
        "username": PERSON,
        "enabled": True,
        "email": EMAIL,
        "emailVerified": True,
        "firstName": "Ada",
        "lastName": "Lovelace",
        "credentials": [{"type": "password", "value": PASSWORD}],
        "realmRoles": ["default-roles-interop", "offline_access"],
    }
    clients = [_registered(each, is_device=is_device) for each in CLIENTS for is_device in (False, True)]
    return {"realm": "interop", "enabled": True, "users": [person], "clients": clients}


def _registered(client: Client, *, is_device: bool) -> dict[str, object]:
    """Return a client. With a PKCE method, Keycloak wants a challenge for device codes, too."""
    device = {"oauth2.device.authorization.grant.enabled": "true"}
    return {
        "clientId": client.device_client if is_device else client.client_id,
        "publicClient": client.secret is None,
        "secret": client.secret,
        "redirectUris": [f"http://127.0.0.1{CALLBACK_PATH}"],
        "standardFlowEnabled": True,
        "attributes": device if is_device else {"pkce.code.challenge.method": "S256"},
    }

"""django-oauth-toolkit, from PyPI, in a Django site of our own."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from ..cache import PROGRAMS, installed, python_environment, run
from ..processes import free_port, running
from ..sites import CALLBACK_PATH, CONFIDENTIAL, EMAIL, PASSWORD, PERSON, PUBLIC, SECRET, Client, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = "3.4.1"
CLIENTS = (
    Client(PUBLIC, "native-public", device_client="device-public"),
    Client(CONFIDENTIAL, "native-confidential", SECRET, "client_secret_basic", device_client="device-confidential"),
)


class DjangoOAuthToolkit:
    """The PyPI package `django-oauth-toolkit`."""

    name = "django-oauth-toolkit"
    package = f"PyPI, django-oauth-toolkit {VERSION}"

    def install(self) -> Path:
        """Install it in an environment of its own."""
        # With oauthlib 4, its device authorization endpoint answers with status 500.
        packages = (f"{self.name}=={VERSION}", "oauthlib<4")
        return installed(self.name, " ".join(packages), lambda folder: python_environment(folder, *packages))

    def version(self, folder: Path) -> str:
        """Return what its metadata say."""
        code = f"from importlib.metadata import version; print(version('{self.name}'))"
        return run(folder / "bin" / "python", "-c", code, cwd=folder).strip()

    @contextlib.contextmanager
    def start(self, folder: Path, state: Path) -> Iterator[Site]:
        """Run the site. An application has one grant, so that device codes have applications of their own."""
        port = free_port()
        issuer = f"http://127.0.0.1:{port}/o"
        wanted = {
            "person": PERSON,
            "email": EMAIL,
            "password": PASSWORD,
            "applications": [
                _application(each, is_device=is_device) for each in CLIENTS for is_device in (False, True)
            ],
        }
        command = (folder / "bin" / "python", PROGRAMS / "django_site.py", str(port), state)
        ready = f"{issuer}/.well-known/openid-configuration"
        with running(command, folder=state, ready=ready, document=json.dumps(wanted)):
            yield Site(
                issuer,
                CLIENTS,
                scopes=("openid", "profile", "email"),
                # These are in its metadata of RFC 8414 only.
                endpoints={
                    "revocation_endpoint": f"{issuer}/revoke_token/",
                    "device_authorization_endpoint": f"{issuer}/device-authorization/",
                },
                # It gives no id token with a device code.
                device_scopes=("profile", "email"),
                answers={"username": PERSON, "password": PASSWORD},
                registration="grant authorization-code, algorithm RS256, redirect URI `http://127.0.0.1/auth/callback`"
                "; device codes need an application of their own, and bring no id token",
            )


def _application(client: Client, *, is_device: bool) -> dict[str, str]:
    return {
        "name": client.client_id,
        "client_id": client.device_client if is_device else client.client_id,
        "client_type": client.kind,
        "client_secret": client.secret or "",
        "authorization_grant_type": "urn:ietf:params:oauth:grant-type:device_code"
        if is_device
        else "authorization-code",
        "redirect_uris": "" if is_device else f"http://127.0.0.1{CALLBACK_PATH}",
    }

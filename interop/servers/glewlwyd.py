"""Glewlwyd, from Debian's packages, unpacked below the cache. Its pages need JavaScript; its API does the same."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import httpx

from ..cache import Unavailable, debian_packages, installed, run
from ..processes import environment, free_port, running
from ..sites import CALLBACK_PATH, CONFIDENTIAL, EMAIL, PASSWORD, PERSON, PUBLIC, SECRET, Client, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..browser import Browser

_PACKAGES = (
    *("glewlwyd", "glewlwyd-common", "libconfig9", "libmariadb3", "liborcania2.3", "libyder2.0", "libhoel1.4"),
    *("librhonabwy1.1", "libmicrohttpd12", "libulfius2.7", "libiddawc1.1", "liboath0", "libpq5", "libjansson4"),
    *("libldap-2.5-0", "libcbor0.8"),
)
_DATABASE = "usr/share/dbconfig-common/data/glewlwyd/install/sqlite3"
_LIMIT = 30.0
CLIENTS = (
    Client(PUBLIC, "native-public"),
    Client(CONFIDENTIAL, "native-confidential", SECRET, "client_secret_basic"),
)


class Glewlwyd:
    """Debian's package `glewlwyd`, with SQLite."""

    name = "Glewlwyd"
    package = "Debian, glewlwyd"

    def install(self) -> Path:
        """Unpack it with its libraries. The names of these are those of one release of Debian."""
        return installed("glewlwyd", " ".join(_PACKAGES), lambda folder: debian_packages(folder, *_PACKAGES))

    def version(self, folder: Path) -> str:
        """Return what it says itself."""
        said = run(folder / "usr/bin/glewlwyd", "--help", cwd=folder, environment=environment(**_libraries(folder)))
        found = re.search(r"Version ([\d.]+)", said)
        if found is None:
            raise Unavailable("glewlwyd does not say its version")
        return found[1]

    @contextlib.contextmanager
    def start(self, folder: Path, state: Path) -> Iterator[Site]:
        """Run it, and set it up with its API. It compares the whole redirect URI: the clients have a fixed port."""
        port, callback = free_port(), free_port()
        base = f"http://127.0.0.1:{port}"
        database = sqlite3.connect(state / "glewlwyd.db")
        with contextlib.closing(database):
            database.executescript((folder / _DATABASE).read_text(encoding="utf-8"))
        config = state / "glewlwyd.conf"
        config.write_text(_configuration(folder, state, port), encoding="utf-8")
        command = (folder / "usr/bin/glewlwyd", "--config-file", config)
        with running(command, folder=state, ready=f"{base}/config/", extra=_libraries(folder)):
            _set_up(f"{base}/api", callback)
            yield Site(
                f"{base}/api/oidc",
                CLIENTS,
                scopes=("openid",),
                port=callback,
                limits={("logout", PUBLIC): "its revocation endpoint has no public clients (status 401)"},
                hook=_sign_in,
                registration="redirect URI with a fixed port: `http://127.0.0.1:1456/auth/callback`; "
                "authorization types code, refresh_token and device_authorization",
            )


def _libraries(folder: Path) -> dict[str, str]:
    return {"LD_LIBRARY_PATH": ":".join(str(path) for path in sorted((folder / "usr/lib").glob("*-linux-gnu*")))}


def _configuration(folder: Path, state: Path, port: int) -> str:
    modules = folder / "usr/lib/glewlwyd"
    texts = {
        "external_url": f"http://127.0.0.1:{port}",
        "login_url": "login.html",
        "api_prefix": "api",
        "static_files_path": f"{folder / 'usr/share/glewlwyd/webapp'}/",
        "log_mode": "console",
        "log_level": "WARNING",
        "cookie_domain": "127.0.0.1",
        "session_key": "GLEWLWYD2_SESSION_ID",
        "admin_scope": "g_admin",
        "profile_scope": "g_profile",
        "user_module_path": str(modules / "user"),
        "user_middleware_module_path": str(modules / "user_middleware"),
        "client_module_path": str(modules / "client"),
        "user_auth_scheme_module_path": str(modules / "scheme"),
        "plugin_module_path": str(modules / "plugin"),
        "hash_algorithm": "SHA512",
        # It does not start without these, although they are not used.
        "secure_connection_key_file": str(state / "unused.key"),
        "secure_connection_pem_file": str(state / "unused.pem"),
    }
    (state / "user_middleware").mkdir()
    texts["user_middleware_module_path"] = str(state / "user_middleware")
    return "\n".join(
        (
            f"port={port}",
            *(f'{name}="{value}"' for name, value in texts.items()),
            "cookie_secure=0",
            "session_expiration=3600",
            "use_secure_connection=false",
            f'database = {{ type = "sqlite3"; path = "{state / "glewlwyd.db"}"; }};',
            'static_files_mime_types = ( { extension = ".html"; mime_type = "text/html"; compress = 0; } )',
        )
    )


def _set_up(api: str, callback: int) -> None:
    """Add the OpenID Connect plugin, the person and the clients."""
    with httpx.Client(timeout=_LIMIT, trust_env=False) as admin:

        def ask(method: str, path: str, body: object) -> None:
            answer = admin.request(method, f"{api}/{path}", json=body)
            if answer.status_code != 200:
                raise Unavailable(f"Glewlwyd answered {path} with {answer.status_code}: {answer.text[:200]}")

        ask("POST", "auth/", {"username": "admin", "password": "password"})
        ask(
            "POST",
            "mod/plugin/",
            {"name": "oidc", "module": "oidc", "display_name": "oidc", "parameters": _plugin(api)},
        )
        person = {"username": PERSON, "password": PASSWORD, "email": EMAIL, "name": "Ada", "enabled": True}
        ask("POST", "user/?source=database", {**person, "scope": ["openid"]})
        for client in CLIENTS:
            ask("POST", "client/?source=database", _registered(client, callback))


def _plugin(api: str) -> dict[str, object]:
    from joserfc import jwk  # noqa: PLC0415 - for this server only

    key = jwk.RSAKey.generate_key(2048, {"kid": "key-1", "alg": "RS256", "use": "sig"}, private=True)
    return {
        "iss": f"{api}/oidc",
        "jwt-type": "rsa",
        "jwt-key-size": "256",
        "jwks-private": json.dumps({"keys": [key.as_dict(private=True)]}),
        "default-kid": "key-1",
        "jwks-show": True,
        "subject-type": "public",
        "access-token-duration": 3600,
        "refresh-token-duration": 1209600,
        "refresh-token-rolling": True,
        "code-duration": 600,
        "auth-type-code-enabled": True,
        "auth-type-refresh-enabled": True,
        "auth-type-device-enabled": True,
        "auth-type-token-enabled": False,
        "auth-type-id-token-enabled": True,
        "auth-type-none-enabled": False,
        "auth-type-password-enabled": False,
        "auth-type-client-enabled": False,
        "allow-non-oidc": False,
        "allowed-scope": ["openid"],
        "pkce-allowed": True,
        "pkce-required": True,
        "device-authorization-expiration": 600,
        "device-authorization-interval": 1,
        "introspection-revocation-allowed": True,
        "introspection-revocation-allow-target-client": True,
        "oauth-as-iss-id": True,
    }


def _registered(client: Client, callback: int) -> dict[str, object]:
    return {
        "client_id": client.client_id,
        "name": client.client_id,
        "enabled": True,
        "confidential": client.secret is not None,
        "redirect_uri": [f"http://127.0.0.1:{callback}{CALLBACK_PATH}"],
        "authorization_type": ["code", "refresh_token", "device_authorization"],
        "token_endpoint_auth_method": [client.auth],
        **({} if client.secret is None else {"client_secret": client.secret, "password": client.secret}),
    }


def _sign_in(browser: Browser, page: httpx.Response) -> httpx.Response | None:
    """Do what the login page's program does: enter the password, allow the scopes, and go on."""
    target = page.url.params.get("callback_url")
    is_over = page.url.params.get("prompt") == "deviceComplete"
    if is_over or target is None or not page.url.path.endswith("/login.html"):
        return None
    api = urljoin(str(page.url), "api/")
    browser.client.post(f"{api}auth/", json={"username": PERSON, "password": PASSWORD}).raise_for_status()
    client_id = page.url.params.get("client_id")
    if client_id is not None:
        browser.client.put(f"{api}auth/grant/{client_id}/", json={"scope": "openid"}).raise_for_status()
    return browser.get(f"{target}&g_continue")

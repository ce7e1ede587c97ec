"""The steps that are tried at a server, with each client and each way to sign in."""

from __future__ import annotations

import enum
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

import loginmachine
from loginmachine import ClientAuthentication, DeviceCodeEndpoints, Provider, Secret

from .browser import Browser, SignInFailed
from .command import Command
from .ways import StepFailed, Threads, Trio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .sites import Client, Server, Site
from .ways import Held, Way

STEPS = ("login", "status", "refresh", "logout", "device code")
_LIMIT = 30.0


class Result(enum.Enum):
    """What became of a step."""

    WORKED = "yes"
    FAILED = "FAILED"
    NOT_OFFERED = "-"
    """The server does not have it."""
    LIMIT = "no"
    """It fails because of a fault of the server that is known."""


@dataclass
class Trial:
    """One client at one server, with one way to sign in."""

    server: str
    version: str
    client: str
    way: str
    source: str
    """Where the server comes from: ``PyPI``."""
    registration: str
    """What to register there, for the page."""
    results: dict[str, Result] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    """Why a step failed or is not offered."""


@dataclass(frozen=True)
class Skipped:
    """A server that was not tried."""

    server: str
    reason: str


class NotOffered(Exception):  # noqa: N818 - the result of a step
    """The server does not offer it. The text says what."""


@dataclass(frozen=True)
class Wanted:
    """What is tried."""

    ways: tuple[str, ...]
    """The names of the ways."""
    command: str = ""
    """The command to try; empty for the one of this environment."""


def trials_at(server: Server, version: str, site: Site, wanted: Wanted, state: Path) -> Iterator[Trial]:
    """Try everything at a server that runs.

    Args:
        server: The server.
        version: Its version.
        site: Where it runs.
        wanted: What to try.
        state: A folder for what the command stores.
    """
    metadata = metadata_of(site)
    for client in site.clients:
        provider = provider_for(site, client)
        scopes = provider.scopes if site.device_scopes is None else site.device_scopes
        coded = provider.__replace__(client_id=client.device_client or client.client_id, scopes=scopes)
        for name in wanted.ways:
            # The command has no option for a revocation endpoint.
            hidden = ("revocation_endpoint",) if name == "command" else ()
            known = metadata | {key: url for key, url in site.endpoints.items() if key not in hidden}
            trial = Trial(server.name, version, client.kind, name, server.package.partition(",")[0], site.registration)
            folder = state / f"{client.kind}-{name}"
            way, code_way = (
                _way(name, each, site, folder / purpose, wanted.command)
                for purpose, each in (("browser", provider), ("code", coded))
            )
            _Attempt(trial, site, way, code_way, known).run()
            yield trial


def _way(name: str, provider: Provider, site: Site, folder: Path, command: str) -> Way:
    if name == "threads":
        return Threads(provider, site)
    return Trio(provider, site) if name == "trio" else Command(provider, site, folder, command)


def metadata_of(site: Site) -> dict[str, object]:
    """Return the metadata of a server."""
    answer = httpx.get(f"{site.issuer.rstrip('/')}/.well-known/openid-configuration", timeout=_LIMIT, trust_env=False)
    found: dict[str, object] = answer.raise_for_status().json()
    return found


def provider_for(site: Site, client: Client) -> Provider:
    """Return the provider for a client. The login finds what the metadata has."""
    secret = {} if client.secret is None else {"client_secret": Secret(client.secret)}
    device = site.endpoints.get("device_authorization_endpoint")
    return Provider.openid(
        site.issuer,
        client_id=client.client_id,
        scopes=site.scopes,
        revocation_endpoint=site.endpoints.get("revocation_endpoint"),
        device_code=None if device is None else DeviceCodeEndpoints(code_endpoint=device),
        token_endpoint_auth_method=ClientAuthentication(client.auth),
        **secret,
    )


class _Attempt:
    def __init__(self, trial: Trial, site: Site, way: Way, code_way: Way, metadata: dict[str, object]) -> None:
        self._trial = trial
        self._site = site
        self._way = way
        self._code_way = code_way
        self._provider = way.provider
        self._metadata = metadata
        self._held: Held | None = None

    def run(self) -> None:
        steps: tuple[Callable[[], None], ...] = (self._login, self._status, self._refresh, self._logout, self._device)
        for name, step in zip(STEPS, steps, strict=True):
            time.sleep(self._site.pause)
            limit = self._site.limits.get((name, self._trial.client))
            try:
                step()
            except NotOffered as reason:
                self._trial.results[name] = Result.NOT_OFFERED
                self._note(name, reason)
            except (StepFailed, SignInFailed, loginmachine.LoginError, httpx.HTTPError, TimeoutError) as problem:
                self._trial.results[name] = Result.FAILED if limit is None else Result.LIMIT
                self._note(name, limit or problem)
                if step == self._login:
                    return
            else:
                self._trial.results[name] = Result.WORKED if limit is None else Result.FAILED
                if limit is not None:
                    self._note(name, f"it works, although the list of limits says: {limit}")

    def _note(self, step: str, problem: Exception | str) -> None:
        self._trial.notes[step] = " ".join(str(problem).split()) or type(problem).__name__

    def _login(self) -> None:
        self._held = self._way.login(self._browse)
        self._check_tokens()

    def _status(self) -> None:
        self._way.status()

    def _refresh(self) -> None:
        assert self._held is not None
        if self._held.refresh_token is None:
            raise NotOffered("no refresh token")
        before = self._held.access_token
        self._held = self._way.refresh()
        if self._held.access_token == before:
            raise StepFailed("the access token is the old one")
        self._check_tokens()

    def _logout(self) -> None:
        assert self._held is not None
        held = self._held
        problem = self._way.logout()
        if "revocation_endpoint" not in self._metadata:
            raise NotOffered("no revocation endpoint is known: the tokens stay valid")
        if problem:
            raise StepFailed(f"not revoked: {problem}")
        if held.refresh_token is not None and self._is_accepted(held.refresh_token):
            raise StepFailed("the server says that the tokens are revoked, and refreshes them")

    def _device(self) -> None:
        if "device_authorization_endpoint" not in self._metadata:
            raise NotOffered("no device codes")
        self._held = self._code_way.login(self._browse_with_code, device_code=True)
        self._check_tokens()
        self._code_way.logout()

    def _browse(self, url: str) -> None:
        """Go to the page of a login, which ends with a page of ours."""
        browser = Browser(self._site.answers, self._site.hook)
        page = browser.sign_in(url)
        if "Signed in" not in page.text and page.url.host not in ("127.0.0.1", "localhost"):
            raise StepFailed(f"the sign-in ended at {page.url.host}")

    def _browse_with_code(self, url: str) -> None:
        address, _, code = url.partition("#")
        Browser({**self._site.answers, self._site.user_code_field: code}, self._site.hook).sign_in(address)

    def _check_tokens(self) -> None:
        """Use the access token where every server has a use for it: at the userinfo endpoint."""
        assert self._held is not None
        endpoint = self._metadata.get("userinfo_endpoint")
        if not isinstance(endpoint, str) or not self._held.has_id_token:
            return
        authorization = {"Authorization": f"Bearer {self._held.access_token}"}
        status = httpx.get(endpoint, headers=authorization, timeout=_LIMIT, trust_env=False).status_code
        if status != 200:
            raise StepFailed(f"the userinfo endpoint answers the access token with status {status}")

    def _is_accepted(self, refresh_token: str) -> bool:
        client = self._provider
        secret = client.client_secret
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        basic = None
        if client.token_endpoint_auth_method is ClientAuthentication.CLIENT_SECRET_BASIC and secret is not None:
            basic = (client.client_id, secret.reveal())
        else:
            form |= {"client_id": client.client_id, **({} if secret is None else {"client_secret": secret.reveal()})}
        answer = httpx.post(
            str(self._metadata["token_endpoint"]), data=form, auth=basic, timeout=_LIMIT, trust_env=False
        )
        return answer.status_code == 200

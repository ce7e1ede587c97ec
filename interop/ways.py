"""The ways to sign in that are tried: each driver as a program uses it, and the command."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import trio

import loginmachine
from loginmachine import LoginMethod, LoginOptions, MemoryStore, Session, TrioSession

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self, TypeAlias

    from loginmachine import Credentials, Provider
    from loginmachine.drivers.shared.handle import LoginHandle

    from .sites import Site

    Browse: TypeAlias = Callable[[str], object]
    """Goes to an address and signs in there."""

LIMIT = 60.0
"""Seconds for a login, a refresh or a sign-out."""


@dataclass
class Held:
    """The tokens that a way holds now."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False, default=None)
    has_id_token: bool = False
    scopes: tuple[str, ...] = ()


class StepFailed(Exception):  # noqa: N818 - the result of a step
    """A step did not do what it should. The text says why, without secrets."""


class Way(Protocol):
    """One way to sign in. Its methods raise `StepFailed` or an error of the library."""

    name: str
    provider: Provider

    def login(self, browse: Browse, *, device_code: bool = False) -> Held:
        """Sign in, while `browse` plays the person."""

    def refresh(self) -> Held:
        """Refresh the tokens, although they are not due."""

    def status(self) -> str:
        """Return who is signed in, in words."""

    def logout(self) -> str:
        """Sign out, and return why the tokens are not revoked; empty if they are."""


def _held(credentials: Credentials) -> Held:
    tokens = credentials.tokens
    if tokens is None:
        raise StepFailed("there are no tokens")
    refresh_token = None if tokens.refresh_token is None else tokens.refresh_token.reveal()
    return Held(tokens.access_token.reveal(), refresh_token, tokens.id_token is not None, tokens.scope or ())


class _Person:
    """Plays the person in a thread of its own. On leaving the block, says what went wrong there."""

    def __init__(self, browse: Browse) -> None:
        self._browse = browse
        self._cancel: Callable[[str], None] | None = None
        self._problem: Exception | None = None
        self._thread: threading.Thread | None = None

    def start(self, login: LoginHandle, cancel: Callable[[str], None], *, device_code: bool) -> None:
        """Go to the page of a login."""
        self._cancel = cancel
        code = login.device_code if device_code else None
        url = login.auth_url if code is None else device_page(code.complete_url, code.verification_url, code.user_code)
        self._thread = threading.Thread(target=self._run, args=(url,))
        self._thread.start()

    def _run(self, url: str) -> None:
        try:
            self._browse(url)
        except Exception as problem:  # noqa: BLE001 - raised at the end of the block
            self._problem = problem
            assert self._cancel is not None
            self._cancel("the automatic browser failed")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.join(LIMIT)
        if self._problem is not None and (exc is None or isinstance(exc, loginmachine.LoginCancelled)):
            raise StepFailed(f"browser: {self._problem}") from self._problem


class _InProgram:
    """What both drivers have in common: a store in memory, and the options."""

    def __init__(self, provider: Provider, site: Site) -> None:
        self.provider = provider
        self.store = MemoryStore()
        self.options = LoginOptions(
            provider=provider,
            redirect_host=site.host,
            port=site.port,
            open_browser=False,
            deadline=LIMIT,
            parameters=_other(site),
            prompt=_prompt(site),
        )

    def status(self) -> str:
        """Look at the store."""
        stored = self.store.load()
        if stored is None or stored.tokens is None:
            raise StepFailed("nothing is stored")
        account = stored.tokens.account(self.options.provider)
        if stored.tokens.expires_at() is None:
            raise StepFailed("it is not known when the access token expires")
        return account.email or "signed in"


class Threads(_InProgram):
    """The driver with threads."""

    name = "threads"

    def login(self, browse: Browse, *, device_code: bool = False) -> Held:
        """Run a login."""
        method = LoginMethod.DEVICE_CODE if device_code else LoginMethod.BROWSER
        with (
            _Person(browse) as person,
            loginmachine.start_login(self.options, store=self.store, method=method) as login,
        ):
            person.start(login, login.cancel, device_code=device_code)
            return _held(login.wait(LIMIT))

    def refresh(self) -> Held:
        """Refresh in a session."""
        return _held(Session(self.store).refresh(force=True).credentials)

    def logout(self) -> str:
        """Sign out."""
        result = loginmachine.sign_out(self.store)
        return "" if result.is_revoked else result.problem or "no revocation endpoint"


class Trio(_InProgram):
    """The driver with trio."""

    name = "trio"

    def login(self, browse: Browse, *, device_code: bool = False) -> Held:
        """Run a login."""

        async def sign_in() -> Held:
            method = LoginMethod.DEVICE_CODE if device_code else LoginMethod.BROWSER
            with trio.fail_after(LIMIT):
                async with loginmachine.open_login(self.options, store=self.store, method=method) as login:
                    person.start(login, login.canceller().cancel, device_code=device_code)
                    return _held(await login.wait())

        with _Person(browse) as person:
            return trio.run(sign_in)

    def refresh(self) -> Held:
        """Refresh in a session."""

        async def refresh() -> Held:
            with trio.fail_after(LIMIT):
                return _held((await TrioSession(self.store).refresh(force=True)).credentials)

        return trio.run(refresh)

    def logout(self) -> str:
        """Sign out."""

        async def leave() -> str:
            with trio.fail_after(LIMIT):
                result = await loginmachine.trio_sign_out(self.store)
            return "" if result.is_revoked else result.problem or "no revocation endpoint"

        return trio.run(leave)


def _prompt(site: Site) -> str | None:
    return dict(site.parameters).get("prompt")


def _other(site: Site) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in site.parameters if name != "prompt")


def device_page(complete_url: str | None, url: str, user_code: str) -> str:
    """Return the page for a code. One without the code has it in the fragment, for the automatic browser."""
    return complete_url or f"{url}#{user_code}"

"""Logins with a browser on another machine: a provider with device codes, and the drivers behind one interface."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

from loginmachine import DeviceCode, LoginMethod, MemoryStore, asyncio_open_login, open_login, start_login

from ..replies import reply
from ..support import PATIENCE, TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_httpserver import HTTPServer
    from werkzeug import Request, Response

    from loginmachine import Credentials, LoginOptions
    from loginmachine.sansio.login.progress import LoginPhase

DRIVERS = ("threads", "trio", "asyncio")
DEVICE_AUTH_ID = "canary-device-auth-id"
USER_CODE = "CNRY-12345"
DEVICE_GRANT = {
    "authorization_code": "canary-device-code",
    "code_challenge": "challenge",
    "code_verifier": "canary-device-verifier",
}
DEVICE_CANARIES = (DEVICE_AUTH_ID, "canary-device-code", "canary-device-verifier")

CODE = reply({"device_auth_id": DEVICE_AUTH_ID, "user_code": USER_CODE, "interval": "0"})
PENDING = reply({}, 403)
SLOW_DOWN = reply({"error": "slow_down"}, 400)
BROKEN = reply(b"<html>", 503)
GRANTED = reply(DEVICE_GRANT)
NOT_ENABLED = reply(b"", 404)


class DeviceCodes:
    """The endpoints for device codes. Each poll gets the next response. The last response is repeated."""

    def __init__(self, server: HTTPServer) -> None:
        self.code: Callable[[], Response] = CODE
        self.polls: list[Callable[[], Response]] = [GRANTED]
        self.asked: list[object] = []
        """The body of each poll."""
        path = "/api/accounts/deviceauth"
        server.expect_request(f"{path}/usercode", method="POST").respond_with_handler(lambda _: self.code())
        server.expect_request(f"{path}/token", method="POST").respond_with_handler(self._poll)

    def _poll(self, request: Request) -> Response:
        self.asked.append(request.get_json())
        return self.polls[min(len(self.asked), len(self.polls)) - 1]()


@dataclass
class Person:
    """What a person sees of a login, and what they can do."""

    paste: Callable[[str], None]
    cancel: Callable[[], None]
    auth_url: str | None = None
    port: int | None = None
    device_code: DeviceCode | None = None
    refusals: tuple[str, ...] = ()
    """The messages of the properties that this login does not have."""


@dataclass
class Ended:
    """The result of a login."""

    credentials: Credentials | None = None
    trouble: Exception | None = None
    store: MemoryStore | None = None


def sign_in(
    driver: str,
    options: LoginOptions,
    *,
    method: LoginMethod = LoginMethod.BROWSER,
    on_progress: Callable[[LoginPhase], None] | None = None,
    act: Callable[[Person], None] = lambda _: None,
) -> Ended:
    """Sign in with a driver; ``act`` is what the person does meanwhile, in a thread of their own."""
    ended = Ended(store=MemoryStore())
    run = {"threads": _in_threads, "trio": _in_trio, "asyncio": _in_asyncio}[driver]
    run(options, ended, method, on_progress, act)
    return ended


def _look(login: object, person: Person) -> Person:
    refusals = []
    for name in ("auth_url", "port", "device_code"):
        try:
            setattr(person, name, getattr(login, name))
        except RuntimeError as error:
            refusals.append(str(error))
    person.refusals = tuple(refusals)
    return person


def _in_threads(
    options: LoginOptions,
    ended: Ended,
    method: LoginMethod,
    on_progress: Callable[[LoginPhase], None] | None,
    act: Callable[[Person], None],
) -> None:
    assert ended.store is not None
    try:
        with start_login(options, store=ended.store, on_progress=on_progress, method=method) as login:
            person = _look(login, Person(paste=login.paste, cancel=login.cancel))
            thread = threading.Thread(target=act, args=(person,), name="person")
            thread.start()
            try:
                ended.credentials = login.wait(PATIENCE)
            finally:
                thread.join()
    except Exception as trouble:  # noqa: BLE001 - to be compared
        ended.trouble = trouble


def _in_trio(
    options: LoginOptions,
    ended: Ended,
    method: LoginMethod,
    on_progress: Callable[[LoginPhase], None] | None,
    act: Callable[[Person], None],
) -> None:
    store = ended.store
    assert store is not None

    async def main() -> None:
        token = trio.lowlevel.current_trio_token()
        try:
            async with open_login(options, store=store, on_progress=on_progress, method=method) as login:

                def paste(text: str) -> None:
                    with contextlib.suppress(trio.RunFinishedError):
                        token.run_sync_soon(login.paste, text)

                person = _look(login, Person(paste=paste, cancel=login.canceller().cancel))
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(trio.to_thread.run_sync, act, person)
                    with trio.fail_after(PATIENCE):
                        ended.credentials = await login.wait()
        except BaseExceptionGroup as group:
            (trouble,) = group.exceptions
            assert isinstance(trouble, Exception)
            ended.trouble = trouble
        except Exception as trouble:  # noqa: BLE001 - to be compared
            ended.trouble = trouble

    trio.run(main)


def _in_asyncio(
    options: LoginOptions,
    ended: Ended,
    method: LoginMethod,
    on_progress: Callable[[LoginPhase], None] | None,
    act: Callable[[Person], None],
) -> None:
    store = ended.store
    assert store is not None

    async def main() -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio_open_login(options, store=store, on_progress=on_progress, method=method) as login:

                def paste(text: str) -> None:
                    with contextlib.suppress(RuntimeError):
                        loop.call_soon_threadsafe(login.paste, text)

                person = _look(login, Person(paste=paste, cancel=login.canceller().cancel))
                acting = asyncio.create_task(asyncio.to_thread(act, person))
                try:
                    async with asyncio.timeout(PATIENCE):
                        ended.credentials = await login.wait()
                finally:
                    await acting
        except Exception as trouble:  # noqa: BLE001 - to be compared
            ended.trouble = trouble

    asyncio.run(main())


def tokens_only() -> list[Callable[[], Response]]:
    """Return the response to the only token request. A login with a device code has no API-key exchange."""
    return [reply(TOKENS)]

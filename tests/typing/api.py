"""Code with types as a user writes it. mypy --strict checks it against the built package. It is never run."""

from __future__ import annotations

from typing import assert_type

import httpx

from loginmachine import (
    AsyncioLogin,
    AsyncioSession,
    AsyncioWebLogins,
    Credentials,
    DeviceCode,
    FileStore,
    KeyringStore,
    LoginFailed,
    LoginFailureCategory,
    LoginFailureStep,
    LoginMachine,
    LoginMethod,
    LoginOptions,
    LoginOutcome,
    LoginSecrets,
    LoginState,
    LoginSuccess,
    MemoryMarks,
    MemoryStore,
    PendingLogin,
    Provider,
    RefreshFailed,
    RefreshFailureCategory,
    RefreshSuccess,
    SealingKeys,
    Secret,
    Session,
    SessionStore,
    SignInRequired,
    SignOutResult,
    SuspendedLoginRefused,
    SuspensionProblem,
    TraceFile,
    TrioSession,
    TrioWebLogins,
    WebLogins,
    asyncio_open_login,
    asyncio_sign_out,
    open_store,
    progress,
    sign_out,
    start_login,
    trio_sign_out,
)
from loginmachine.drivers import asyncio, error_for, threaded, trio
from loginmachine.drivers.traces import Report, replay_many
from loginmachine.sansio import actions, events


def embed(options: LoginOptions) -> str:
    def watch(phase: progress.LoginPhase) -> None:
        assert_type(phase.text, str)
        assert_type(phase.is_user_visible, bool)

    try:
        with start_login(options, store=FileStore("home"), on_progress=watch) as login:
            assert_type(login.auth_url, str)
            assert_type(login.port, int)
            login.canceller().cancel()
            login.paste("http://127.0.0.1:1455/auth/callback?...")
            credentials = login.wait(timeout=1.5)
    except LoginFailed as error:
        assert_type(error.step, LoginFailureStep)
        assert_type(error.category, LoginFailureCategory)
        return error.message
    assert_type(credentials, Credentials)
    assert_type(credentials.api_key, Secret | None)
    return credentials.tokens.access_token.reveal() if credentials.tokens else ""


def with_a_device_code(options: LoginOptions) -> str:
    with start_login(options, store=MemoryStore(), method=LoginMethod.DEVICE_CODE) as login:
        assert_type(login.device_code, DeviceCode)
        return f"{login.device_code.verification_url} {login.device_code.user_code}"


class VaultStore:
    """A store of a host, without a base class."""

    def save(self, credentials: Credentials) -> None: ...


def keep(store: SessionStore, credentials: Credentials) -> None:
    with store.transaction(timeout=1.5) as transaction:
        assert_type(transaction.load(), Credentials | None)
        assert_type(transaction.save(credentials), Credentials | None)
    assert_type(store.remove(), Credentials | None)


def every_store_of_ours(credentials: Credentials) -> None:
    keep(FileStore("home"), credentials)
    keep(MemoryStore(), credentials)
    keep(KeyringStore("home"), credentials)
    keep(open_store("home", "auto", on_fallback=print), credentials)


def call_an_api(store: SessionStore) -> str:
    session = Session(store, Provider.codex(), environment_key=None, on_warning=print)
    with httpx.Client(auth=session.auth) as client:
        client.get("https://api.example/")
    try:
        assert_type(session.refresh(force=True), RefreshSuccess)
        assert_type(session.credentials(), Credentials)
        return session.access_token()
    except SignInRequired as error:
        assert_type(error.category, RefreshFailureCategory)
        assert_type(error.final, bool)
        return error.message
    except RefreshFailed:
        return ""


async def call_an_api_with_trio() -> str:
    session = TrioSession(MemoryStore())
    async with httpx.AsyncClient(auth=session.auth) as client:
        await client.get("https://api.example/")
    assert_type(await session.refresh(), RefreshSuccess)
    assert_type(await session.sign_out(), SignOutResult)
    return await session.access_token()


async def sign_in_with_asyncio(options: LoginOptions) -> Credentials:
    async with asyncio_open_login(options, store=FileStore("home")) as login:
        assert_type(login, AsyncioLogin)
        assert_type(login.auth_url, str)
        login.canceller().cancel()
        return await login.wait()


async def call_an_api_with_asyncio() -> str:
    session = AsyncioSession(MemoryStore())
    async with httpx.AsyncClient(auth=session.auth) as client:
        await client.get("https://api.example/")
    assert_type(await session.refresh(), RefreshSuccess)
    assert_type(await session.sign_out(), SignOutResult)
    return await session.access_token()


async def the_same_names_in_each_package(options: LoginOptions) -> None:
    store = FileStore("home")
    assert_type(threaded.open_login(options, store=store), threaded.Login)
    assert_type(trio.open_login(options, store=store), trio.Login)
    assert_type(asyncio.open_login(options, store=store), asyncio.Login)
    assert_type(threaded.Session(store).access_token(), str)
    assert_type(await trio.Session(store).access_token(), str)
    assert_type(await asyncio.Session(store).access_token(), str)
    assert_type(threaded.sign_out(store), SignOutResult)
    assert_type(await trio.sign_out(store), SignOutResult)
    assert_type(await asyncio.sign_out(store), SignOutResult)


def sign_out_and_keep_a_copy(store: SessionStore) -> bytes:
    assert_type(Session(store).sign_out(), SignOutResult)
    result = sign_out(store, Provider.codex())
    assert_type(result, SignOutResult)
    assert_type(result.is_revoked, bool | None)
    assert_type(result.problem, str)
    assert_type(Credentials.parse(b"{}"), Credentials)
    return result.removed.serialise() if result.removed else b""


async def sign_out_with_asyncio(store: SessionStore) -> SignOutResult:
    return await asyncio_sign_out(store)


async def sign_out_with_trio(store: SessionStore) -> SignOutResult:
    return await trio_sign_out(store)


class RedisMarks:
    def mark(self, name: str, seconds: int) -> bool:
        return len(name) > seconds


def at_a_web_host(options: LoginOptions, query: bytes) -> LoginSuccess:
    logins = WebLogins(options, keys=SealingKeys(SealingKeys.generate()), marks=RedisMarks())
    pending = logins.begin(options.__replace__(login_hint="ada@example.org"))
    assert_type(pending, PendingLogin)
    try:
        return logins.finish(pending.sealed, query, store=MemoryStore())
    except SuspendedLoginRefused as error:
        assert_type(error.problem, SuspensionProblem)
        raise


async def at_a_web_host_with_trio(options: LoginOptions, query: str) -> LoginSuccess:
    logins = TrioWebLogins(options, keys=SealingKeys(bytes(32), bytes(32)), marks=MemoryMarks())
    assert_type(await logins.begin(), PendingLogin)
    return await logins.finish(b"", query)


async def at_a_web_host_with_asyncio(options: LoginOptions, query: str) -> LoginSuccess:
    logins = AsyncioWebLogins(options, keys=SealingKeys(bytes(32)), marks=MemoryMarks())
    assert_type(await logins.begin(), PendingLogin)
    return await logins.finish(b"", query)


def record_and_replay(options: LoginOptions) -> list[Report]:
    with TraceFile("trace.jsonl") as trace, start_login(options, store=MemoryStore(), record=trace.write) as login:
        outcome = login.outcome
        assert_type(error_for(outcome) if outcome else None, LoginFailed | None)
    return list(replay_many(["trace.jsonl"], processes=2))


def drive() -> LoginOutcome | None:
    options = LoginOptions(provider=Provider.codex(), port=0, allowed_workspaces=("acc-1",))
    with start_login(options, store=VaultStore()), start_login(options, store=MemoryStore()):
        pass
    machine = LoginMachine(options, LoginSecrets.generate())
    assert_type(machine.state, LoginState)
    for action in machine.handle(events.Started()):
        assert_type(action, actions.Action)
        match action:
            case actions.Bind(port=port):
                machine.handle(events.Bound(port=port))
            case actions.SendTokenRequest(form=form):
                assert_type(form, tuple[tuple[str, str | tuple[str, ...]], ...])
            case _:
                pass
    LoginOptions(provider=Provider.codex(), prot=0)  # type: ignore[call-arg]
    events.Bound(1455)  # type: ignore[call-arg]
    events.Started().port = 1  # type: ignore[attr-defined]
    events.Bound(port=1).port = 2  # type: ignore[misc]
    return machine.outcome

"""Sign in with ChatGPT with each driver and an `AccountStore`, at the strict imitation of the service."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx
import pytest

from loginmachine import (
    AccountStore,
    AsyncioSession,
    LoginFailed,
    LoginOptions,
    MemoryStore,
    Provider,
    RefreshFailed,
    Session,
    SignInRequired,
    StoreError,
    TrioSession,
    asyncio_open_login,
    asyncio_sign_out,
    open_login,
    sign_out,
    start_login,
    trio_sign_out,
)
from loginmachine.demo.browser import Browser, BrowsingError
from loginmachine.demo.chatgpt.provider import ChatGptProvider
from loginmachine.demo.chatgpt.switches import DECLINED_PLAN
from loginmachine.demo.shared.answers import Answer

from ..trio.support import no_idle_threads, run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from loginmachine import Credentials, RefreshSuccess, SignOutResult

Result = TypeVar("Result")
__all__ = ["no_idle_threads"]
each = pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
FINAL = (
    *("invalid_grant", "invalid_refresh_token", "token_expired", "refresh_token_expired"),
    *("refresh_token_invalidated", "refresh_token_reused"),
)


@pytest.fixture
def service() -> Iterator[ChatGptProvider]:
    with ChatGptProvider() as provider:
        provider.switches.consent = "automatic"
        provider.switches.earliest_refresh_at = "absent"
        yield provider
        assert [violation.rule for violation in provider.violations] == []


class Program:
    """A program with accounts in a folder, and a person who follows the browser."""

    def __init__(self, folder: Path, service: ChatGptProvider) -> None:
        self.store = AccountStore(folder=folder, on_warning=self._warn)
        self.folder = folder
        self.service = service
        self.warnings: list[str] = []
        self.provider = Provider.chatgpt(app_name="A program", issuer=service.issuer)

    def _warn(self, text: str) -> None:
        self.warnings.append(text)

    def options(self, **fields: Any) -> LoginOptions:
        return LoginOptions(provider=self.provider, open_browser=False, **{"deadline": 20.0, **fields})

    def sign_in(self, store: Any = None, driver: str = "threaded", **fields: Any) -> Credentials:
        options, used = self.options(**fields), self.store if store is None else store
        if driver == "trio":
            return _in_trio(lambda: self._sign_in(open_login, options, used))
        if driver == "asyncio":
            return asyncio.run(self._sign_in(asyncio_open_login, options, used))
        with start_login(options, store=used) as login:
            browser = threading.Thread(target=_browse, args=(login.auth_url,))
            browser.start()
            try:
                return login.wait()
            finally:
                browser.join()

    async def _sign_in(self, opens: Any, options: LoginOptions, store: Any) -> Credentials:
        browser: threading.Thread | None = None
        try:
            async with opens(options, store=store) as login:
                browser = threading.Thread(target=_browse, args=(login.auth_url,))
                browser.start()
                return cast("Credentials", await login.wait())
        finally:
            if browser is not None:
                browser.join()

    def new_account(self, **fields: Any) -> Credentials:
        return self.sign_in(self.store.login_store(self.provider, is_new=True), **fields)

    def fails(self, **fields: Any) -> str:
        with pytest.raises(LoginFailed) as raised:
            self.sign_in(**fields)
        return raised.value.failure.category

    @property
    def sent(self) -> list[dict[str, str]]:
        """The parameters of the authorization requests."""
        return [dict(request.query) for request in self.service.requests_to("authorization")]

    @property
    def posted(self) -> list[dict[str, str]]:
        return [dict(request.form) for request in self.service.requests_to("token")]

    def refresh(self, *, force: bool = True) -> Any:
        return Session(self.store, on_warning=self._warn).refresh(force=force)


def _in_trio(work: Callable[[], Awaitable[Result]]) -> Result:
    """Do work in trio, and return its result or raise its exception."""
    results: list[Result] = []

    async def main() -> None:
        results.append(await work())

    run(main)
    return results[0]


def _browse(url: str) -> None:
    # (A page that says that the sign-in has failed has an error status.)
    with Browser() as browser, contextlib.suppress(BrowsingError):
        browser.open(url)


def _refresh(driver: str, store: AccountStore) -> RefreshSuccess:
    async def main() -> RefreshSuccess:
        return await (TrioSession if driver == "trio" else AsyncioSession)(store).refresh(force=True)

    if driver == "trio":
        return _in_trio(main)
    return asyncio.run(main()) if driver == "asyncio" else Session(store).refresh(force=True)


def _sign_out(driver: str, store: Any) -> SignOutResult:
    async def main() -> SignOutResult:
        return await (trio_sign_out if driver == "trio" else asyncio_sign_out)(store)

    if driver == "trio":
        return _in_trio(main)
    return asyncio.run(main()) if driver == "asyncio" else sign_out(store)


@pytest.fixture
def program(tmp_path: Path, service: ChatGptProvider) -> Program:
    return Program(tmp_path / "accounts", service)


def client_of(credentials: Credentials) -> str:
    assert credentials.tokens is not None
    assert credentials.tokens.provider is not None
    return credentials.tokens.provider.client_id


# Signing in


@each
def test_the_first_login_and_a_later_one(program: Program, driver: str) -> None:
    first = program.sign_in(driver=driver)
    assert client_of(first).startswith("oaiapp_")
    later = program.sign_in(driver=driver)
    assert client_of(later) == client_of(first)
    assert [request["client_id"] for request in program.sent] == ["dynamic_agent_client", client_of(first)]
    assert [request.get("agent_name_hint") for request in program.sent] == ["A program", None]
    assert len({request["ext_agent_host_id"] for request in program.sent}) == 1
    assert {form["client_id"] for form in program.posted} == {client_of(first)}
    assert len(program.service.registrations) == 1
    stored = [path.read_text() for path in program.folder.iterdir()]
    assert not any("dynamic_agent_client" in text for text in stored)
    assert {path.stat().st_mode & 0o777 for path in program.folder.iterdir()} == {0o600}
    (account,) = program.store.accounts()
    assert (account.is_default, account.is_signed_in, account.plan_enabled) == (True, True, True)


@each
@pytest.mark.parametrize("how", ["none", "bootstrap", "empty", "long", "control_characters"])
def test_no_client_is_issued(program: Program, driver: str, how: Any) -> None:
    program.service.switches.client_id_in_callback = how
    assert program.fails(driver=driver) == "registration_failed"
    assert program.posted == []
    assert program.store.registrations() == []


@each
def test_an_exchange_without_an_answer_leaves_a_pending_client(program: Program, driver: str) -> None:
    program.service.answer_next("token", Answer.dropped())
    assert program.fails(driver=driver) == "token_exchange_request"
    (pending,) = program.store.registrations()
    assert (pending.subject, pending.provider, pending.is_doubtful) == ("", "chatgpt", False)
    assert client_of(program.sign_in(driver=driver)) == pending.registration.client_id
    assert len(program.service.registrations) == 1
    assert "agent_name_hint" not in program.sent[1]


def test_an_invalid_grant_leaves_a_pending_client(program: Program) -> None:
    program.service.answer_next("token", Answer.error("invalid_grant"))
    assert program.fails() == "token_endpoint_rejected"
    program.sign_in()
    assert len(program.service.registrations) == 1


def test_keys_out_of_reach_leave_a_pending_client(program: Program) -> None:
    program.service.switches.answers["jwks"] = Answer.error("no", status=503)
    assert program.fails() == "keys_unavailable"
    assert program.store.accounts() == []
    del program.service.switches.answers["jwks"]
    program.sign_in()
    assert len(program.service.registrations) == 1


def test_a_new_account_avoids_a_client_that_is_doubtful(program: Program) -> None:
    program.service.answer_next("token", Answer.error("invalid_client", status=401))
    assert program.fails() == "token_endpoint_rejected"
    (doubtful,) = program.store.registrations()
    assert doubtful.is_doubtful
    credentials = program.new_account()
    assert client_of(credentials) != doubtful.registration.client_id
    assert len(program.service.registrations) == 2


def test_a_pending_client_without_a_callback_is_doubtful(program: Program) -> None:
    program.service.answer_next("token", Answer.dropped())
    assert program.fails() == "token_exchange_request"
    with start_login(program.options(deadline=0.05), store=program.store) as login, pytest.raises(LoginFailed):
        login.wait()
    (pending,) = program.store.registrations()
    assert pending.is_doubtful
    # A plain login still uses it, and a callback ends the doubt.
    assert client_of(program.sign_in()) == pending.registration.client_id
    assert not program.store.registrations()[0].is_doubtful


def test_a_later_callback_of_another_client_replaces_nothing(program: Program) -> None:
    before = program.sign_in()
    program.service.switches.client_id_in_callback = "other"
    assert program.fails() == "registration_failed"
    (account,) = program.store.accounts()
    stored = program.store.open(account).load()
    assert stored is not None
    assert client_of(stored) == client_of(before)
    assert stored.last_refresh == before.last_refresh


def test_a_later_login_of_another_person_replaces_nothing(program: Program) -> None:
    before = program.sign_in()
    program.service.switches.id_token_claims = {"sub": "user-other"}
    assert program.fails() == "id_token_invalid"
    assert program.store.accounts()[0].last_refresh == before.last_refresh


@pytest.mark.parametrize("member", ["token_endpoint", "jwks_uri"])
def test_metadata_that_leads_elsewhere(program: Program, member: str) -> None:
    program.service.switches.metadata = {member: "http://127.0.0.1:9/elsewhere"}
    assert program.fails() == "discovery_failed"
    assert program.sent == []


def test_a_declined_sign_in_and_then_another(program: Program) -> None:
    program.service.switches.consent = "declined"
    assert program.fails() == "provider_callback_error"
    program.service.switches.consent = "automatic"
    program.sign_in()


def test_a_declined_plan_and_then_consent(program: Program) -> None:
    program.service.switches.declined_scopes = DECLINED_PLAN
    credentials = program.sign_in()
    assert credentials.tokens is not None
    assert credentials.tokens.plan_enabled is False
    program.service.switches.declined_scopes = ()
    credentials = program.sign_in(prompt="consent")
    assert credentials.tokens is not None
    assert credentials.tokens.plan_enabled is True
    assert program.sent[1]["prompt"] == "consent"
    assert len(program.store.accounts()) == 1


def test_an_identity_without_an_access_token(program: Program) -> None:
    program.service.switches.declined_scopes = DECLINED_PLAN
    program.service.switches.access_token_without_plan = False
    program.sign_in()
    with pytest.raises(RefreshFailed) as raised:
        Session(program.store).access_token()
    assert raised.value.failure.category == "credentials_unsupported"


# Accounts


def test_another_account_and_another_workspace_are_kept_apart(program: Program) -> None:
    first = program.sign_in()
    program.service.switches.workspace = "Work"
    second = program.new_account()
    assert client_of(first) != client_of(second)
    accounts = program.store.accounts()
    assert [account.client_id for account in accounts] == [client_of(second), client_of(first)]
    assert len({account.email for account in accounts}) == 1
    assert accounts[0].is_default
    # A plain login renews the default, and `use` makes the other one the default.
    program.service.switches.workspace = "Personal"
    program.store.use(program.store.find(client_of(first)))
    assert client_of(program.sign_in()) == client_of(first)
    assert Session(program.store).credentials().last_refresh != first.last_refresh
    assert len(program.service.registrations) == 2


def test_a_session_of_an_account_that_is_named(program: Program) -> None:
    first = program.sign_in()
    program.service.switches.email = "bob@example.com"
    second = program.new_account()
    assert client_of(Session(program.store).credentials()) == client_of(second)
    assert client_of(Session(program.store, account="ADA@example.com").credentials()) == client_of(first)
    with pytest.raises(ValueError, match="only with a store of many accounts"):
        Session(MemoryStore(), account="ada@example.com")


def test_a_session_of_nobody(program: Program) -> None:
    with pytest.raises(SignInRequired):
        Session(program.store).access_token()


def test_a_store_that_keeps_no_host_id(program: Program) -> None:
    with pytest.raises(StoreError, match="keeps no id of the host"):
        program.sign_in(MemoryStore())


@pytest.mark.parametrize("content", ["", "{}", '{"host_id": "ada@example.com"}'])
def test_a_damaged_host_id_is_an_error_and_stays(program: Program, content: str) -> None:
    program.sign_in()
    path = program.folder / "host.json"
    path.write_text(content)
    with pytest.raises(StoreError, match=r"host\.json"):
        program.sign_in()
    assert path.read_text() == content
    path.unlink()
    program.sign_in()
    assert program.sent[0]["ext_agent_host_id"] != program.sent[-1]["ext_agent_host_id"]


# Refreshing


@each
def test_a_refresh(program: Program, driver: str) -> None:
    before = program.sign_in()
    done = _refresh(driver, program.store)
    assert done.delivery == "refreshed"
    form = program.posted[-1]
    assert sorted(form) == ["client_id", "grant_type", "refresh_token", "resource"]
    assert form["client_id"] == client_of(before)
    (stored,) = [program.store.open(account).load() for account in program.store.accounts()]
    assert stored is not None
    assert stored.unverified is None
    assert stored == program.store.open(program.store.accounts()[0]).load()


def test_keys_out_of_reach_lose_no_refresh_token(program: Program) -> None:
    program.sign_in()
    program.service.switches.answers["jwks"] = Answer.error("no", status=503)
    with pytest.raises(RefreshFailed) as raised:
        program.refresh()
    assert raised.value.failure.category == "refresh_unavailable"
    posts = len(program.posted)
    del program.service.switches.answers["jwks"]
    assert program.refresh().delivery == "refreshed"
    assert len(program.posted) == posts
    assert program.refresh().delivery == "refreshed"
    assert len({form["refresh_token"] for form in program.posted[1:]}) == len(program.posted) - 1


def test_keys_that_change_meanwhile(program: Program) -> None:
    program.sign_in()
    program.service.rotate_keys()
    assert program.refresh().delivery == "refreshed"


@pytest.mark.parametrize("code", FINAL)
@pytest.mark.parametrize("in_object", [False, True], ids=["text", "object"])
def test_a_final_refusal(program: Program, code: str, in_object: bool) -> None:  # noqa: FBT001 - a parameter
    before = program.sign_in()
    answer = Answer.error_object(code, status=401) if in_object else Answer.error(code)
    program.service.answer_next("token", answer)
    with pytest.raises(SignInRequired):
        program.refresh()
    (account,) = program.store.accounts()
    assert (account.is_signed_in, account.client_id) == (False, client_of(before))
    kept = "".join(path.read_text() for path in program.folder.iterdir())
    assert [token for token in program.service.tokens if token in kept] == []
    program.sign_in()
    assert program.sent[-1]["client_id"] == client_of(before)
    assert "id_token_hint" not in program.sent[-1]


@pytest.mark.parametrize(
    ("answer", "category"),
    [
        (Answer.error("invalid_client", status=401), "client_refused"),
        (Answer.error("slow", status=429).after(30), "refresh_unavailable"),
        (Answer.html(status=502), "refresh_unavailable"),
    ],
)
def test_another_refusal_keeps_everything(program: Program, answer: Answer, category: str) -> None:
    program.sign_in()
    program.service.answer_next("token", answer)
    with pytest.raises(RefreshFailed) as raised:
        program.refresh()
    assert raised.value.failure.category == category
    assert program.store.accounts()[0].is_signed_in
    assert program.refresh().delivery == "refreshed"


def test_an_answer_that_is_lost_ends_the_sign_in(program: Program) -> None:
    """The old refresh token is tried once, and the provider says that it is spent."""
    program.sign_in()
    program.service.answer_next("token", Answer.cut())
    with pytest.raises(RefreshFailed):
        program.refresh()
    posts = len(program.posted)
    assert program.service.is_active(Session(program.store).access_token())
    assert len(program.posted) == posts
    with pytest.raises(SignInRequired):
        program.refresh()
    assert len(program.posted) == posts + 1


@pytest.mark.parametrize("written", ["iso", "seconds"])
def test_too_early(program: Program, written: Any) -> None:
    program.service.switches.earliest_refresh_at = written
    program.sign_in()
    posts = len(program.posted)
    assert program.refresh().delivery == "kept"
    assert len(program.posted) == posts


@pytest.mark.parametrize("written", ["absent", None, "some day", {"at": 1}])
def test_a_moment_that_cannot_be_read(program: Program, written: Any) -> None:
    program.service.switches.earliest_refresh_at = written
    program.sign_in()
    assert program.refresh().delivery == "refreshed"


def test_the_plan_is_lost_in_a_refresh(program: Program) -> None:
    program.sign_in()
    program.service.switches.lost_scopes = ("chatgpt.tokens.use.direct",)
    done = program.refresh()
    assert done.credentials.tokens.plan_enabled is False
    assert program.warnings == ["the provider no longer grants the use of the plan: plan use is off"]


def test_a_refresh_for_another_person(program: Program) -> None:
    program.sign_in()
    program.service.switches.id_token_claims = {"sub": "user-other"}
    with pytest.raises(SignInRequired) as raised:
        program.refresh()
    assert raised.value.failure.category == "account_changed"
    assert program.store.accounts()[0].email == "ada@example.com"


def test_threads_share_one_refresh(program: Program) -> None:
    program.sign_in()
    sessions = [Session(program.store) for _ in range(4)]
    posts = len(program.posted)
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda each=each: found.append(each.refresh(force=True).delivery)) for each in sessions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["adopted", "adopted", "adopted", "refreshed"]
    assert len(program.posted) == posts + 1


def test_a_request_with_the_session(program: Program) -> None:
    program.sign_in()
    with httpx.Client(auth=Session(program.store).auth) as http:
        answer = http.get(f"{program.service.api}/models")
    assert answer.json()["models"][0]["slug"] == "gpt-demo"


# Signing out


@each
def test_a_sign_out_keeps_the_client(program: Program, driver: str) -> None:
    before = program.sign_in()
    (account,) = program.store.accounts()
    entry = program.store.open(account)
    result = _sign_out(driver, entry)
    assert result.is_revoked is True
    (gone,) = program.store.accounts()
    assert (gone.key, gone.is_signed_in, gone.email, gone.is_default) == (account.key, False, "ada@example.com", True)
    assert before.tokens is not None
    assert not program.service.is_active(before.tokens.access_token.reveal())
    program.sign_in(driver=driver)
    assert program.sent[-1]["client_id"] == client_of(before)
    assert len(program.service.registrations) == 1


@each
def test_a_revocation_is_tried_again(program: Program, driver: str) -> None:
    program.sign_in()
    entry = program.store.open(program.store.accounts()[0])
    down = Answer.error("no", status=503)
    program.service.answer_next("revocation", down, down)
    result = _sign_out(driver, entry)
    assert result.is_revoked is True
    assert len(program.service.requests_to("revocation")) == 3


def test_a_refused_revocation_signs_out_all_the_same(program: Program) -> None:
    program.sign_in()
    entry = program.store.open(program.store.accounts()[0])
    program.service.answer_next("revocation", Answer.error("invalid_request"))
    result = sign_out(entry)
    assert (result.is_revoked, entry.load()) == (False, None)
    assert len(program.service.requests_to("revocation")) == 1

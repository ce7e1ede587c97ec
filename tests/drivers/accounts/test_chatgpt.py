"""Programs that embed the library, with threads and with trio, sign in with ChatGPT and use models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from loginmachine import (
    AccountStore,
    LoginOptions,
    Provider,
    RefreshFailed,
    Session,
    SignInRequired,
    TrioSession,
    open_login,
    sign_out,
    start_login,
    trio_sign_out,
)
from loginmachine.demo.chatgpt.browser import Visitor
from loginmachine.demo.chatgpt.provider import ChatGptProvider
from loginmachine.demo.shared.answers import Answer

from ..trio.support import no_idle_threads, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["no_idle_threads"]
BODY = {"model": "gpt-demo", "input": [{"role": "user", "content": "Hello"}], "store": False, "stream": True}
DETAIL = {"detail": "Unauthorized"}


class WithThreads:
    """What a program does, with threads."""

    def __init__(self, api: str) -> None:
        self.api = api

    def login(self, store: AccountStore, provider: Provider) -> None:
        with start_login(LoginOptions(provider=provider, open_browser=False), store=store) as login:
            Visitor().sign_in(login.auth_url)
            login.wait()

    def respond(self, store: AccountStore) -> httpx.Response:
        session = Session(store)
        with httpx.Client(auth=session.auth, trust_env=False, verify=False) as client:
            return client.post(f"{self.api}/responses", json=BODY)

    def refresh(self, store: AccountStore) -> None:
        Session(store).refresh(force=True)

    def sign_out(self, store: AccountStore) -> bool | None:
        return sign_out(store.session_store()).is_revoked


class WithTrio:
    """The same, with trio."""

    def __init__(self, api: str) -> None:
        self.api = api

    def login(self, store: AccountStore, provider: Provider) -> None:
        async def main() -> None:
            import trio

            async with open_login(LoginOptions(provider=provider, open_browser=False), store=store) as login:
                await trio.to_thread.run_sync(Visitor().sign_in, login.auth_url)
                await login.wait()

        run(main)

    def respond(self, store: AccountStore) -> httpx.Response:
        found: list[httpx.Response] = []

        async def main() -> None:
            session = TrioSession(store)
            async with httpx.AsyncClient(auth=session.auth, trust_env=False, verify=False) as client:
                found.append(await client.post(f"{self.api}/responses", json=BODY))

        run(main)
        return found[0]

    def refresh(self, store: AccountStore) -> None:
        async def main() -> None:
            await TrioSession(store).refresh(force=True)

        run(main)

    def sign_out(self, store: AccountStore) -> bool | None:
        found: list[bool | None] = []

        async def main() -> None:
            found.append((await trio_sign_out(store.session_store())).is_revoked)

        run(main)
        return found[0]


@pytest.fixture
def provider() -> Iterator[ChatGptProvider]:
    with ChatGptProvider() as running:
        running.switches.consent, running.switches.refresh_pause = "automatic", -1.0
        yield running
        assert running.violations == ()


@pytest.fixture(params=[WithThreads, WithTrio])
def program(request: pytest.FixtureRequest, provider: ChatGptProvider) -> WithThreads | WithTrio:
    made: WithThreads | WithTrio = request.param(provider.api)
    return made


@pytest.fixture
def store(program: WithThreads | WithTrio, provider: ChatGptProvider, tmp_path: Path) -> AccountStore:
    """The store of a person who is signed in."""
    found = AccountStore("my_program", folder=tmp_path)
    program.login(found, Provider.chatgpt(app_name="my program", issuer=provider.issuer))
    return found


def refreshes(provider: ChatGptProvider) -> int:
    return sum(dict(request.form).get("grant_type") == "refresh_token" for request in provider.requests_to("token"))


def test_a_program_uses_models(program: WithThreads | WithTrio, provider: ChatGptProvider, store: AccountStore) -> None:
    answer = program.respond(store)
    assert answer.status_code == 200
    assert answer.text.count("response.output_text.delta") == 8
    assert [found.agent_name for found in provider.registrations] == ["my program"]
    assert refreshes(provider) == 0


def test_a_later_login_uses_the_client(
    program: WithThreads | WithTrio, provider: ChatGptProvider, store: AccountStore
) -> None:
    program.login(store, Provider.chatgpt(app_name="my program", issuer=provider.issuer))
    assert len(provider.registrations) == 1
    assert len({dict(request.query)["ext_agent_host_id"] for request in provider.requests_to("authorization")}) == 1
    assert program.respond(store).status_code == 200


def test_a_rejected_token_is_renewed_once(
    program: WithThreads | WithTrio, provider: ChatGptProvider, store: AccountStore
) -> None:  # case 77
    provider.answer_next("responses", Answer.json(DETAIL, status=401))
    assert program.respond(store).status_code == 200
    assert refreshes(provider) == 1
    provider.answer_next("responses", *[Answer.json(DETAIL, status=401)] * 2)
    assert program.respond(store).status_code == 401
    assert refreshes(provider) == 2


def test_a_rejected_token_is_not_renewed_too_early(
    program: WithThreads | WithTrio, provider: ChatGptProvider, store: AccountStore
) -> None:
    provider.switches.refresh_pause = 3240.0
    program.refresh(store)
    provider.answer_next("responses", Answer.json(DETAIL, status=401))
    with pytest.raises(RefreshFailed, match="accepts no refresh before"):
        program.respond(store)
    assert refreshes(provider) == len(provider.requests_to("responses")) == 1
    assert program.respond(store).status_code == 200


# cases 78 and 79
@pytest.mark.parametrize(
    "answer",
    [
        Answer.json({"detail": "Forbidden"}, status=403),
        Answer.error_object("subscription_sharing_user_not_eligible", status=403),
        Answer.error_object("subscription_sharing_usage_limit_exceeded", status=429),
        Answer.error_object("subscription_sharing_usage_unavailable", status=503),
    ],
)
def test_other_errors_are_no_reason_to_renew(
    program: WithThreads | WithTrio, provider: ChatGptProvider, store: AccountStore, answer: Answer
) -> None:
    provider.answer_next("responses", answer)
    assert program.respond(store).status_code == answer.status
    assert refreshes(provider) == 0
    assert len(provider.requests_to("responses")) == 1
    assert program.respond(store).status_code == 200


def test_a_user_who_is_not_valid_any_more(
    program: WithThreads | WithTrio, provider: ChatGptProvider, store: AccountStore
) -> None:  # cases 76 and 80
    (registration,) = provider.registrations
    provider.disconnect(registration.client_id)
    # The refresh after the 401 is final. Nothing is sent after it, and the client is kept for the next sign-in.
    for _ in range(2):
        with pytest.raises(SignInRequired):
            program.respond(store)
    assert refreshes(provider) == len(provider.requests_to("responses")) == 1
    program.login(store, Provider.chatgpt(app_name="my program", issuer=provider.issuer))
    assert len(provider.registrations) == 1
    assert program.respond(store).status_code == 200


def test_a_program_signs_out(program: WithThreads | WithTrio, provider: ChatGptProvider, store: AccountStore) -> None:
    assert program.sign_out(store) is True
    with pytest.raises(SignInRequired):
        program.respond(store)
    program.login(store, Provider.chatgpt(app_name="my program", issuer=provider.issuer))
    assert len(provider.registrations) == 1

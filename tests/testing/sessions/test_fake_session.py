"""Fake sessions: tokens expire, are refused, and fail to refresh when a test says so."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest
import trio

from loginmachine import AsyncioSession, RefreshFailed, Session, SignInRequired, TrioSession
from loginmachine.testing import FakeAsyncioSession, FakeSession, FakeTrioSession

ONE, TWO, THREE = (f"fake-access-token-{number}" for number in (1, 2, 3))


def test_it_is_a_session() -> None:
    assert isinstance(FakeSession(), Session)
    assert isinstance(FakeTrioSession(), TrioSession)
    assert isinstance(FakeAsyncioSession(), AsyncioSession)


def test_a_token_that_expires() -> None:
    session = FakeSession()
    assert (session.access_token(), session.access_token(), len(session.requests)) == (ONE, ONE, 0)
    session.expire()
    assert (session.access_token(), session.access_token(), len(session.requests)) == (TWO, TWO, 1)


def test_a_token_that_is_due_is_refreshed_in_this_thread() -> None:
    session, before = FakeSession(), set(threading.enumerate())
    session.advance(3500)
    assert session.access_token() == ONE
    assert session.access_token() == TWO
    assert set(threading.enumerate()) - before == set()


def test_nobody_is_signed_in() -> None:
    session = FakeSession(signed_in=False)
    with pytest.raises(SignInRequired):
        session.access_token()
    session.sign_in()
    assert session.access_token() == ONE


@pytest.mark.parametrize("trouble", ["timeout", "connect", "request", 503])
def test_a_refresh_that_fails_for_a_while(trouble: str | int) -> None:
    session = FakeSession()
    session.expire()
    if isinstance(trouble, int):
        session.fail_refreshes(trouble)
    else:
        session.lose_connection(trouble)
    with pytest.raises(RefreshFailed) as caught:
        session.access_token()
    assert not isinstance(caught.value, SignInRequired)
    session.restore_refreshes()
    assert session.access_token() == TWO


def test_a_sign_in_that_has_ended() -> None:
    warnings: list[str] = []
    session = FakeSession(on_warning=warnings.append)
    session.end_sign_in()
    session.expire()
    with pytest.raises(SignInRequired):
        session.access_token()
    session.sign_in()
    assert session.access_token() == TWO


def test_a_sign_out() -> None:
    session = FakeSession()
    assert session.sign_out().is_revoked is True
    assert [dict(request.form)["token"] for request in session.revoked] == ["fake-refresh-token-1"]
    with pytest.raises(SignInRequired):
        session.access_token()
    assert session.store.credentials is None


def fake_api(session: FakeSession | FakeTrioSession | FakeAsyncioSession) -> httpx.MockTransport:
    def respond(request: httpx.Request) -> httpx.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        return httpx.Response(200 if session.accepts(token) else 401, text=token)

    return httpx.MockTransport(respond)


def test_an_api_that_refuses_the_token() -> None:
    session = FakeSession()
    with httpx.Client(auth=session.auth, transport=fake_api(session)) as client:
        assert client.get("https://api.example").text == ONE
        session.revoke_access_token()
        response = client.get("https://api.example")
        assert (response.status_code, response.text) == (200, TWO)
        session.end_sign_in()
        with pytest.raises(SignInRequired):
            client.get("https://api.example")


def test_a_program_with_trio() -> None:
    session = FakeTrioSession()

    async def main() -> None:
        async with httpx.AsyncClient(auth=session.auth, transport=fake_api(session)) as client:
            assert (await client.get("https://api.example")).text == ONE
            session.revoke_access_token()
            assert (await client.get("https://api.example")).text == TWO
        session.expire()
        assert await session.access_token() == THREE
        session.lose_connection()
        session.expire()
        with pytest.raises(RefreshFailed):
            await session.access_token()
        assert (await session.sign_out()).is_revoked is True
        with pytest.raises(SignInRequired):
            await session.access_token()

    trio.run(main)


def test_a_program_with_asyncio() -> None:
    session = FakeAsyncioSession()

    async def main() -> None:
        async with httpx.AsyncClient(auth=session.auth, transport=fake_api(session)) as client:
            assert (await client.get("https://api.example")).text == ONE
            session.revoke_access_token()
            assert (await client.get("https://api.example")).text == TWO
        session.expire()
        assert await session.access_token() == THREE
        session.lose_connection()
        session.expire()
        with pytest.raises(RefreshFailed):
            await session.access_token()
        assert (await session.sign_out()).is_revoked is True
        with pytest.raises(SignInRequired):
            await session.access_token()

    before = set(threading.enumerate())
    asyncio.run(main())
    assert set(threading.enumerate()) - before == set()


def test_a_token_of_before_is_not_accepted() -> None:
    session = FakeSession()
    token = session.access_token()
    assert session.accepts(token)
    session.refresh(force=True)
    assert not session.accepts(token)
    assert session.accepts(TWO)
    session.expire()
    assert not session.accepts(TWO)

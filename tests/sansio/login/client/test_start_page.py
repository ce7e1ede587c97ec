"""The start page: hints about the person are for the browser only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from loginmachine.sansio.login.actions import OpenBrowser, Respond
from loginmachine.sansio.login.events import RegistrationSaved
from loginmachine.sansio.login.progress import Listening

from ...chatgpt_samples import ACCOUNT, FIRST, LATER, OPTIONS, came_back, found, machine
from ...samples import ID_TOKEN_HINT, by_other_user, drive, everything_in, get
from ...server_samples import BOUND

if TYPE_CHECKING:
    from loginmachine.sansio import LoginMachine
    from loginmachine.sansio.login.events import Started


def begun(started: Started = LATER, **changes: Any) -> tuple[LoginMachine, list[Any]]:
    login = machine(OPTIONS.__replace__(**changes))
    return login, drive(login, started, found(), BOUND)


def opened(actions: list[Any]) -> str:
    (url,) = [action.url for action in actions if isinstance(action, OpenBrowser)]
    return str(url)


def asked(login: LoginMachine, target: str, number: int = 7) -> Respond:
    (response,) = login.handle(get(target, number, port=BOUND.port))
    assert isinstance(response, Respond)
    return response


def location(response: Respond) -> str:
    return dict(response.headers).get(b"Location", b"").decode()


def test_the_launcher_gets_no_hint() -> None:
    login, actions = begun()
    assert opened(actions).startswith("http://127.0.0.1:50000/start/")
    shown = [action.phase.url for action in actions if isinstance(getattr(action, "phase", None), Listening)]
    assert shown == [login.auth_url]
    assert "hint" not in everything_in(actions) + str(login.auth_url)


def test_the_browser_is_sent_to_the_provider_with_both_hints() -> None:
    login, actions = begun()
    response = asked(login, urlsplit(opened(actions)).path)
    assert response.status == 302
    url = location(response)
    assert url.startswith(f"{login.auth_url}&")
    query = parse_qs(urlsplit(url).query)
    assert (query["login_hint"], query["id_token_hint"]) == (["ada@example.org"], [ID_TOKEN_HINT])
    assert dict(response.headers)[b"Cache-Control"] == b"no-store"
    assert dict(response.headers)[b"Referrer-Policy"] == b"no-referrer"


def test_it_works_once() -> None:
    login, actions = begun()
    path = urlsplit(opened(actions)).path
    assert asked(login, path).status == 302
    assert asked(login, path, 8).status == 404


def test_it_is_over_when_the_callback_has_come() -> None:
    login, actions = begun()
    path = urlsplit(opened(actions)).path
    drive(login, came_back())
    assert asked(login, path).status == 404
    drive(login, RegistrationSaved())
    assert asked(login, path, 8).status == 404


@pytest.mark.parametrize("target", ["/start", "/start/", "/start/guess", "/start/../auth/callback"])
def test_its_path_cannot_be_guessed(target: str) -> None:
    login, _ = begun()
    assert asked(login, target).status == 404


def test_another_user_is_refused_and_does_not_use_it_up() -> None:
    login, actions = begun()
    path = urlsplit(opened(actions)).path
    assert login.asks_for_sender(path.encode())
    (response,) = login.handle(by_other_user(get(path, 7, port=BOUND.port)))
    assert isinstance(response, Respond)
    assert (response.status, location(response)) == (403, "")
    assert asked(login, path, 8).status == 302


def test_another_user_may_be_allowed() -> None:
    login, actions = begun(any_user=True)
    path = urlsplit(opened(actions)).path
    (response,) = login.handle(by_other_user(get(path, 7, port=BOUND.port)))
    assert isinstance(response, Respond)
    assert response.status == 302


def test_without_hints_there_is_no_such_page() -> None:
    login, actions = begun(FIRST)
    assert opened(actions) == login.auth_url
    login, actions = begun(login_hint="bob@example.org")
    assert opened(actions) == login.auth_url
    assert "login_hint=bob%40example.org" in str(login.auth_url)
    login, actions = begun(LATER.__replace__(account=ACCOUNT.__replace__(email=None, id_token=None)))
    assert opened(actions) == login.auth_url


def test_after_a_sign_out_there_is_no_token_among_the_hints() -> None:
    login, actions = begun(LATER.__replace__(account=ACCOUNT.__replace__(id_token=None)))
    url = location(asked(login, urlsplit(opened(actions)).path))
    assert url == f"{login.auth_url}&login_hint=ada%40example.org"


def test_without_a_browser_there_is_no_such_page() -> None:
    login, actions = begun(open_browser=False)
    assert not any(isinstance(action, OpenBrowser) for action in actions)
    assert "hint" not in str(login.auth_url)

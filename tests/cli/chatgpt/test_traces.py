"""Recorded logins and refreshes: they replay, and hold nothing about the person, the client or the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.demo.chatgpt.browser import Visitor
from loginmachine.demo.shared.answers import Answer

from .support import ADA, Computer, open_page, with_changes

if TYPE_CHECKING:
    from pathlib import Path


def check_trace(computer: Computer, trace: Path) -> None:
    """Check that a trace replays and that nothing in it tells people, clients or hosts apart."""
    text = trace.read_text()
    private = {value for request in computer.asked() for name, value in request.items() if name in PRIVATE}
    private |= {registration.client_id for registration in computer.provider.registrations}
    private |= {registration.person.email for registration in computer.provider.registrations}
    for grant in (dict(request.form) for request in computer.provider.requests_to("token")):
        private |= {grant[name] for name in ("code_verifier", "refresh_token", "code") if name in grant}
    private |= set(computer.provider.tokens)
    assert [value[:12] for value in private if value in text] == []
    code, _, err = computer.call("replay", str(trace))
    assert (code, err) == (0, "")


PRIVATE = {"state", "nonce", "code_challenge", "ext_agent_host_id", "id_token_hint", "login_hint"}


def test_a_first_and_a_later_login(computer: Computer, tmp_path: Path) -> None:
    for name in ("first", "later"):
        trace = tmp_path / name
        computer.signed_in("--record", str(trace))
        check_trace(computer, trace)


@pytest.mark.parametrize("kind", ["none", "twice", "other", "control_characters"])
def test_a_login_with_a_client_that_is_refused(computer: Computer, tmp_path: Path, kind: str) -> None:
    if kind == "other":
        computer.signed_in()
    computer.provider.switches.client_id_in_callback = kind  # type: ignore[assignment]

    def browse(url: str) -> str:
        callback = ADA.callback(url)
        shown = open_page(callback)
        client_id = computer.provider.registrations[0].client_id
        return open_page(with_changes(callback, client_id=client_id)) if kind == "twice" else shown

    trace = tmp_path / "trace"
    computer.login("--record", str(trace), browse=browse)
    check_trace(computer, trace)
    assert "oaiapp_a" not in trace.read_text()


def test_a_login_with_errors(computer: Computer, tmp_path: Path) -> None:
    for number, answer in enumerate((Answer.error("invalid_grant"), Answer.dropped(), Answer.error_object("x"))):
        computer.provider.answer_next("token", answer)
        trace = tmp_path / str(number)
        assert computer.login("--record", str(trace)).code == 1
        check_trace(computer, trace)
    trace = tmp_path / "declined"
    computer.login("--record", str(trace), browse=Visitor(approves=False))
    check_trace(computer, trace)


def test_a_hint_that_comes_back_in_the_callback(computer: Computer, tmp_path: Path) -> None:
    """A provider, or a page between, may repeat what it was sent."""
    computer.signed_in()
    trace = tmp_path / "trace"

    def browse(url: str) -> str:
        callback = ADA.callback(url)
        sent = computer.asked()[-1]
        names = ("id_token_hint", "login_hint", "ext_agent_host_id", "nonce")
        return open_page(with_changes(callback, **{name: sent[name] for name in names}))

    computer.signed_in("--record", str(trace), browse=browse)
    check_trace(computer, trace)


@pytest.mark.parametrize("computer", ["threaded"], indirect=True)
def test_refreshes_and_tokens(computer: Computer, tmp_path: Path) -> None:
    computer.signed_in()
    for number, answer in enumerate(
        (None, Answer.error("server_error", status=503), Answer.dropped(), Answer.error("invalid_client", status=401))
    ):
        if answer is not None:
            computer.provider.answer_next("token", answer)
        trace = tmp_path / f"refresh-{number}"
        computer.call("refresh", "--record", str(trace))
        check_trace(computer, trace)
    trace = tmp_path / "logout"
    assert computer.call("logout", "--record", str(trace))[0] == 0
    check_trace(computer, trace)

"""Binding a port: older login servers, other programs, the fallback, forbidden ports, port 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.sansio import LoginFailure, LoginFailureStep, LoginMachine, UnexpectedEvent
from loginmachine.sansio.login.actions import (
    Bind,
    CancelPrevious,
    CloseListener,
    Finish,
    OpenBrowser,
    ReportProgress,
    SendTokenRequest,
    StartTimer,
    StopTimer,
    Timer,
)
from loginmachine.sansio.login.events import BindProblem, Bound, CancelRequested, PreviousCancelled, Started
from loginmachine.sansio.login.progress import (
    Binding,
    Cancelled,
    CancellingPrevious,
    Listening,
    OpeningBrowser,
    UsingFallbackPort,
)

from .. import samples
from ..playbook import AnyAction, AnyProblem, Playbook, reported
from ..samples import FORBIDDEN, IN_USE, RETRY

if TYPE_CHECKING:
    from loginmachine.sansio.login.actions import Action
    from loginmachine.sansio.login.events import Event

GAVE_WAY = PreviousCancelled(accepted=True)
REFUSED = PreviousCancelled(accepted=False)
UNAVAILABLE = AnyProblem("bind_local_server", "local_server_unavailable", fatal=True)
BACK_OFF = StartTimer(timer=Timer.BIND_RETRY, seconds=0.2)


def on_port(port: int | None) -> LoginMachine:
    return samples.machine(samples.OPTIONS.__replace__(port=port))


def without_reports(actions: list[Action]) -> list[Action]:
    """Return the actions without the progress reports."""
    return [action for action in actions if not isinstance(action, ReportProgress)]


def failure_of(login: LoginMachine) -> tuple[str, str, str]:
    assert login.state == "failed"
    assert isinstance(login.outcome, LoginFailure)
    return login.outcome.step, login.outcome.category, login.outcome.message


def test_an_older_login_server_gives_way() -> None:
    assert (
        Playbook(samples.machine())
        >> Started()
        << reported(Binding(port=1455, attempt=1))
        << Bind(port=1455, attempt=1)
        >> IN_USE
        << reported(CancellingPrevious(port=1455))
        << CancelPrevious(port=1455)
        >> GAVE_WAY
        << BACK_OFF
        >> RETRY
        << reported(Binding(port=1455, attempt=2))
        << Bind(port=1455, attempt=2)
        >> IN_USE
        << BACK_OFF
        >> RETRY
        << reported(Binding(port=1455, attempt=3))
        << Bind(port=1455, attempt=3)
        >> Bound(port=1455)
        << reported(Listening(url=samples.AUTH_URL, port=1455))
        << StartTimer(timer=Timer.DEADLINE, seconds=600.0)
        << reported(OpeningBrowser())
        << OpenBrowser(url=samples.AUTH_URL)
    )


def test_ten_attempts_then_the_fallback_then_failure() -> None:
    login = samples.machine()
    made = samples.drive(login, Started(), IN_USE, GAVE_WAY)
    for _ in range(9):
        made += samples.drive(login, RETRY, IN_USE)
    binds = [action for action in made if isinstance(action, Bind)]
    assert binds == [*(Bind(port=1455, attempt=n) for n in range(1, 11)), Bind(port=1457, attempt=1)]
    assert sum(isinstance(action, CancelPrevious) for action in made) == 1
    assert Playbook(login) >> IN_USE << UNAVAILABLE << AnyAction(Finish) << CloseListener()
    assert failure_of(login)[2] == "port 1457: address already in use"


def test_ten_attempts_on_a_chosen_port_then_failure() -> None:
    login = on_port(8080)
    made = samples.drive(login, Started(), IN_USE, GAVE_WAY)
    for _ in range(8):
        made += samples.drive(login, RETRY, IN_USE)
    made += login.handle(RETRY)
    assert [action.attempt for action in made if isinstance(action, Bind)] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert Playbook(login) >> IN_USE << UNAVAILABLE << AnyAction(Finish) << CloseListener()


def test_another_program_on_the_port_leads_to_the_fallback_at_once() -> None:
    url = samples.AUTH_URL.replace("%3A1455%2F", "%3A1457%2F")
    assert (
        Playbook(samples.machine_in("cancelling_previous"))
        >> REFUSED
        << reported(UsingFallbackPort(port=1457))
        << reported(Binding(port=1457, attempt=1))
        << Bind(port=1457, attempt=1)
        >> Bound(port=1457)
        << reported(Listening(url=url, port=1457))
        << StartTimer(timer=Timer.DEADLINE, seconds=600.0)
        << reported(OpeningBrowser())
        << OpenBrowser(url=url)
    )


def test_the_code_exchange_names_the_fallback_port() -> None:
    login = samples.machine_in("binding")
    samples.drive(login, FORBIDDEN, Bound(port=1457))
    sent = login.handle(samples.callback(port=1457))[-1]
    assert isinstance(sent, SendTokenRequest)
    assert ("redirect_uri", "http://127.0.0.1:1457/auth/callback") in sent.form


@pytest.mark.parametrize("port", [1455, None])
def test_a_forbidden_port_leads_to_the_fallback_at_once(port: int | None) -> None:
    login = on_port(port)
    assert without_reports(samples.drive(login, Started(), FORBIDDEN)) == [
        Bind(port=1455, attempt=1),
        Bind(port=1457, attempt=1),
    ]


@pytest.mark.parametrize("problem", [IN_USE, FORBIDDEN, samples.bind_failed(BindProblem.OTHER)])
def test_the_fallback_is_tried_once_and_its_holder_is_not_cancelled(problem: Event) -> None:
    login = samples.machine_in("binding")
    login.handle(FORBIDDEN)
    assert Playbook(login) >> problem << UNAVAILABLE << AnyAction(Finish) << CloseListener()


@pytest.mark.parametrize("events", [(FORBIDDEN,), (IN_USE, REFUSED)])
@pytest.mark.parametrize("port", [8080, 1457])
def test_a_chosen_port_has_no_fallback(port: int, events: tuple[Event, ...]) -> None:
    login = on_port(port)
    samples.drive(login, Started(), *events)
    assert login.state == "failed"
    assert failure_of(login)[:2] == ("bind_local_server", "local_server_unavailable")


def test_a_chosen_port_in_use_is_named_in_the_failure() -> None:
    login = on_port(8080)
    samples.drive(login, Started(), IN_USE, REFUSED)
    assert failure_of(login)[2] == "port 8080 is in use by another program"


def test_any_other_bind_error_fails_at_once() -> None:
    login = samples.machine_in("binding")
    problem = samples.bind_failed(BindProblem.OTHER, "cannot assign\x1b[2J address")
    assert Playbook(login) >> problem << UNAVAILABLE << AnyAction(Finish) << CloseListener()
    assert failure_of(login)[2] == "port 1455: cannot assign\ufffd[2J address"


def test_port_0_is_any_port_and_the_address_names_the_real_one() -> None:
    url = samples.AUTH_URL.replace("%3A1455%2F", "%3A49152%2F")
    assert (
        Playbook(on_port(0))
        >> Started()
        << reported(Binding(port=0, attempt=1))
        << Bind(port=0, attempt=1)
        >> Bound(port=49152)
        << reported(Listening(url=url, port=49152))
        << StartTimer(timer=Timer.DEADLINE, seconds=600.0)
        << reported(OpeningBrowser())
        << OpenBrowser(url=url)
    )


def test_no_previous_login_is_cancelled_for_port_0() -> None:
    made = samples.drive(on_port(0), Started(), IN_USE)
    assert not any(isinstance(action, CancelPrevious) for action in made)


def test_a_host_name_registered_as_localhost() -> None:
    login = samples.machine(samples.OPTIONS.__replace__(redirect_host="localhost"))
    samples.drive(login, Started(), Bound(port=1455))
    assert login.auth_url == samples.AUTH_URL.replace("127.0.0.1", "localhost")


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ("idle", "wait_for_callback"),
        ("binding", "bind_local_server"),
        ("cancelling_previous", "bind_local_server"),
    ],
)
def test_cancelled_before_there_is_a_port(state: str, phase: str) -> None:
    assert (
        Playbook(samples.machine_in(state))
        >> CancelRequested(reason="Ctrl-C")
        << reported(Cancelled(step=LoginFailureStep(phase), message="Ctrl-C"))
        << AnyAction(Finish)
        << CloseListener()
        >> Bound(port=1455)
        >> GAVE_WAY
    )


def test_cancelled_while_backing_off() -> None:
    assert (
        Playbook(samples.machine_in("backing_off"))
        >> CancelRequested()
        << reported(Cancelled(step=LoginFailureStep.BIND_LOCAL_SERVER, message="cancelled by the caller"))
        << StopTimer(timer=Timer.BIND_RETRY)
        << AnyAction(Finish)
        << CloseListener()
        >> RETRY
    )


def test_a_retry_that_is_no_longer_due_is_dropped() -> None:
    login = samples.machine_in("backing_off")
    samples.drive(login, RETRY, Bound(port=1455))
    assert Playbook(login) >> RETRY


@pytest.mark.parametrize(("ordered", "bound"), [(1455, 1457), (1455, 0), (0, 0), (0, 65536), (0, -1)])
def test_a_port_without_a_bind_action_is_unexpected(ordered: int, bound: int) -> None:
    login = on_port(ordered)
    login.handle(Started())
    with pytest.raises(UnexpectedEvent):
        login.handle(Bound(port=bound))
    assert login.state == "binding"

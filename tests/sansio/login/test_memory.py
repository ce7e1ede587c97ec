"""Logins are freed by reference counting alone, in every state."""

from __future__ import annotations

import gc
from collections.abc import Iterator  # noqa: TC003 - pytest reads the annotations of fixtures
from concurrent.futures import ThreadPoolExecutor

import pytest

from loginmachine.sansio import LoginMachine, UnexpectedEvent
from loginmachine.sansio.login.events import BindProblem, Started
from loginmachine.sansio.login.state import LoginData

from .. import samples


def alive() -> int:
    # (Of exactly these types: asking every object there is for its class takes seconds.)
    return sum(type(thing) in (LoginMachine, LoginData) for thing in gc.get_objects())


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def succeed() -> None:
    login = samples.machine_in("succeeded")
    login.handle(samples.LINGER)


def fail() -> None:
    samples.machine_in("failed")


def fail_to_bind() -> None:
    samples.machine_in("binding").handle(samples.bind_failed(BindProblem.OTHER))


def cancel() -> None:
    samples.machine_in("cancelled")


def refuse_an_id_token() -> None:
    samples.machine_in("exchanging_code").handle(samples.answer(body=samples.token_json(id_token="a.b.c")))


def misuse() -> None:
    login = samples.machine_in("awaiting_callback")
    with pytest.raises(UnexpectedEvent):
        login.handle(Started())


def test_the_test_counts_logins() -> None:
    before = alive()
    login = samples.machine()
    assert alive() == before + 2, "a machine and its data"
    del login


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("end", [succeed, fail, fail_to_bind, cancel, refuse_an_id_token, misuse])
def test_finished_logins_leave_nothing_behind(end: object) -> None:
    assert callable(end)
    before = alive()
    for _ in range(200):
        end()
    assert alive() == before


def test_two_threads_may_run_two_logins_at_the_same_time() -> None:
    def login(_: int) -> str:
        return samples.machine_in("succeeded").state

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(login, range(200))) == {"succeeded"}

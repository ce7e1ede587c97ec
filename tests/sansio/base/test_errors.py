"""The exception for an event that makes no sense."""

from __future__ import annotations

import pytest

from loginmachine.sansio import LoginState, UnexpectedEvent
from loginmachine.sansio.login.events import Bound

from ..samples import machine


def test_the_refused_event_is_named_with_its_state() -> None:
    with pytest.raises(UnexpectedEvent, match=r"^Bound makes no sense in state idle$") as caught:
        machine().handle(Bound(port=1455))
    assert caught.value.state is LoginState.IDLE
    assert caught.value.event == Bound(port=1455)

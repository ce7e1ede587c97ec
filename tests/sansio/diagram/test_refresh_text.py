"""The words of docs/refresh-diagram.md: the meaning of each trigger, the guards and the stories."""

from __future__ import annotations

from loginmachine.sansio.diagram import refresh as diagram
from loginmachine.sansio.diagram.refresh_text import DELIVERY, MEANING
from loginmachine.sansio.refresh.outcome import Delivery
from loginmachine.sansio.refresh.states import RefreshState, RefreshTrigger
from loginmachine.sansio.refresh.table import REFRESH_ROWS


def test_guards_are_explained() -> None:
    assert "- `still_lasts`: The old token is still valid, and may be delivered once more.\n" in diagram.markdown()


def test_two_programs_at_once_as_a_story() -> None:
    assert (
        "### Two programs refresh at once\n\n"
        "One refreshes. The other reads the store four times a second, and adopts the tokens that it finds there.\n\n"
        "1. `idle`: `access_token_wanted / load`, to `reading`\n"
        "2. `reading`: `refresh_due / take_lock`, to `locking`\n"
        "3. `locking`: `lock_busy / load`, to `reading_while_waiting`\n"
        "4. `reading_while_waiting`: `refresh_due [may_wait] / take_lock`, to `locking`\n"
        "5. `locking`: `lock_busy / load`, to `reading_while_waiting`\n"
        "6. `reading_while_waiting`: `credentials_renewed / adopt`, to `succeeded`\n"
    ) in diagram.markdown()


def test_no_story_has_an_unexpected_event() -> None:
    assert "is a mistake of the host\n" not in diagram.markdown().replace("is a mistake of the host: `Unex", "")


def test_every_trigger_is_explained_and_every_delivery_is_named() -> None:
    assert set(MEANING) == set(RefreshTrigger)
    assert set(DELIVERY) == {row.effect for row in REFRESH_ROWS if row.dest is RefreshState.SUCCEEDED}
    assert set(DELIVERY.values()) == set(Delivery)

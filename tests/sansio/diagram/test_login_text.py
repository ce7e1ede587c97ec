"""The words of docs/state-diagram.md: the meaning of each trigger, the guards and the stories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginmachine.sansio.diagram import login as diagram
from loginmachine.sansio.diagram.login_text import MEANING
from loginmachine.sansio.login.states import Trigger

if TYPE_CHECKING:
    import pytest


def test_guards_are_explained() -> None:
    assert "- `has_fallback`: There is a second registered port, which was not tried yet.\n" in diagram.markdown()


def test_two_tabs_at_once_as_a_story() -> None:
    assert (
        "### Two tabs come back at once\n\n"
        "The code is exchanged once. The same callback again waits for the same answer. A callback "
        "with another code gets a page that says so.\n\n"
        "1. `awaiting_callback`: `callback_accepted / exchange_code`, to `exchanging_code`\n"
        "2. `exchanging_code`: `callback_repeated / join_wait`, and stays\n"
        "3. `exchanging_code`: `callback_conflicted / answer_conflict`, and stays\n"
        "4. `exchanging_code`: `tokens_received / save`, to `saving_credentials`\n"
        "5. `saving_credentials`: `credentials_saved / succeed`, to `succeeded`\n"
    ) in diagram.markdown()


def test_stories_take_the_first_row_whose_guard_holds() -> None:
    document = diagram.markdown()
    assert "4. `binding`: `port_taken / fail`, to `failed`\n" in document
    assert "5. `binding`: `port_taken [may_bind_again] / back_off`, to `backing_off`\n" in document


def test_stories_match_the_table() -> None:
    document = diagram.markdown()
    assert "2. `cancelled`: `tokens_received` is ignored: a final state has no row for it\n" in document
    assert "mistake of the host\n" not in document, "a story asks for a row that is gone"
    assert document.count("is ignored: a final state") == 1


def test_every_trigger_is_explained() -> None:
    assert [trigger for trigger in Trigger if trigger not in MEANING] == []


def test_a_trigger_without_a_text_is_shown_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagram, "MEANING", {})
    assert "| `port_taken`: port taken |" in diagram.markdown()

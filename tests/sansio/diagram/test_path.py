"""The path of one login, highlighted in the drawings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginmachine.sansio import LoginState
from loginmachine.sansio.diagram import login as diagram
from loginmachine.sansio.diagram.login_dot import dot
from loginmachine.sansio.login.states import Trigger

from .test_login import arrows

if TYPE_CHECKING:
    from loginmachine.sansio.diagram.path import Step

S, T = LoginState, Trigger
AGAIN: tuple[Step, ...] = (
    (S.BACKING_OFF, T.RETRY_DUE, S.BINDING),
    (S.BINDING, T.PORT_TAKEN, S.BACKING_OFF),
)
TO_BACKING_OFF: tuple[Step, ...] = (
    (S.IDLE, T.STARTED, S.BINDING),
    (S.BINDING, T.PORT_TAKEN, S.CANCELLING_PREVIOUS),
    (S.CANCELLING_PREVIOUS, T.PREVIOUS_CANCELLED, S.BACKING_OFF),
)
TO_CODE: tuple[Step, ...] = (
    (S.IDLE, T.STARTED, S.BINDING),
    (S.BINDING, T.PORT_FORBIDDEN, S.BINDING),
    (S.BINDING, T.BOUND, S.AWAITING_CALLBACK),
    (S.AWAITING_CALLBACK, T.BROWSER_OPENED, S.AWAITING_CALLBACK),
    (S.AWAITING_CALLBACK, T.CALLBACK_ACCEPTED, S.EXCHANGING_CODE),
)
FAILED: tuple[Step, ...] = (*TO_CODE, (S.EXCHANGING_CODE, T.TOKEN_ENDPOINT_REJECTED, S.FAILED))
CANCELLED: tuple[Step, ...] = (*TO_CODE, (S.EXCHANGING_CODE, T.CANCEL_REQUESTED, S.CANCELLED))


def lines(drawing: str) -> list[str]:
    return [line.strip() for line in drawing.splitlines()]


def test_arrows_have_the_numbers_of_the_steps() -> None:
    drawn = arrows(diagram.mermaid_overview(highlight=FAILED))
    assert drawn["idle", "binding"] == "(1)<br/>started<br/>/ bind_first_port"
    assert drawn["binding", "awaiting_callback"] == "(3)<br/>bound<br/>/ await_callback"
    assert drawn["awaiting_callback", "exchanging_code"] == "(4)<br/>callback_accepted<br/>/ exchange_code"
    assert drawn["saving_credentials", "succeeded"] == "credentials_saved<br/>/ succeed"


def test_a_step_inside_a_box_has_its_number_there() -> None:
    painted = lines(diagram.mermaid_overview(highlight=FAILED))
    assert "binding : (2) port_forbidden [has_fallback]" in painted
    assert "binding : port_taken [has_fallback]" in painted


def test_the_failure_is_named_in_the_overview() -> None:
    drawn = arrows(diagram.mermaid_overview(highlight=FAILED))
    assert drawn["any_failing", "failed"].endswith(" causes<br/>/ fail, doubt_client<br/>(5) token_endpoint_rejected")


def test_the_states_of_the_path_have_a_thick_border() -> None:
    painted = lines(diagram.mermaid_overview(highlight=FAILED))
    assert painted[-2:] == [
        "classDef passed stroke:#1d4ed8,stroke-width:4px",
        "class idle,binding,awaiting_callback,exchanging_code,failed,any_failing passed",
    ]


def test_a_cancelled_login_comes_from_a_node_for_several_states() -> None:
    painted = diagram.mermaid_overview(highlight=CANCELLED)
    assert arrows(painted)["any_cancel_requested", "cancelled"] == "(5)<br/>cancel_requested<br/>/ cancel"
    assert lines(painted)[-1] == (
        "class idle,binding,awaiting_callback,exchanging_code,cancelled,any_cancel_requested passed"
    )


def test_many_rounds_are_shortened() -> None:
    def marks(rounds: int) -> tuple[str, str]:
        drawn = arrows(diagram.mermaid_overview(highlight=TO_BACKING_OFF + rounds * AGAIN))
        there, back = drawn["binding", "backing_off"], drawn["backing_off", "binding"]
        return there.split("<br/>")[0], back.split("<br/>")[0]

    assert marks(1) == ("(5)", "(4)")
    assert marks(4) == ("(5, 7, 9, 11)", "(4, 6, 8, 10)")
    assert marks(9) == ("(5, 7, 9 ... 21)", "(4, 6, 8 ... 20)")


def test_the_failure_in_the_drawing_of_failures() -> None:
    painted = diagram.mermaid_failures(highlight=FAILED)
    assert "<br/>(5)<br/>token_endpoint_rejected<br/>" in arrows(painted)["exchanging_code", "exchanging_code_failed"]
    assert lines(painted)[-1] == "class exchanging_code,exchanging_code_failed passed"


def test_graphviz_highlights_arrows_too() -> None:
    painted = lines(dot(highlight=CANCELLED))
    passed = 'color="#1d4ed8", penwidth=3'
    assert f'"idle" -> "binding" [label="(1)\\nstarted\\n/ bind_first_port", {passed}];' in painted
    assert f'"awaiting_callback" [style="rounded,dashed", color="#dc2626", {passed}];' in painted
    cancelled = f'"any_cancel_requested" -> "cancelled" [label="(5)\\ncancel_requested\\n/ cancel", {passed}];'
    assert cancelled in painted
    assert sum(f", {passed}];" in line and (" -> " in line or "any" in line) for line in painted) == 5
    assert [line.split()[0] for line in painted if line.endswith(f"{passed}];") and " -> " not in line] == [
        *('"any_cancel_requested"', '"idle"', '"binding"', '"awaiting_callback"', '"exchanging_code"', '"cancelled"'),
        *('"provider_idle"', '"provider_binding"', '"provider_awaiting_callback"', '"provider_exchanging_code"'),
    ]


def test_the_table_of_failures_has_the_number_of_the_step() -> None:
    assert "<br/>(5) token_endpoint_rejected<br/>" in dot(highlight=FAILED)


TO_KEYS: tuple[Step, ...] = (
    (S.IDLE, T.STARTED, S.DISCOVERING),
    (S.DISCOVERING, T.METADATA_RECEIVED, S.BINDING),
    (S.BINDING, T.BOUND, S.AWAITING_CALLBACK),
    (S.AWAITING_CALLBACK, T.CALLBACK_ACCEPTED, S.EXCHANGING_CODE),
    (S.EXCHANGING_CODE, T.KEYS_NEEDED, S.FETCHING_KEYS),
)


def test_a_login_that_fetched_something_has_it_in_the_overview() -> None:
    painted = diagram.mermaid_overview(highlight=TO_KEYS)
    drawn = arrows(painted)
    assert drawn["idle", "discovering"].startswith("(1)<br/>started<br/>[needs_metadata]")
    assert drawn["exchanging_code", "fetching_keys"] == "(5)<br/>keys_needed<br/>/ fetch_keys"
    assert lines(painted)[-1] == "class idle,discovering,binding,awaiting_callback,exchanging_code,fetching_keys passed"
    assert lines(diagram.mermaid_provider(highlight=TO_KEYS))[-1] == lines(painted)[-1]
    assert "discovering" not in diagram.mermaid_overview(highlight=FAILED)


def test_without_steps_nothing_is_highlighted() -> None:
    for draw in (diagram.mermaid_overview, diagram.mermaid_provider, diagram.mermaid_failures, dot):
        assert draw(highlight=()) == draw()
        assert "#1d4ed8" not in draw()
        assert "(1)" not in draw()


def test_steps_that_are_not_drawn_highlight_their_states_only() -> None:
    stays = ((S.AWAITING_CALLBACK, T.BROWSER_OPENED, S.AWAITING_CALLBACK),)
    assert lines(diagram.mermaid_overview(highlight=stays))[-1] == "class awaiting_callback passed"
    assert "(1)" not in dot(highlight=stays)

"""The table of a login as drawings: complete, well-formed, and the same as the document in docs/."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from loginmachine.sansio.diagram import login as diagram
from loginmachine.sansio.diagram.login_dot import dot
from loginmachine.sansio.login.states import FINAL_STATES, LoginState
from loginmachine.sansio.login.table import ROWS, Row

DRAWINGS = (diagram.mermaid_overview, diagram.mermaid_provider, diagram.mermaid_failures)
DOCUMENT = Path(__file__).parents[3] / "docs" / "state-diagram.md"
ARROW = re.compile(r"(\S+) --> (\S+)(?: : (.*))?")


def arrows(drawing: str) -> dict[tuple[str, str], str]:
    """Return the arrows of a Mermaid drawing: the label by both ends."""
    found = [match for line in drawing.splitlines() if (match := ARROW.fullmatch(line.strip()))]
    ends = [(match[1], match[2]) for match in found]
    assert len(set(ends)) == len(ends), "two arrows between the same two ends lie on each other"
    return {(match[1], match[2]): match[3] or "" for match in found}


def row_id(row: Row) -> str:
    return f"{row.source[0]}-{row.trigger}-{row.guard.__name__ if row.guard else 'else'}"


# The document


def test_the_committed_document_matches_the_table() -> None:
    assert DOCUMENT.read_text("ascii") == diagram.markdown(), "run: make diagram"


def test_the_program_prints_the_document() -> None:
    command = [sys.executable, "-m", "loginmachine.sansio.diagram.login"]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == DOCUMENT.read_text("ascii")


def test_drawing_twice_gives_the_same() -> None:
    for draw in (*DRAWINGS, dot, diagram.markdown):
        assert draw() == draw()


def test_there_is_one_line_for_each_row() -> None:
    lines = [line for line in diagram.markdown().splitlines() if line.startswith("| ")]
    heads = [line for line in lines if line.startswith(("| In |", "| --- |"))]
    assert len(heads) == 4
    assert len(lines) - len(heads) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_each_row_is_in_the_document(row: Row) -> None:
    words = [f"| `{row.trigger}`: ", f"`{row.effect.__name__}`"]
    words += [f"| `{row.guard.__name__}` |"] if row.guard else []
    words += [f"| `{row.dest}` |"] if row.dest else []
    words += [f"`{row.source[0]}`"] if len(row.source) == 1 else []
    assert any(
        line.startswith("| ") and all(word in line for word in words) for line in diagram.markdown().splitlines()
    )


@pytest.mark.parametrize(
    "cells",
    [
        ("`idle`", "`started`: the host starts the login", "", "`bind_first_port`", "`binding`"),
        (
            "`binding`",
            "`port_taken`: another program holds the port",
            "`may_bind_again`",
            "`back_off`",
            "`backing_off`",
        ),
        (
            "`awaiting_callback`",
            "`deadline_passed`: the person did not come back in time",
            "",
            "`fail` as `login_timed_out`",
            "`failed`",
        ),
        (
            "any unfinished state but `saving_credentials`",
            "`cancel_requested`: the host, or another login server, cancels the login",
            "",
            "`cancel` as `login_cancelled`",
            "`cancelled`",
        ),
        (
            "`saving_client` to `saving_credentials`",
            "`callback_repeated`: the accepted callback once more",
            "`join_wait`",
        ),
        ("any final state", "`linger_over`: the time for last pages is over", "`close`"),
        ("`failed`, `cancelled`", "`callback_denied`: the provider sends an error", "`answer_over`"),
    ],
)
def test_some_rows_in_words(cells: tuple[str, ...]) -> None:
    assert f"| {' | '.join(cells)} |" in diagram.markdown().splitlines()


# The overview


def test_the_path_of_a_login_that_succeeds() -> None:
    drawn = arrows(diagram.mermaid_overview())
    road = {
        ("[*]", "idle"): "",
        ("idle", "binding"): "started<br/>/ bind_first_port",
        ("binding", "awaiting_callback"): "bound<br/>/ await_callback",
        ("awaiting_callback", "exchanging_code"): "callback_accepted<br/>/ exchange_code",
        ("exchanging_code", "exchanging_api_key"): "tokens_received<br/>[wants_api_key]<br/>/ exchange_api_key",
        ("exchanging_code", "saving_credentials"): "tokens_received<br/>/ save",
        ("exchanging_api_key", "saving_credentials"): (
            "api_key_received<br/>/ save_with_api_key<br/>api_key_unavailable<br/>/ save_without_api_key"
        ),
        ("saving_credentials", "succeeded"): "credentials_saved<br/>/ succeed",
        ("succeeded", "[*]"): "",
    }
    assert {ends: drawn[ends] for ends in road} == road


def test_the_overview_has_no_other_arrows() -> None:
    assert set(arrows(diagram.mermaid_overview())) == {
        ("[*]", "idle"),
        ("idle", "binding"),
        ("idle", "awaiting_callback"),
        ("idle", "requesting_device_code"),
        ("requesting_device_code", "binding"),
        ("requesting_device_code", "polling_device_code"),
        ("polling_device_code", "exchanging_code"),
        ("polling_device_code", "saving_credentials"),
        ("binding", "cancelling_previous"),
        ("binding", "backing_off"),
        ("binding", "awaiting_callback"),
        ("cancelling_previous", "binding"),
        ("cancelling_previous", "backing_off"),
        ("backing_off", "binding"),
        ("awaiting_callback", "exchanging_code"),
        ("exchanging_code", "exchanging_api_key"),
        ("exchanging_code", "saving_credentials"),
        ("exchanging_api_key", "saving_credentials"),
        ("saving_credentials", "succeeded"),
        ("any_failing", "failed"),
        ("any_cancel_requested", "cancelled"),
        ("succeeded", "[*]"),
        ("failed", "[*]"),
        ("cancelled", "[*]"),
    }


@pytest.mark.parametrize("state", LoginState)
def test_every_state_is_drawn(state: LoginState) -> None:
    drawn = arrows(diagram.mermaid_overview())
    about_provider = arrows(diagram.mermaid_provider())
    assert any(state in ends for ends in drawn) or any(state in ends for ends in about_provider)
    assert ((state, "[*]") in drawn) == (state in ("succeeded", "failed", "cancelled"))


def test_a_row_back_to_its_own_state_is_written_into_the_box() -> None:
    lines = [line.strip() for line in diagram.mermaid_overview().splitlines()]
    assert [line for line in lines if line.startswith("binding : ")] == [
        "binding : binding",
        "binding : port_taken [has_fallback]",
        "binding : port_forbidden [has_fallback]",
        "binding : / bind_fallback",
    ]


def test_a_node_for_several_states() -> None:
    overview = diagram.mermaid_overview()
    assert 'state "any unfinished state<br/>but saving_credentials" as any_cancel_requested\n' in overview
    assert "any_failing --> failed : 44 causes<br/>/ fail, doubt_client\n" in overview
    assert (
        "class requesting_device_code,polling_device_code,binding,cancelling_previous,awaiting_callback,"
        "exchanging_code,saving_credentials,any_failing fails\n"
    ) in overview


def test_rows_that_stay_are_not_drawn() -> None:
    drawings = dot() + "".join(draw() for draw in DRAWINGS)
    for trigger in ("browser_opened", "callback_repeated", "request_refused", "page_sent", "linger_over"):
        assert trigger not in drawings


def test_the_path_with_a_device_code() -> None:
    drawn = arrows(diagram.mermaid_overview())
    road = {
        ("idle", "requesting_device_code"): "started_with_device_code<br/>/ request_device_code",
        ("requesting_device_code", "polling_device_code"): "device_code_received<br/>/ show_device_code",
        ("requesting_device_code", "binding"): (
            "device_code_not_enabled<br/>[may_use_browser]<br/>/ use_browser_instead"
        ),
        ("polling_device_code", "exchanging_code"): "device_code_authorized<br/>/ exchange_device_code",
        ("polling_device_code", "saving_credentials"): "tokens_received<br/>/ save",
    }
    assert {ends: drawn[ends] for ends in road} == road


# What is fetched about the provider


def test_the_drawing_of_what_is_fetched_about_the_provider() -> None:
    assert arrows(diagram.mermaid_provider()) == {
        ("idle", "discovering_resource"): (
            "started<br/>[needs_resource_metadata]<br/>/ read_resource"
            "<br/>started_with_device_code<br/>[needs_resource_metadata]<br/>/ read_resource_for_code"
        ),
        ("discovering_resource", "discovering"): (
            "metadata_not_found<br/>/ discover_at_origin<br/>resource_metadata_received<br/>/ discover_named_server"
        ),
        ("idle", "discovering"): (
            "started<br/>[needs_metadata]<br/>/ discover"
            "<br/>started_with_device_code<br/>[needs_metadata]<br/>/ discover_for_device_code"
        ),
        ("idle", "registering"): "started_with_device_code<br/>[must_register]<br/>/ register_for_device_code",
        ("discovering", "binding"): (
            "device_code_not_enabled<br/>[may_use_browser]<br/>/ turn_to_browser"
            "<br/>metadata_received<br/>/ bind_after_discovery"
        ),
        ("discovering", "registering"): (
            "metadata_received<br/>[must_register_for_code]<br/>/ register_after_discovery"
        ),
        ("discovering", "requesting_device_code"): (
            "metadata_received<br/>[wants_device_code]<br/>/ get_code_after_discovery"
        ),
        ("discovering", "pushing_request"): "metadata_received<br/>[must_push_as_found]<br/>/ push_as_found",
        ("discovering", "awaiting_callback"): "metadata_received<br/>[has_own_address]<br/>/ await_as_found",
        ("idle", "pushing_request"): "started<br/>[must_push_at_host]<br/>/ push",
        ("binding", "registering"): "bound<br/>[must_register]<br/>/ register_with_port",
        ("binding", "pushing_request"): "bound<br/>[must_push]<br/>/ push_with_port",
        ("registering", "saving_registration"): "client_registered<br/>/ save_registration",
        ("saving_registration", "requesting_device_code"): (
            "registration_saved<br/>[wants_device_code]<br/>/ request_device_code"
        ),
        ("saving_registration", "pushing_request"): "registration_saved<br/>[must_push]<br/>/ push",
        ("saving_registration", "awaiting_callback"): "registration_saved<br/>/ await_callback_of_client",
        ("pushing_request", "awaiting_callback"): "request_pushed<br/>/ await_callback_of_pushed",
        ("awaiting_callback", "saving_client"): "client_confirmed<br/>/ save_client",
        ("saving_client", "exchanging_code"): "registration_saved<br/>/ exchange_code_of_client",
        ("exchanging_code", "fetching_keys"): "keys_needed<br/>/ fetch_keys",
        ("polling_device_code", "fetching_keys"): "keys_needed<br/>/ fetch_keys",
        ("fetching_keys", "exchanging_api_key"): "tokens_received<br/>[wants_api_key]<br/>/ exchange_api_key",
        ("fetching_keys", "saving_credentials"): "tokens_received<br/>/ save",
    }


def test_the_second_address_of_the_metadata_is_written_into_the_box() -> None:
    lines = [line.strip() for line in diagram.mermaid_provider().splitlines()]
    assert [line for line in lines if line.startswith("discovering_resource : ")] == [
        "discovering_resource : discovering_resource",
        "discovering_resource : metadata_not_found [has_other_resource_address]",
        "discovering_resource : / read_resource_elsewhere",
    ]
    assert [line for line in lines if line.startswith("discovering : ")] == [
        "discovering : discovering",
        "discovering : metadata_not_found [has_other_address]",
        "discovering : / discover_elsewhere",
    ]


# The failures


def test_every_arrow_to_an_early_end() -> None:
    assert arrows(diagram.mermaid_failures()) == {
        ("binding", "binding_failed"): "port_taken<br/>port_forbidden<br/>bind_failed<br/>/ fail",
        ("cancelling_previous", "cancelling_previous_failed"): "previous_refused<br/>/ fail",
        ("awaiting_callback", "awaiting_callback_failed"): (
            "callback_issuer_mismatched<br/>callback_denied<br/>callback_without_code"
            "<br/>callback_client_refused<br/>deadline_passed<br/>/ fail"
        ),
        ("exchanging_code", "exchanging_code_failed"): (
            "token_request_timed_out<br/>token_endpoint_unreachable<br/>token_request_broken"
            "<br/>token_endpoint_rejected<br/>token_response_malformed<br/>id_token_refused"
            "<br/>scope_missing<br/>workspace_refused<br/>/ fail<br/>client_refused<br/>/ doubt_client"
        ),
        ("discovering_resource", "discovering_resource_failed"): "discovery_failed<br/>/ fail",
        ("discovering", "discovering_failed"): (
            "metadata_not_found<br/>discovery_failed<br/>device_code_not_enabled<br/>/ fail"
        ),
        ("registering", "registering_failed"): "registration_failed<br/>/ fail",
        ("saving_registration", "saving_registration_failed"): "registration_save_failed<br/>/ fail",
        ("saving_client", "saving_client_failed"): "registration_save_failed<br/>/ fail",
        ("pushing_request", "pushing_request_failed"): "push_failed<br/>/ fail",
        ("fetching_keys", "fetching_keys_failed"): (
            "keys_unavailable<br/>id_token_refused<br/>scope_missing<br/>workspace_refused<br/>/ fail"
        ),
        ("saving_credentials", "saving_credentials_failed"): "save_failed<br/>/ fail",
        ("requesting_device_code", "requesting_device_code_failed"): (
            "device_code_not_enabled<br/>device_code_refused<br/>token_request_timed_out"
            "<br/>token_endpoint_unreachable<br/>token_request_broken<br/>token_response_malformed<br/>/ fail"
        ),
        ("polling_device_code", "polling_device_code_failed"): (
            "device_code_denied<br/>device_code_expired<br/>deadline_passed<br/>token_response_malformed"
            "<br/>id_token_refused<br/>scope_missing<br/>workspace_refused<br/>/ fail"
        ),
        ("any_cancel_requested", "any_cancel_requested_cancelled"): "cancel_requested<br/>/ cancel",
        ("discovering_resource_failed", "[*]"): "",
        ("discovering_failed", "[*]"): "",
        ("registering_failed", "[*]"): "",
        ("saving_registration_failed", "[*]"): "",
        ("saving_client_failed", "[*]"): "",
        ("pushing_request_failed", "[*]"): "",
        ("fetching_keys_failed", "[*]"): "",
        ("binding_failed", "[*]"): "",
        ("cancelling_previous_failed", "[*]"): "",
        ("awaiting_callback_failed", "[*]"): "",
        ("exchanging_code_failed", "[*]"): "",
        ("saving_credentials_failed", "[*]"): "",
        ("requesting_device_code_failed", "[*]"): "",
        ("polling_device_code_failed", "[*]"): "",
        ("any_cancel_requested_cancelled", "[*]"): "",
    }


def test_categories_stand_in_the_order_of_the_events() -> None:
    lines = [line.strip() for line in diagram.mermaid_failures().splitlines()]
    assert [line for line in lines if line.startswith("awaiting_callback_failed : ")] == [
        "awaiting_callback_failed : issuer_mismatch",
        "awaiting_callback_failed : provider_callback_error",
        "awaiting_callback_failed : missing_authorization_code",
        "awaiting_callback_failed : registration_failed",
        "awaiting_callback_failed : login_timed_out",
    ]
    assert lines.count("binding_failed : local_server_unavailable") == 1
    assert "any_cancel_requested_cancelled : login_cancelled" in lines


@pytest.mark.parametrize("drawing", DRAWINGS, ids=["overview", "provider", "failures"])
def test_mermaid_is_well_formed(drawing: object) -> None:
    assert callable(drawing)
    lines = drawing().splitlines()
    styles = {line.split()[1] for line in lines if line.startswith("    classDef ")}
    drawn = arrows(drawing())
    nodes = {node for ends in drawn for node in ends}
    assert lines[0] == "stateDiagram-v2"
    assert all(line.startswith("    ") for line in lines[1:])
    for line in lines:
        if line.startswith("    class "):
            _, members, style = line.split()
            assert style in styles
            assert set(members.split(",")) <= nodes
    # A node is a state, or says in words what it stands for.
    named = {line.rsplit(" as ", 1)[1] for line in lines if line.startswith("    state ")}
    assert nodes - named <= {*LoginState, "[*]"}
    # Mermaid breaks longer lines by itself, in the wrong places.
    assert max(len(part) for label in drawn.values() for part in label.split("<br/>")) <= 26


# Graphviz


def test_dot_is_balanced_and_names_every_state() -> None:
    drawing = dot()
    lines = drawing.splitlines()
    bare = re.sub(r'"[^"]*"', "", drawing)
    assert lines[0] == "digraph login {"
    assert lines[-1] == "}"
    assert all(line.endswith(";") and line.count('"') % 2 == 0 for line in lines[1:-1])
    assert bare.count("{") == bare.count("}") == 1
    assert bare.count("[") == bare.count("]") > 0
    for state in LoginState:
        assert f'"{state}"' in drawing or f'"provider_{state}"' in drawing


def test_dot_has_the_arrows_of_both_drawings() -> None:
    drawn = set(re.findall(r'"(\w+)" -> "(\w+)" ?(?:\[label|;)', dot()))
    names = {"[*]": "end"}
    road = {(tail, names.get(head, head)) for tail, head in arrows(diagram.mermaid_overview()) if tail != "[*]"}
    provider = {(f"provider_{tail}", f"provider_{head}") for tail, head in arrows(diagram.mermaid_provider())}
    assert drawn == (road - {("any_failing", "failed")}) | provider | {("start", "idle")}
    assert {tail for tail, head in drawn if head == "end"} == set(FINAL_STATES)


def test_dot_has_a_table_of_the_failures() -> None:
    rows = re.findall(r"<tr>(.*?)</tr>", dot())
    cells = [tuple(re.findall(r"<td[^>]*>(.*?)</td>", row)) for row in rows]
    assert len(cells) == 15
    assert ("cancelling_previous", "previous_refused", "local_server_unavailable") in cells
    assert ("fetching_keys", "keys_unavailable<br/>id_token_refused<br/>scope_missing<br/>workspace_refused") in [
        row[:2] for row in cells
    ]
    assert 'color="#dc2626"' not in "".join(line for line in dot().splitlines() if '"backing_off" [' in line)


def test_dot_writes_labels_on_lines() -> None:
    drawing = dot()
    assert r'"binding" -> "backing_off" [label="port_taken\n[may_bind_again]\n/ back_off"];' in drawing
    assert r'label="{binding|port_taken [has_fallback]\nport_forbidden [has_fallback]\n/ bind_fallback}"' in drawing
    assert '"saving_credentials" [style="rounded,dashed", color="#dc2626"];' in drawing
    assert r'"any_cancel_requested" [label="any unfinished state\nbut saving_credentials"' in drawing

"""The table of a refresh as drawings: complete, well-formed, and the same as the document in docs/."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from loginmachine.sansio.diagram import refresh as diagram
from loginmachine.sansio.refresh.failures import RefreshFailureCategory
from loginmachine.sansio.refresh.states import REFRESH_FINAL_STATES, RefreshState
from loginmachine.sansio.refresh.table import REFRESH_ROWS, RefreshRow

from .test_login import arrows

DOCUMENT = Path(__file__).parents[3] / "docs" / "refresh-diagram.md"


def row_id(row: RefreshRow) -> str:
    return f"{row.source[0]}-{row.trigger}-{row.guard.__name__ if row.guard else 'else'}"


# The document


def test_the_committed_document_matches_the_table() -> None:
    assert DOCUMENT.read_text("ascii") == diagram.markdown(), "run: make diagram"


def test_the_program_prints_the_document() -> None:
    command = [sys.executable, "-m", "loginmachine.sansio.diagram.refresh"]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == DOCUMENT.read_text("ascii")


def test_there_is_one_line_for_each_row() -> None:
    lines = [line for line in diagram.markdown().splitlines() if line.startswith("| ")]
    assert len(lines) - 2 == len(REFRESH_ROWS)


@pytest.mark.parametrize(
    "cells",
    [
        ("`locking`", "`lock_busy`: another session holds the lock", "", "`load`", "`reading_while_waiting`"),
        (
            "`reading_before_saving`, `reading_after_refusal`",
            "`credentials_renewed`: another process, or a new login, has stored others",
            "",
            "`adopt` as `adopted`",
            "`succeeded`",
        ),
        (
            "`exchanging_refresh_token`",
            "`refresh_response_malformed`: the response cannot be used",
            "`still_lasts`",
            "`keep_for_now` as `kept`",
            "`succeeded`",
        ),
        (
            "`reading_after_refusal`",
            "`credentials_unchanged`: the store holds what it held before",
            "",
            "`fail_for_good` as `refresh_token_rejected`",
            "`failed`",
        ),
        (
            "`reading_before_saving`, `reading_after_refusal`",
            "`credentials_missing`: nothing is stored",
            "",
            "`fail` as `not_signed_in`",
            "`failed`",
        ),
    ],
)
def test_some_rows_in_words(cells: tuple[str, ...]) -> None:
    assert f"| {' | '.join(cells)} |" in diagram.markdown().splitlines()


# Mermaid


def test_the_overview_has_every_delivery_of_a_token() -> None:
    drawn = arrows(diagram.mermaid_overview())
    assert drawn["[*]", "idle"] == ""
    assert drawn["locking", "reading_while_waiting"] == "lock_busy<br/>/ load"
    assert (
        drawn["reading_while_waiting", "locking"]
        == "refresh_due<br/>[may_wait]<br/>save_due<br/>[may_wait]<br/>/ take_lock"
    )
    assert drawn["reading_after_refusal", "reading_after_refusal_succeeded"] == (
        "credentials_unchanged<br/>[still_lasts]<br/>credentials_unknown<br/>[still_lasts]<br/>/ keep_for_good"
        "<br/>credentials_renewed<br/>/ adopt"
    )
    ways = [(source, row) for row in REFRESH_ROWS if row.dest is not RefreshState.FAILED for source in row.source]
    for source, row in ways:
        end = f"{source}_succeeded" if row.dest is RefreshState.SUCCEEDED else f"{row.dest}"
        assert row.trigger in drawn[source, end].split("<br/>")
    assert len(drawn) - 1 == len({(source, row.dest) for source, row in ways})


def test_the_failures_are_drawn_with_what_is_reported() -> None:
    drawing = diagram.mermaid_failures()
    lines = [line.strip() for line in drawing.splitlines()]
    assert [line for line in lines if line.startswith("reading_after_refusal_failed : ")] == [
        "reading_after_refusal_failed : refresh_token_rejected",
        "reading_after_refusal_failed : not_signed_in",
        "reading_after_refusal_failed : credentials_unsupported",
        "reading_after_refusal_failed : provider_mismatch",
        "reading_after_refusal_failed : refresh_unavailable",
    ]
    for category in RefreshFailureCategory:
        assert f" : {category}\n" in drawing


@pytest.mark.parametrize("row", REFRESH_ROWS, ids=row_id)
def test_each_row_is_drawn(row: RefreshRow) -> None:
    drawing = diagram.mermaid_failures() if row.dest is RefreshState.FAILED else diagram.mermaid_overview()
    drawn = arrows(drawing)
    for source in row.source:
        end = f"{source}_{row.dest}" if row.dest in REFRESH_FINAL_STATES else f"{row.dest}"
        assert f"/ {row.effect.__name__}" in drawn[source, end].split("<br/>")


@pytest.mark.parametrize("drawing", [diagram.mermaid_overview, diagram.mermaid_failures], ids=["overview", "failures"])
def test_mermaid_is_well_formed(drawing: object) -> None:
    assert callable(drawing)
    lines = [line.strip() for line in drawing().splitlines()]
    styles = {line.split()[1] for line in lines if line.startswith("classDef ")}
    drawn = arrows(drawing())
    nodes = {node for ends in drawn for node in ends}
    assert lines[0] == "stateDiagram-v2"
    for line in lines:
        if line.startswith("class "):
            _, members, style = line.split()
            assert style in styles
            assert set(members.split(",")) <= nodes
    named = {line.rsplit(" as ", 1)[1] for line in lines if line.startswith("state ")}
    assert nodes - named <= {*RefreshState, "[*]"}
    assert max(len(part) for label in drawn.values() for part in label.split("<br/>")) <= 26

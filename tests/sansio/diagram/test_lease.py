"""The table of a lease as a drawing: complete, well-formed, and the same as the document in docs/."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from loginmachine.sansio.diagram import lease as diagram
from loginmachine.sansio.lease.states import LEASE_FINAL_STATES, LeaseState, LeaseTrigger
from loginmachine.sansio.lease.table import LEASE_ROWS

from .test_login import arrows

DOCUMENT = Path(__file__).parents[3] / "docs" / "lease-diagram.md"


def test_the_committed_document_matches_the_table() -> None:
    assert DOCUMENT.read_text("ascii") == diagram.markdown(), "run: make diagram"


def test_the_program_prints_the_document() -> None:
    command = [sys.executable, "-m", "loginmachine.sansio.diagram.lease"]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == DOCUMENT.read_text("ascii")


def test_each_row_is_drawn_and_listed() -> None:
    drawn = arrows(diagram.mermaid_overview())
    for row in LEASE_ROWS:
        for source in row.source:
            parts = drawn[source, row.dest or source].split("<br/>")
            assert row.trigger in parts
            assert f"/ {row.effect.__name__}" in parts
    lines = [line for line in diagram.markdown().splitlines() if line.startswith("| ")]
    assert len(lines) - 2 == len(LEASE_ROWS)
    assert drawn["[*]", "idle"] == ""
    assert {source for source, dest in drawn if dest == "[*]"} == set(LEASE_FINAL_STATES)


def test_every_trigger_is_explained_and_every_story_can_happen() -> None:
    assert set(diagram.MEANING) == set(LeaseTrigger)
    page = diagram.markdown()
    assert "is a mistake of the host" not in page.split("## What happens when ...")[1]
    assert "1. `held`: `wait_over / renew`, to `renewing`\n2. `renewing`: `lease_superseded / end`, to `lost`" in page
    assert {story.state for story in diagram.STORIES} <= set(LeaseState)

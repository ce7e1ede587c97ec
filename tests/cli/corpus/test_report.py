"""The page with pictures: what it holds, that it loads nothing, and that no name in it can be markup."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from loginmachine.cli.corpus.drawing import state_drawing
from loginmachine.cli.corpus.report import report_page
from loginmachine.drivers.traces.many.summary import Arrow, Summary
from loginmachine.drivers.traces.replaying import Report, replay_lines
from loginmachine.sansio.login.states import LoginState

from ...traces.record import FOLDER
from ..conftest import called

if TYPE_CHECKING:
    from pathlib import Path

TRACE = (FOLDER / "login_cancelled_while_binding.jsonl").read_bytes()
ORDER = [str(state) for state in LoginState]


def page(*contents: bytes, path: str = "trace") -> str:
    summary = Summary()
    for content in contents:
        for report, steps in replay_lines(path, content.splitlines(keepends=True)):
            summary.add(report, steps)
    return report_page(summary, 2.0, "2026-11-30 12:00 UTC")


def words(text: str) -> str:
    """Return the text of a page, without markup."""
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]*>", " ", text, flags=re.DOTALL))


def test_content() -> None:
    text = words(page(TRACE, (FOLDER / "succeeded.jsonl").read_bytes()))
    for part in (
        "2 traces replayed",
        "The machine does today what was recorded.",
        "login cancelled login_cancelled 1 50 % 0.5 s 0.5 s",
        "login succeeded 1 50 % 2.5 s 2.5 s",
        "How long each step of a login took",
        "exchanging code 1 0.25 s 0.25 s 0.25 s",
        "binding cancel_requested cancelled 1",
        "No trace was in: discovering resource, discovering, requesting device code,",
        "trace:1 2.5 s, of which succeeded 0.75 s",
        "2026-11-30 12:00 UTC. The replay took 2 s, 1 a second.",
    ):
        assert part in text
    for absent in ("refresh", "sign-out", "Another result", "Not a trace", "Cut off"):
        assert absent not in text


def test_every_kind_of_trace_has_its_pictures() -> None:
    text = page(*(next((FOLDER / name).glob("*.jsonl")).read_bytes() for name in ("", "refreshes", "sign_outs")))
    for name in ("login", "refresh", "sign-out"):
        assert f"<h2>The ways of a {name}</h2>" in text
        assert f"<h2>How long each step of a {name} took</h2>" in text


def test_what_differs_is_named() -> None:
    text = words(page(TRACE, TRACE.replace(b'"attempt":1}]', b'"attempt":2}]'), b"x\n", TRACE[:-9]))
    assert "1 trace has another result today." in text
    assert "Another result today trace:2" in text
    assert "Not a trace, or not readable trace:1: it is not a JSON object" in text
    assert "Cut off in the middle of a line trace:3" in text


def test_a_page_without_traces() -> None:
    text = words(page(b""))
    assert "0 traces replayed There is no trace that can be read. Not a trace" in text


def test_nothing_is_loaded_and_nothing_runs() -> None:
    text = page(TRACE)
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert re.findall(r"<script|<link|<img|<iframe|\bsrc=|\bhref=|@import|url\((?!#head-)|\son\w+=", text) == []


@pytest.mark.parametrize("path", ["<script>alert(1)</script>", "a&b", "\"'><b>", "\x1b[31m\u202e"])
def test_the_name_of_a_file_is_text(path: str) -> None:
    text = page(TRACE.replace(b'"attempt":1}]', b'"attempt":2}]'), b"", TRACE[:-9], path=path)
    assert not re.search(r"<script|<b>|\x1b|\u202e", text)


def test_it_is_written_to_the_file(tmp_path: Path) -> None:
    trace, report = tmp_path / "a.jsonl", tmp_path / "report.html"
    trace.write_bytes(TRACE)
    report.write_text("older, and much longer " * 9999)
    code, out, err = called("replay", str(trace), "--report", str(report))
    assert (code, err) == (0, "")
    assert out.startswith("1 trace replayed in ")
    text = report.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert text.endswith("</html>\n")
    assert "older" not in text


def test_a_full_disk(tmp_path: Path) -> None:
    trace = tmp_path / "a.jsonl"
    trace.write_bytes(TRACE)
    try:
        open("/dev/full", "ab").close()  # noqa: PTH123
    except OSError:
        pytest.skip("no such device")
    code, _, err = called("replay", str(trace), "--report", "/dev/full")
    assert (code, err) == (1, "The report could not be written: No space left on device.\n")


# The drawing


def drawing(*arrows: tuple[str, str, str, int]) -> ET.Element:
    counts = {Arrow("login", before, trigger, after): count for before, trigger, after, count in arrows}
    return ET.fromstring(state_drawing(counts, ORDER))


def texts(svg: ET.Element, kind: str) -> list[str]:
    return [element.text or "" for element in svg.iter("text") if element.get("class") == kind]


def test_states_and_numbers() -> None:
    svg = drawing(
        ("idle", "started", "binding", 1200),
        ("binding", "bound", "awaiting_callback", 1100),
        ("binding", "port_taken", "failed", 60),
        ("binding", "bind_failed", "failed", 40),
        ("awaiting_callback", "request_refused", "awaiting_callback", 7),
    )
    assert texts(svg, "state") == ["idle", "binding", "awaiting callback", "failed"]
    assert texts(svg, "times") == ["start", "1,200", "1,100, 7 events inside", "100"]
    assert sorted(texts(svg, "count")) == ["1,100", "1,200", "100"]
    titles = [title.text for title in svg.iter("title")]
    # The least frequent is drawn first, so that it does not hide the others.
    assert titles == [
        "binding to failed: 100\nport_taken: 60\nbind_failed: 40",
        "binding to awaiting_callback: 1,100\nbound: 1,100",
        "idle to binding: 1,200\nstarted: 1,200",
    ]


def test_an_arrow_is_wider_the_more_often_it_was_taken() -> None:
    svg = drawing(("idle", "started", "binding", 100), ("binding", "bound", "awaiting_callback", 25))
    widths = [float(path.get("stroke-width", "0")) for path in svg.iter("path") if "arrow" in path.get("class", "")]
    # A quarter of the logins is half of the difference between the thinnest and the widest arrow.
    assert widths == [4.2, 7.0]


def test_ends_are_coloured_by_their_outcome() -> None:
    svg = drawing(
        ("idle", "cancel_requested", "cancelled", 1),
        ("idle", "discovery_failed", "failed", 1),
        ("idle", "credentials_saved", "succeeded", 1),
    )
    boxes = [rect.get("class") for rect in svg.iter("rect")]
    assert boxes == ["box way", "box good", "box bad", "box ended"]


def test_the_report_of_an_unreadable_file_is_no_trace() -> None:
    summary = Summary()
    summary.add(Report(path="x", line=1, outcome="unreadable", problem="why"), ())
    assert "0 traces replayed" in report_page(summary, 0.0, "now")

"""Summaries: what is counted, what is named, and that parts can be put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.drivers.traces.many.summary import Arrow, End, Slow, Step, Summary
from loginmachine.drivers.traces.replaying import Report, replay_lines

from ....traces.record import FOLDER, REFRESH_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

CANCELLED = FOLDER / "login_cancelled_while_binding.jsonl"
DIFFERENT = CANCELLED.read_bytes().replace(b'"attempt":1}]', b'"attempt":2}]')


def summary_of(*contents: bytes) -> Summary:
    made = Summary()
    for number, content in enumerate(contents):
        for report, steps in replay_lines(f"trace-{number}", content.splitlines(keepends=True)):
            made.add(report, steps)
    return made


def read(path: Path) -> bytes:
    return path.read_bytes()


def test_one_trace() -> None:
    made = summary_of(read(CANCELLED))
    assert made.traces == 1
    end = End("login", "cancelled", "login_cancelled")
    assert {ended: (times.count, times.longest) for ended, times in made.ends.items()} == {end: (1, 0.5)}
    assert made.arrows == {
        Arrow("login", "idle", "started", "binding"): 1,
        Arrow("login", "binding", "cancel_requested", "cancelled"): 1,
    }
    # From the first event, at 0.25 s, to the second, at 0.5 s.
    assert {step: times.longest for step, times in made.steps.items()} == {Step("login", "binding"): 0.25}
    report = Report(path="trace-0", line=1, outcome="cancelled", category="login_cancelled", events=2, seconds=0.5)
    assert made.slowest == [Slow(report, "binding", 0.25)]
    assert (made.different.count, made.unreadable.count, made.cut.count) == (0, 0, 0)


def test_times_of_a_state_that_is_entered_twice_are_added() -> None:
    made = summary_of(read(FOLDER / "succeeded_after_an_earlier_login_stopped.jsonl"))
    binding = made.steps[Step("login", "binding")]
    # It tries three times to open the port, 0.25 s each.
    assert (binding.count, binding.longest) == (1, 0.75)
    assert made.arrows[Arrow("login", "backing_off", "retry_due", "binding")] == 2


def test_what_differs_is_named() -> None:
    made = summary_of(read(CANCELLED), DIFFERENT)
    assert made.traces == 2
    assert [(report.path, report.diverges_at) for report in made.different.first] == [("trace-1", 2)]


def test_what_cannot_be_read_is_named_and_is_no_trace() -> None:
    made = summary_of(read(CANCELLED) + b"x\n", b"", read(CANCELLED)[:-9])
    # The trace before the wrong line may go on in it.
    assert made.traces == 1
    named = [(report.path, report.line, report.problem) for report in made.unreadable.first]
    assert named == [
        ("trace-0", 4, "it is not a JSON object; the line may have been cut off"),
        ("trace-1", 1, "the file is empty"),
    ]
    assert [(report.path, report.cut_line) for report in made.cut.first] == [("trace-2", 3)]


def test_events_without_a_meaning_are_on_no_arrow() -> None:
    made = summary_of(read(FOLDER / "unexpected.jsonl"))
    assert all(arrow.trigger != "None" for arrow in made.arrows)


def test_twenty_are_named_and_all_are_counted() -> None:
    made = Summary()
    for _ in range(3):
        made.merge(summary_of(*[DIFFERENT] * 9))
    assert made.different.count == 27
    assert [report.path for report in made.different.first] == [f"trace-{n}" for n in (*range(9), *range(9), 0, 1)]


def test_the_five_slowest_are_kept() -> None:
    parts = []
    for first in (0, 4):
        part = Summary()
        for number in range(first, first + 4):
            part.add(Report(path=str(number), line=1, outcome="succeeded", seconds=number % 7 + 1.0), ())
        parts.append(part)
    parts[0].merge(parts[1])
    assert [slow.report.path for slow in parts[0].slowest] == ["6", "5", "4", "3", "2"]


def test_parts_come_to_the_same_as_the_whole() -> None:
    paths = [*sorted(FOLDER.glob("*.jsonl"))[:20], *sorted(REFRESH_FOLDER.glob("*.jsonl"))[:5]]
    whole, first = summary_of(*map(read, paths)), summary_of(*map(read, paths[:11]))
    first.merge(summary_of(*map(read, paths[11:])))
    assert first.arrows == whole.arrows
    assert first.traces == whole.traces == 25
    for mine, others in ((first.ends, whole.ends), (first.steps, whole.steps)):
        found = {key: (times.count, times.quantile(0.5), times.longest) for key, times in mine.items()}
        assert found == {key: (times.count, times.quantile(0.5), times.longest) for key, times in others.items()}


def test_logins_come_first_and_the_most_frequent_of_them() -> None:
    refresh = read(REFRESH_FOLDER / "current.jsonl")
    made = summary_of(refresh, refresh, refresh, read(FOLDER / "login_timed_out.jsonl"), *[read(CANCELLED)] * 2)
    assert [(end.of, end.outcome, times.count) for end, times in made.sorted_ends()] == [
        ("login", "cancelled", 2),
        ("login", "failed", 1),
        ("refresh", "succeeded", 3),
    ]


@pytest.mark.parametrize("times", [(1.0, 0.5), (2.0, 2.0)])
def test_times_that_go_backwards_take_no_time(times: tuple[float, float]) -> None:
    content = read(CANCELLED).replace(b'"at":0.25', b'"at":%f' % times[0]).replace(b'"at":0.5', b'"at":%f' % times[1])
    assert summary_of(content).steps[Step("login", "binding")].longest == 0.0

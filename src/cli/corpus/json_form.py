"""The results of many traces for programs: one JSON object per line. docs/json.md describes the members."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...drivers.traces.many.durations import Durations
    from ...drivers.traces.many.summary import Summary
    from ...drivers.traces.replaying import Report


def report_line(report: Report) -> str:
    """Return the line of one trace, or of a file that cannot be read."""
    if report.problem is not None:
        content = {"event": "unreadable", "path": report.path, "line": report.line, "message": report.problem}
        return json.dumps(content)
    values = {name: value for name, value in report.values().items() if name != "problem"}
    return json.dumps({"event": "trace", **values, "identical": report.diverges_at is None})


def summary_line(summary: Summary, seconds: float) -> str:
    """Return the last line.

    Args:
        summary: The summary.
        seconds: How long the replay of all traces took.
    """
    content = {
        "event": "summary",
        "traces": summary.traces,
        "identical": not summary.different.count,
        "different": summary.different.count,
        "unreadable": summary.unreadable.count,
        "cut": summary.cut.count,
        "message": _message(summary),
        "seconds": round(seconds, 3),
        "outcomes": [
            {"of": end.of, "outcome": end.outcome, "category": end.category or None, **_times(durations)}
            for end, durations in summary.sorted_ends()
        ],
        "states": [{**step._asdict(), **_times(durations)} for step, durations in sorted(summary.steps.items())],
        "arrows": [{**arrow._asdict(), "count": count} for arrow, count in sorted(summary.arrows.items())],
        "slowest": [
            {
                "path": slow.report.path,
                "line": slow.report.line,
                "seconds": slow.report.seconds,
                "state": slow.step or None,
                "state_seconds": round(slow.step_seconds, 6),
            }
            for slow in summary.slowest
        ],
    }
    return json.dumps(content)


def _message(summary: Summary) -> str | None:
    found = {"have another result today": summary.different.count, "cannot be read": summary.unreadable.count}
    return ", ".join(f"{count:,} {words}" for words, count in found.items() if count) or None


def _times(durations: Durations) -> dict[str, Any]:
    return {
        "count": durations.count,
        "median_seconds": float(f"{durations.quantile(0.5):.3g}"),
        "p95_seconds": float(f"{durations.quantile(0.95):.3g}"),
        "longest_seconds": round(durations.longest, 6),
    }

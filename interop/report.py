"""The table of what works where, for the terminal and for docs/providers.md."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .trials import STEPS, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .trials import Skipped, Trial

PAGE = Path(__file__).parent.parent / "docs" / "providers.md"
BEGIN = "<!-- The table of `make interop INTEROP=--write` begins here. -->"
END = "<!-- It ends here. -->"
_HEADS = ("server", "version", "client", "way", *STEPS)


def _row(trial: Trial) -> tuple[str, ...]:
    results = (trial.results[step].value if step in trial.results else "" for step in STEPS)
    return (trial.server, trial.version, trial.client, trial.way, *results)


def plain(trials: Sequence[Trial], skipped: Sequence[Skipped]) -> str:
    """Return the table for a terminal."""
    rows = [_HEADS, *map(_row, trials)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join((*lines, *_notes(trials, *Result), *_absent(skipped)))


def markdown(trials: Sequence[Trial], skipped: Sequence[Skipped]) -> str:
    """Return the table for a page: a row for each server, in which a step worked if it did in all trials."""
    servers = list(dict.fromkeys(trial.server for trial in trials))
    lines = ["| " + " | ".join(("server", *STEPS, "register there")) + " |", "|---" * (len(STEPS) + 2) + "|"]
    for name in servers:
        of_one = [trial for trial in trials if trial.server == name]
        cells = (f"{name} {of_one[0].version} ({of_one[0].source})", *(_cell(of_one, step) for step in STEPS))
        lines.append("| " + " | ".join((*cells, of_one[0].registration)) + " |")
    notes = [f"- {note}" for note in (*_notes(trials, Result.FAILED, Result.LIMIT), *_absent(skipped))]
    return "\n".join((*lines, "", *notes))


def _cell(trials: Sequence[Trial], step: str) -> str:
    """Return the result of a step, or each result with those that had it."""
    found: dict[str, list[str]] = {}
    for trial in trials:
        result = trial.results.get(step)
        if result is not None:
            found.setdefault(result.value, []).append(f"{trial.client}, {trial.way}")
    if len(found) == 1:
        return next(iter(found))
    return "; ".join(f"{value} ({_who(trials, names)})" for value, names in found.items())


def _who(trials: Sequence[Trial], names: Sequence[str]) -> str:
    """Shorten names: a client is named once if all its ways had the result, and a way likewise."""
    for shared in ("client", "way"):
        groups: dict[str, list[str]] = {}
        for trial in trials:
            groups.setdefault(getattr(trial, shared), []).append(f"{trial.client}, {trial.way}")
        whole = [group for group, members in groups.items() if set(members) <= set(names)]
        if sum(len(groups[group]) for group in whole) == len(names):
            return ", ".join(whole)
    return "; ".join(names)


def write(trials: Sequence[Trial], skipped: Sequence[Skipped]) -> None:
    """Write the table into the page, between its two comments.

    Raises:
        ValueError: The page has no such comments.
    """
    text = PAGE.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no place for the table")
    PAGE.write_text(f"{before}{begin}\n\n{markdown(trials, skipped)}\n\n{end}{after}", encoding="utf-8")


def _notes(trials: Sequence[Trial], *results: Result) -> list[str]:
    """Return each note on these results once, with those that it is about."""
    about: dict[tuple[str, str], list[str]] = {}
    for trial in trials:
        for step, note in trial.notes.items():
            if trial.results[step] in results:
                about.setdefault((trial.server, f"{step}: {note}"), []).append(f"{trial.client}, {trial.way}")
    return [
        f"{server}: {note} ({_who([trial for trial in trials if trial.server == server], names)})"
        for (server, note), names in about.items()
    ]


def _absent(skipped: Iterable[Skipped]) -> list[str]:
    return [f"skipped: {one.server}: {one.reason}" for one in skipped]

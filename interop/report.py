"""The table of what works where, for the terminal and for docs/providers.md."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .trials import STEPS, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .trials import Skipped, Trial

PAGE = Path(__file__).parent.parent / "docs" / "providers.md"
BEGIN = "<!-- The table of `make interop --write` begins here. -->"
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
    return "\n".join((*lines, *_notes(trials), *_absent(skipped)))


def _notes(trials: Iterable[Trial]) -> list[str]:
    """Return each note once, with the trials that it is about."""
    about: dict[tuple[str, str], list[str]] = {}
    for trial in trials:
        for note in trial.notes:
            about.setdefault((trial.server, note), []).append(f"{trial.client}/{trial.way}")
    return [f"{server}: {note} ({', '.join(who)})" for (server, note), who in about.items()]


def _absent(skipped: Iterable[Skipped]) -> list[str]:
    return [f"skipped: {one.server}: {one.reason}" for one in skipped]

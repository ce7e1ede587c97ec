"""Functions that the drawings of both tables share: rows, stories and tables in Markdown and Mermaid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from enum import StrEnum
    from typing import Any

    from ..base.engine import AnyRow

_STYLES: Final = (
    # Text colours on fills of our own are legible on light and on dark pages. The theme has the other colours.
    "classDef success fill:#dcfce7,color:#14532d,stroke:#15803d",
    "classDef failure fill:#fee2e2,color:#7f1d1d,stroke:#b91c1c",
    "classDef cancel fill:#fef3c7,color:#78350f,stroke:#b45309",
    "classDef fails stroke:#dc2626,stroke-width:2px,stroke-dasharray:5 3",
    "classDef several fill:transparent,stroke-dasharray:2 3",
)


class Story(NamedTuple):
    """A sequence of triggers, followed through the table."""

    title: str
    answer: str
    state: StrEnum
    triggers: tuple[StrEnum, ...]
    holds: tuple[Callable[[Any, Any], bool], ...] = ()
    """The guards that hold. Each holds once."""


def event_words(row: AnyRow, gap: str) -> str:
    """Return ``event [guard]``."""
    return f"{row.trigger}{gap}[{row.guard.__name__}]" if row.guard else row.trigger


def label(rows: Iterable[tuple[AnyRow, str]]) -> str:
    """Return the label of an arrow: ``event [guard] / effect``, with a line for each part.

    Events with the same effect share the line of the effect.

    Args:
        rows: The rows of the arrow, each with the result of `event_words`.
    """
    events: dict[str, list[str]] = {}
    for row, words in rows:
        events.setdefault(row.effect.__name__, []).append(words)
    return "\n".join("\n".join([*names, f"/ {effect}"]) for effect, names in events.items())


def breaks(text: str) -> str:
    """Return a text with the line breaks of Mermaid."""
    return text.replace("\n", "<br/>")


def mermaid(lines: Iterable[str]) -> str:
    """Return a state diagram of Mermaid, with the styles that the drawings share."""
    return "\n    ".join(("stateDiagram-v2", *_STYLES, *lines)) + "\n"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *lines))


def trigger_cell(row: AnyRow, meanings: Mapping[str, str]) -> str:
    """Return the trigger of a row with its meaning. Without an explanation, the meaning is the name of the trigger."""
    return f"`{row.trigger}`: {meanings.get(row.trigger, row.trigger.replace('_', ' '))}"


def guard_cell(row: AnyRow) -> str:
    """Return the condition of a row; empty if it has none."""
    return f"`{row.guard.__name__}`" if row.guard else ""


def guard_list(rows: Iterable[AnyRow]) -> str:
    """Return a Markdown list of the guards of a table. The docstring of a guard states its condition."""
    guards = dict.fromkeys(row.guard for row in rows if row.guard)
    return "\n".join(f"- `{guard.__name__}`: {guard.__doc__}" for guard in guards)


def tell(story: Story, table_rows: Sequence[AnyRow], final_states: Sequence[StrEnum]) -> str:
    """Follow a story through a table, and return a numbered line for each step."""
    state, holds, lines = story.state, list(story.holds), [f"### {story.title}\n", f"{story.answer}\n"]
    for number, trigger in enumerate(story.triggers, 1):
        rows = (row for row in table_rows if row.trigger is trigger and state in row.source)
        row = next((row for row in rows if not row.guard or row.guard in holds), None)
        if row is None:
            end = "is ignored: a final state has no row for it" if state in final_states else "is a mistake of the host"
            lines.append(f"{number}. `{state}`: `{trigger}` {end}")
            continue
        if row.guard:
            holds.remove(row.guard)
        step = f"{event_words(row, ' ')} / {row.effect.__name__}"
        lines.append(f"{number}. `{state}`: `{step}`, " + ("and stays" if row.dest is None else f"to `{row.dest}`"))
        state = row.dest or state
    return "\n".join(lines)

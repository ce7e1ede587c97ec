"""What the drawings of both tables share: how a row is written, a story told, a Markdown table set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from enum import StrEnum

    from ..base.engine import AnyRow

_STYLES: Final = (
    # Own text colours on own fills are legible on a light and on a dark page; the rest is left to the theme.
    "classDef success fill:#dcfce7,color:#14532d,stroke:#15803d",
    "classDef failure fill:#fee2e2,color:#7f1d1d,stroke:#b91c1c",
    "classDef cancel fill:#fef3c7,color:#78350f,stroke:#b45309",
    "classDef fails stroke:#dc2626,stroke-width:2px,stroke-dasharray:5 3",
    "classDef several fill:transparent,stroke-dasharray:2 3",
)


class Story(NamedTuple):
    """Something that happens, followed through the table."""

    title: str
    answer: str
    state: StrEnum
    triggers: tuple[StrEnum, ...]
    holds: tuple[str, ...] = ()
    """Guards that hold, each once."""


def event_words(row: AnyRow, gap: str) -> str:
    """``event [guard]``."""
    return f"{row.trigger}{gap}[{row.guard}]" if row.guard else row.trigger


def label(rows: Iterable[tuple[AnyRow, str]]) -> str:
    """``event [guard] / effect``, a line for each part; events with the same effect share it.

    Args:
        rows: What an arrow stands for, each row with the words of its event.
    """
    events: dict[str, list[str]] = {}
    for row, words in rows:
        events.setdefault(row.effect, []).append(words)
    return "\n".join("\n".join([*names, f"/ {effect}"]) for effect, names in events.items())


def breaks(text: str) -> str:
    """Lines as Mermaid has them."""
    return text.replace("\n", "<br/>")


def mermaid(lines: Iterable[str]) -> str:
    """A state diagram of Mermaid, with the styles that the drawings share."""
    return "\n    ".join(("stateDiagram-v2", *_STYLES, *lines)) + "\n"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *lines))


def trigger_cell(row: AnyRow, meanings: Mapping[str, str]) -> str:
    """When a row applies. A trigger that is not explained stands for itself."""
    return f"`{row.trigger}`: {meanings.get(row.trigger, row.trigger.replace('_', ' '))}"


def guard_cell(row: AnyRow) -> str:
    """On what condition a row applies; empty if on none."""
    return f"`{row.guard}`" if row.guard else ""


def guard_list(rows: Iterable[AnyRow], model: type) -> str:
    """What each guard of a table asks, as its docstring says: a list in Markdown."""
    guards = dict.fromkeys(row.guard for row in rows if row.guard)
    return "\n".join(f"- `{guard}`: {getattr(model, guard).__doc__}" for guard in guards)


def tell(story: Story, table_rows: Sequence[AnyRow], final_states: Sequence[StrEnum]) -> str:
    """Follow a story through a table, a numbered line for each step."""
    state, holds, lines = story.state, list(story.holds), [f"### {story.title}\n", f"{story.answer}\n"]
    for number, trigger in enumerate(story.triggers, 1):
        rows = (row for row in table_rows if row.trigger is trigger and state in row.source)
        row = next((row for row in rows if not row.guard or row.guard in holds), None)
        if row is None:
            end = "is dropped: a final state has no row for it" if state in final_states else "is a mistake of the host"
            lines.append(f"{number}. `{state}`: `{trigger}` {end}")
            continue
        if row.guard:
            holds.remove(row.guard)
        step = f"{event_words(row, ' ')} / {row.effect}"
        lines.append(f"{number}. `{state}`: `{step}`, " + ("and stays" if row.dest is None else f"to `{row.dest}`"))
        state = row.dest or state
    return "\n".join(lines)

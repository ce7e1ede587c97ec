"""Draw the table of a refresh, and write the page around it (docs/refresh-diagram.md).

Everything is read from `REFRESH_ROWS`, so a new row needs no change here. A trigger without an explanation in
`refresh_text` is shown by its name::

    python -m loginmachine.sansio.diagram.refresh > docs/refresh-diagram.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..refresh.failures import REFRESH_FAILURES
from ..refresh.states import REFRESH_FINAL_STATES, RefreshState
from ..refresh.table import REFRESH_ROWS
from .refresh_text import DELIVERY, DOCUMENT, MEANING, STORIES
from .rendering import breaks, event_words, guard_cell, guard_list, label, mermaid, table, tell, trigger_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..refresh.table import RefreshRow

S = RefreshState


def mermaid_overview() -> str:
    """Draw every path to a token. The states that can fail are marked."""
    lines = [f"[*] --> {S.IDLE}"]
    arrows = _arrows(row for row in REFRESH_ROWS if row.dest not in REFRESH_FINAL_STATES)
    # The last arrow comes first. In the other order, labels overlap in Mermaid.
    lines += [f"{source} --> {dest} : {_label(rows)}" for (source, dest), rows in reversed(arrows.items())]
    failing = [state for state in S if any(state in row.source for row in REFRESH_ROWS if row.dest is S.FAILED)]
    return mermaid([*lines, *_ends(S.SUCCEEDED, "success", _delivery), f"class {','.join(failing)} fails"])


def mermaid_failures() -> str:
    """Draw every path to a failure, each with the category that is reported."""
    return mermaid(["direction LR", *_ends(S.FAILED, "failure", _reported)])


def _arrows(rows: Iterable[RefreshRow]) -> dict[tuple[RefreshState, RefreshState | None], list[RefreshRow]]:
    """Group the rows between the same two ends. They are drawn as one arrow."""
    arrows: dict[tuple[RefreshState, RefreshState | None], list[RefreshRow]] = {}
    for row in rows:
        for source in row.source:
            arrows.setdefault((source, row.dest), []).append(row)
    return arrows


def _label(rows: Iterable[RefreshRow]) -> str:
    return breaks(label((row, event_words(row, "\n")) for row in rows))


def _ends(dest: RefreshState, style: str, words: Callable[[RefreshRow], str]) -> Iterator[str]:
    """Draw the paths to a final state. Each has an end of its own, because arrows to a common end would cross."""
    for (source, _), rows in _arrows(row for row in REFRESH_ROWS if row.dest is dest).items():
        end = f"{source}_{dest}"
        yield f'state "{dest}" as {end}'
        yield from (f"{end} : {text}" for text in dict.fromkeys(map(words, rows)))
        yield f"{source} --> {end} : {_label(rows)}"
        yield f"class {end} {style}"


def _delivery(row: RefreshRow) -> str:
    return DELIVERY.get(row.effect, row.effect.__name__)


def _reported(row: RefreshRow) -> str:
    """Return the category of the failure, or of the failure that led to the row's state."""
    before = (row,) if row.trigger in REFRESH_FAILURES else (to for to in REFRESH_ROWS if to.dest in row.source)
    return next(REFRESH_FAILURES[earlier.trigger] for earlier in before)


def _moves() -> Iterator[list[str]]:
    for row in REFRESH_ROWS:
        source = ", ".join(f"`{state}`" for state in row.source)
        end = {S.SUCCEEDED: _delivery, S.FAILED: _reported}.get(row.dest or S.IDLE)
        effect = f"`{row.effect.__name__}` as `{end(row)}`" if end else f"`{row.effect.__name__}`"
        yield [source, trigger_cell(row, MEANING), guard_cell(row), effect, f"`{row.dest}`"]


def markdown() -> str:
    """Return the whole of docs/refresh-diagram.md."""
    return DOCUMENT.format(
        overview=mermaid_overview(),
        failures=mermaid_failures(),
        stories="\n\n".join(tell(story, REFRESH_ROWS, REFRESH_FINAL_STATES) for story in STORIES),
        moves=table(("In", "When", "If", "Do", "Go to"), _moves()),
        guards=guard_list(REFRESH_ROWS),
    )


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201 - the Makefile redirects it

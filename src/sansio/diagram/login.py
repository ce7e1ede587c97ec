"""Draw the table of a login: two Mermaid diagrams, one for Graphviz, and the page around them (docs/state-diagram.md).

Each drawing can highlight the path of one login: its states get a heavy edge, and its arrows the numbers 1, 2, 3 and so
on, in the order in which they were taken.

Everything is read from `ROWS`, so a new row needs no change here. A trigger without an explanation in `login_text` is
shown by its name. The output is plain ASCII, the same on every system::

    python -m loginmachine.sansio.diagram.login > docs/state-diagram.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ..login.failures import FAILURES, LoginFailureCategory
from ..login.states import FINAL_STATES, LoginState
from ..login.table import ROWS, STAY
from .login_text import DOCUMENT, MEANING, STORIES
from .path import Path
from .rendering import breaks, event_words, guard_cell, guard_list, label, mermaid, table, tell, trigger_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..login.table import Row
    from .path import Step

S = LoginState
_UNFINISHED: Final = tuple(state for state in S if state not in FINAL_STATES)
_PASSED: Final = "classDef passed stroke:#1d4ed8,stroke-width:4px"
_DOT_PASSED: Final = 'color="#1d4ed8", penwidth=3'
_DOT_DEFAULTS: Final = (
    'node [shape=box, style=rounded, fontname="Helvetica"];',
    'edge [fontname="Helvetica", fontsize=10];',
    '"start" [shape=point, width=0.2];',
    '"end" [shape=doublecircle, label="", width=0.2];',
)
_STYLE_OF: Final[Mapping[LoginState, str]] = {S.SUCCEEDED: "success", S.FAILED: "failure", S.CANCELLED: "cancel"}
_FILL: Final[Mapping[LoginState, str]] = {S.SUCCEEDED: "#dcfce7", S.FAILED: "#fee2e2", S.CANCELLED: "#fef3c7"}


class _Arrow(NamedTuple):
    """The rows between the same two ends. They are drawn as one arrow."""

    sources: tuple[LoginState, ...]
    dest: LoginState
    rows: list[Row]

    @property
    def tail(self) -> str:
        """The state where the arrow starts, or the box that stands for several states."""
        return self.sources[0] if len(self.sources) == 1 else f"any_{self.rows[0].trigger}"

    @property
    def words(self) -> str:
        """The text of the box that stands for several states."""
        return _source_words(self.sources).replace(" but ", "\nbut ").replace(" to ", "\nto ").replace(", ", ",\n")

    @property
    def loops(self) -> bool:
        """Whether the arrow leads back to its own state."""
        return self.sources == (self.dest,)

    def label(self, path: Path, gap: str = "\n") -> str:
        """Return the label of the arrow. The rows that a login took are numbered."""

        def words(row: Row) -> str:
            mark = path.mark(path.taken(self.sources, row.trigger, self.dest))
            return (mark and mark + gap) + event_words(row, gap)

        return label((row, words(row)) for row in self.rows)

    def is_passed(self, path: Path) -> bool:
        """Return whether the login took the arrow."""
        return any(path.taken(self.sources, row.trigger, self.dest) for row in self.rows)


def _arrows(rows: Iterable[Row]) -> list[_Arrow]:
    arrows: dict[tuple[tuple[LoginState, ...], LoginState], _Arrow] = {}
    for row in rows:
        if row.dest is not STAY:
            arrows.setdefault((row.source, row.dest), _Arrow(row.source, row.dest, [])).rows.append(row)
    return list(arrows.values())


def _source_words(sources: Sequence[LoginState], mark: str = "") -> str:
    """Name the sources of a row, with a short name for a whole group."""
    order = tuple(S)
    first = order.index(sources[0])
    missing = [f"{mark}{state}{mark}" for state in _UNFINISHED if state not in sources]
    names = [f"{mark}{state}{mark}" for state in sources]
    if sources == FINAL_STATES:
        return "any final state"
    if len(missing) == 1 and len(names) + 1 == len(_UNFINISHED):
        return f"any unfinished state but {missing[0]}"
    if len(names) > 2 and sources == order[first : first + len(names)]:
        return f"{names[0]} to {names[-1]}"
    return ", ".join(names)


def _reported(row: Row) -> LoginFailureCategory:
    return FAILURES[row.trigger][1] if row.dest is S.FAILED else LoginFailureCategory.LOGIN_CANCELLED


def _stand_in(arrow: _Arrow) -> list[str]:
    if len(arrow.sources) == 1:
        return []
    return [f'state "{breaks(arrow.words)}" as {arrow.tail}', f"class {arrow.tail} several"]


def _mermaid(lines: Iterable[str], passed: Sequence[str]) -> str:
    path = [_PASSED, f"class {','.join(passed)} passed"] if passed else []
    return mermaid([*lines, *path])


def mermaid_overview(*, highlight: Sequence[Step] = ()) -> str:
    """Draw the whole table. Its failures are counted, not named.

    Args:
        highlight: The path of one login, to be highlighted. Its failure is named.
    """
    path = Path(highlight)
    failures = [row for row in ROWS if row.dest is S.FAILED]
    failing = [state for state in S if any(state in row.source for row in failures)]
    effects = ", ".join(dict.fromkeys(row.effect.__name__ for row in failures))
    arrows = _arrows(row for row in ROWS if row.dest is not S.FAILED)
    failed = "".join(f"<br/>{path.mark([step])} {step[1]}" for step in path.into(S.FAILED))
    # The stand-ins come first, and success last: Mermaid then places them from left to right.
    lines = [
        'state "any state with<br/>an edge like this" as any_failing',
        f"any_failing --> {S.FAILED} : {len(failures)} causes<br/>/ {effects}{failed}",
        f"[*] --> {S.IDLE}",
    ]
    for arrow in sorted(arrows, key=lambda arrow: len(arrow.sources) == 1):
        lines += _stand_in(arrow)
        if arrow.loops:
            # The label is inside the box, because a loop would cross the other arrows.
            lines += [f"{arrow.tail} : {text}" for text in (arrow.dest, *arrow.label(path, gap=" ").split("\n"))]
        else:
            lines.append(f"{arrow.tail} --> {arrow.dest} : {breaks(arrow.label(path))}")
    lines += [f"{state} --> [*]" for state in reversed(FINAL_STATES)]
    lines += [f"class {state} {style}" for state, style in _STYLE_OF.items()]
    lines.append(f"class {','.join(failing)},any_failing fails")
    stand_ins = [arrow.tail for arrow in arrows if len(arrow.sources) > 1 and arrow.is_passed(path)]
    return _mermaid(lines, [*path.states, *stand_ins, *(["any_failing"] if failed else [])])


def mermaid_failures(*, highlight: Sequence[Step] = ()) -> str:
    """Draw every way to fail, and to be cancelled, each with the category that is reported.

    Args:
        highlight: The path of one login, to be highlighted.
    """
    path = Path(highlight)
    lines = ["direction LR"]
    passed: list[str] = []
    arrows = _arrows(row for row in ROWS if row.dest in (S.FAILED, S.CANCELLED))
    for arrow in sorted(arrows, key=lambda arrow: arrow.dest is S.CANCELLED):
        # Each arrow has an end of its own, because the labels of arrows to a common end would overlap.
        end = f"{arrow.tail}_{arrow.dest}"
        lines += [*_stand_in(arrow), f'state "{arrow.dest}" as {end}']
        lines += [f"{end} : {category}" for category in dict.fromkeys(map(_reported, arrow.rows))]
        lines += [f"{arrow.tail} --> {end} : {breaks(arrow.label(path))}", f"{end} --> [*]"]
        lines.append(f"class {end} {_STYLE_OF[arrow.dest]}")
        passed += [arrow.tail, end] if arrow.is_passed(path) else []
    return _mermaid(lines, passed)


def dot(*, highlight: Sequence[Step] = ()) -> str:
    """Draw every row that leads to another state, for Graphviz: ``dot -Tsvg``.

    Args:
        highlight: The path of one login, to be highlighted.
    """
    path = Path(highlight)
    lines = [*_DOT_DEFAULTS, f'"start" -> "{S.IDLE}";']
    for arrow in _arrows(ROWS):
        words = arrow.words.replace("\n", "\\n")
        label = arrow.label(path, gap=" " if arrow.loops else "\n").replace("\n", "\\n")
        style = ', style=dashed, color="#b91c1c"' if arrow.dest is S.FAILED else ""
        passed = f", {_DOT_PASSED}" if arrow.is_passed(path) else ""
        if len(arrow.sources) > 1:
            lines.append(f'"{arrow.tail}" [label="{words}", style="rounded,dotted"{passed}];')
        if arrow.loops:
            lines.append(f'"{arrow.tail}" [shape=Mrecord, style="", label="{{{arrow.dest}|{label}}}"];')
        else:
            lines.append(f'"{arrow.tail}" -> "{arrow.dest}" [label="{label}"{style}{passed}];')
    for state in FINAL_STATES:
        lines += [f'"{state}" [style="rounded,filled", fillcolor="{_FILL[state]}"];', f'"{state}" -> "end";']
    lines += [f'"{state}" [{_DOT_PASSED}];' for state in path.states]
    body = "".join(f"    {line}\n" for line in lines)
    return f"digraph login {{\n{body}}}\n"


def _cells(row: Row) -> list[str]:
    """Return a row in words: in which states, when, what."""
    return [_source_words(row.source, "`"), trigger_cell(row, MEANING), f"`{row.effect.__name__}`"]


def _moves() -> Iterator[list[str]]:
    for row in ROWS:
        if row.dest is not STAY:
            source, event, effect = _cells(row)
            reported = f" as `{_reported(row)}`" if row.dest in (S.FAILED, S.CANCELLED) else ""
            yield [source, event, guard_cell(row), effect + reported, f"`{row.dest}`"]


def markdown() -> str:
    """Return the whole of docs/state-diagram.md."""
    return DOCUMENT.format(
        overview=mermaid_overview(),
        failures=mermaid_failures(),
        stories="\n\n".join(tell(story, ROWS, FINAL_STATES) for story in STORIES),
        moves=table(("In", "When", "If", "Do", "Go to"), _moves()),
        guards=guard_list(ROWS),
        stays=table(("In", "When", "Do"), (_cells(row) for row in ROWS if row.dest is STAY)),
    )


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201 - the Makefile redirects it

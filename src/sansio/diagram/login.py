"""Draw the table of a login: three Mermaid diagrams, and the page around them (docs/state-diagram.md).

Each drawing can highlight the path of one login: its states get a heavy edge, and its arrows the numbers 1, 2, 3 and so
on, in the order in which they were taken.

Everything is read from `ROWS`, so a new row needs no change here. A trigger without an explanation in `login_text` is
shown by its name. The output is plain ASCII, the same on every system::

    python -m loginmachine.sansio.diagram.login > docs/state-diagram.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..login.states import FINAL_STATES, LoginState
from ..login.table import ROWS, STAY
from .login_arrows import ABOUT_PROVIDER, arrows_of, drawings, failing, reported_as, source_words, states_of
from .login_text import DOCUMENT, MEANING, STORIES
from .path import Path
from .rendering import breaks, guard_cell, guard_list, mermaid, table, tell, trigger_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..login.table import Row
    from .login_arrows import Arrow
    from .path import Step

S = LoginState
_PASSED: Final = "classDef passed stroke:#1d4ed8,stroke-width:4px"
_STYLE_OF: Final[Mapping[LoginState, str]] = {S.SUCCEEDED: "success", S.FAILED: "failure", S.CANCELLED: "cancel"}


def _stand_in(arrow: Arrow) -> list[str]:
    if len(arrow.sources) == 1:
        return []
    return [f'state "{breaks(arrow.words)}" as {arrow.tail}', f"class {arrow.tail} several"]


def _mermaid(lines: Iterable[str], passed: Sequence[str]) -> str:
    path = [_PASSED, f"class {','.join(passed)} passed"] if passed else []
    return mermaid([*lines, *path])


def _mermaid_arrows(arrows: Iterable[Arrow], path: Path) -> Iterator[str]:
    for arrow in arrows:
        yield from _stand_in(arrow)
        if arrow.loops:
            # The label is inside the box, because a loop would cross the other arrows.
            yield from (f"{arrow.tail} : {text}" for text in (arrow.dest, *arrow.label(path, gap=" ").split("\n")))
        else:
            yield f"{arrow.tail} --> {arrow.dest} : {breaks(arrow.label(path))}"


def mermaid_overview(*, highlight: Sequence[Step] = ()) -> str:
    """Draw a login at a provider with known endpoints and a known client. Its failures are counted, not named.

    Args:
        highlight: The path of one login, to be highlighted. Its failure is named. If the login has fetched something
            about its provider, the states of `mermaid_provider` are drawn too.
    """
    path = Path(highlight)
    failures = [row for row in ROWS if row.dest is S.FAILED]
    effects = ", ".join(dict.fromkeys(row.effect.__name__ for row in failures))
    arrows = drawings(about_provider=False)
    if any(state in ABOUT_PROVIDER for state in path.states):
        arrows += drawings(about_provider=True)
    states = states_of(arrows)
    failed = "".join(f"<br/>{path.mark([step])} {step[1]}" for step in path.into(S.FAILED))
    # The stand-ins come first, and success last: Mermaid then places them from left to right.
    lines = [
        'state "any state with<br/>an edge like this" as any_failing',
        f"any_failing --> {S.FAILED} : {len(failures)} causes<br/>/ {effects}{failed}",
        f"[*] --> {S.IDLE}",
        *_mermaid_arrows(arrows, path),
    ]
    lines += [f"{state} --> [*]" for state in reversed(FINAL_STATES)]
    lines += [f"class {state} {style}" for state, style in _STYLE_OF.items()]
    lines.append(f"class {','.join(failing(states))},any_failing fails")
    stand_ins = [arrow.tail for arrow in arrows if len(arrow.sources) > 1 and arrow.is_passed(path)]
    passed = [state for state in path.states if state in (*states, S.FAILED)]
    return _mermaid(lines, [*passed, *stand_ins, *(["any_failing"] if failed else [])])


def mermaid_provider(*, highlight: Sequence[Step] = ()) -> str:
    """Draw what a login has to fetch about its provider: metadata, a client, a pushed request, keys.

    Args:
        highlight: The path of one login, to be highlighted.
    """
    path = Path(highlight)
    arrows = drawings(about_provider=True)
    states = states_of(arrows)
    lines = [*_mermaid_arrows(arrows, path), f"class {','.join(failing(states))} fails"]
    return _mermaid(lines, [state for state in path.states if state in states])


def mermaid_failures(*, highlight: Sequence[Step] = ()) -> str:
    """Draw every way to fail, and to be cancelled, each with the category that is reported.

    Args:
        highlight: The path of one login, to be highlighted.
    """
    path = Path(highlight)
    lines = ["direction LR"]
    passed: list[str] = []
    arrows = arrows_of(row for row in ROWS if row.dest in (S.FAILED, S.CANCELLED))
    for arrow in sorted(arrows, key=lambda arrow: arrow.dest is S.CANCELLED):
        # Each arrow has an end of its own, because the labels of arrows to a common end would overlap.
        end = f"{arrow.tail}_{arrow.dest}"
        lines += [*_stand_in(arrow), f'state "{arrow.dest}" as {end}']
        lines += [f"{end} : {category}" for category in dict.fromkeys(map(reported_as, arrow.rows))]
        lines += [f"{arrow.tail} --> {end} : {breaks(arrow.label(path))}", f"{end} --> [*]"]
        lines.append(f"class {end} {_STYLE_OF[arrow.dest]}")
        passed += [arrow.tail, end] if arrow.is_passed(path) else []
    return _mermaid(lines, passed)


def _cells(row: Row) -> list[str]:
    """Return a row in words: in which states, when, what."""
    return [source_words(row.source, "`"), trigger_cell(row, MEANING), f"`{row.effect.__name__}`"]


def _moves() -> Iterator[list[str]]:
    for row in ROWS:
        if row.dest is not STAY:
            source, event, effect = _cells(row)
            reported = f" as `{reported_as(row)}`" if row.dest in (S.FAILED, S.CANCELLED) else ""
            yield [source, event, guard_cell(row), effect + reported, f"`{row.dest}`"]


def markdown() -> str:
    """Return the whole of docs/state-diagram.md."""
    return DOCUMENT.format(
        overview=mermaid_overview(),
        provider=mermaid_provider(),
        failures=mermaid_failures(),
        stories="\n\n".join(tell(story, ROWS, FINAL_STATES) for story in STORIES),
        moves=table(("In", "When", "If", "Do", "Go to"), _moves()),
        guards=guard_list(ROWS),
        stays=table(("In", "When", "Do"), (_cells(row) for row in ROWS if row.dest is STAY)),
    )


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201 - the Makefile redirects it

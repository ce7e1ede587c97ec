"""Draw the table of a login for Graphviz: all of it in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..login.states import FINAL_STATES, LoginState
from ..login.table import ROWS
from .login_arrows import arrows_of, drawings, failing, reported_as, states_of
from .path import Path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .login_arrows import Arrow
    from .path import Step

S = LoginState
_DOT_PASSED: Final = 'color="#1d4ed8", penwidth=3'
_DOT_FAILS: Final = 'style="rounded,dashed", color="#dc2626"'
_DOT_DEFAULTS: Final = (
    'node [shape=box, style=rounded, fontname="Helvetica"];',
    'edge [fontname="Helvetica", fontsize=10];',
    '"start" [shape=point, width=0.2];',
    '"end" [shape=doublecircle, label="", width=0.2];',
)
_DOT_PROVIDER: Final = "provider_"
"""Begins the names of the nodes in the drawing of its own."""
_FILL: Final[Mapping[LoginState, str]] = {S.SUCCEEDED: "#dcfce7", S.FAILED: "#fee2e2", S.CANCELLED: "#fef3c7"}


def dot(*, highlight: Sequence[Step] = ()) -> str:
    """Draw every row that leads to another state, for Graphviz: ``dot -Tsvg``.

    The two drawings stand above each other, and a table of the failures below them.

    Args:
        highlight: The path of one login, to be highlighted.
    """
    path = Path(highlight)
    lines = [*_DOT_DEFAULTS, f'"start" -> "{S.IDLE}";']
    lines += _dot_arrows(drawings(about_provider=False), path)
    for state in FINAL_STATES:
        lines += [f'"{state}" [style="rounded,filled", fillcolor="{_FILL[state]}"];', f'"{state}" -> "end";']
    lines += _dot_arrows(drawings(about_provider=True), path, _DOT_PROVIDER)
    lines += [
        f'"failures" [shape=plain, label=<{_dot_failures(path)}>];',
        f'"end" -> "{_DOT_PROVIDER}{S.IDLE}" [style=invis];',
        *(
            f'"{_DOT_PROVIDER}{state}" -> "failures" [style=invis];'
            for state in (S.AWAITING_CALLBACK, S.SAVING_CREDENTIALS)
        ),
    ]
    body = "".join(f"    {line}\n" for line in lines)
    return f"digraph login {{\n{body}}}\n"


def _dot_arrows(arrows: Sequence[Arrow], path: Path, prefix: str = "") -> Iterator[str]:
    """Yield the nodes and arrows of one drawing. The prefix keeps its nodes apart from those of the other."""
    for arrow in arrows:
        words = arrow.words.replace("\n", "\\n")
        label = arrow.label(path, gap=" " if arrow.loops else "\n").replace("\n", "\\n")
        passed = f", {_DOT_PASSED}" if arrow.is_passed(path) else ""
        tail, head = f'"{prefix}{arrow.tail}"', f'"{prefix}{arrow.dest}"'
        if len(arrow.sources) > 1:
            yield f'{tail} [label="{words}", style="rounded,dotted"{passed}];'
        if arrow.loops:
            yield f'{tail} [shape=Mrecord, style="", label="{{{arrow.dest}|{label}}}"];'
        else:
            yield f'{tail} -> {head} [label="{label}"{passed}];'
    states = states_of(arrows)
    loops = [arrow.dest for arrow in arrows if arrow.loops]
    for state in states:
        attributes = [f'label="{state}"'] if prefix and state not in loops else []
        attributes += [_DOT_FAILS] if state in failing(states) else []
        attributes += [_DOT_PASSED] if state in path.states else []
        if attributes:
            yield f'"{prefix}{state}" [{", ".join(attributes)}];'


def _dot_failures(path: Path) -> str:
    """Return a table of the failures: the state, what happens, the category that is reported."""
    lines = []
    for arrow in arrows_of(row for row in ROWS if row.dest is S.FAILED):
        triggers = (
            f"{path.mark(path.taken(arrow.sources, row.trigger, S.FAILED))} {row.trigger}" for row in arrow.rows
        )
        cells = (arrow.sources[0], "<br/>".join(map(str.strip, triggers)), "<br/>".join(map(reported_as, arrow.rows)))
        lines.append("<tr>" + "".join(f'<td align="left" balign="left">{cell}</td>' for cell in cells) + "</tr>")
    title = f'<tr><td colspan="3" bgcolor="{_FILL[S.FAILED]}">to failed, with the category that is reported</td></tr>'
    return f'<table border="0" cellborder="1" cellspacing="0">{title}{"".join(lines)}</table>'

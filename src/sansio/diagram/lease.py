"""Draw the table of a lease, and write the page around it (docs/lease-diagram.md).

Everything is read from `LEASE_ROWS`, so a new row needs no change here::

    python -m loginmachine.sansio.diagram.lease > docs/lease-diagram.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..lease.states import LEASE_FINAL_STATES, LeaseState, LeaseTrigger
from ..lease.table import LEASE_ROWS, lasts, may_wait
from .rendering import Story, breaks, event_words, guard_cell, guard_list, label, mermaid, table, tell, trigger_cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..lease.table import LeaseRow

S, T = LeaseState, LeaseTrigger

MEANING: Final[Mapping[str, str]] = {
    T.LEASE_WANTED: "a session wants to refresh the tokens",
    T.LEASE_GRANTED: "the server has granted the lease, with a fencing token",
    T.LEASE_REFUSED: "another worker has the lease",
    T.LEASE_RENEWED: "the server has extended the lease",
    T.LEASE_SUPERSEDED: "the server has granted the lease to another worker since",
    T.NO_ANSWER: "the server did not answer, and may have done what it was asked to do",
    T.WAIT_OVER: "the wait is over, or the refresh token is about to be sent and the lease may have ended",
    T.LEASE_UNWANTED: "the refresh has ended",
}
STORIES: Final = (
    Story(
        "Two workers want to refresh at once",
        "One waits for the other, and has the lease as soon as it is returned.",
        S.IDLE,
        (T.LEASE_WANTED, T.LEASE_REFUSED, T.WAIT_OVER, T.LEASE_GRANTED),
        (may_wait, lasts),
    ),
    Story(
        "A worker dies",
        "Its lease ends by time, because nothing renews it. The one that waits gets the next one.",
        S.WAITING,
        (T.WAIT_OVER, T.LEASE_REFUSED, T.WAIT_OVER, T.LEASE_GRANTED, T.LEASE_UNWANTED),
        (may_wait, lasts),
    ),
    Story(
        "The provider takes long",
        "The lease is renewed all the time.",
        S.TAKING,
        (T.LEASE_GRANTED, T.WAIT_OVER, T.LEASE_RENEWED, T.WAIT_OVER, T.LEASE_RENEWED, T.LEASE_UNWANTED),
        (lasts, lasts, lasts),
    ),
    Story(
        "A worker is paused for longer than its lease",
        "It finds out before it sends anything. The server refuses its fencing token, too.",
        S.HELD,
        (T.WAIT_OVER, T.LEASE_SUPERSEDED),
    ),
    Story(
        "A worker is paused, and no other wanted the lease",
        "The server extends it. If the answer comes too late to rely on, it is asked again.",
        S.HELD,
        (T.WAIT_OVER, T.LEASE_RENEWED, T.LEASE_RENEWED),
    ),
    Story(
        "The server does not answer for a moment",
        "The worker keeps the lease until it may have ended, and asks again.",
        S.HELD,
        (T.WAIT_OVER, T.NO_ANSWER, T.WAIT_OVER, T.LEASE_RENEWED),
        (lasts,),
    ),
)
DOCUMENT: Final = """\
<!-- Made from src/sansio/lease/table.py by `make diagram`. Changes made here are lost. -->

# The states of a lease

Workers on many machines share one login. The one that holds the lease may refresh the tokens ([fleet](fleet.md)). The
lease is a machine of its own, with [a table of its own](../src/sansio/lease/table.py). This page is drawn from that
table, and a test fails when the two differ.

```mermaid
{overview}```

An arrow says `event [guard] / effect`. Rows are tried from top to bottom. The last row for an event has no guard. An
event without a row is a mistake of the host. A final state is never left.

In `held` and `renewing`, a worker asks its clock whether the lease is still valid before it uses the refresh token. It
counts a quarter of the length, from before it asked the server.

## What happens when ...

{stories}

## Every row

{moves}

The guards:

{guards}
"""


def mermaid_overview() -> str:
    """Draw every path of a lease."""
    arrows: dict[tuple[LeaseState, LeaseState], list[LeaseRow]] = {}
    for row in LEASE_ROWS:
        for source in row.source:
            arrows.setdefault((source, row.dest or source), []).append(row)
    lines = [f"[*] --> {S.IDLE}"]
    for (source, dest), rows in arrows.items():
        words = breaks(label((row, event_words(row, "\n")) for row in rows))
        lines.append(f"{source} --> {dest} : {words}")
    lines += [f"{state} --> [*]" for state in LEASE_FINAL_STATES]
    failures = ",".join(state for state in LEASE_FINAL_STATES if state is not S.RETURNED)
    return mermaid([*lines, f"class {S.HELD},{S.RETURNED} success", f"class {failures} failure"])


def _moves() -> Iterator[list[str]]:
    for row in LEASE_ROWS:
        source = ", ".join(f"`{state}`" for state in row.source)
        dest = f"`{row.dest}`" if row.dest else "(stays)"
        yield [source, trigger_cell(row, MEANING), guard_cell(row), f"`{row.effect.__name__}`", dest]


def markdown() -> str:
    """Return the whole of docs/lease-diagram.md."""
    return DOCUMENT.format(
        overview=mermaid_overview(),
        stories="\n\n".join(tell(story, LEASE_ROWS, LEASE_FINAL_STATES) for story in STORIES),
        moves=table(("In", "When", "If", "Do", "Go to"), _moves()),
        guards=guard_list(LEASE_ROWS),
    )


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201 - the Makefile redirects it

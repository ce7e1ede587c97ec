"""Measurements and how they are shown: medians, quartiles, ratios, targets."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    """What one measurement found: for each row the values of all its rounds."""

    key: str
    """Its letter in the list of measurements."""
    title: str
    unit: str
    rows: dict[str, list[float]]
    compared_with: tuple[str, ...] = ()
    """The rows that all others are compared with. (They were measured in the same rounds.)"""
    notes: tuple[str, ...] = ()
    """What could not be measured, and why."""

    def median(self, row: str) -> float | None:
        """Return the median of a row; None if it was not measured."""
        return statistics.median(self.rows[row]) if self.rows.get(row) else None

    def ratio(self, row: str, base: str) -> float | None:
        """Return the ratio of the medians of two rows."""
        one, other = self.median(row), self.median(base)
        return None if one is None or not other else one / other

    def text(self) -> str:
        """Return the table for people."""
        head = f"{self.title:<44} {'median':>10} {'quartiles':>19}   n" + "".join(
            f"{f'/ {name}':>27}" for name in self.compared_with
        )
        lines = [head, "-" * len(head)]
        for name, values in self.rows.items():
            if not values:
                continue
            low, middle, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
            ratios = "".join(
                f"{self.ratio(name, base) or 0:>27.2f}" for base in self.compared_with if self.rows.get(base)
            )
            spread = f"{low:.1f}-{high:.1f}"
            lines.append(f"{name:<44} {middle:>7.1f} {self.unit:<2} {spread:>19} {len(values):>3}{ratios}")
        return "\n".join([*lines, *(f"({note})" for note in self.notes)])

    def data(self) -> dict[str, object]:
        """Return the table for programs."""
        rows = {
            name: {
                "median": self.median(name),
                "values": values,
                "ratios": {base: self.ratio(name, base) for base in self.compared_with},
            }
            for name, values in self.rows.items()
        }
        return {"key": self.key, "title": self.title, "unit": self.unit, "rows": rows, "notes": self.notes}


@dataclass(frozen=True)
class Target:
    """A limit, and what was measured."""

    key: str
    words: str
    limit: float
    value: float | None
    """None: one of the two sides could not be measured here."""

    def text(self) -> str:
        """Return one line for people."""
        if self.value is None:
            return f"({self.key}) {self.words:<64} at most {self.limit:<6g} not measured"
        verdict = "met" if self.value <= self.limit else "MISSED"
        return f"({self.key}) {self.words:<64} at most {self.limit:<6g} {self.value:>8.2f}  {verdict}"


@dataclass
class Results:
    """Everything that one run found."""

    tables: list[Table] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def add(self, table: Table) -> Table:
        """Take a table, and show it."""
        self.tables.append(table)
        print(f"\n{table.text()}", flush=True)
        return table

    def aim(self, key: str, words: str, limit: float, value: float | None) -> None:
        """Compare with a target."""
        self.targets.append(Target(key=key, words=words, limit=limit, value=value))

"""Durations in constant memory: their number, extremes, and quantiles."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_BINS_A_DECADE: Final = 50
"""So that the largest duration of a bin is 4.7 % longer than the smallest."""
_SHORTEST: Final = 1e-6
"""Seconds. What is shorter is counted as this: traces have times to the microsecond."""


class Durations:
    """A collection of durations that are counted in bins, not kept.

    Two collections can be merged, in any order, with the same result.
    """

    def __init__(self) -> None:
        self._bins: Counter[int] = Counter()
        self.count = 0
        """The number of durations."""
        self.shortest = math.inf
        """Seconds."""
        self.longest = 0.0
        """Seconds."""

    def add(self, seconds: float) -> None:
        """Count a duration.

        Args:
            seconds: 0 or more.
        """
        self._bins[math.floor(math.log10(max(seconds, _SHORTEST)) * _BINS_A_DECADE)] += 1
        self.count += 1
        self.shortest = min(self.shortest, seconds)
        self.longest = max(self.longest, seconds)

    def merge(self, other: Durations) -> None:
        """Add those of another collection."""
        self._bins.update(other._bins)
        self.count += other.count
        self.shortest = min(self.shortest, other.shortest)
        self.longest = max(self.longest, other.longest)

    def quantile(self, part: float) -> float:
        """Return the seconds that this part of the durations does not exceed, within 3 %.

        Args:
            part: From 0 to 1; 0.5 for the median.

        Raises:
            ValueError: There are no durations.
        """
        if not self.count:
            raise ValueError("there are no durations")
        wanted, passed = part * self.count, 0
        bins = sorted(self._bins)
        for number in bins:
            passed += self._bins[number]
            if passed >= wanted:
                break
        middle = 10 ** ((number + 0.5) / _BINS_A_DECADE)
        return min(max(middle, self.shortest), self.longest)

    def in_steps(self, width: int) -> Iterator[tuple[float, int]]:
        """Yield a coarse histogram: the lower limit of each class, in seconds, and how many durations are in it.

        Args:
            width: The classes in a factor of ten, a divisor of 50.
        """
        together = _BINS_A_DECADE // width
        classes: Counter[int] = Counter()
        for number, count in self._bins.items():
            classes[number // together] += count
        for number in range(min(classes), max(classes) + 1) if classes else ():
            yield 10 ** (number / width), classes[number]

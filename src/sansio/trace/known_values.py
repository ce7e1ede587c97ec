"""Find known values in texts, at a cost that does not depend on how many there are.

Any page can send callbacks with values of its own, hundreds of them. So no text is compared with every value. A text is
cut into words, and each run of a few words is looked up in a set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..base.text import MASK, clean_text
from .vocabulary import parts_of, split_chunk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST_TEXT: Final = 1024
"""The most characters of a text, and of a value, that are read."""
_LONGEST_RUN: Final = 8
"""The most parts of words that are looked up together. A value of more parts is found by its first ones."""


class KnownValues:
    """Secrets, names and foreign values that a text from outside may repeat as words.

    Words are compared without regard to case and to the punctuation around them.
    """

    def __init__(self) -> None:
        self._runs: set[tuple[str, ...]] = set()
        self._beginnings: set[tuple[str, ...]] = set()
        """The first parts of values with more parts than a run."""

    def add(self, value: str) -> None:
        """Remember a value."""
        parts = tuple(part for _, part in _numbered_parts(clean_text(value[:LONGEST_TEXT], limit=LONGEST_TEXT).split()))
        if len(parts) > _LONGEST_RUN:
            self._beginnings.add(parts[:_LONGEST_RUN])
        else:
            self._runs.add(parts)

    def mask(self, text: str) -> str:
        """Return a text in which each word that holds a known value, or a part of one, is masked.

        If the text holds the beginning of a value that is too long to be looked up, its rest is masked.
        """
        chunks = text.split()
        hidden = self._find(tuple(_numbered_parts(chunks)), len(chunks))
        if not hidden:
            return text
        return " ".join(_masked(chunk) if number in hidden else chunk for number, chunk in enumerate(chunks))

    def _find(self, parts: tuple[tuple[int, str], ...], chunks: int) -> set[int]:
        """Return the numbers of the chunks to mask."""
        words = tuple(part for _, part in parts)
        hidden: set[int] = set()
        for first, (number, _) in enumerate(parts):
            if words[first : first + _LONGEST_RUN] in self._beginnings:
                return hidden.union(range(number, chunks))
            for end in range(first + 1, min(first + _LONGEST_RUN, len(words)) + 1):
                if words[first:end] in self._runs:
                    hidden.update(number for number, _ in parts[first:end])
        return hidden


def _numbered_parts(chunks: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the parts of words, each with the number of its chunk."""
    for number, chunk in enumerate(chunks):
        for part in parts_of(split_chunk(chunk)[1]):
            if part:
                yield number, part


def _masked(chunk: str) -> str:
    before, _, after = split_chunk(chunk)
    return f"{before}{MASK}{after}"

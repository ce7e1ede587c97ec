"""Find secrets in a text from outside: whole, in parts, and encoded.

The other side knows a secret that was sent to it, and its error text may repeat it in any form. Whole secrets are
masked, also percent-encoded. Of longer secrets, each part of `_PART` characters is masked too, also of their base64 and
hexadecimal forms, and shorter parts with spaces or punctuation in between, if they do not look like words.
"""

from __future__ import annotations

import re
from base64 import b64encode
from itertools import pairwise
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

_LONGEST: Final = 1024
"""The most characters of a text that are read."""
_PART: Final = 8
"""The fewest characters in a row that are a part of a secret."""
_SCATTERED: Final = 6
"""The same for letters and digits that may have other characters between them, and that no word has."""
_LONG: Final = 2 * _PART
"""The fewest characters of a secret of which every part is looked for. Of a shorter one, the halves are."""
_ALIKE: Final = str.maketrans("-_" + ascii_uppercase, "+/" + ascii_lowercase)
"""Makes base64url the same as base64, and capitals the same as small letters."""
_RUN_CHARACTERS: Final = frozenset(ascii_letters + digits + "+/=_-")
"""A run of these that holds a part of a secret is masked as a whole."""
_NO_LETTERS: Final = re.compile("[^0-9A-Za-z]+")
_CHARACTER: Final = re.compile("%[0-9A-Fa-f]{2}|.", re.DOTALL)
"""A character, or a byte that is percent-encoded."""
PLACEHOLDER: Final = "redacted-"
"""Begins the placeholders that stand in a trace for secrets. Their parts are words, and no secrets."""


def mask_echoes(text: str, secrets: Iterable[str], mask: str) -> str:
    """Return a text with its echoes of secrets masked.

    Args:
        text: The text. Only its first 1,024 characters are read.
        secrets: The secrets. Empty ones are ignored.
        mask: What is shown instead.
    """
    known = [secret for secret in secrets if secret]
    is_cut = len(text) > _LONGEST
    forms = sorted({form for secret in known for form in _whole_forms(secret)}, key=len, reverse=True)
    text = text[:_LONGEST]
    # One pass, so that no secret is looked for inside a mask.
    pieces = re.split("|".join(map(re.escape, forms)), text) if any(form in text for form in forms) else [text]
    parts = _Parts([secret for secret in known if not secret.startswith(PLACEHOLDER)])
    masked = mask.join(mask.join(parts.mask(shown, mask) for shown in piece.split(mask)) for piece in pieces)
    if not is_cut:
        return masked
    # (The end may be the beginning of a secret, too short to be found.)
    before, found, end = masked.rpartition(mask)
    return f"{before}{found}{end[:-_LONG]}\u2026"


def _whole_forms(secret: str) -> Iterator[str]:
    """Yield a secret as it is, percent-encoded with digits of both cases, and if it is short, its halves."""
    yield secret
    encoded = quote(secret, safe="", errors="surrogatepass")
    for form in (encoded, quote_plus(secret, errors="surrogatepass")):
        first, *rest = form.split("%")
        yield form
        yield "%".join([first, *(part[:2].lower() + part[2:] for part in rest)])
    if _PART <= len(secret) < _LONG and not secret.startswith(PLACEHOLDER):
        for middle in (len(secret) // 2, -(-len(secret) // 2)):
            halves = secret[:middle], secret[middle:]
            yield from (half for half in halves if any(map(_is_letter, half)) and not _is_word(half))


class _Parts:
    """Finds parts of secrets.

    Args:
        secrets: The secrets, none of them empty.
    """

    def __init__(self, secrets: list[str]) -> None:
        forms = [_decoded(form) for secret in secrets for form in _long_forms(secret)]
        self._forms = _folded("\n".join(forms))
        self._letters = "\n".join(_NO_LETTERS.sub("", form) for form in forms)

    def mask(self, text: str, mask: str) -> str:
        """Return a text with each part of a secret masked, and all characters of a run that holds one."""
        characters, starts = _characters(text)
        hidden = self._find(characters)
        if not hidden:
            return text
        shown = []
        for index, (start, end) in enumerate(pairwise(starts)):
            if index not in hidden:
                shown.append(text[start:end])
            elif index - 1 not in hidden:
                shown.append(mask)
        return "".join(shown)

    def _find(self, characters: list[str]) -> set[int]:
        """Return the indexes of the characters to mask."""
        hidden: set[int] = set()
        folded = _folded("".join(characters))
        for first in range(len(folded) - _PART + 1):
            if folded[first : first + _PART] in self._forms:
                hidden.update(range(first, first + _PART))
        indexes = [index for index, character in enumerate(characters) if _is_letter(character)]
        letters = _NO_LETTERS.sub("", "".join(characters))
        for first in range(len(letters) - _SCATTERED + 1):
            part = letters[first : first + _SCATTERED]
            if not _is_word(part) and part in self._letters:
                hidden.update(range(indexes[first], indexes[first + _SCATTERED - 1] + 1))
        return _whole_runs(characters, hidden)


def _long_forms(secret: str) -> Iterator[str]:
    """Yield the forms of a secret of which every part is looked for."""
    data = secret.encode("utf-8", "surrogatepass")
    if len(secret) >= _LONG:
        yield secret
        if not secret.isascii():
            # As `_characters` reads it, percent-encoded.
            yield data.decode("latin-1")
    if len(data) >= _PART:
        yield data.hex()
        # In base64, a byte looks different at each of three places.
        for before in range(3):
            first, end = -(-before * 4 // 3), (before + len(data)) * 4 // 3
            yield b64encode(bytes(before) + data).decode("ascii")[first:end]


def _characters(text: str) -> tuple[list[str], list[int]]:
    """Return the characters of a text, those that are percent-encoded decoded, and where each begins in the text.

    The last of these indexes is the length of the text.
    """
    if "%" not in text:
        return list(text), list(range(len(text) + 1))
    found = list(_CHARACTER.finditer(text))
    characters = [chr(int(match[0][1:], 16)) if len(match[0]) > 1 else match[0] for match in found]
    return characters, [*(match.start() for match in found), len(text)]


def _decoded(text: str) -> str:
    return "".join(_characters(text)[0]) if "%" in text else text


def _whole_runs(characters: list[str], hidden: set[int]) -> set[int]:
    """Return indexes, and those of all characters of the same runs."""
    whole = set(hidden)
    for index in hidden:
        for step in (-1, 1):
            other = index + step
            while 0 <= other < len(characters) and other not in whole and characters[other] in _RUN_CHARACTERS:
                whole.add(other)
                other += step
    return whole


def _folded(text: str) -> str:
    return text.translate(_ALIKE)


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _is_word(part: str) -> bool:
    """Return whether a part may be of a word: only letters, and none but the first a capital."""
    return part.isalpha() and part[1:].islower()

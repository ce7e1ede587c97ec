"""Find addresses with a query in a text that a person pasted.

The text may be more than the address: words around it, quotes, Markdown, a line break of the terminal. Several readings
of it are possible then, and all are tried. That is safe, because only an address with the login's ``state`` is used.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING
from unicodedata import category
from urllib.parse import unquote

from ..base.records import Record, hidden
from .requests import MAX_TARGET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

MAX_TEXT: Final = 65_536
"""The most characters of a pasted text."""
MAX_ADDRESSES: Final = 200
"""The most addresses of a reading that are tried."""
_MAX_MARKS: Final = 20
"""The most question marks at each end of a word that may begin a query."""

_RUN: Final = re.compile(r"[!#-;=?-_a-~]+")
"""Visible ASCII without the quotes and angle brackets that end an address."""
_MARKS: Final = re.compile(r"\?+")
_QUERY: Final = re.compile(r"[^#\[\]{}|]*")
_SCHEME: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+.-"
_OPENERS: Final = "([{*_~'"
_BARE: Final = re.compile(r"(?<![A-Za-z0-9_])(code|state|scope|iss|error|error_description)=")
"""The start of a query without an address."""
_INVISIBLE: Final = ("Cf", "Mn")
"""The categories of zero-width spaces, marks of direction, and characters that change the one before."""
_UNICODE_ESCAPE: Final = re.compile(r"\\(?:u00|x)(26|3d|3f)", re.IGNORECASE)
_AMPERSAND: Final = re.compile(r"&(amp|#38|#x26);|\^&", re.IGNORECASE)
_ENDS: Final = ".,;:!?'()*"
"""What may follow an address in a sentence or in Markdown. An encoded query does not end with one of them."""
_MORE_ENDS: Final = f"{_ENDS}_~-"
_BREAK: Final = re.compile(r"[,;!'()*].*", re.DOTALL)


class Address(Record):
    """An address with a query, or a query alone."""

    authority: str
    """The host and the port; empty for a query alone."""
    path: str
    query: str = hidden()
    """The query, without what stands around the address."""
    has_scheme: bool
    """The address begins with a scheme. Without one, any word may look like an address."""


def readings(text: str) -> Iterator[list[Address]]:
    """Yield the readings of a text, the most likely one first. Each has the addresses that are in it, in their order.

    Args:
        text: The pasted text.
    """
    seen: list[list[str]] = []
    for words in _words(_cleaned(text)):
        if words not in seen:
            seen.append(words)
            yield list(islice((address for word in words for address in _addresses(word)), MAX_ADDRESSES))


def words_of(text: str) -> list[str]:
    """Return the words of a text, in which nothing is invisible."""
    return [match[0] for match in _RUN.finditer(_cleaned(text))]


def _cleaned(text: str) -> str:
    """Remove what is invisible, and the escapes of shells and of markup. An encoded query holds no backslash."""
    if len(text) > MAX_TEXT:
        return ""
    if not text.isascii():
        text = "".join(character for character in text if category(character) not in _INVISIBLE)
        text = text.replace("\u2026", "...")
    text = _UNICODE_ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text).replace("\\", "")
    while (unescaped := _AMPERSAND.sub("&", text)) != text:
        text = unescaped
    return text


def _words(text: str) -> Iterator[list[str]]:
    """Yield the words of a text: with lines joined that a terminal may have broken, with none, and with all joined."""
    words: list[str] = []
    is_after_line = False
    for line in map(str.split, text.splitlines()):
        if is_after_line and len(line) == 1:
            words[-1] += line[0]
        else:
            words += line
        is_after_line = bool(line)
    yield words
    yield text.split()
    yield ["".join(text.split())]


def _addresses(word: str, *, may_decode: bool = True) -> Iterator[Address]:
    """Yield the addresses in a word. One may be the value of a parameter of another."""
    for run in _RUN.finditer(word):
        marks = list(_MARKS.finditer(run[0]))
        for mark in marks if len(marks) <= 2 * _MAX_MARKS else (*marks[:_MAX_MARKS], *marks[-_MAX_MARKS:]):
            yield from _variants(run[0][: mark.start()], _cut(run[0], mark.end()))
        bare = None if marks else _BARE.search(run[0])
        if bare:
            yield from _variants("", _cut(run[0], bare.start()))
        if may_decode and "%3f" in run[0].lower():
            yield from _addresses(unquote(run[0]), may_decode=False)


def _cut(run: str, start: int) -> str:
    found = _QUERY.match(run, start)
    assert found is not None
    return found[0]


def _variants(head: str, query: str) -> Iterator[Address]:
    """Yield an address without the punctuation that may follow it, and with it."""
    start, mark, rest = head.rpartition("://")
    rest = rest if mark else rest.lstrip(_OPENERS)
    before = start.rstrip(_SCHEME) if mark else head.removesuffix(rest)
    authority, slash, path = rest.partition("/")
    if len(head) - len(before) + 1 + len(query) > MAX_TARGET:
        return
    stripped = query.rstrip(_ENDS)
    if query.endswith("...") and not stripped.rpartition("&")[2].startswith("state="):
        # The end of the last parameter is missing.
        stripped = query = stripped.rpartition("&")[0]
    for sign in ("_", "~"):
        # Markdown puts these on both sides.
        count = len(before) - len(before.rstrip(sign))
        if count and stripped.endswith(sign * count):
            stripped = stripped[:-count].rstrip(_ENDS)
    for variant in dict.fromkeys((stripped, query, query.rstrip(_MORE_ENDS), _BREAK.sub("", query))):
        yield Address(authority=authority.lower(), path=slash + path, query=variant, has_scheme=mark != "")

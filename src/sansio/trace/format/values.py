"""Read plain values from the JSON of a trace: texts, numbers, bytes, lists and members of enumerations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ...base.secret import Secret
from .bodies import TOO_DEEP, TOO_LARGE

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS: Final = {(data[:1], len(data)): data for data in (TOO_LARGE, TOO_DEEP)}
"""Long runs of one byte, by the byte and the length. A trace may hold only these two, so that a short line cannot
become a large body. Each exists once in memory."""
_LARGEST_INT: Final = 2**63


class CodecError(ValueError):
    """A value in a trace is wrong. The message names its place, never the value."""


def _int(value: object, where: str) -> int:
    # The exact type, because True is an instance of int.
    if type(value) is not int or not -_LARGEST_INT <= value < _LARGEST_INT:
        raise CodecError(f"{where} is not a whole number of a usable size")
    return value


def _bool(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise CodecError(f"{where} is neither true nor false")
    return value


def _text(value: object, where: str) -> str:
    # A lone surrogate could not be sent or printed.
    if not isinstance(value, str) or not (value.isascii() or _can_be(value, "utf-8")):
        raise CodecError(f"{where} is not a text")
    return value


def _can_be(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _LARGEST_INT:
        raise CodecError(f"{where} is not a number of a usable size")
    return value


def _bytes(value: object, where: str) -> bytes:
    if isinstance(value, dict):
        unit, times = value.get("repeat"), value.get("times")
        run = None
        if isinstance(unit, str) and unit.isascii() and type(times) is int:
            run = RUNS.get((unit.encode(), times))
        if run is None:
            raise CodecError(f"{where} is not a usable run of bytes")
        return run
    if not isinstance(value, str) or not _can_be(value, "latin-1"):
        raise CodecError(f"{where} is not bytes")
    return value.encode("latin-1")


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise CodecError(f"{where} is not a list")
    return value


def items_of(read: Callable[[object, str], object]) -> Callable[[object, str], object]:
    """Return the function that reads a list, given the one that reads an item of it."""
    return lambda value, where: tuple(read(item, where) for item in _list(value, where))


def pair_of(read: Callable[[object, str], object]) -> Callable[[object, str], object]:
    """Return the function that reads a list of two, given the one that reads an item of it."""

    def read_pair(value: object, where: str) -> object:
        items = _list(value, where)
        if len(items) != 2:
            raise CodecError(f"{where} is not a pair")
        return read(items[0], where), read(items[1], where)

    return read_pair


def read_member(kind: Any, value: object, where: str) -> object:  # noqa: ANN401 - an enumeration
    """Read a member of an enumeration.

    Raises:
        CodecError: The enumeration has no such member.
    """
    try:
        return kind(value)
    except ValueError:
        pass
    raise CodecError(f"{where} is none of the values that it can have")


READERS: Final[dict[type, Callable[[object, str], object]]] = {
    str: _text,
    int: _int,
    bool: _bool,
    float: _number,
    bytes: _bytes,
    Secret: lambda value, where: Secret(_text(value, where)),
}
"""The function that reads a field, by the type of the field."""

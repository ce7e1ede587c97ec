"""Write values as JSON, and read them back by their types.

A value is written by what it is, and read by what its field has to be. Nothing in the JSON chooses a class that the
field does not name.
"""

from __future__ import annotations

import binascii
import types
from base64 import b64decode, b64encode
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args, get_origin, get_type_hints

from ..base import http
from ..base.records import Record
from ..base.secret import Secret
from ..callback.responses import PageKind
from ..login import events, interpretation, outcome
from ..login.failures import LoginFailureCategory, LoginFailureStep
from ..login.states import Trigger
from ..model import options, provider
from ..model.account import Account, KnownAccount
from ..model.credentials import Credentials
from ..model.provenance import Provenance
from ..model.tokens import Tokens, TokenSet
from ..oauth.device_code import DeviceCode, DeviceGrant
from ..oauth.keys import KeySet
from ..server import endpoints, registration
from ..server.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MODULES: Final = (http, events, interpretation, outcome, options, provider, endpoints, registration)
_NAMED: Final = (
    *(
        Account,
        Credentials,
        DeviceCode,
        DeviceGrant,
        Dialect,
        KeySet,
        KnownAccount,
        Provenance,
        Secret,
        Tokens,
        TokenSet,
    ),
    *(LoginFailureCategory, LoginFailureStep, PageKind, Trigger),
)
_TYPE: Final = "type"
"""The member with the name of a record's class."""
_LARGEST: Final = 2**63
"""Numbers of a login are smaller than this."""


class PlainError(ValueError):
    """A suspended login is not as this version writes it. The message names the place, never the value."""


class Place(NamedTuple):
    """Where a value stands, and what has to be known to read it."""

    name: str
    held: Secret | None
    """The client secret of the host's own options, which is not written."""

    def within(self, name: object) -> Place:
        """Return the place of a value within this one."""
        return Place(f"{self.name}.{name}", self.held)


def write(value: Any, held: Secret | None) -> Any:  # noqa: ANN401 - any value of a login, as JSON
    """Return a value as JSON. Secrets are revealed.

    Args:
        value: The value.
        held: The client secret of the host's own options. It is written as true, because the host has it.
    """
    if isinstance(value, Record):
        # A field with its usual value is left out, because most have it.
        usual = type(value)._defaults  # noqa: SLF001 - a record of ours
        fields = {name: each for name, each in value.values().items() if name not in usual or each != usual[name]}
        return {_TYPE: type(value).__name__, **{name: write(each, held) for name, each in fields.items()}}
    if isinstance(value, Secret):
        return True if held is not None and value == held else value.reveal()
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return [[write(key, held), write(each, held)] for key, each in value.items()]
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    if isinstance(value, (tuple, list)):
        return [write(each, held) for each in value]
    return value


@cache
def reader_of(kind: Any) -> Callable[[Any, Place], Any]:  # noqa: ANN401 - a type
    """Return the function that reads a value of a type, from its JSON and its place.

    The function raises `PlainError` if the value is not of the type.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _READERS:
        return _READERS[kind]
    if origin is types.UnionType:
        return _one_of(arguments)
    if origin is tuple and arguments[1:] != (...,):
        return _pair(arguments)
    if origin in (tuple, frozenset):
        return _several(reader_of(arguments[0]), origin)
    if origin is dict:
        pairs = _several(_pair(arguments), tuple)
        return lambda value, place: dict(pairs(value, place))
    if issubclass(kind, StrEnum):
        return lambda value, place: _member(kind, value, place)
    assert issubclass(kind, Record), kind
    return lambda value, place: _record(value, place, {kind.__name__: kind})


def _one_of(kinds: tuple[Any, ...]) -> Callable[[Any, Place], Any]:
    """Return the function that reads a value of several types: None, records, a plain value."""
    rest = [kind for kind in kinds if kind is not types.NoneType]
    records = {kind.__name__: kind for kind in rest if isinstance(kind, type) and issubclass(kind, Record)}
    others = [reader_of(kind) for kind in rest if kind not in records.values()]
    assert len(others) + bool(records) == 1, kinds

    def read(value: Any, place: Place) -> Any:  # noqa: ANN401 - as above
        if value is None and types.NoneType in kinds:
            return None
        return _record(value, place, records) if records else others[0](value, place)

    return read


def _several(read: Callable[[Any, Place], Any], kind: type) -> Callable[[Any, Place], Any]:
    def read_all(value: Any, place: Place) -> Any:  # noqa: ANN401 - as above
        return kind(read(each, place.within(number)) for number, each in enumerate(_list(value, place)))

    return read_all


def _pair(kinds: tuple[Any, ...]) -> Callable[[Any, Place], Any]:
    readers = [reader_of(kind) for kind in kinds]

    def read(value: Any, place: Place) -> tuple[Any, ...]:  # noqa: ANN401 - as above
        items = _list(value, place)
        if len(items) != len(readers):
            raise PlainError(f"{place.name} has not {len(readers)} items")
        return tuple(read_one(item, place) for read_one, item in zip(readers, items, strict=True))

    return read


def _list(value: object, place: Place) -> list[Any]:
    if not isinstance(value, list):
        raise PlainError(f"{place.name} is not a list")
    return value


def _member(kind: type[StrEnum], value: object, place: Place) -> StrEnum:
    if not isinstance(value, str) or value not in tuple(kind):
        raise PlainError(f"{place.name} is none of the values that it can have")
    return kind(value)


def _record(value: object, place: Place, classes: Mapping[str, type[Record]]) -> Any:  # noqa: ANN401 - one of these
    if not isinstance(value, dict) or not isinstance(value.get(_TYPE), str) or value[_TYPE] not in classes:
        raise PlainError(f"{place.name} is no {' or '.join(classes)}")
    cls = classes[value[_TYPE]]
    given = {name: each for name, each in value.items() if name != _TYPE}
    return read_fields(given, place, fields_of(cls), cls, cls._defaults)


def read_fields(
    given: Mapping[str, Any],
    place: Place,
    kinds: Mapping[str, Any],
    make: Callable[..., Any],
    usual: Mapping[str, object],
) -> Any:  # noqa: ANN401 - what the function makes
    """Read the fields of one thing, and make it.

    Args:
        given: The fields, as JSON.
        place: Where they stand.
        kinds: The type of each field that there is.
        make: Called with the fields that were read.
        usual: The fields that may be left out.

    Raises:
        PlainError: A field is missing, is not known, is of the wrong type, or has a value out of its range.
    """
    strange, missing = given.keys() - kinds.keys(), kinds.keys() - given.keys() - usual.keys()
    if strange or missing:
        raise PlainError(f"{place.name} has not the fields that it must have")
    fields = {name: reader_of(kinds[name])(each, place.within(name)) for name, each in given.items()}
    problem = ""
    try:
        return make(**fields)
    except ValueError as error:
        # It names the rule.
        problem = f"{place.name} cannot be used: {error}"
    # Not in the handler above: a traceback with locals must not show the fields.
    del fields, given
    raise PlainError(problem)


@cache
def fields_of(cls: type[Record]) -> Mapping[str, Any]:
    """Return the fields of a record with their types."""
    # (Without installed sources, a module does not have the types that it imports for annotations only.)
    known = {name: value for module in _MODULES for name, value in vars(module).items()}
    known |= {kind.__name__: kind for kind in _NAMED}
    hints = get_type_hints(cls, localns=known)
    return {name: hints[name] for name in cls._fields}


# Plain values


def _text(value: object, place: Place) -> str:
    if not isinstance(value, str):
        raise PlainError(f"{place.name} is not a text")
    return value


def _int(value: object, place: Place) -> int:
    # The exact type, because True is an instance of int.
    if type(value) is not int or not -_LARGEST < value < _LARGEST:
        raise PlainError(f"{place.name} is not a whole number of a usable size")
    return value


def _number(value: object, place: Place) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PlainError(f"{place.name} is not a number")
    return value


def _bool(value: object, place: Place) -> bool:
    if not isinstance(value, bool):
        raise PlainError(f"{place.name} is neither true nor false")
    return value


def _bytes(value: object, place: Place) -> bytes:
    try:
        return b64decode(_text(value, place), validate=True)
    except (binascii.Error, ValueError):
        pass
    raise PlainError(f"{place.name} is not base64")


def _secret(value: object, place: Place) -> Secret:
    if value is not True:
        return Secret(_text(value, place))
    if place.held is None:
        raise PlainError(f"{place.name} is the client secret of the host, and the options have none")
    return place.held


_READERS: Final[dict[Any, Callable[[Any, Place], Any]]] = {
    str: _text,
    int: _int,
    float: _number,
    bool: _bool,
    bytes: _bytes,
    Secret: _secret,
}

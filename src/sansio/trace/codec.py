"""Write events, actions and options as JSON, and read events and options from JSON.

A trace holds nothing else. Bytes are written as text with the same code points, so that people can read ASCII. A
response to a browser is written as its status and a digest, because its page is long.
"""

from __future__ import annotations

import hashlib
import json
import types
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin, get_type_hints

from ..base import http
from ..base.records import Record
from ..base.secret import Secret
from ..login import actions, events
from ..login.actions import Respond
from ..login.events import Event
from ..login.failures import LoginFailure
from ..login.progress import CallbackReceived, OpeningBrowser
from ..model import options, provider
from ..model.credentials import Credentials, Tokens
from ..model.options import LoginOptions
from ..model.provenance import Provenance
from .bodies import TOO_DEEP, TOO_LARGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..base.http import Headers
    from ..base.strict_json import JsonObject
    from ..login.actions import Action

VERSION: Final = 1
"""The version of the format. Traces of other versions are refused."""
MAX_STEPS: Final = 10_000
"""The most events of a trace."""
MAX_LINE: Final = 1024 * 1024
"""The most bytes of a line, newline included."""
MAX_TRACE: Final = 32 * 1024 * 1024
"""The most bytes of a trace."""
_PLAIN: Final = (str, int, float, types.NoneType)
_RUNS: Final = {(data[:1], len(data)): data for data in (TOO_LARGE, TOO_DEEP)}
"""Long runs of one byte, by the byte and the length. A trace may hold only these two, so that a short line cannot
become a large body. Each exists once in memory."""
_ADDED: Final[dict[str, object]] = {"from_other_user": False, "any_user": False}
"""Fields that the first traces do not have. They are written only if they do not have their default."""
_LATER_FIELDS: Final[dict[type[Record], tuple[str, ...]]] = {
    LoginFailure: ("allowed_workspaces",),
    CallbackReceived: CallbackReceived._fields,
}
"""Fields that version 1 of the format does not have. They follow from the options, and from the request."""
_LARGEST_INT: Final = 2**63
OTHER_PROVIDER: Final = Provenance(issuer="https://other.invalid", client_id="other")
"""Stands for the provenance of tokens that another provider has issued."""


_LATER_ACTION: Final = actions.ReportProgress(phase=OpeningBrowser())
"""An action that version 1 of the format does not have. `OpenBrowser` follows it."""


class CodecError(ValueError):
    """A value in a trace is wrong. The message names its place, never the value."""


def encode(value: object) -> Any:  # noqa: ANN401 - JSON
    """Return a value of an event or an action as JSON. Secrets are revealed: in a trace they are placeholders."""
    # Records first, because most values in a replay are records.
    if isinstance(value, Record):
        return _encode_answer(value) if isinstance(value, Respond) else _encode_record(value)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, bytes):
        return _encode_bytes(value)
    if isinstance(value, Secret):
        return value.reveal()
    assert isinstance(value, (tuple, list)), type(value)
    return [item if type(item) in _PLAIN else encode(item) for item in value]


def encode_actions(out: Iterable[Action]) -> list[Any]:
    """Return actions as JSON, without what version 1 of the format does not have."""
    return [encode(action) for action in out if action != _LATER_ACTION]


def decode_event(content: object) -> Event:
    """Read an event.

    Raises:
        CodecError: The content is no event, or a value in it is of the wrong type or out of its range.
    """
    event: Event = _decode_record(content, _event_classes(), "event")
    return event


def decode_options(content: object) -> LoginOptions:
    """Read the options of a login.

    Raises:
        CodecError: A value is missing, of the wrong type or out of its range.
    """
    read: LoginOptions = _decode_record(content, {"LoginOptions": LoginOptions}, "options")
    return read


def _encode_record(record: Record) -> JsonObject:
    content: JsonObject = {"type": type(record).__name__}
    for name, written in _written_fields(type(record)):
        value = getattr(record, name)
        if name == "provenance" and value != OTHER_PROVIDER:
            # It is the provider of the options. The first traces had no such member.
            continue
        if name in _ADDED and value == _ADDED[name]:
            continue
        content[written] = value if type(value) in _PLAIN else encode(value)
    return content


@cache
def _written_fields(cls: type[Record]) -> tuple[tuple[str, str], ...]:
    """Return the fields of a record with their names in version 1 of the format, which begins with ``exchange_id``."""
    later = _LATER_FIELDS.get(cls, ())
    fields = sorted((name for name in cls._fields if name not in later), key=lambda name: name != "exchange_id")
    return tuple((name, "phase" if name == "step" else name) for name in fields)


def _encode_answer(answer: Respond) -> JsonObject:
    location = next((value.decode("latin-1") for name, value in answer.headers if name == b"Location"), None)
    redirect = {} if location is None else {"location": location}
    digest = _digest(answer.headers, answer.body)
    return {"type": "Respond", "request_id": answer.request_id, "status": answer.status, **redirect, "digest": digest}


@lru_cache(maxsize=256)
def _digest(headers: Headers, body: bytes) -> str:
    lines = [b"%b: %b" % header for header in headers]
    return hashlib.sha256(b"\n".join([*lines, b"", body])).hexdigest()[:16]


def _encode_bytes(value: bytes) -> str | JsonObject:
    text = value.decode("latin-1")
    is_run = _RUNS.get((value[:1], len(value))) == value
    return {"repeat": text[:1], "times": len(text)} if is_run else text


@cache
def _event_classes() -> dict[str, type[Record]]:
    return {cls.__name__: cls for cls in Event.__args__}


@cache
def _readers(cls: type[Record]) -> dict[str, Callable[[object, str], object]]:
    """Return the function that reads each field of a class. It depends on the type of the field."""
    # (Without installed sources, a module does not have the types that it imports for annotations only.)
    modules = (http, actions, events, options, provider)
    names = {name: value for module in modules for name, value in vars(module).items()}
    records = {"Credentials": Credentials, "Provenance": Provenance, "Secret": Secret, "Tokens": Tokens}
    hints = get_type_hints(cls, localns={**names, **records})
    return {name: _reader(hints[name]) for name in cls._fields}


def _reader(kind: Any) -> Callable[[object, str], object]:  # noqa: ANN401 - a type
    if kind in _READERS:
        return _READERS[kind]
    arguments = get_args(kind)
    if get_origin(kind) is tuple:
        return _items(_reader(arguments[0])) if arguments[1:] == (...,) else _pair(_reader(arguments[0]))
    if types.NoneType in arguments:
        (inner,) = (_reader(argument) for argument in arguments if argument is not types.NoneType)
        return lambda value, where: None if value is None else inner(value, where)
    if issubclass(kind, Record):
        return lambda value, where: _decode_record(value, {kind.__name__: kind}, where)
    return lambda value, where: _member(kind, value, where)


def _decode_record(content: object, classes: dict[str, type[Record]], where: str) -> Any:  # noqa: ANN401 - one of these
    if not isinstance(content, dict) or not isinstance(content.get("type"), str):
        raise CodecError(f"{where} is not an object with a type")
    cls = classes.get(content["type"])
    if cls is None:
        raise CodecError(f"{where} is of a type that is not known here")
    readers = _readers(cls)
    values = {name: value for name, value in content.items() if name != "type"}
    if not values.keys() <= readers.keys():
        raise CodecError(f"{where} has a member that is not known here")
    problem = ""
    try:
        return cls(**{name: readers[name](value, f"{where}.{name}") for name, value in values.items()})
    except TypeError:
        problem = "lacks a member"
    except CodecError:
        raise
    except ValueError:
        problem = "has a value out of its range"
    raise CodecError(f"{where} {problem}")


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
            run = _RUNS.get((unit.encode(), times))
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


def _items(read: Callable[[object, str], object]) -> Callable[[object, str], object]:
    return lambda value, where: tuple(read(item, where) for item in _list(value, where))


def _pair(read: Callable[[object, str], object]) -> Callable[[object, str], object]:
    def read_pair(value: object, where: str) -> object:
        items = _list(value, where)
        if len(items) != 2:
            raise CodecError(f"{where} is not a pair")
        return read(items[0], where), read(items[1], where)

    return read_pair


def _member(kind: Any, value: object, where: str) -> object:  # noqa: ANN401 - an enumeration
    try:
        return kind(value)
    except ValueError:
        pass
    raise CodecError(f"{where} is none of the values that it can have")


_READERS: Final[dict[type, Callable[[object, str], object]]] = {
    str: _text,
    int: _int,
    bool: _bool,
    float: _number,
    bytes: _bytes,
    Secret: lambda value, where: Secret(_text(value, where)),
}
"""The function that reads a field, by the type of the field."""


def line_of(content: object) -> str:
    """Return a line of a trace. It is ASCII, so that no encoding matters and it cannot act on a terminal."""
    return json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n"

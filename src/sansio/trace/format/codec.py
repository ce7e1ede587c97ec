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

from ...base import http
from ...base.records import Record
from ...base.secret import Secret
from ...login import actions, events
from ...login.actions import Respond
from ...login.events import Event
from ...login.progress import OpeningBrowser
from ...model import options, provider
from ...model.account import KnownAccount
from ...model.credentials import Credentials
from ...model.options import LoginOptions
from ...model.provenance import Provenance
from ...model.provider import Provider
from ...model.tokens import Tokens
from ...refresh.outcome import Refusal
from ...server import endpoints, registration
from ...server.dialect import Dialect
from .values import READERS, RUNS, CodecError, items_of, pair_of, read_member
from .versions import ADDED, ADDED_TO_OPTIONS, LATER_FIELDS, read_members, written_members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ...base.http import Headers
    from ...base.strict_json import JsonObject

VERSION: Final = 1
"""The version of the format. Traces of other versions are refused."""
MAX_STEPS: Final = 10_000
"""The most events of a trace."""
MAX_LINE: Final = 1024 * 1024
"""The most bytes of a line, newline included."""
MAX_TRACE: Final = 32 * 1024 * 1024
"""The most bytes of a trace."""
_PLAIN: Final = (str, int, float, types.NoneType)
_LATER_ACTION: Final = actions.ReportProgress(phase=OpeningBrowser())
"""An action that version 1 of the format does not have. `OpenBrowser` follows it."""


def encode(value: object, implied: Provenance | None = None) -> Any:  # noqa: ANN401 - JSON
    """Return a value of an event or an action as JSON. Secrets are revealed: in a trace they are placeholders.

    Args:
        value: The value.
        implied: A provenance that is not written, because the options of the trace imply it, and then no provider of
            tokens is written either. The traces of logins have one, because the first ones did not know these members.
    """
    # Records first, because most values in a replay are records.
    if isinstance(value, Record):
        return _encode_answer(value) if isinstance(value, Respond) else _encode_record(value, implied)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, bytes):
        return _encode_bytes(value)
    if isinstance(value, Secret):
        return value.reveal()
    assert isinstance(value, (tuple, list)), type(value)
    return [item if type(item) in _PLAIN else encode(item, implied) for item in value]


def encode_actions(out: Iterable[Record], implied: Provenance | None = None) -> list[Any]:
    """Return actions as JSON, without what version 1 of the format does not have."""
    return [encode(action, implied) for action in out if action != _LATER_ACTION]


def decode_event(content: object) -> Event:
    """Read an event.

    Raises:
        CodecError: The content is no event, or a value in it is of the wrong type or out of its range.
    """
    event: Event = decode_record(content, _event_classes(), "event")
    return event


def decode_options(content: object) -> LoginOptions:
    """Read the options of a login.

    Raises:
        CodecError: A value is missing, of the wrong type or out of its range.
    """
    read: LoginOptions = decode_record(content, {"LoginOptions": LoginOptions}, "options")
    return read


def _encode_record(record: Record, implied: Provenance | None) -> JsonObject:
    content: JsonObject = {"type": type(record).__name__}
    if isinstance(record, Provider):
        return content | {name: encode(value) for name, value in written_members(record)}
    for name, written in _written_fields(type(record)):
        value = getattr(record, name)
        if (name == "provenance" and value in (None, implied)) or (implied is not None and name == "provider"):
            # It is that of the options. The first traces had no such members.
            continue
        if name in ADDED and value == ADDED[name]:
            continue
        if name in ADDED_TO_OPTIONS and value is None and isinstance(record, LoginOptions):
            continue
        content[written] = value if type(value) in _PLAIN else encode(value, implied)
    return content


@cache
def _written_fields(cls: type[Record]) -> tuple[tuple[str, str], ...]:
    """Return the fields of a record with their names in version 1 of the format, which begins with ``exchange_id``."""
    later = LATER_FIELDS.get(cls, ())
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
    is_run = RUNS.get((value[:1], len(value))) == value
    return {"repeat": text[:1], "times": len(text)} if is_run else text


@cache
def _event_classes() -> dict[str, type[Record]]:
    return {cls.__name__: cls for cls in Event.__args__}


@cache
def _readers(cls: type[Record]) -> dict[str, Callable[[object, str], object]]:
    """Return the function that reads each field of a class. It depends on the type of the field."""
    # (Without installed sources, a module does not have the types that it imports for annotations only.)
    modules = (http, actions, events, options, endpoints, registration, provider)
    names = {name: value for module in modules for name, value in vars(module).items()}
    records = {cls.__name__: cls for cls in (Credentials, Dialect, KnownAccount, Provenance, Refusal, Secret, Tokens)}
    hints = get_type_hints(cls, localns={**names, **records})
    return {name: _reader(hints[name]) for name in cls._fields}


def _reader(kind: Any) -> Callable[[object, str], object]:  # noqa: ANN401 - a type
    if kind in READERS:
        return READERS[kind]
    arguments = get_args(kind)
    if get_origin(kind) is tuple:
        return items_of(_reader(arguments[0])) if arguments[1:] == (...,) else pair_of(_reader(arguments[0]))
    if types.NoneType in arguments:
        (inner,) = (_reader(argument) for argument in arguments if argument is not types.NoneType)
        return lambda value, where: None if value is None else inner(value, where)
    if issubclass(kind, Record):
        return lambda value, where: decode_record(value, {kind.__name__: kind}, where)
    return lambda value, where: read_member(kind, value, where)


def decode_record(content: object, classes: Mapping[str, type[Record]], where: str) -> Any:  # noqa: ANN401 - one of these
    """Read a record.

    Args:
        content: The record, as JSON.
        classes: The classes that it may be of, by their names.
        where: The place of the record, for messages.

    Raises:
        CodecError: The content is no such record, or a value in it is of the wrong type or out of its range.
    """
    if not isinstance(content, dict) or not isinstance(content.get("type"), str):
        raise CodecError(f"{where} is not an object with a type")
    cls = classes.get(content["type"])
    if cls is None:
        raise CodecError(f"{where} is of a type that is not known here")
    readers = _readers(cls)
    values = {name: value for name, value in content.items() if name != "type"}
    if cls is Provider:
        values = read_members(values)
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


def line_of(content: object) -> str:
    """Return a line of a trace. It is ASCII, so that no encoding matters and it cannot act on a terminal."""
    return json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n"

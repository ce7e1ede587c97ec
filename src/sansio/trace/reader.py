"""Read traces. They may come from strangers, so every value is checked."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..base.records import Record, hidden
from ..login.states import LoginState
from .format.codec import MAX_LINE, MAX_STEPS, MAX_TRACE, VERSION, decode_event, decode_options
from .format.values import CodecError
from .origin import Origin, read_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from enum import StrEnum
    from typing import NoReturn

    from ..base.strict_json import JsonObject
    from ..model.options import LoginOptions

MAX_DEPTH: Final = 32
"""The most levels of nested lists and objects."""
_LONGEST: Final = 1e9
"""Seconds that no login lasts, and bytes that no host receives."""
_NO_OBJECT: Final = "it is not a JSON object; the line may have been cut off"


class TraceError(ValueError):
    """A text is not a trace.

    Attributes:
        line: The number of the line, from 1.
        reason: What is wrong with the line. It does not quote the line.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason

    def __reduce__(self) -> tuple[type[TraceError], tuple[int, str]]:
        return type(self), (self.line, self.reason)


class AnotherTraceError(TraceError):
    """A text that should be one trace holds another one."""


class Step(Record):
    """One recorded event, with the state and the actions that followed."""

    line: int
    """The number of the line, from 1."""
    at: float
    """Seconds since the start."""
    event: Any = hidden()
    """An event of the machine that was recorded."""
    unexpected: bool
    """The machine refused the event, which was a mistake of the host."""
    state: StrEnum | None
    """The state of the machine after the event; None if the event was unexpected."""
    actions: list[Any] = hidden()
    """The actions of the machine, as JSON."""
    size: int | None = None
    """The bytes of the real response body or request target, which the event does not hold; None if unknown."""


class AnyTrace(Record):
    """What the traces of all machines have."""

    line: int
    """The number of the first line, from 1."""
    steps: tuple[Step, ...] = hidden()
    origin: Origin = Origin()
    """Where the trace comes from. Its values are empty if the trace does not say."""
    cut_line: int | None = None
    """The number of the last line, if the file ends in the middle of it; None if it does not."""


class Trace(AnyTrace):
    """A recorded login."""

    options: LoginOptions = hidden()


class Kind(NamedTuple):
    """How the traces of one kind of machine are read. Both functions raise `CodecError`."""

    begin: Callable[[JsonObject, bytes, int, Origin], AnyTrace]
    """Returns the trace without its steps, from the first line: its content, its bytes, its number, and the origin."""
    decode_event: Callable[[object], Any]
    states: Mapping[str, StrEnum]


def read_trace(lines: Iterable[bytes]) -> Trace:
    """Read one trace.

    Args:
        lines: The lines of a file that holds one trace, with or without their newlines.

    Raises:
        TraceError: The lines are not a trace, or more than one.
    """
    trace: Trace = only_trace(read_traces(lines))
    return trace


def only_trace(traces: Iterator[Any]) -> Any:  # noqa: ANN401 - what the iterator yields
    """Return the trace of a file that holds one.

    Raises:
        AnotherTraceError: There is another.
        TraceError: A line is wrong.
    """
    trace = next(traces)
    another = next(traces, None)
    if another is not None:
        raise AnotherTraceError(another.line, "another trace begins here")
    return trace


def read_traces(lines: Iterable[bytes]) -> Iterator[Trace]:
    """Read traces of logins that follow each other.

    Args:
        lines: The lines of a file, with or without their newlines.

    Yields:
        The traces, in order. If the last line is cut off, the last trace has all events before it.

    Raises:
        TraceError: A line is wrong. The traces before it have been yielded.
    """
    return read_kinds(lines, LOGIN_KIND)


def read_kinds(lines: Iterable[bytes], kinds: Mapping[str, Kind]) -> Iterator[Any]:
    """Read traces of some kinds, as `read_traces` reads those of logins. Other traces are refused.

    Args:
        lines: As for `read_traces`.
        kinds: The kinds, by their names.
    """
    header: AnyTrace | None = None
    kind = kinds[LOGIN]
    steps: list[Step] = []
    cut_line: int | None = None
    number = size = 0
    left = iter(lines)
    for number, line in enumerate(left, 1):
        content = _content(number, line)
        if content is None:
            if header is None or not _may_be_cut(line) or next(left, None) is not None:
                raise TraceError(number, _NO_OBJECT)
            cut_line = number
            break
        size += len(line)
        if content.get("type") == "trace":
            if header is not None:
                yield header.__replace__(steps=tuple(steps))
            kind = _kind(number, content, kinds)
            header, steps, size = _header(number, content, line, kind), [], len(line)
        elif header is None:
            raise TraceError(number, "it is not the first line of a trace")
        elif len(steps) == MAX_STEPS:
            raise TraceError(number, f"the trace has more than {MAX_STEPS} events")
        elif size > MAX_TRACE:
            raise TraceError(number, f"the trace is larger than {MAX_TRACE} bytes")
        else:
            steps.append(_step(number, content, kind))
    if header is None:
        raise TraceError(number + 1, "the file is empty")
    yield header.__replace__(steps=tuple(steps), cut_line=cut_line)


def _content(number: int, line: bytes) -> JsonObject | None:
    """Return the object of a line; None if it is not JSON."""
    if len(line) > MAX_LINE:
        raise TraceError(number, f"it is longer than {MAX_LINE} bytes")
    try:
        content = _DECODER.decode(line.decode("utf-8"))
    except json.JSONDecodeError:
        return None
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise TraceError(number, _NO_OBJECT)
    # Counting is quick, and enough for lines with few lists and objects.
    if line.count(b"[") + line.count(b"{") > MAX_DEPTH and _is_deep(content):
        raise TraceError(number, f"it is nested deeper than {MAX_DEPTH} levels")
    return content


def _may_be_cut(line: bytes) -> bool:
    """Return whether a line that is not JSON may be the beginning of one that was."""
    return line.startswith(b"{") and not line.endswith(b"\n")


def _is_deep(content: object) -> bool:
    level: list[object] = [content]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return any(isinstance(item, (dict, list)) for item in level)


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("no JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)


def _kind(number: int, content: JsonObject, kinds: Mapping[str, Kind]) -> Kind:
    of = content.get("of", LOGIN)
    if not isinstance(of, str) or of not in kinds:
        names = " or a ".join(kinds).replace("_", "-")
        raise TraceError(number, f"it is not the trace of a {names}")
    return kinds[of]


def _header(number: int, content: JsonObject, line: bytes, kind: Kind) -> AnyTrace:
    """Return a trace without its steps."""
    version = content.get("version")
    if type(version) is not int or version != VERSION:
        raise TraceError(number, f"the trace is of another version than {VERSION}")
    origin = read_origin(content.get("origin"))
    problem = "its origin is not an object of short texts"
    if origin is not None:
        try:
            return kind.begin(content, line, number, origin)
        except CodecError as error:
            problem = str(error)
    raise TraceError(number, problem)


def _login(_content: JsonObject, line: bytes, number: int, origin: Origin) -> Trace:
    options = _options(line)
    if isinstance(options, str):
        raise CodecError(options)
    return Trace(line=number, options=options, steps=(), origin=origin)


@lru_cache(maxsize=16)
def _options(line: bytes) -> LoginOptions | str:
    """Return the options of a header, or what is wrong with them. In a corpus many headers are the same."""
    try:
        return decode_options(_DECODER.decode(line.decode("utf-8")).get("options"))
    except CodecError as error:
        return str(error)


LOGIN: Final = "login"
LOGIN_KIND: Final[Mapping[str, Kind]] = {LOGIN: Kind(_login, decode_event, {str(state): state for state in LoginState})}
"""The kind of a login, by its name."""


def _step(number: int, content: JsonObject, kind: Kind) -> Step:
    at, state, actions = content.get("at"), content.get("state"), content.get("actions")
    if isinstance(at, bool) or not isinstance(at, (int, float)) or not 0 <= at < _LONGEST:
        raise TraceError(number, "its time is not a number of seconds")
    unexpected = content.get("unexpected", False)
    if not isinstance(unexpected, bool):
        raise TraceError(number, "whether it was unexpected is neither true nor false")
    if not unexpected and not isinstance(actions, list):
        raise TraceError(number, "it has no list of actions")
    if not unexpected and (not isinstance(state, str) or state not in kind.states):
        raise TraceError(number, "its state is not one that is known here")
    size = content.get("size")
    if size is not None and (type(size) is not int or not 0 <= size < _LONGEST):
        raise TraceError(number, "its size is not a number of bytes")
    problem = ""
    try:
        event = kind.decode_event(content.get("event"))
    except CodecError as error:
        problem = str(error)
    if problem:
        raise TraceError(number, problem)
    return Step(
        line=number,
        at=float(at),
        event=event,
        unexpected=unexpected,
        state=None if unexpected else kind.states[str(state)],
        actions=actions if isinstance(actions, list) and not unexpected else [],
        size=size,
    )

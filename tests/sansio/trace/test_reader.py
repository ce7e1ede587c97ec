"""Reading traces: well-formed ones, broken ones, and garbage."""

from __future__ import annotations

import copy
import json
import pickle
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loginmachine.sansio.trace import Trace, TraceError, read_trace, read_traces, replay
from loginmachine.sansio.trace.format.codec import MAX_LINE, MAX_STEPS, MAX_TRACE
from loginmachine.sansio.trace.story import tell

from ...traces.record import FOLDER

SMALL = (FOLDER / "login_cancelled_while_waiting.jsonl").read_bytes()
LARGE = (FOLDER / "succeeded_with_nonce.jsonl").read_bytes()
LINES = LARGE.splitlines()
HEADER, STARTED = LINES[:2]
QUICK = settings(max_examples=300, deadline=None)


def attempt(data: bytes) -> Trace | None:
    """Read a trace, replay it, and tell it in words."""
    lines = data.split(b"\n")
    error = trace = None
    try:
        trace = read_trace(lines)
    except TraceError as caught:
        error = caught
    if error is not None:
        assert 1 <= error.line <= len(lines) + 1
        assert str(error) == f"line {error.line}: {error.reason}"
        assert re.fullmatch(r"[ -~]+", error.reason)
    if trace is None:
        return None
    result = replay(trace)
    told = [*tell(result), "" if result.difference is None else result.difference.diff().replace("\n", "")]
    assert all(line.isprintable() for line in told)
    return trace


def problem(*lines: bytes) -> tuple[int, str]:
    with pytest.raises(TraceError) as caught:
        read_trace(lines)
    return caught.value.line, caught.value.reason


def changed(line: bytes, **members: Any) -> bytes:
    return json.dumps({**json.loads(line), **members}).encode()


def test_a_trace_with_or_without_its_newlines() -> None:
    assert read_trace(LARGE.splitlines(keepends=True)) == read_trace(LARGE.replace(b"\n", b"\r\n").split(b"\n")[:-1])
    assert len(read_trace(LINES).steps) == len(LINES) - 1


def test_traces_that_follow_each_other() -> None:
    first, second = read_traces([*LINES, *SMALL.splitlines()])
    assert (first.line, second.line) == (1, len(LINES) + 1)
    assert len(second.steps) == len(SMALL.splitlines()) - 1


def test_an_error_after_a_trace_comes_after_it() -> None:
    traces = read_traces([*LINES, HEADER, b"x"])
    assert next(traces).line == 1
    with pytest.raises(TraceError):
        next(traces)


@pytest.mark.parametrize(
    ("lines", "line", "reason"),
    [
        ([], 1, "the file is empty"),
        ([b""], 1, "it is not a JSON object; the line may have been cut off"),
        ([b"[]"], 1, "it is not a JSON object; the line may have been cut off"),
        ([b"\xff\xfe"], 1, "it is not a JSON object; the line may have been cut off"),
        ([STARTED], 1, "it is not the first line of a trace"),
        ([HEADER, STARTED[:-1] + b"\n"], 2, "it is not a JSON object; the line may have been cut off"),
        ([HEADER, STARTED, HEADER], 3, "another trace begins here"),
        ([changed(HEADER, version=2)], 1, "the trace is of another version than 1"),
        ([changed(HEADER, version=True)], 1, "the trace is of another version than 1"),
        ([changed(HEADER, options=None)], 1, "options is not an object with a type"),
        ([HEADER, b"[" * 100_000], 2, "it is not a JSON object; the line may have been cut off"),
        ([HEADER, changed(STARTED, more=[[[]]] * 50)], 0, ""),
        ([HEADER, b'{"actions":' + b"[" * 50 + b"]" * 50 + b"}"], 2, "it is nested deeper than 32 levels"),
        ([HEADER, b" " * (MAX_LINE + 1)], 2, "it is longer than 1048576 bytes"),
        ([HEADER, changed(STARTED, at=-1)], 2, "its time is not a number of seconds"),
        ([HEADER, changed(STARTED, at=True)], 2, "its time is not a number of seconds"),
        ([HEADER, STARTED.replace(b'"at":0.25', b'"at":1e400')], 2, "its time is not a number of seconds"),
        (
            [HEADER, STARTED.replace(b'"at":0.25', b'"at":NaN')],
            2,
            "it is not a JSON object; the line may have been cut off",
        ),
        ([HEADER, changed(STARTED, unexpected=1)], 2, "whether it was unexpected is neither true nor false"),
        ([HEADER, STARTED[:-1], STARTED], 2, "it is not a JSON object; the line may have been cut off"),
        ([changed(HEADER, origin=[])], 1, "its origin is not an object of short texts"),
        ([changed(HEADER, origin={"version": 1})], 1, "its origin is not an object of short texts"),
        ([changed(HEADER, origin={"version": "x" * 257})], 1, "its origin is not an object of short texts"),
        ([changed(HEADER, origin={"driver": "\x1b"})], 1, "its origin is not an object of short texts"),
        ([changed(HEADER, origin={"weather": 1}), STARTED], 0, ""),
        ([HEADER, changed(STARTED, size=-1)], 2, "its size is not a number of bytes"),
        ([HEADER, changed(STARTED, size=True)], 2, "its size is not a number of bytes"),
        ([HEADER, changed(STARTED, size=1.5)], 2, "its size is not a number of bytes"),
        ([HEADER, changed(STARTED, actions=None)], 2, "it has no list of actions"),
        ([HEADER, changed(STARTED, state="lost")], 2, "its state is not one that is known here"),
        ([HEADER, changed(STARTED, state=[])], 2, "its state is not one that is known here"),
        ([HEADER, changed(STARTED, event={"type": "Stopped"})], 2, "event is of a type that is not known here"),
        ([HEADER, changed(STARTED, event={"type": ["Started"]})], 2, "event is not an object with a type"),
    ],
)
def test_lines_that_are_not_a_trace(lines: list[bytes], line: int, reason: str) -> None:
    if line:
        assert problem(*lines) == (line, reason)
    else:
        assert len(read_trace(lines).steps) == 1


ANSWER = {"type": "TokenResponseReceived", "exchange_id": 1, "status": 200, "headers": [], "body": "", "received_at": 0}


def test_too_many_events() -> None:
    step = json.dumps({"at": 0, "event": {"type": "Started"}, "unexpected": True}).encode()
    assert len(read_trace([HEADER, *[step] * MAX_STEPS]).steps) == MAX_STEPS
    assert problem(HEADER, *[step] * (MAX_STEPS + 1)) == (MAX_STEPS + 2, "the trace has more than 10000 events")


def test_too_many_bytes() -> None:
    line = STARTED + b" " * (MAX_LINE - len(STARTED))
    fitting = MAX_TRACE // MAX_LINE
    assert problem(HEADER, *[line] * 100) == (fitting + 1, "the trace is larger than 33554432 bytes")


def test_a_short_line_makes_no_large_bodies() -> None:
    """The substitute of a body that is too large exists once in memory."""
    event = {**ANSWER, "body": {"repeat": " ", "times": 1024 * 1024 + 1}}
    step = json.dumps({"at": 0, "event": event, "unexpected": True}).encode()
    bodies = {id(getattr(each.event, "body", None)) for each in read_trace([HEADER, *[step] * 100]).steps}
    assert len(bodies) == 1


def test_the_error_can_be_copied() -> None:
    error = TraceError(7, "it is green")
    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (again.line, again.reason, str(again)) == (7, "it is green", "line 7: it is green")


def test_cut_anywhere() -> None:
    """The events before the cut are read. In the first line, it is an error."""
    for length in range(len(SMALL)):
        lines = SMALL[:length].splitlines(keepends=True)
        if b"\n" not in SMALL[: length + 1]:
            assert problem(*lines)[0] == 1
            continue
        trace = read_trace(lines)
        is_cut = b"\n" not in SMALL[length - 1 : length + 1]
        assert trace.cut_line == (len(lines) if is_cut else None)
        assert len(trace.steps) == len(lines) - 1 - is_cut


@QUICK
@given(st.integers(0, len(LARGE) - 1), st.integers(0, 7))
def test_a_flipped_bit(position: int, bit: int) -> None:
    data = bytearray(LARGE)
    data[position] ^= 1 << bit
    attempt(bytes(data))


@QUICK
@given(st.integers(0, len(LARGE)), st.integers(0, 60), st.binary(max_size=20))
def test_a_piece_replaced(position: int, length: int, piece: bytes) -> None:
    attempt(LARGE[:position] + piece + LARGE[position + length :])


@QUICK
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    assert attempt(data) is None
    attempt(HEADER + b"\n" + data)


def paths(value: object, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [here, *(path for name, member in inner for path in paths(member, (*here, name)))]


def put(value: Any, path: tuple[str | int, ...], new: object) -> Any:
    if not path:
        return new
    changed_value = copy.copy(value)
    changed_value[path[0]] = put(value[path[0]], path[1:], new)
    return changed_value


PLACES = [(number, path) for number, line in enumerate(LINES) for path in paths(json.loads(line))]
STRANGE: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 2**63 - 1, 10**400, 1e308, "", "x", "\x1b[31m", "\ud800", "\u202e", [], {}),
    *([[]], ["a", "b"], [["a", "b"]], {"type": "Started"}, {"type": "Provider"}, "https://u:p@x.example/", "http://["),
    *("succeeded", "NaN", 10**18, {"repeat": "[", "times": 200_000}, "\x9b", "/%zz?%"),
]


@settings(max_examples=800, deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from(STRANGE))
def test_another_value_at_any_place(place: tuple[int, tuple[str | int, ...]], strange: object) -> None:
    number, path = place
    lines = [*LINES]
    lines[number] = json.dumps(put(json.loads(lines[number]), path, strange)).encode()
    attempt(b"\n".join(lines))


@QUICK
@given(st.lists(st.sampled_from(LINES[1:] + SMALL.splitlines()[1:]), max_size=20))
def test_lines_in_any_order(lines: list[bytes]) -> None:
    assert attempt(b"\n".join([HEADER, *lines])) is not None

"""Read the traces of refreshes and sign-outs, and of every kind in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...model.provider import Provider
from ...refresh.events import RefreshEvent
from ...refresh.states import RefreshState
from ...sign_out.events import SignOutEvent
from ...sign_out.states import SignOutState
from ..format.codec import decode_record
from ..format.values import CodecError
from ..reader import LOGIN_KIND, AnyTrace, Kind, read_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from enum import StrEnum
    from typing import Any

    from ...base.strict_json import JsonObject
    from ..origin import Origin
    from ..reader import Trace

REFRESH: Final = "refresh"
SIGN_OUT: Final = "sign_out"


class SessionTrace(AnyTrace):
    """A recorded refresh, or a recorded sign-out."""

    of: str
    """What was recorded: ``refresh`` or ``sign_out``."""
    provider: Provider | None
    """The provider that the host has named; None for the one that the tokens record."""
    has_environment_key: bool = False
    """The program had an API key in its environment. Of interest to a refresh only."""


def read_all(lines: Iterable[bytes]) -> Iterator[Trace | SessionTrace]:
    """Read traces of logins, refreshes and sign-outs that follow each other.

    Args:
        lines: As for `loginmachine.sansio.trace.read_traces`.

    Yields:
        The traces, in order.

    Raises:
        TraceError: As for `loginmachine.sansio.trace.read_traces`.
    """
    return read_kinds(lines, _KINDS)


def _begin(content: JsonObject, _line: bytes, number: int, origin: Origin) -> SessionTrace:
    if "provider" not in content:
        raise CodecError("it does not say whether a provider was named")
    named = content["provider"]
    has_key = content.get("environment_key", False)
    if not isinstance(has_key, bool):
        raise CodecError("whether there was an environment key is neither true nor false")
    return SessionTrace(
        line=number,
        of=content["of"],
        provider=None if named is None else decode_record(named, {"Provider": Provider}, "provider"),
        has_environment_key=has_key,
        steps=(),
        origin=origin,
    )


def _kind(events: Any, states: type[StrEnum]) -> Kind:  # noqa: ANN401 - a union of classes
    classes = {cls.__name__: cls for cls in events.__args__}
    return Kind(
        _begin, lambda content: decode_record(content, classes, "event"), {str(state): state for state in states}
    )


_KINDS: Final[Mapping[str, Kind]] = {
    **LOGIN_KIND,
    REFRESH: _kind(RefreshEvent, RefreshState),
    SIGN_OUT: _kind(SignOutEvent, SignOutState),
}
"""Every kind of trace, by its name."""

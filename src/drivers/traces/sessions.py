"""Machines of refreshes and sign-outs that also write a trace, with the clock and the origin of this program."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...sansio.trace.sessions.recorder import RefreshRecorder, SignOutRecorder
from ...sansio.trace.writer import TraceWriter
from .origin import origin_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.model.provider import Provider
    from ...sansio.refresh.outcome import RefreshMemory


def refresh_recorder(
    provider: Provider | None,
    memory: RefreshMemory,
    environment_key: str | None,
    record: Callable[[str], object],
    on_trouble: Callable[[str], None],
) -> RefreshRecorder:
    """Return a machine for one refresh that also writes its trace.

    Args:
        provider: As for `loginmachine.RefreshMachine`.
        memory: Empty; see `RefreshRecorder`.
        environment_key: As for `loginmachine.RefreshMachine`.
        record: Called with each line.
        on_trouble: Called with the reason, a few words, if the recording ends before the refresh.
    """
    return RefreshRecorder(provider, memory, environment_key=environment_key, writer=_writer(record, on_trouble))


def sign_out_recorder(
    provider: Provider | None, record: Callable[[str], object], on_trouble: Callable[[str], None]
) -> SignOutRecorder:
    """Return a machine for one sign-out that also writes its trace.

    Args:
        provider: The provider that the host has named; None for the one that the tokens record.
        record: Called with each line.
        on_trouble: Called with the reason, a few words, if the recording ends before the sign-out.
    """
    return SignOutRecorder(provider, writer=_writer(record, on_trouble))


def _writer(record: Callable[[str], object], on_trouble: Callable[[str], None]) -> TraceWriter:
    return TraceWriter(record, time.monotonic, on_trouble, origin_of(record, "threaded"))

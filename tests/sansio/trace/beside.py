"""Compare a recorder with a machine after each event, and replay the trace."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import unquote

from loginmachine.sansio import LoginMachine, UnexpectedEvent
from loginmachine.sansio.login.actions import ReportProgress
from loginmachine.sansio.login.progress import OpeningBrowser
from loginmachine.sansio.trace import Recorder, read_trace, replay

from ..samples import OPTIONS, SECRETS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loginmachine.sansio import LoginOptions, LoginSecrets
    from loginmachine.sansio.login.actions import Action
    from loginmachine.sansio.login.events import Event


NOT_WRITTEN = ReportProgress(phase=OpeningBrowser())
"""Traces do not have it."""


class Beside:
    """Gives each event to a machine and to a recorder. Both must do the same, and the trace must replay."""

    def __init__(self, options: LoginOptions = OPTIONS, secrets: LoginSecrets = SECRETS) -> None:
        self.machine = LoginMachine(options, secrets)
        self.lines: list[str] = []
        self.trouble: list[str] = []
        clock = count().__next__
        self.recorder = Recorder(
            options, secrets, write=self.lines.append, clock=lambda: float(clock()), on_trouble=self.trouble.append
        )

    def tell(self, *events: Event) -> Beside:
        for event in events:
            self._tell(event)
        return self

    def _tell(self, event: Event) -> None:
        wanted, got = _handle(self.machine, event), _handle(self.recorder, event)
        assert got == wanted
        assert self.trouble == []
        second = self.recorder._second
        assert second.state == self.machine.state == self.recorder.machine.state
        assert second.last_trigger == self.machine.last_trigger == self.recorder.machine.last_trigger
        line = json.loads(self.lines[-1])
        if wanted is None:
            assert line["unexpected"] is True
        else:
            assert [action["type"] for action in line["actions"]] == [
                type(action).__name__ for action in wanted if action != NOT_WRITTEN
            ]
            assert line["state"] == self.machine.state

    @property
    def trace(self) -> str:
        return "".join(self.lines)

    def replays(self) -> Beside:
        """Check that the trace replays identically."""
        result = replay(read_trace(line.encode() for line in self.lines))
        assert result.difference is None
        assert len(result.steps) == len(self.lines) - 1
        return self

    def hides(self, canaries: Iterable[str]) -> Beside:
        """Check that none of these secrets is in the trace, in any spelling."""
        told = everything_told(self.trace)
        assert [canary for canary in canaries if canary in told] == []
        return self


def _handle(machine: LoginMachine | Recorder, event: Event) -> list[Action] | None:
    try:
        return machine.handle(event)
    except UnexpectedEvent:
        return None


def everything_told(trace: str) -> str:
    """Return a trace with its escapes (JSON, percent) undone and its base64url decoded."""
    values = "\n".join(map(str, _leaves([json.loads(line) for line in trace.splitlines()])))
    inner = "\n".join(map(str, _leaves([_json(text) for text in values.splitlines() if text.startswith("{")])))
    plain = unquote(f"{trace}\n{values}\n{inner}")
    payloads = [_decoded(part) for part in re.findall(r"[\w-]{8,}", plain)]
    return "\n".join([trace, plain, unquote(plain.replace("+", " ")), *payloads])


def _leaves(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _leaves(member)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _decoded(part: str) -> str:
    try:
        return urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("latin-1")
    except ValueError:
        return ""

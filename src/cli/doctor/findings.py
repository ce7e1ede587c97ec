"""What a check has found, for people and for programs."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """How a check ended. The values do not change, because programs rely on them."""

    OK = "ok"
    WARNING = "warning"
    """Something that a sign-in can do without, or that a person should know."""
    PROBLEM = "problem"
    """A sign-in, or what comes after it, will probably fail."""


class Finding(NamedTuple):
    """One finding. It holds no secret."""

    check: str
    """The name of the check."""
    state: State
    text: str
    """A sentence without a line break."""
    advice: str = ""
    """What to do, in sentences; empty if there is nothing to do."""


def ok(check: str, text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(check, State.OK, text)


def warning(check: str, text: str, advice: str = "") -> Finding:
    """Return a finding that a person should know."""
    return Finding(check, State.WARNING, text, advice)


def problem(check: str, text: str, advice: str) -> Finding:
    """Return a finding about what will fail."""
    return Finding(check, State.PROBLEM, text, advice)


def sentence(text: str) -> str:
    """Return a message that has no capital letter and no full stop as a sentence."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."

"""Events of a login for programs: one JSON object per line on standard output, flushed after each line."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from ...sansio.login.outcome import LoginCancellation, LoginFailure, LoginSuccess
from ...sansio.login.progress import DeviceCodeShown, Failed, Listening
from ...sansio.model.account import Account
from ...sansio.model.entry import identity_of
from .writer import StreamWriter

if TYPE_CHECKING:
    from ...sansio.login.outcome import LoginOutcome
    from ...sansio.login.progress import LoginPhase
    from ...sansio.model.credentials import Credentials


class JsonLines:
    """Writes the events of a login."""

    def __init__(self) -> None:
        self._writer = StreamWriter(sys.stdout)

    def phase(self, phase: LoginPhase) -> None:
        """Write a phase."""
        if isinstance(phase, Listening):
            self._write({"event": "listening", **phase.values()})
        elif isinstance(phase, DeviceCodeShown):
            self._write({"event": "device_code", **phase.values()})
        elif isinstance(phase, Failed):
            self._write({"event": "problem", **_with_step_as("phase", phase)})
        else:
            fields = _with_step_as("during", phase)
            self._write({"event": "progress", "phase": phase.name, "text": phase.text, **fields})

    def finished(self, outcome: LoginOutcome) -> None:
        """Write the outcome: the last line."""
        account, category, message = Account(), None, None
        client: dict[str, object] = {}
        match outcome:
            case LoginSuccess():
                name, account = "succeeded", outcome.account
                client = _client_of(outcome.credentials)
            case LoginCancellation(failure=failure):
                name, category, message = "cancelled", failure.category, failure.message
            case LoginFailure():
                name, category, message = "failed", outcome.category, outcome.message
        self._finished(name, category, account, message, **client)

    def finished_with_secret(self, problem: str, category: str | None, account: Account | None = None) -> None:
        """Write whether an API key or a token was stored: the last line.

        Args:
            problem: Why it was not stored; empty if it was.
            category: The kind of failure; None without one.
            account: The account, as far as it is known.
        """
        self._finished("failed" if problem else "succeeded", category, account or Account(), problem or None)

    def fallback(self, message: str) -> None:
        """Write that the file is used because the keyring is unavailable."""
        self._write({"event": "store_fallback", "store": "file", "message": message})

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()

    def _finished(
        self, outcome: str, category: str | None, account: Account, message: str | None = None, **client: object
    ) -> None:
        who = {"account_id": account.account_id, "email": account.email, "plan": account.plan, **client}
        self._write({"event": "finished", "outcome": outcome, "category": category, "message": message, **who})

    def _write(self, line: dict[str, object]) -> None:
        self._writer.write(json.dumps(line) + "\n")


def _client_of(credentials: Credentials) -> dict[str, object]:
    """Return who issued the tokens of another provider than Codex's, to which client, and for what."""
    tokens = credentials.tokens
    if tokens is None or tokens.provider is None:
        return {}
    return {
        "provider": tokens.provider.name,
        "client_id": tokens.provider.client_id,
        "plan_enabled": tokens.plan_enabled,
        "scopes": list(tokens.scope or ()),
        "subject": identity_of(credentials).subject or None,
    }


def _with_step_as(key: str, phase: LoginPhase) -> dict[str, object]:
    """Return a phase's values. Programs know the step of a failure under the key "phase" or "during"."""
    return {(key if name == "step" else name): value for name, value in phase.values().items()}

"""What programs read: one JSON object a line on standard output, flushed at once (DESIGN section 7)."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from ...sansio.login.failures import LoginFailure, LoginFailureCategory
from ...sansio.login.outcome import LoginCancellation, LoginSuccess
from ...sansio.login.progress import DeviceCodeShown, Failed, Listening
from ...sansio.model.account import Account
from .writer import Outlet

if TYPE_CHECKING:
    from ...sansio.login.outcome import LoginOutcome
    from ...sansio.login.progress import LoginPhase


class JsonLines:
    """Writes the events of a login."""

    def __init__(self) -> None:
        self._outlet = Outlet(sys.stdout)

    def phase(self, phase: LoginPhase) -> None:
        """Tell of a phase."""
        if isinstance(phase, Listening):
            self._write({"event": "listening", **phase.values()})
        elif isinstance(phase, DeviceCodeShown):
            self._write({"event": "device_code", **phase.values()})
        elif isinstance(phase, Failed):
            values = phase.values()
            # Programs know the step as "phase".
            self._write({"event": "problem", "phase": values.pop("step"), **values})
        else:
            # Programs know the step of a cancelled login as "during".
            fields = {("during" if key == "step" else key): value for key, value in phase.values().items()}
            self._write({"event": "progress", "phase": phase.name, "text": phase.text, **fields})

    def finished(self, outcome: LoginOutcome) -> None:
        """Tell of the outcome: the last line."""
        account, category = Account(), None
        match outcome:
            case LoginSuccess():
                name, account = "succeeded", outcome.account
            case LoginCancellation(failure=failure):
                name, category = "cancelled", failure.category
            case LoginFailure():
                name, category = "failed", outcome.category
        self._finished(name, category, account)

    def finished_with_key(self, problem: str) -> None:
        """Tell how storing an API key ended: the last line."""
        if problem:
            self._finished("failed", LoginFailureCategory.PERSIST_FAILED, Account())
        else:
            self._finished("succeeded", None, Account())

    def fallback(self, message: str) -> None:
        """Tell that the file is used, because the keyring cannot be."""
        self._write({"event": "store_fallback", "store": "file", "message": message})

    def close(self) -> None:
        """Let the last lines out."""
        self._outlet.close()

    def _finished(self, outcome: str, category: str | None, account: Account) -> None:
        who = {"account_id": account.account_id, "email": account.email, "plan": account.plan}
        self._write({"event": "finished", "outcome": outcome, "category": category, **who})

    def _write(self, line: dict[str, object]) -> None:
        self._outlet.write(json.dumps(line) + "\n")

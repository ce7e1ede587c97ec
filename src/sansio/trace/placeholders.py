"""What stands in a trace for a secret, for a person, and for words from outside.

The same secret always has the same placeholder, and two secrets never share one, so that whatever compares them comes
to the same result.
"""

from __future__ import annotations

from typing import Final

from ..base.text import clean_text, is_visible_ascii
from ..model.options import LoginSecrets
from .vocabulary import is_told, told

SECRETS: Final = LoginSecrets(state="redacted-state", code_verifier="redacted-code-verifier", nonce="redacted-nonce")
"""The secrets of every login in a trace."""

_LONGEST: Final = 1024
"""Characters of a text that are looked at: fewer are shown."""


class Placeholders:
    """The placeholders of one login.

    Args:
        secrets: The real ones.
    """

    def __init__(self, secrets: LoginSecrets) -> None:
        self._secrets = secrets
        # (A host may use one value for several.)
        self._names: dict[str, str] = {
            **({secrets.nonce: SECRETS.nonce} if secrets.nonce else {}),
            secrets.code_verifier: SECRETS.code_verifier,
            secrets.state: SECRETS.state,
        }
        self._counts: dict[str, int] = {}
        self._state_length = len(secrets.state)

    def of(self, kind: str, secret: str) -> str:
        """The placeholder of a secret; a new one if it has none yet.

        Args:
            kind: What it is, in lower case and with hyphens. Of a value that is known, the first kind stays.
            secret: Not empty.
        """
        if secret not in self._names:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._names[secret] = f"redacted-{kind}-{self._counts[kind]}"
        return self._names[secret]

    def code(self, kind: str, code: str, longest: int) -> str:
        """The placeholder of a code. One that is too long, or has characters that no code has, has such a one."""
        placeholder = self.of(kind, code)
        return placeholder if len(code) <= longest and is_visible_ascii(code) else f"{placeholder} unusable"

    def pasted_state(self, state: str) -> str:
        """The placeholder of a ``state`` that was pasted: one that is too short may be ours, cut off."""
        return "cut" if 0 < len(state) < self._state_length else self.of("foreign-state", state) if state else ""

    def nonce(self, value: str) -> str:
        """The nonce of an id token, which is compared with this login's."""
        return SECRETS.nonce if value == self._secrets.nonce else self.of("foreign-nonce", value)

    def text(self, words: str) -> str:
        """Words from outside: those that are known to be harmless, and nothing that is known to be secret."""
        return told(clean_text(words[:_LONGEST], hide=self._names))

    def word(self, kind: str, word: str) -> str:
        """An error code, if its words are known to be harmless; a text as `text`.

        Args:
            kind: What it is, as for `of`.
            word: Not empty.
        """
        if any(map(str.isspace, word)):
            return self.text(word)
        return word if len(word) <= _LONGEST and is_told(word) and word not in self._names else self.of(kind, word)

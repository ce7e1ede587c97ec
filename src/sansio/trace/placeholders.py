"""What stands in a trace for a secret, for a person, and for words from outside.

The same secret always has the same placeholder, and two secrets never share one, so that whatever compares them comes
to the same result.
"""

from __future__ import annotations

import re
from typing import Final

from ..options import LoginSecrets
from ..redaction import clean_text, is_visible_ascii

SECRETS: Final = LoginSecrets(state="redacted-state", code_verifier="redacted-code-verifier", nonce="redacted-nonce")
"""The secrets of every login in a trace."""

_MASK: Final = "[redacted]"
_PATH: Final = re.compile(r"(?<![\w:/\\.])(?:[A-Za-z]:)?[/\\](?:[^:]|:(?! ))*")
"""A path of the file system, which often names a person, to the next colon and space or to the end."""
_EMAIL: Final = re.compile(r"[^\s@<>\"'(]+@[^\s@<>\"')]+")
_RANDOM: Final = re.compile(r"(?=[\w+/=.~%-]*\d)(?=[\w+/=.~%-]*[A-Za-z])[\w+/=.~%-]{20,}")
"""A long run of letters and digits: whatever it is, it may be a secret."""
_WORD: Final = re.compile(r"[a-z][a-z0-9_.:/-]{0,63}")
_URL: Final = re.compile(r"https?://[\w.:\[\]/-]+")


class Placeholders:
    """The placeholders of one login.

    Args:
        secrets: The real ones.
    """

    def __init__(self, secrets: LoginSecrets) -> None:
        known = ((secrets.state, SECRETS.state), (secrets.code_verifier, SECRETS.code_verifier))
        self._names: dict[str, str] = {**dict(known), **({secrets.nonce: SECRETS.nonce} if secrets.nonce else {})}
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

    def state(self, state: str) -> str:
        """The placeholder of a ``state``: a shorter one than this login's, if it is shorter: it may be cut off."""
        if state in self._names or len(state) >= self._state_length:
            return self.of("foreign-state", state)
        return self.of("cut", state).removeprefix("redacted-")

    def text(self, words: str) -> str:
        """Words from outside: without what is known, and without what looks like a secret, a person or a path."""
        words = clean_text(words, hide=self._names)
        return _RANDOM.sub(_MASK, _PATH.sub("[path]", _EMAIL.sub("[e-mail]", words)))

    def word(self, word: str) -> str:
        """An error code or another short word of a protocol; anything else is text."""
        return (
            word if _WORD.fullmatch(word) and word not in self._names and not _RANDOM.search(word) else self.text(word)
        )

    def url(self, url: str) -> str:
        """An address without user, query and fragment; anything else is text."""
        plain = _URL.fullmatch(url) is not None and not any(secret in url for secret in self._names)
        return url if plain else self.text(url)

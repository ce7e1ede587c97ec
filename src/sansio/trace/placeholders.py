"""Placeholders, which stand in a trace for secrets and persons, and masked texts from outside.

The same secret always has the same placeholder, and two secrets never share one, so that comparisons have the same
result.
"""

from __future__ import annotations

from typing import Final

from ..base.text import clean_text, is_printable_ascii, is_visible_ascii
from ..model.options import LoginSecrets
from .known_values import LONGEST_TEXT, KnownValues
from .vocabulary import is_listed, mask_unlisted

SECRETS: Final = LoginSecrets(
    state="redacted-state", code_verifier="redacted-code-verifier", nonce="redacted-nonce", success_key=""
)
"""The secrets of every login in a trace. Its success page has the address that everybody knows."""


class Placeholders:
    """The placeholders of one login.

    Args:
        secrets: The real secrets of the login.
    """

    def __init__(self, secrets: LoginSecrets) -> None:
        self._secrets = secrets
        # (A host may use one value for several.)
        self._names: dict[str, str] = {
            **({secrets.nonce: SECRETS.nonce} if secrets.nonce else {}),
            secrets.code_verifier: SECRETS.code_verifier,
            secrets.state: SECRETS.state,
        }
        self._ours = tuple(self._names)
        self._known = KnownValues()
        self._counts: dict[str, int] = {}
        self._state_length = len(secrets.state)

    def of(self, kind: str, secret: str) -> str:
        """Return the placeholder of a secret; a new one if it has none yet.

        Args:
            kind: The kind of secret, in lower case and with hyphens. A known secret keeps its first kind.
            secret: The secret, not empty.
        """
        if secret not in self._names:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._names[secret] = f"redacted-{kind}-{self._counts[kind]}"
            self._known.add(secret)
        return self._names[secret]

    def code(self, kind: str, code: str, longest: int) -> str:
        """Return the placeholder of a code. That of an unusable code is unusable too.

        Args:
            kind: The kind of code, as for `of`.
            code: The code, not empty.
            longest: The most characters of a usable code.
        """
        placeholder = self.of(kind, code)
        return placeholder if len(code) <= longest and is_visible_ascii(code) else f"{placeholder} unusable"

    def printable(self, kind: str, value: str, longest: int | None = None) -> str:
        """Return the placeholder of a token or a name. That of one with unusable characters is refused too.

        Args:
            kind: The kind of value, as for `of`.
            value: The value, not empty.
            longest: The most characters of a usable value; None for no limit.
        """
        placeholder = self.of(kind, value)
        is_usable = is_printable_ascii(value) and (longest is None or len(value) <= longest)
        return placeholder if is_usable else f"{placeholder}\x00"

    def pasted_state(self, state: str) -> str:
        """Return the placeholder of a pasted ``state``. One that is too short may be this login's, cut off."""
        return "cut" if 0 < len(state) < self._state_length else self.of("foreign-state", state) if state else ""

    def nonce(self, value: str) -> str:
        """Return the placeholder of the nonce in an id token, which the machine compares with this login's."""
        return SECRETS.nonce if value == self._secrets.nonce else self.of("foreign-nonce", value)

    def issuer(self, value: str, ours: str | None) -> str:
        """Return an issuer that is compared with ours. Ours is not secret.

        The most frequent mistake is a slash too many or too few, so it is kept. A pasted address may end in the middle
        of our issuer.

        Args:
            value: The issuer.
            ours: Our issuer; None if the provider has none.
        """
        ours = ours or ""
        known = ours.startswith(value) or value.rstrip("/") == ours.rstrip("/")
        return value if known else self.of("issuer", value)

    def text(self, words: str) -> str:
        """Return a text from outside in which only words that are known to be harmless are left.

        The login's own secrets are masked wherever they stand. All other values are masked as words: whatever is no
        listed word is masked anyway, and there may be many values.
        """
        cleaned = clean_text(words[:LONGEST_TEXT], hide=self._ours, limit=LONGEST_TEXT)
        return mask_unlisted(clean_text(self._known.mask(cleaned)))

    def word(self, kind: str, word: str) -> str:
        """Return an error code, if its words are known to be harmless; otherwise its placeholder.

        A text with several words is masked as by `text`.

        Args:
            kind: The kind of code, as for `of`.
            word: The code, not empty.
        """
        if any(map(str.isspace, word)):
            return self.text(word)
        return (
            word if len(word) <= LONGEST_TEXT and is_listed(word) and word not in self._names else self.of(kind, word)
        )

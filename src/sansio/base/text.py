"""Make text safe to print and to log.

`clean_text` makes text from outside (error descriptions, claims) safe for a terminal, a log or a page. `safe_url`
removes secrets from a URL. `loginmachine.sansio.base.secret` has the type for secrets of our own.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

SHOWN_TEXT_LIMIT: Final = 256
"""The most characters of text from outside that are shown."""

DRIVER_TEXT_LIMIT: Final = 1024
"""The most characters of a driver's message that are shown. It may name a proxy, a file and several variables."""
MASK: Final = "[redacted]"
"""Stands for a secret in a text."""

SECRET_QUERY_KEYS: Final = frozenset(
    (
        *("access_token", "api_key", "client_secret", "code", "code_verifier", "id_token", "id_token_hint", "key"),
        *("refresh_token", "requested_token", "state", "subject_token", "token"),
    )
)
"""Query parameters with values that are never printed."""

# C0 and C1 controls, line and paragraph separators, bidirectional marks and isolates, zero-width characters and lone
# surrogates: everything that can move a cursor, reverse a line, hide text, or fail to be written.
# (It is a table, because compiling a pattern takes longer than everything else that this module does at start-up.)
_UNPRINTABLE: Final = {
    code: "\ufffd"
    for first, last in (
        *((0x00, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x061C, 0x061C), (0x200B, 0x200F), (0x2028, 0x202E)),
        *((0x2060, 0x206F), (0xD800, 0xDFFF), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB)),
    )
    for code in range(first, last + 1)
}
_UNPRINTABLE_BUT_NEWLINE: Final = {code: shown for code, shown in _UNPRINTABLE.items() if code != ord("\n")}


def is_printable_ascii(text: str) -> bool:
    """Return whether a text has only visible ASCII characters and spaces, as a token must (RFC 6749 appendix A.12).

    The result is true for an empty text.
    """
    return text.isascii() and text.isprintable()


def is_visible_ascii(text: str) -> bool:
    """Return whether a text is not empty and has only visible ASCII characters, without spaces."""
    return is_printable_ascii(text) and " " not in text and text != ""


def is_printable(text: str) -> bool:
    """Return whether a text has no control, bidirectional or invisible character. Spaces and letters of any script may.

    The result is true for an empty text.
    """
    return text.translate(_UNPRINTABLE) == text


def clean_text(text: str, *, hide: Iterable[str] = (), limit: int = SHOWN_TEXT_LIMIT) -> str:
    """Make text from outside safe to show.

    Args:
        text: The text.
        hide: Secrets that the other side may echo. Each is masked, also percent-encoded, and also its halves and
            shorter parts, as they are or in base64.
        limit: The greatest length of the result, in characters.

    Returns:
        The text with masked secrets, without control and bidirectional characters, cut to ``limit``.
    """
    if text and hide:
        text = _mask(text, hide)
    if not is_printable_ascii(text):
        text = text.translate(_UNPRINTABLE)
    text = text.strip()
    return text if len(text) <= limit else text[: limit - 1] + "\u2026"


def _mask(text: str, hide: Iterable[str]) -> str:
    try:
        from .echoes import mask_echoes  # noqa: PLC0415 - few texts need it, and not before the login URL is shown
    except (ImportError, OSError):
        # The system has no descriptor left to load it. The text may say so, and whole secrets are found all the same.
        for secret in hide:
            text = text.replace(secret, MASK) if secret else text
        return text
    return mask_echoes(text, hide, MASK)


def printable(text: str) -> str:
    """Replace control and bidirectional characters in a text of our own, which may contain a path or a setting.

    Line breaks stay, and nothing is cut off.
    """
    return text if is_printable_ascii(text) else text.translate(_UNPRINTABLE_BUT_NEWLINE)


def safe_url(url: str) -> str:
    """Return a URL without user name, password and fragment, and with secret query values masked, for printing."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port
    except ValueError:
        return "[unreadable URL]"
    netloc = f"[{host}]" if ":" in host else host
    if port is not None:
        netloc = f"{netloc}:{port}"
    query = urlencode(
        [
            (key, MASK if key.lower() in SECRET_QUERY_KEYS else value)
            for key, value in parse_qsl(parts.query, keep_blank_values=True)
        ],
        safe="[]",
    )
    return clean_text(urlunsplit((parts.scheme, netloc, parts.path, query, "")), limit=2048)

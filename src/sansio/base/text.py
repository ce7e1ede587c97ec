"""What may be printed or logged, and what may not.

Two kinds of text are handled here: our own secrets, which `Secret` keeps out of every repr, and text from outside
(error descriptions, claims), which `clean_text` makes safe to show in a terminal, a log or a page.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

SHOWN_TEXT_LIMIT: Final = 256
"""Characters of foreign text that are shown at most."""

_MASK: Final = "[redacted]"

SECRET_QUERY_KEYS: Final = frozenset(
    (
        *("access_token", "api_key", "client_secret", "code", "code_verifier", "id_token", "key"),
        *("refresh_token", "requested_token", "state", "subject_token", "token"),
    )
)
"""Query parameters whose values are never printed."""

# C0 and C1 controls, line and paragraph separators, bidirectional marks and isolates, zero-width characters and lone
# surrogates: everything that can move a cursor, reverse a line, hide text, or fail to be written.
# (A table: compiling a pattern costs more than everything else that this module does at start-up.)
_UNPRINTABLE: Final = {
    code: "\ufffd"
    for first, last in (
        *((0x00, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x061C, 0x061C), (0x200B, 0x200F), (0x2028, 0x202E)),
        *((0x2060, 0x206F), (0xD800, 0xDFFF), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB)),
    )
    for code in range(first, last + 1)
}


_ACTING: Final = {code: shown for code, shown in _UNPRINTABLE.items() if code != ord("\n")}


def is_printable_ascii(text: str) -> bool:
    """Nothing but what a token may hold (RFC 6749 appendix A.12): visible ASCII and spaces. True if it is empty."""
    return text.isascii() and text.isprintable()


def is_visible_ascii(text: str) -> bool:
    """Printable ASCII without the space, and not empty."""
    return is_printable_ascii(text) and " " not in text and text != ""


def clean_text(text: str, *, hide: Iterable[str] = (), limit: int = SHOWN_TEXT_LIMIT) -> str:
    """Make foreign text safe to show.

    Args:
        text: Anything from outside.
        hide: Secrets that the other side may echo; each is replaced, also in its percent-encoded form.
        limit: The longest result, in characters.

    Returns:
        The text with secrets masked, control and bidirectional characters replaced, cut to ``limit``.
    """
    if text and hide:
        text = _mask(text, hide)
    if not is_printable_ascii(text):
        text = text.translate(_UNPRINTABLE)
    text = text.strip()
    return text if len(text) <= limit else text[: limit - 1] + "\u2026"


def printable(text: str) -> str:
    """A text of ours that has a path or a setting of this machine in it: it keeps its line ends and its length."""
    return text if is_printable_ascii(text) else text.translate(_ACTING)


def _mask(text: str, hide: Iterable[str]) -> str:
    forms = [form for secret in hide if secret for form in _written_forms(secret)]
    if any(form in text for form in forms):
        import re  # noqa: PLC0415 - one pass, so that no mask is looked into

        text = re.sub("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)), _MASK, text)
    return text


def _written_forms(secret: str) -> tuple[str, ...]:
    """As it is, and percent-encoded with digits of either case."""
    encoded = quote(secret, safe="", errors="surrogatepass")
    first, *rest = encoded.split("%")
    return secret, encoded, "%".join([first, *(part[:2].lower() + part[2:] for part in rest)])


def safe_url(url: str) -> str:
    """A URL that may be printed: no userinfo, no fragment, and secret query values masked."""
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
            (key, _MASK if key.lower() in SECRET_QUERY_KEYS else value)
            for key, value in parse_qsl(parts.query, keep_blank_values=True)
        ],
        safe="[]",
    )
    return clean_text(urlunsplit((parts.scheme, netloc, parts.path, query, "")), limit=2048)

"""Secrets that the other side repeats: whole, in parts, encoded."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from loginmachine.sansio.base.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Callable

SECRETS = {
    "a code": "4/0AbCSplxlOBeZQQYbYS6WxSbIA-_~.",
    "a code with a space": "SplxlOBe ZQQYbYS6WxSbIA",
    "base64url": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    "words": "canary-secret-authorization-code",
    "hexadecimal": "3f9a0c77d1e24b5896ab00ffee112233",
    "not ASCII": "grün-Æther-canary-\u20ac\u20ac\u20ac",
    "long": "".join(f"{number:x}Zq" for number in range(700)),
}
ENCODINGS: dict[str, Callable[[bytes], str]] = {
    "base64": lambda data: b64encode(data).decode(),
    "base64 without padding": lambda data: b64encode(data).decode().rstrip("="),
    "base64url": lambda data: urlsafe_b64encode(data).decode(),
    "base64url without padding": lambda data: urlsafe_b64encode(data).decode().rstrip("="),
    "base64 after one byte": lambda data: b64encode(b":" + data).decode(),
    "base64 after two bytes": lambda data: b64encode(b"a:" + data + b":b").decode(),
    "base64 in a form": lambda data: urlsafe_b64encode(b"code=" + data + b"&state=x").decode(),
    "hexadecimal": lambda data: data.hex(),
    "hexadecimal capitals": lambda data: data.hex().upper(),
    "percent": lambda data: quote(data, safe=""),
    "percent, all": lambda data: "".join(f"%{byte:02X}" for byte in data),
}
"""Ways in which a secret may be written."""
WORDS = "invalid_grant: the Code (status 400) was not issued to this client, see https://id.example/docs"


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", SECRETS)
def test_an_encoded_secret(kind: str, encoding: str) -> None:
    secret = SECRETS[kind]
    if encoding == "percent, all" and kind == "long":
        pytest.skip("longer than the text that is read")
    echo = ENCODINGS[encoding](secret.encode())
    shown = clean_text(f"no {echo} today" if len(echo) < 900 else f"no {echo}", hide=("other", secret))
    assert shown.startswith("no ")
    for first in range(len(echo) - 8):
        assert echo[first : first + 8] not in shown
    if len(echo) < 900:
        assert shown.endswith(" today")


@pytest.mark.parametrize("kind", SECRETS)
def test_parts_of_a_secret(kind: str) -> None:
    secret = SECRETS[kind]
    middle = len(secret) // 2
    for part in (secret[:middle], secret[middle:], secret[3:-3], secret[:12], secret[-9:], secret[5:15]):
        part = part[:500]  # noqa: PLW2901
        loud = part.upper() if part.isascii() else part
        for echo in (
            f"no {part} today",
            f"no {loud} today",
            f"no x{part}y today",
            f"no '{part}...' today",
        ):
            shown = clean_text(echo, hide=(secret,))
            assert "[redacted]" in shown
            assert part[:8] not in shown
            assert part[-8:] not in shown
            assert shown.endswith(" today")


@pytest.mark.parametrize("gap", [" ", "-", "\n", "\u200b", ". ", ", ", "%20", "' + '"])
@pytest.mark.parametrize("kind", ["a code", "base64url", "hexadecimal", "long"])
def test_a_secret_in_groups(kind: str, gap: str) -> None:
    secret = SECRETS[kind][:120]
    echo = gap.join(secret[first : first + 4] for first in range(0, len(secret), 4))
    shown = clean_text(f"no {echo} today", hide=(SECRETS[kind],))
    assert shown.startswith("no ")
    assert [group for group in echo.split(gap) if len(group) == 4 and group.isalnum() and group in shown] == []


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        ("CNRY-12345", "no 12345 and CNRY- today", "no [redacted] and [redacted] today"),
        ("ABCD-EFGH", "no ABCD here EFGH", "no [redacted] here [redacted]"),
        ("good-code", "no good code: -code", "no good code: [redacted]"),
        ("refresh-token", "refresh token: token", "refresh token: token"),
        ("a       ", "no         today", "no         today"),
        ("code-1", "code 1 of code-1", "code 1 of [redacted]"),
        ("redacted-code-verifier", "redacted-error-1: redacted-code-verifier", "redacted-error-1: [redacted]"),
        ("a redacted] secret 1234", "a [redacted] secret", "a [redacted] secret"),
    ],
)
def test_short_secrets(secret: str, text: str, shown: str) -> None:
    assert clean_text(text, hide=(secret,)) == shown


@pytest.mark.parametrize("secrets", [("12-4", "12-4x9"), ("12-4x9", "12-4")])
def test_a_secret_that_begins_like_another(secrets: tuple[str, str]) -> None:
    assert clean_text("no 12-4x9, 12-4 today", hide=secrets) == "no [redacted], [redacted] today"


@pytest.mark.parametrize("kind", SECRETS)
def test_ordinary_words_stay(kind: str) -> None:
    assert clean_text(WORDS, hide=(SECRETS[kind],)) == WORDS


def test_of_a_long_text_the_beginning_is_read() -> None:
    secret = SECRETS["a code"]
    text = f"{secret} " * 40
    shown = clean_text(text, hide=(secret,))
    assert shown.startswith("[redacted] [redacted]")
    assert secret[:2] not in shown
    assert clean_text("x" * 2000, hide=(secret,)) == "x" * 255 + "\u2026"

"""Bodies that stand in a trace for unreadable ones. Each is unreadable for the same reason as the original."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...oauth.responses import MAX_TOKEN_RESPONSE

if TYPE_CHECKING:
    from collections.abc import Mapping

TOO_LARGE: Final = b" " * (MAX_TOKEN_RESPONSE + 1)
TOO_DEEP: Final = b"[" * 200_000
NOT_JSON: Final = b"{"
WEB_PAGE: Final = b"<"
UNREADABLE: Final[Mapping[str, bytes]] = {
    "not UTF-8": b"\xff",
    "nested too deeply": TOO_DEEP,
    "a duplicate member": b'{"a":0,"a":0}',
    "a number that JSON does not know": b'{"a":NaN}',
    "not a JSON object": b"[]",
}
"""The body for each message of `strict_json`. For all other messages it is `NOT_JSON`."""

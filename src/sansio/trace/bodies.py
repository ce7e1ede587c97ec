"""Short stand-ins for bodies that cannot be read, each for the same reason as the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..oauth.token_responses import MAX_TOKEN_RESPONSE

if TYPE_CHECKING:
    from collections.abc import Mapping

TOO_LARGE: Final = b" " * (MAX_TOKEN_RESPONSE + 1)
TOO_DEEP: Final = b"[" * 200_000
NOT_JSON: Final = b"{"
UNREADABLE: Final[Mapping[str, bytes]] = {
    "not UTF-8": b"\xff",
    "nested too deeply": TOO_DEEP,
    "a duplicate member": b'{"a":0,"a":0}',
    "a number that JSON does not know": b'{"a":NaN}',
    "not a JSON object": b"[]",
}
"""By the reason that `strict_json` gives. What is not here is `NOT_JSON`."""

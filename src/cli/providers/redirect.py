"""The redirect URI of the command line, which is that of the client's registration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Final

_URI: Final = re.compile(
    r"http://(?P<host>127\.0\.0\.1|localhost|\[::1\])(?::(?P<port>[1-9][0-9]{0,4}))?(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*)"
)


class Redirect(NamedTuple):
    """The parts of a redirect URI."""

    host: str
    port: int | None
    """None if any port will do (RFC 8252 section 7.3)."""
    path: str
    """The path as it is written. It may be empty."""


def parse_redirect_uri(uri: str) -> Redirect:
    """Return the parts of a redirect URI.

    Raises:
        ValueError: It is no http URI of this machine, or has a query or a fragment.
    """
    match = _URI.fullmatch(uri)
    if match is None or int(match["port"] or 0) > 65535:
        raise ValueError(
            "it is http://127.0.0.1, http://localhost or http://[::1], with a port from 1 to 65535 or without one,"
            " and with a path or without one. It has no query and no fragment"
        )
    return Redirect(match["host"], int(match["port"]) if match["port"] else None, match["path"])

"""The challenges with which a resource says how to get access (``WWW-Authenticate``, RFC 9110 section 11.6.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..base.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

_LONGEST: Final = 8192
"""The most characters of a field that are read."""
_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER: Final = re.compile(rf'({_WORD})[ \t]*=[ \t]*(?:({_WORD})(?=[ \t,]|$)|"((?:[^"\\]|\\.)*)")')
_TOKEN68: Final = re.compile(r"[0-9A-Za-z._~+/-]+=*(?=[ \t]*(?:,|$))")
_SCHEME: Final = re.compile(rf"({_WORD})(?:[ \t]+|(?=,)|$)")
_SEPARATOR: Final = re.compile(r"[ \t,]*")
_ESCAPED: Final = re.compile(r"\\(.)")


class BearerChallenge(Record):
    """What a resource says about the bearer token that it wants (RFC 6750 section 3, RFC 9728 section 5.1)."""

    resource_metadata: str | None = None
    """The address of the metadata of the resource."""
    scope: tuple[str, ...] = ()
    """The scopes that the request needs."""
    error: str | None = None
    """``invalid_token``, ``insufficient_scope`` or another code. None if the request had no token."""


def bearer_challenge(fields: Iterable[str]) -> BearerChallenge | None:
    """Return the challenge for a bearer token, or None.

    A part of a field that is no challenge ends the reading of that field. What comes before it counts.

    Args:
        fields: The values of the ``WWW-Authenticate`` fields of a response with status 401 or 403. A field may hold
            several challenges.
    """
    for field in fields:
        for scheme, parameters in _challenges(field[:_LONGEST]):
            if scheme == "bearer":
                return BearerChallenge(
                    resource_metadata=parameters.get("resource_metadata"),
                    scope=tuple(parameters.get("scope", "").split()),
                    error=parameters.get("error"),
                )
    return None


def _challenges(field: str) -> list[tuple[str, dict[str, str]]]:
    """Return the scheme of each challenge in lower case, and its parameters. If one is repeated, the first counts."""
    found: list[tuple[str, dict[str, str]]] = []
    position = _skip(field, 0)
    while position < len(field):
        parameter = _PARAMETER.match(field, position) if found else None
        if parameter is not None:
            name, token, quoted = parameter.groups()
            value = token if quoted is None else _ESCAPED.sub(r"\1", quoted)
            found[-1][1].setdefault(name.lower(), value)
            position = _skip(field, parameter.end())
            continue
        scheme = _SCHEME.match(field, position)
        if scheme is None:
            break
        found.append((scheme[1].lower(), {}))
        position = scheme.end()
        # Some schemes have one value without a name, such as Negotiate.
        value68 = None if _PARAMETER.match(field, position) else _TOKEN68.match(field, position)
        position = _skip(field, position if value68 is None else value68.end())
    return found


def _skip(field: str, position: int) -> int:
    match = _SEPARATOR.match(field, position)
    return position if match is None else match.end()

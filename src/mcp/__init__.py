"""Sign in to protected MCP servers, with the streamable HTTP client of the official SDK (docs/mcp.md).

`ResourceAuth` is the ``auth`` of an `httpx2.AsyncClient`. It needs the extra ``mcp``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .auth import ResourceAuth

__all__ = ["ResourceAuth"]

_HOMES = {"auth": ("ResourceAuth",)}


def __getattr__(name: str) -> object:
    """Load a public name from its module (PEP 562)."""
    from ..sansio.base.public import load  # noqa: PLC0415 - the first name needs it, not the package

    return load(__name__, _HOMES, name)


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted(__all__)

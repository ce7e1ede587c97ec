"""Tests for what a program adds to this package. They need no test framework: each is a function that a test calls.

`check_store` tests a store of the program's own (docs/stores.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .stores.check import StoreCheckFailed, check_store

__all__ = ["StoreCheckFailed", "check_store"]

_HOMES = {"stores.check": ("StoreCheckFailed", "check_store")}


def __getattr__(name: str) -> object:
    """Load a public name from its module (PEP 562)."""
    from ..sansio.base.public import load  # noqa: PLC0415 - the first name needs it, not the package

    return load(__name__, _HOMES, name)


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted(__all__)

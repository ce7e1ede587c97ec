"""The store that the command line asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..drivers.stores.auto_store import open_store

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from ..drivers.stores.home_store import HomeStore


def open_from(
    arguments: argparse.Namespace, *, on_warning: Callable[[str], None], on_fallback: Callable[[str], None]
) -> HomeStore:
    """The store of ``--home`` and ``--store``.

    Args:
        arguments: The command line.
        on_warning: Told of anything unusual, in one line.
        on_fallback: Told, in one line, when the file is used because the keyring cannot be.
    """
    return open_store(arguments.home, arguments.store, on_warning=on_warning, on_fallback=on_fallback)


class Remarks:
    """What a store has to say, kept until the command has said the main thing."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.fallback: str | None = None
        """Why the keyring is not used, if ``auto`` could not use it."""

    def open(self, arguments: argparse.Namespace) -> HomeStore:
        """The store, whose remarks come here."""
        return open_from(arguments, on_warning=self.warnings.append, on_fallback=self._note_fallback)

    def lines(self) -> list[str]:
        """The remarks as lines for people."""
        remarks = [*self.warnings, *([self.fallback] if self.fallback else [])]
        return [f"Warning: {remark}." for remark in remarks]

    def _note_fallback(self, text: str) -> None:
        self.fallback = text

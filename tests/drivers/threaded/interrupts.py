"""Interrupts of the thread that uses a login: at each line of the drivers' code in turn."""

from __future__ import annotations

import ast
import contextlib
import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import loginmachine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_DRIVERS = str(Path(loginmachine.__file__).parent / "drivers")


@functools.cache
def _beyond_repair(path: str) -> frozenset[int]:
    """Return the lines where Python itself cannot do better: the start of an ``__exit__`` (bpo-29988)."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return frozenset(node.body[0].lineno for node in functions if node.name == "__exit__")


class Interrupt:
    """Raises `KeyboardInterrupt` at one line of the drivers, in the thread that enters the context.

    Args:
        line: The number of lines that run before.
    """

    def __init__(self, line: int) -> None:
        self._left = line
        self.where = ""
        """The line that was interrupted. Empty if there were not so many lines."""

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        before = sys.gettrace()
        sys.settrace(self._on_call)
        try:
            yield
        finally:
            sys.settrace(before)

    def _on_call(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        return self._on_line if frame.f_code.co_filename.startswith(_DRIVERS) else None

    def _on_line(self, frame: FrameType, event: str, _argument: Any) -> Any:
        path = frame.f_code.co_filename
        if event == "line" and not self.where and frame.f_lineno not in _beyond_repair(path):
            self._left -= 1
            if self._left < 0:
                self.where = f"{Path(path).name}:{frame.f_lineno} in {frame.f_code.co_name}"
                raise KeyboardInterrupt
        return self._on_line

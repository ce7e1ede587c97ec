"""What the command's process does late, seldom or not at all, so that the URL is there soon and little memory is held.

For the process of the command only: in a host's, what is imported is the host's business.
"""

from __future__ import annotations

import gc
import sys
from importlib.machinery import PathFinder
from importlib.util import LazyLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Final

_SELDOM_USED: Final = ("inspect", "ipaddress", "traceback")
"""Imported by `transitions`, `urllib` and `logging` for what a login does not do: an eighth of the time to the URL."""
_UNUSED: Final = ("anyio", "trio", "httpx._main")
"""httpcore imports the first two if it finds them, for drivers other than ours: 5 MB, and more time than h11 and httpx
take. The third is httpx's own command, which is imported if click and rich are there."""

_MANY: Final = 50_000
"""Objects. A login makes some tens of thousands, which stay: looking through them for garbage finds none."""


class _LateFinder:
    """Finds the modules that are seldom used, and leaves loading them to whoever uses them first."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """As `importlib.abc.MetaPathFinder` describes it."""
        spec = PathFinder.find_spec(name, path, target) if name in _SELDOM_USED else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


def load_when_used() -> None:
    """Load the modules that are seldom used when they are used."""
    sys.meta_path.insert(0, _LateFinder)


def do_without_the_unused() -> None:
    """Let nobody find what the threaded driver does not need."""
    for name in _UNUSED:
        # The import system's way of saying that a module is not there.
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def collect_seldom() -> None:
    """Look for garbage when there is enough of it, instead of while modules are loaded."""
    gc.set_threshold(_MANY)


def end_soon() -> None:
    """Let the interpreter end without looking for garbage first: it takes longer than all else at the end."""
    gc.freeze()

"""Import and garbage-collector tuning, so that the command shows the login URL quickly and uses little memory.

Only for the command's own process. In a program that embeds the library, imports are the program's business.
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

_DEFERRED: Final = ("inspect", "ipaddress", "traceback")
"""Modules that `transitions`, `urllib` and `logging` import, but that a login does not use. Loading them would take an
eighth of the time until the URL is shown."""
NOT_FOR_ASYNCIO: Final = ("trio", "httpx._main")
NOT_FOR_THREADS: Final = ("anyio", *NOT_FOR_ASYNCIO)
"""Modules that httpcore and httpx import if they are installed, and that a driver does not need. anyio and trio take
5 MB, and longer to load than h11 and httpx; the third is httpx's own command line."""

_COLLECTION_THRESHOLD: Final = 50_000
"""Allocated objects between two garbage collections. A login makes some tens of thousands, nearly all of which stay
alive, so that earlier collections would find nothing."""


class _LazyFinder:
    """Finds the deferred modules, and delays loading each until its first use."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        spec = PathFinder.find_spec(name, path, target) if name in _DEFERRED else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


def defer_imports() -> None:
    """Load rarely used modules on first use instead of on import."""
    sys.meta_path.insert(0, _LazyFinder)


def block_imports(names: Sequence[str] = NOT_FOR_THREADS) -> None:
    """Make modules that a driver does not need look as if they were not installed."""
    for name in names:
        # None in `sys.modules` makes an import raise ModuleNotFoundError.
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def collect_rarely() -> None:
    """Raise the garbage collector's threshold, so that it does not run while modules are loaded."""
    gc.set_threshold(_COLLECTION_THRESHOLD)


def skip_final_collection() -> None:
    """Exempt all objects from the garbage collection at exit, which is the slowest part of it."""
    gc.freeze()

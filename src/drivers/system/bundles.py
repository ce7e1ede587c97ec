"""The environment for a program that is not part of ours, such as a browser, if ours runs from a bundle.

The starter of a bundle points the system's loader to the libraries in the bundle. Other programs would load them, too,
and most browsers then do not start. PyInstaller keeps the original value of a variable with ``_ORIG`` at the end of its
name. An AppImage keeps none, but its libraries are below ``APPDIR``. Nuitka sets no variable.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_LIBRARY_PATHS: Final = (
    "LD_LIBRARY_PATH",
    "LIBPATH",
    "SHLIB_PATH",
    "DYLD_LIBRARY_PATH",
    "DYLD_FRAMEWORK_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "DYLD_FALLBACK_FRAMEWORK_PATH",
)
"""Where the loader searches: Linux, the BSDs and Solaris; AIX; HP-UX; macOS."""
_OTHERS: Final = ("LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "PYTHONHOME", "PYTHONPATH")
"""What else the starter of an AppImage sets so that other programs fail."""


def environment_of_others(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for another program: without the paths that lead into our bundle.

    Args:
        environment: Our own environment. It is not changed.
    """
    result = dict(environment)
    is_frozen = bool(getattr(sys, "frozen", False))
    folders = [environment.get("APPDIR", ""), getattr(sys, "_MEIPASS", "") if is_frozen else ""]
    bundles = [os.path.normpath(folder) for folder in folders if os.path.isabs(folder)]  # noqa: PTH117 - as in `wsl`
    for name in (*_LIBRARY_PATHS, *_OTHERS):
        original = result.pop(f"{name}_ORIG", None) if is_frozen else None
        if original is not None:
            result[name] = original
        elif name in result and is_frozen and name in _LIBRARY_PATHS and not hasattr(sys, "_MEIPASS"):
            # A tool that does not say where its libraries are. The person hardly needs this variable for a browser.
            del result[name]
        elif name in result:
            _leave_out(result, name, bundles)
    return result


def _leave_out(environment: dict[str, str], name: str, bundles: list[str]) -> None:
    """Leave out the entries of a list of paths that are in a bundle, and the variable if no other is left."""
    entries = environment[name].split(os.pathsep)
    kept = [entry for entry in entries if not any(_is_in(entry, bundle) for bundle in bundles)]
    if any(kept):
        environment[name] = os.pathsep.join(kept)
    elif kept != entries:
        del environment[name]


def _is_in(path: str, folder: str) -> bool:
    path = os.path.normpath(path)
    # The root of the file system is no bundle.
    return folder != os.sep and (path == folder or path.startswith(f"{folder}{os.sep}"))

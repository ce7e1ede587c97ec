"""Linux under Windows (WSL). The person's browser is a Windows program, and can connect to this system's loopback."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

EXPLORER: Final = "explorer.exe"
"""A launcher of Windows. Its exit status is always 1."""
OS_RELEASE: Final = "/proc/sys/kernel/osrelease"
INTEROP: Final = ("/proc/sys/fs/binfmt_misc/WSLInterop", "/proc/sys/fs/binfmt_misc/WSLInterop-late")
"""Files. The first line of each says whether the kernel passes programs of Windows to Windows."""

_WINDOWS: Final = "/mnt/c/Windows"
"""The folder of Windows programs, which is used if the path of Windows is not part of this system's path."""


def is_wsl(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether this is WSL, from the environment or from the name of the kernel."""
    if environment.get("WSL_DISTRO_NAME") or environment.get("WSL_INTEROP"):
        return True
    try:
        with open(OS_RELEASE, encoding="ascii", errors="replace") as release:  # noqa: PTH123 - pathlib costs 5 ms
            return "microsoft" in release.read(256).lower()
    except OSError:
        return False


def is_without_interop(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether it is known that programs of Windows cannot be run: their connection is gone, or switched off."""
    socket = environment.get("WSL_INTEROP")
    if socket and not os.path.exists(socket):  # noqa: PTH110 - pathlib costs 5 ms
        # It is of a session that has ended, as in a terminal multiplexer.
        return True
    words = []
    for path in INTEROP:
        try:
            with open(path, encoding="ascii", errors="replace") as registration:  # noqa: PTH123 - as above
                words.append(registration.readline().strip())
        except OSError:
            # The kernel's file system for these files need not be mounted.
            continue
    return bool(words) and "enabled" not in words


def launchers(url: str) -> list[list[str]]:
    """Return the commands that open a URL in Windows, the best first.

    `cmd.exe` is not among them, because it interprets an ampersand. PowerShell reads its last argument as code, and
    interprets nothing between single quotes. The URLs of this package hold no single quote.
    """
    if "'" in url:
        return []
    shell = ("-NoProfile", "-NonInteractive", "-Command", f"Start-Process '{url}'")
    # The exit status of Explorer does not say whether it was run at all.
    explorers = [[EXPLORER, url], [f"{_WINDOWS}/{EXPLORER}", url]] if not is_without_interop() else []
    return [
        ["wslview", url],
        ["powershell.exe", *shell],
        [f"{_WINDOWS}/System32/WindowsPowerShell/v1.0/powershell.exe", *shell],
        *explorers,
    ]

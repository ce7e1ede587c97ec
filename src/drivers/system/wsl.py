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


def launchers(url: str) -> list[list[str]]:
    """Return the commands that open a URL in Windows, the best first.

    `cmd.exe` is not among them, because it interprets an ampersand. PowerShell reads its last argument as code, and
    interprets nothing between single quotes. The URLs of this package hold no single quote.
    """
    if "'" in url:
        return []
    shell = ("-NoProfile", "-NonInteractive", "-Command", f"Start-Process '{url}'")
    return [
        ["wslview", url],
        ["powershell.exe", *shell],
        [f"{_WINDOWS}/System32/WindowsPowerShell/v1.0/powershell.exe", *shell],
        [EXPLORER, url],
        [f"{_WINDOWS}/{EXPLORER}", url],
    ]

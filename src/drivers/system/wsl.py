"""Linux under Windows (WSL): the person's browser is a Windows program, and it reaches this system's loopback."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

EXPLORER: Final = "explorer.exe"
"""Its exit status is 1 whatever it has done."""
OS_RELEASE: Final = "/proc/sys/kernel/osrelease"

_WINDOWS: Final = "/mnt/c/Windows"
"""Where its programs are if Windows' path was not appended to ours."""


def is_wsl(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is WSL: it says so in the environment, or else in the kernel's name."""
    if environment.get("WSL_DISTRO_NAME") or environment.get("WSL_INTEROP"):
        return True
    try:
        with open(OS_RELEASE, encoding="ascii", errors="replace") as release:  # noqa: PTH123 - pathlib costs 5 ms
            return "microsoft" in release.read(256).lower()
    except OSError:
        return False


def launchers(url: str) -> list[list[str]]:
    """The commands that open a URL in Windows, the best first.

    None of them is `cmd.exe`, to which an ampersand means something. PowerShell reads its last argument as code, in
    which nothing between single quotes is interpreted, and our URLs hold none of those.
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

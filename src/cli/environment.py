"""Where the command runs: whether the person's browser is likely to be on another machine."""

from __future__ import annotations

import os
import sys

from ..drivers.system.wsl import is_wsl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_CONTAINER_MARKS: Final = ("/.dockerenv", "/run/.containerenv")


def why_no_browser(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str | None:
    """Say why a browser here can hardly come back to this machine.

    Args:
        environment: The environment variables.
        platform: As `sys.platform`.

    Returns:
        The reason, to follow "this looks like"; None if there is none.
    """
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return "a session over SSH"
    if environment.get("container") or any(map(os.path.exists, _CONTAINER_MARKS)):
        return "a container"
    shows_windows = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY") or environment.get("BROWSER")
    if platform.startswith(("linux", "freebsd")) and not shows_windows and not is_wsl(environment):
        return "a machine without a display"
    return None

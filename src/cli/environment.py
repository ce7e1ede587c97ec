"""Environment checks: whether the browser is likely to run on another machine (SSH, container, no display)."""

from __future__ import annotations

import os
import sys

from ..drivers.system.choice import opens_nothing
from ..drivers.system.wsl import is_wsl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_CONTAINER_FILES: Final = ("/.dockerenv", "/run/.containerenv")
"""Files that Docker and Podman put into a container."""


def is_automatic(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether a service for continuous integration runs the program: ``CI`` is set, and not to false."""
    return environment.get("CI", "").lower() not in ("", "0", "false")


def why_no_browser(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str | None:
    """Return why a local browser probably cannot be used.

    Args:
        environment: Environment variables.
        platform: See `sys.platform`.

    Returns:
        The reason, worded to follow "this looks like"; None if a browser on this machine can be expected.
    """
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return "a session over SSH"
    if environment.get("container") or any(map(os.path.exists, _CONTAINER_FILES)):
        return "a container"
    has_choice = environment.get("BROWSER") and not opens_nothing(environment)
    has_display = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY") or has_choice
    if platform.startswith(("linux", "freebsd")) and not has_display and not is_wsl(environment):
        return "a machine without a display"
    return None

"""Open a URL in the person's browser: with an argument list, never a shell, and with a time limit for each launcher.

The standard library's `webbrowser` waits for text browsers, gives them the terminal, and cannot be interrupted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from .bundles import environment_of_others
from .choice import chosen
from .wsl import EXPLORER, is_wsl
from .wsl import launchers as wsl_launchers

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

LAUNCH_TIMEOUT: Final = 5.0
"""Seconds after which a launcher that is still running is taken for the browser itself."""
_POLL: Final = 0.05

_NONE_WANTED: Final = "BROWSER is none, so no browser is opened"

opener: Callable[[str], object] | None = None
"""Called in place of a browser, by tests of programs (`loginmachine.testing.Browser`)."""
_running: list[subprocess.Popen[bytes]] = []
"""Browsers that are still running. (Appending is atomic.)"""

_DESKTOP_LAUNCHERS: Final = (
    ("xdg-open",),
    ("x-www-browser",),
    ("gio", "open"),
    ("firefox",),
    ("chromium",),
    ("google-chrome",),
)
_TEXT_BROWSERS: Final = frozenset(("w3m", "lynx", "links", "links2", "elinks", "browsh", "carbonyl", "www-browser"))
"""Browsers that need the terminal, which this program uses itself."""


def open_url(url: str, stop: threading.Event) -> str | None:
    """Launch a browser. Blocks for at most `LAUNCH_TIMEOUT` seconds for each launcher on this machine.

    Args:
        url: A URL built from a checked issuer: printable ASCII without a character that any launcher interprets.
        stop: Set when the login is over, and the wait for a launcher should end.

    Returns:
        None if a launcher accepted the URL, which does not mean that the person sees it. Otherwise why none did.
    """
    if opener is not None:
        opener(url)
        return None
    commands, ends_with_none = chosen(url)
    if sys.platform == "win32":
        return _NONE_WANTED if ends_with_none else _start_file(url)
    # Forget those that have ended.
    _running[:] = [process for process in _running if process.poll() is None]
    usable = _usable(commands if ends_with_none else [*commands, *_system_launchers(url)])
    if any(_launch(command, stop) for command in usable):
        return None
    if ends_with_none:
        return _NONE_WANTED
    if usable:
        return "no launcher on this machine could open a browser"
    return "there is no display, or no launcher for a browser, on this machine"


def first_launcher() -> str:
    """Return the name of the program that `open_url` would try first; empty if there is none. Starts nothing."""
    commands, ends_with_none = chosen("")
    if sys.platform == "win32":
        return "" if ends_with_none else "Windows"
    usable = _usable(commands if ends_with_none else [*commands, *_system_launchers("")])
    return usable[0][0] if usable else ""


def _usable(commands: list[list[str]]) -> list[list[str]]:
    return [command for command in commands if _is_usable(command[0])]


def _system_launchers(url: str) -> list[list[str]]:
    """Return the commands of this system, in the order in which to try them."""
    if sys.platform == "darwin":
        return [["open", url]]
    # Without a display, the launchers of a desktop would start a text browser or nothing.
    has_display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    desktop = [[*command, url] for command in _DESKTOP_LAUNCHERS] if has_display else []
    return [*wsl_launchers(url), *desktop] if is_wsl() else desktop


def _is_usable(program: str) -> bool:
    """Return whether a program exists and is no text browser, also behind a link (Debian's alternatives)."""
    path = shutil.which(program)
    names = (program, path, os.path.realpath(path)) if path else ()
    return bool(names) and not any(os.path.basename(name) in _TEXT_BROWSERS for name in names)  # noqa: PTH119


def _launch(command: list[str], stop: threading.Event) -> bool:
    try:
        # The browser inherits no terminal, stream or descriptor. The listening socket must not stay open in it.
        process = subprocess.Popen(  # noqa: S603 - an argument list, and a URL of this package
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=True,
            start_new_session=True,
            env=environment_of_others(),
        )
    except OSError:
        return False
    for _ in range(int(LAUNCH_TIMEOUT / _POLL)):
        try:
            return process.wait(_POLL) == 0 or os.path.basename(command[0]) == EXPLORER  # noqa: PTH119
        except subprocess.TimeoutExpired:
            if stop.is_set():
                break
    # It is the browser itself, which the person goes on using.
    _running.append(process)
    return True


def _start_file(url: str) -> str | None:
    try:
        os.startfile(url)  # type: ignore[attr-defined]  # noqa: S606 - the function of Windows, no shell
    except OSError:
        return "Windows could not open a browser"
    return None

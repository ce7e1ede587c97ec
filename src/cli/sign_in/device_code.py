"""Shows a device code, and opens its page if there is a browser here."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ...drivers.system.browser import open_url
from ..environment import why_no_browser

if TYPE_CHECKING:
    from ...sansio.login.progress import DeviceCodeShown
    from ..terminal.display import Terminal


def show_device_code(terminal: Terminal, phase: DeviceCodeShown, *, opens_browser: bool) -> DeviceBrowser | None:
    """Show the address and the code. If there is an address with the code filled in, open or show it.

    The person compares that code with the one shown here (RFC 8628 section 3.3.1).

    Args:
        terminal: Where to show it.
        phase: The address and the code.
        opens_browser: Whether a browser may be opened.

    Returns:
        What opens the browser; None if none is opened.
    """
    _show(terminal, "To sign in, open this address in a browser on any machine:", phase.url, link=phase.url)
    _show(terminal, f"and enter this code within {phase.validity}:", phase.user_code)
    terminal.line("This code is only for you. Never enter a code that someone else gave you.", "warn")
    url = phase.complete_url
    if url is None:
        return None
    if opens_browser and why_no_browser() is None:
        terminal.line("Opening your browser with the code filled in. Compare it with the code above.")
        return DeviceBrowser(url)
    _show(terminal, "This address has the code filled in. Compare it with the code above:", url, link=url)
    return None


def _show(terminal: Terminal, words: str, what: str, link: str = "") -> None:
    terminal.line(words)
    terminal.line()
    terminal.line(what, "strong", link=link)
    terminal.line()


class DeviceBrowser:
    """Opens a page. It is shown to the person, too, so nothing depends on it.

    Args:
        url: The page: a URL that `is_verification_url` accepts.
    """

    def __init__(self, url: str) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=open_url, args=(url, self._stop), name="loginmachine-device-browser", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop to wait for the browser's launcher."""
        self._stop.set()
        self._thread.join()

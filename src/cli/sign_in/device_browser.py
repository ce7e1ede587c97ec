"""Opens the page of a device code in the browser of this machine, in a thread of its own."""

from __future__ import annotations

import threading

from ...drivers.system.browser import open_url


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

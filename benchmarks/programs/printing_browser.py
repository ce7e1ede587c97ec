"""A browser that only prints the address: what the libraries compared with open instead of a real one."""

from __future__ import annotations

import sys
import webbrowser


class PrintingBrowser(webbrowser.BaseBrowser):
    """Prints."""

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002 - as inherited
        """Say that it was opened."""
        print(url, file=sys.stderr, flush=True)
        return True


def register() -> None:
    """Make it the person's browser."""
    webbrowser.register("printing", None, PrintingBrowser(), preferred=True)

"""Checks of the program, the browser, the environment, and Codex beside it."""

from __future__ import annotations

import os
import platform
import shutil
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ...drivers.system.browser import first_launcher
from ...drivers.system.choice import opens_nothing
from ...sansio.base.text import clean_text
from ..codex_config import warnings_about
from ..environment import is_automatic, why_no_browser
from .findings import Finding, ok, sentence, warning
from .variables import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

_EXTRAS: Final = {
    "keyring": "keyring", "qr": "segno", "socks": "socksio", "demo": "flask",
    "mcp": "mcp", "redis": "redis", "dask": "distributed",
}  # fmt: skip
"""The extras of the package, and a module of each."""
_ELSEWHERE: Final = "Open the address in a browser anywhere and paste the address at which it ends"


def check_program() -> Iterator[Finding]:
    """Name the versions, and which extras are installed."""
    from ... import __version__  # noqa: PLC0415 - reads the metadata of the package

    versions = f"loginmachine {__version__}, Python {platform.python_version()}, {platform.system()}"
    found = [name for name, module in _EXTRAS.items() if find_spec(module) is not None]
    yield ok("program", f"{versions}; extras: {', '.join(found) or 'none'}.")


def check_browser(*, has_device_codes: bool) -> Iterator[Finding]:
    """Find out whether a browser of this machine can be opened.

    Args:
        has_device_codes: Whether a device code may be another way.
    """
    elsewhere = f"{_ELSEWHERE}, or use login --device-code." if has_device_codes else f"{_ELSEWHERE}."
    reason, launcher = why_no_browser(), first_launcher()
    if is_automatic():
        words = "CI is set: without a terminal, login does not wait for a browser."
        yield warning("browser", words, "Give the job a token with login --with-token.")
    if opens_nothing():
        yield ok("browser", "No browser is opened, because BROWSER is none.")
    elif reason is not None:
        yield warning("browser", f"This looks like {reason}, where your browser probably is not.", elsewhere)
    elif launcher:
        yield ok("browser", f"A browser is opened with {clean_text(launcher)}.")
    else:
        yield warning("browser", "No program that opens a browser was found.", f"Name one in BROWSER. {elsewhere}")


def check_variables() -> Iterator[Finding]:
    """Name the environment variables that are set and change what the command does. Their values may be secret."""
    named = {name.upper(): name for name in os.environ if name.upper().endswith("_PROXY")}
    there = [named.get(name, name) for name in VARIABLES if os.environ.get(named.get(name, name))]
    yield ok("variables", f"Environment variables that count here: {', '.join(there) or 'none'}.")


def check_codex(home: str) -> Iterator[Finding]:
    """Look for the Codex CLI, which shares the home folder, and for its settings that this command does not obey."""
    path = shutil.which("codex")
    yield ok("codex", f"The Codex CLI is {clean_text(path)}." if path else "The Codex CLI is not installed here.")
    for text in warnings_about(home):
        yield warning("codex", sentence(text))

"""``loginmachine complete``: hands a pasted address to the login that waits on this machine, as its browser would.

No state file is needed: the address itself says where the login listens.
"""

from __future__ import annotations

import contextlib
import http.client
import sys
from typing import TYPE_CHECKING, Final

from ...sansio.callback.pasted import LoopbackCallback, read_loopback_callback
from ...sansio.callback.responses import SUCCESS_PATH
from ..terminal.standard_input import ask_unseen, read_input
from ..terminal.writer import is_terminal, print_error

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

PATIENCE: Final = 60.0
"""Seconds to wait for the answer: the waiting login may have two token requests to make before."""
_MAX_INPUT: Final = 64 * 1024
_ACCEPTED: Final = 302
_OUTCOMES: Final[Mapping[int, str]] = {
    _ACCEPTED: "Done: the waiting sign-in is complete.",
    400: "The waiting sign-in refused that address: it is incomplete, or belongs to another sign-in, perhaps an older "
    "one.",
    403: "The waiting sign-in has failed: the provider did not sign you in, or not to an allowed workspace.",
    404: "No sign-in waits at that address.",
    409: "The waiting sign-in is already being completed with another address.",
    410: "That sign-in is over. Start a new one.",
}
_FAILED: Final = "The waiting sign-in took the address, but has failed since; it says why itself."


def run(arguments: argparse.Namespace) -> int:
    """Hand the address over; 0 if the login is complete."""
    del arguments
    text = _read()
    callback = read_loopback_callback(text)
    if callback is None:
        print_error(
            "That is not the address on which a sign-in ends, or not all of it. Copy all of your browser's address "
            "bar; it begins with http://127.0.0.1:"
        )
        return 1
    status = _deliver(callback)
    if status is None:
        print_error(f"No sign-in waits on port {callback.port} of this machine.")
        return 1
    told = _OUTCOMES.get(status) or (_FAILED if status >= 500 else _OUTCOMES[404])
    print_error(told)
    return 0 if status == _ACCEPTED else 1


def _read() -> str:
    """The address: from the terminal, not shown, or from standard input. Others see command lines."""
    if not is_terminal(sys.stdin):
        return read_input(_MAX_INPUT).decode("utf-8", "replace")
    from ..terminal.hidden_input import can_hide_input, read_hidden  # noqa: PLC0415 - for terminals only

    question = "Paste the address on which your browser ended (it is not shown): "
    return (read_hidden(question) or "") if can_hide_input() else ask_unseen(question)


def _deliver(callback: LoopbackCallback) -> int | None:
    """Ask as a browser would: without a proxy, and following no redirect but that to the last page.

    Returns:
        The status of the answer; None if nobody gave one.
    """
    for host in callback.hosts:
        try:
            status = _get(host, callback.port, callback.target)
        except (OSError, http.client.HTTPException):
            continue
        if status == _ACCEPTED:
            # The login stays for its last page; nobody else fetches it.
            with contextlib.suppress(OSError, http.client.HTTPException):
                _get(host, callback.port, SUCCESS_PATH)
        return status
    return None


def _get(host: str, port: int, target: str) -> int:
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.request("GET", target)
        response = connection.getresponse()
        response.read(_MAX_INPUT)
        # Another program's redirect leads elsewhere.
        elsewhere = response.status == _ACCEPTED and response.headers["Location"] != SUCCESS_PATH
        return 404 if elsewhere else response.status
    finally:
        connection.close()

"""``loginmachine complete``: send a pasted callback address to the login that waits on this machine.

No state file is needed, because the address contains the host and port on which the login listens.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import sys
from typing import TYPE_CHECKING, Final

from ...sansio.callback.pasted import LoopbackCallback, read_loopback_callback
from ...sansio.callback.requests import PASTE_HEADER
from ...sansio.callback.responses import SUCCESS_PATH
from .. import exit_codes
from ..terminal.standard_input import ask_hidden, read_input
from ..terminal.writer import can_hide_input, is_terminal, print_error

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

TIMEOUT: Final = 60.0
"""Seconds to wait for the response. The login may send two token requests before it responds."""
_MAX_INPUT: Final = 64 * 1024
_ACCEPTED: Final = 302
_SUCCESS_PAGE: Final = re.compile(rf"{SUCCESS_PATH}(/[A-Za-z0-9._~-]+)?")
"""The address of a success page. Older versions have the same for every login."""
_RESULTS: Final[Mapping[int, str]] = {
    _ACCEPTED: "Done: the waiting sign-in is complete.",
    400: "The waiting sign-in refused that address: it is incomplete, or belongs to another sign-in, perhaps an older "
    "one.",
    403: "The waiting sign-in refused that: the provider did not sign you in, or not to an allowed workspace, or the "
    "sign-in is that of another user of this machine.",
    404: "No sign-in waits at that address.",
    409: "The waiting sign-in is already being completed with another address.",
    410: "That sign-in is over. Start a new one.",
}
_NO_ADDRESS: Final = (
    "That is not the address at which a sign-in ends, or not all of it. Copy everything in your browser's address bar; "
    "it begins with http://127.0.0.1:"
)
_NO_PORT: Final = (
    "That address does not say at which port of this machine the sign-in waits. Add --port with the port that the "
    "sign-in shows, and paste the address again."
)
_FAILED: Final = "The waiting sign-in accepted the address, but failed afterwards. See its own output for the reason."


def run(arguments: argparse.Namespace) -> int:
    """Send the address, and return the exit code: success if the login is complete."""
    text = _read_address()
    callback = read_loopback_callback(text, port=arguments.port)
    if callback is None:
        is_elsewhere = read_loopback_callback(text, port=1) is not None
        print_error(_NO_PORT if is_elsewhere else _NO_ADDRESS)
        return exit_codes.FAILURE
    status = _send(callback)
    if status is None:
        print_error(f"No sign-in waits on port {callback.port} of this machine.")
        return exit_codes.FAILURE
    print_error(_RESULTS.get(status) or (_FAILED if status >= 500 else _RESULTS[404]))
    return exit_codes.SUCCESS if status == _ACCEPTED else exit_codes.FAILURE


def _read_address() -> str:
    """Read the address from a pipe, or from the terminal without showing it."""
    if not is_terminal(sys.stdin):
        return read_input(_MAX_INPUT).decode("utf-8", "replace")
    question = "Paste the address at which your browser ended (input is hidden): "
    if not can_hide_input():
        return ask_hidden(question)
    from ..terminal.hidden_input import read_hidden  # noqa: PLC0415 - for terminals only

    return read_hidden(question) or ""


def _send(callback: LoopbackCallback) -> int | None:
    """Send the request that the browser would have sent, without a proxy.

    Returns:
        The status of the response; None if there was no response.
    """
    for host in callback.hosts:
        try:
            status, location = _get(host, callback.port, callback.target)
        except (OSError, http.client.HTTPException):
            continue
        if status == _ACCEPTED:
            # The login waits until its success page is fetched.
            with contextlib.suppress(OSError, http.client.HTTPException):
                _get(host, callback.port, location)
        return status
    return None


def _get(host: str, port: int, target: str) -> tuple[int, str]:
    """Return the status of the response and, if the login is complete, the address of its success page."""
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        connection.request("GET", target, headers={PASTE_HEADER.decode(): "1"})
        response = connection.getresponse()
        response.read(_MAX_INPUT)
        # A redirect to anything but the success page comes from another program.
        location = response.headers["Location"] or ""
        is_foreign = response.status == _ACCEPTED and not _SUCCESS_PAGE.fullmatch(location)
        return (404, "") if is_foreign else (response.status, location)
    finally:
        connection.close()

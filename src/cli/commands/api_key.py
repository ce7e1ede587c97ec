"""``loginmachine login --api-key``: store a key that the person has, which never stands on a command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from ...drivers.errors import StoreError
from ...sansio.base.secret import Secret
from ...sansio.base.text import is_visible_ascii
from ...sansio.model.credentials import Credentials
from ..options import provider_from
from ..stores import Remarks
from ..terminal.json_lines import JsonLines
from ..terminal.standard_input import ask_unseen, read_input
from ..terminal.writer import is_terminal, print_error
from .revocation import revoke_old

if TYPE_CHECKING:
    import argparse

LONGEST_KEY: Final = 4096


def run(arguments: argparse.Namespace) -> int:
    """Store the key that comes on standard input; 1 if there is none, or it could not be stored."""
    provider = provider_from(arguments)
    lines = JsonLines() if arguments.json else None
    key = _read_key()
    problem = "" if key else f"No API key came: it is 1 to {LONGEST_KEY} visible ASCII characters on standard input."
    remarks = Remarks()
    store = remarks.open(arguments)
    new, old = Credentials.from_api_key(Secret(key)), None
    if not problem:
        try:
            old = store.save(new)
        except StoreError as error:
            problem = f"The API key is not stored: {error}."
    for line in [problem] if problem else ["Signed in with an API key.", f"Your credentials are in {store.where}"]:
        print_error(line)
    for line in remarks.lines():
        print_error(line)
    if lines is not None:
        if remarks.fallback:
            lines.fallback(remarks.fallback)
        lines.finished_with_key(problem)
        lines.close()
    if problem:
        return 1
    unconfirmed = revoke_old(provider, old, new)
    if unconfirmed:
        print_error(f"Note: the tokens of the sign-in before could not be revoked: {unconfirmed}.")
    return 0


def _read_key() -> str:
    """The key from a hidden prompt or a pipe; empty if what comes is none."""
    if is_terminal(sys.stdin):
        key = ask_unseen("API key (it is not shown): ").strip()
    else:
        # More than the longest one, and a line end.
        key = read_input(2 * LONGEST_KEY).decode("latin-1").strip()
    return key if is_visible_ascii(key) and len(key) <= LONGEST_KEY else ""

"""``loginmachine login --api-key``: store an existing API key, which is never taken from the command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from ...drivers.errors import StoreError
from ...sansio.base.secret import Secret
from ...sansio.base.text import is_visible_ascii
from ...sansio.login.failures import LoginFailureCategory
from ...sansio.model.credentials import Credentials
from .. import exit_codes
from ..codex_config import warnings_about
from ..options import StoreWarnings, check_same_provider, is_for_codex, provider_from
from ..revocation import revoke_old
from ..terminal.json_lines import JsonLines
from ..terminal.standard_input import ask_hidden, read_input
from ..terminal.writer import is_terminal, print_error

if TYPE_CHECKING:
    import argparse

MAX_KEY_LENGTH: Final = 4096


def run(arguments: argparse.Namespace) -> int:
    """Store the key from standard input, and return the exit code."""
    if not is_for_codex(arguments):
        arguments.usage_error("--api-key is for codex only: add --provider codex, and no option of other providers")
    provider = provider_from(arguments)
    key = _read_key()
    problem = "" if key else f"No API key: expected 1 to {MAX_KEY_LENGTH} visible ASCII characters on standard input."
    warnings = StoreWarnings()
    store = warnings.open_store(arguments)
    new, old = Credentials.from_api_key(Secret(key)), None
    if not problem:
        try:
            check_same_provider(store, provider)
            old = store.save(new)
        except StoreError as error:
            problem = f"The API key is not stored: {error}."
    for line in [problem] if problem else ["Signed in with an API key.", f"Your credentials are in {store.where}"]:
        print_error(line)
    for line in [*warnings.lines(), *(f"Warning: {text}." for text in warnings_about(arguments.home))]:
        print_error(line)
    if arguments.json:
        json_lines = JsonLines()
        if warnings.fallback:
            json_lines.fallback(warnings.fallback)
        json_lines.finished_with_secret(problem, LoginFailureCategory.PERSIST_FAILED if problem else None)
        json_lines.close()
    if problem:
        return exit_codes.FAILURE
    unconfirmed = revoke_old(provider, old, new)
    if unconfirmed:
        print_error(f"Note: the tokens of the previous sign-in could not be revoked: {unconfirmed}.")
    return exit_codes.SUCCESS


def _read_key() -> str:
    """Read the key from a hidden prompt or a pipe. Return an empty text if it is missing or malformed."""
    if is_terminal(sys.stdin):
        key = ask_hidden("API key (input is hidden): ").strip()
    else:
        # Enough for the longest key with white space around it.
        key = read_input(2 * MAX_KEY_LENGTH).decode("latin-1").strip()
    return key if is_visible_ascii(key) and len(key) <= MAX_KEY_LENGTH else ""

"""``loginmachine login --with-token``: sign in with a token that another program has obtained.

The token is read from standard input, never from the command line. Tokens that are replaced are not revoked, because
the new ones may be of the same grant.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from ....drivers.errors import StoreError
from ....sansio.base.secret import Secret
from ....sansio.base.text import is_visible_ascii
from ....sansio.login.failures import LoginFailureCategory
from ....sansio.model.account import Account
from ... import exit_codes
from ...options import StoreWarnings, check_same_provider, login_options_from, store_from
from ...terminal.json_lines import JsonLines
from ...terminal.standard_input import ask_hidden, read_input
from ...terminal.writer import can_hide_input, is_terminal, print_error
from .adoption import AdoptionError, completed, from_access_token, from_refresh_token

if TYPE_CHECKING:
    import argparse

    from ....sansio.model.credentials import Credentials
    from ....sansio.model.options import LoginOptions

_LONGEST: Final = 16_384
"""The most characters of a token, as at the hidden prompt."""
_REPLACED: Final = "the provider may have replaced the refresh token, so obtain another one"


def run(arguments: argparse.Namespace) -> int:
    """Store the token from standard input, and return the exit code."""
    options = _checked_options(arguments)
    warnings = StoreWarnings()
    problem, category, account, where = "", None, Account(), ""
    try:
        account, where = _adopt(arguments, options, warnings)
    except (AdoptionError, StoreError) as error:
        problem = f"The token is not stored: {str(error).rstrip('.')}."
        category = getattr(error, "category", LoginFailureCategory.PERSIST_FAILED)
    who = f"Signed in as {account.email}." if account.email else "Signed in."
    for line in [problem] if problem else [who, f"Your credentials are in {where}"]:
        print_error(line)
    for line in warnings.lines():
        print_error(line)
    if arguments.json:
        json_lines = JsonLines()
        if warnings.fallback:
            json_lines.fallback(warnings.fallback)
        json_lines.finished_with_secret(problem, category, account)
        json_lines.close()
    return exit_codes.FAILURE if problem else exit_codes.SUCCESS


def _checked_options(arguments: argparse.Namespace) -> LoginOptions:
    """Return the options of the login. Options that do not go with a token end the process with a usage error."""
    options, kind = login_options_from(arguments), arguments.with_token
    provider, problem = options.provider, ""
    if arguments.api_key:
        problem = "--api-key and --with-token exclude each other"
    elif not provider.client_id:
        problem = "--with-token needs --client-id: the client that the token was issued to"
    elif provider.dialect.stores_in_auth_json and kind == "access":
        problem = "--with-token access is not for codex, whose credentials need an id token: use --with-token refresh"
    if problem:
        arguments.usage_error(problem)
    return options


def _adopt(arguments: argparse.Namespace, options: LoginOptions, warnings: StoreWarnings) -> tuple[Account, str]:
    """Store the credentials that the token gives. The store is checked before anything is read or sent.

    Returns:
        The account, and where the credentials are.

    Raises:
        AdoptionError: The token cannot be used, or its successor cannot be stored.
        StoreError: No credentials can be stored here.
    """
    store = _CodexStore(arguments, options, warnings) if _is_codex(options) else _AccountsStore(arguments, warnings)
    store.check()
    kind = arguments.with_token
    token = _read_token(kind)
    options = completed(options)
    if kind == "access":
        new = from_access_token(token, options)
        return _account(new, options), store.save(new)
    new = from_refresh_token(token, options)
    try:
        return _account(new, options), store.save(new)
    except StoreError as error:
        raise AdoptionError(LoginFailureCategory.PERSIST_FAILED, f"{error}; {_REPLACED}") from error


class _CodexStore:
    """Stores the credentials in ``auth.json``."""

    def __init__(self, arguments: argparse.Namespace, options: LoginOptions, warnings: StoreWarnings) -> None:
        self._store = warnings.open_store(arguments, store_from)
        self._provider = options.provider

    def check(self) -> None:
        self._store.check()
        check_same_provider(self._store, self._provider)

    def save(self, credentials: Credentials) -> str:
        self._store.save(credentials)
        return self._store.where


class _AccountsStore:
    """Stores the credentials as an account."""

    def __init__(self, arguments: argparse.Namespace, warnings: StoreWarnings) -> None:
        from ...providers.stored import account_store  # noqa: PLC0415 - not for Codex's provider

        self._accounts = account_store(arguments, warnings.add, warnings.add_fallback)

    def check(self) -> None:
        self._accounts.check()

    def save(self, credentials: Credentials) -> str:
        from ....sansio.accounts.stored import key_of  # noqa: PLC0415 - as above

        self._accounts.save(credentials)
        entry = self._accounts.open(key_of(credentials))
        entry.load()
        return entry.where


def _is_codex(options: LoginOptions) -> bool:
    return options.provider.dialect.stores_in_auth_json


def _account(credentials: Credentials, options: LoginOptions) -> Account:
    assert credentials.tokens is not None
    return credentials.tokens.account(options.provider)


def _read_token(kind: str) -> Secret:
    """Read the token from a pipe, or from the terminal without showing it.

    Raises:
        AdoptionError: It is missing, or cannot be a token.
    """
    if not is_terminal(sys.stdin):
        # Enough for the longest token with white space around it.
        text = read_input(2 * _LONGEST).decode("latin-1").strip()
    else:
        question = f"{kind.capitalize()} token (input is hidden): "
        if can_hide_input():
            from ...terminal.hidden_input import read_hidden  # noqa: PLC0415 - for terminals only

            text = (read_hidden(question) or "").strip()
        else:
            text = ask_hidden(question).strip()
    if not is_visible_ascii(text) or not 0 < len(text) <= _LONGEST:
        words = f"expected 1 to {_LONGEST} visible ASCII characters on standard input"
        raise AdoptionError(LoginFailureCategory.TOKEN_RESPONSE_MALFORMED, words)
    return Secret(text)

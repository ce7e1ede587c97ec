"""``loginmachine token`` and ``loginmachine refresh``: print or refresh the access token."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Final

from ...drivers.errors import RefreshFailed, StoreError
from ...drivers.threaded.session import Session
from ...sansio.login.failures import LoginFailureCategory
from ...sansio.model.account import Account
from ...sansio.model.provider import Provider
from ...sansio.refresh.failures import SIGN_IN_REQUIRED, RefreshFailureCategory
from ...sansio.refresh.outcome import Delivery, RefreshMemory
from .. import exit_codes
from ..options import recording_from
from ..providers.plan import lines_of_status
from ..providers.stored import account_store, chosen_store, is_codex_store, provider_named, signed_out_account
from ..sign_in_advice import how_to_sign_in, nothing_stored
from ..signals import raise_first_signal
from ..terminal.times import rfc3339, utc_time
from ..terminal.writer import print_error, print_out
from .credentials.token_formats import failure_as_json, text_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from ...drivers.stores.home_store import HomeStore
    from ...drivers.traces.origin import CommandRecord
    from ...sansio.model.credentials import Credentials
    from ...sansio.refresh import RefreshMachine
    from ...sansio.refresh.failures import RefreshFailure
    from ...sansio.refresh.outcome import RefreshSuccess

_DONE: Final = {
    Delivery.CURRENT: "The tokens are not due to be renewed",
    Delivery.REFRESHED: "The tokens are renewed",
    Delivery.ADOPTED: "Another program has just renewed the tokens",
    Delivery.KEPT: "The tokens could not be renewed just now",
}
_NOT_STORED: Final = "The provider renewed the tokens, but they could not be stored"


def print_token(arguments: argparse.Namespace) -> int:
    """Print the access token in the chosen form. Return the exit code: failure also if standard output is closed.

    The last token of a sign-in that has ended is printed too, with a warning.
    """
    store, session = _session(arguments)
    try:
        # The provider may have replaced the refresh token already: let the new one be stored before the process ends.
        with (
            recording_from(arguments, "token") as session.record,
            raise_first_signal(owns_process=arguments.owns_process),
        ):
            done = session.refresh()
    except RefreshFailed as error:
        if arguments.format == "json":
            print_out(failure_as_json(error.failure.category, error.failure.message))
        print_error(_describe_failure(arguments, store, error.failure))
        return exit_codes.FAILURE
    return exit_codes.SUCCESS if print_out(text_of(done, arguments.format)) else exit_codes.FAILURE


def refresh(arguments: argparse.Namespace) -> int:
    """Refresh the tokens, print the result, and return the exit code.

    It is failure also if the tokens could not be stored, or if the sign-in has ended and its last token is still valid.
    """
    warnings: list[str] = []
    store, session = _session(arguments, warnings.append)
    try:
        # See `print_token`.
        with (
            recording_from(arguments, "refresh") as session.record,
            raise_first_signal(owns_process=arguments.owns_process),
        ):
            done = session.refresh(force=not arguments.if_due)
    except RefreshFailed as error:
        return _print_failure(arguments, store, error.failure)
    if done.failure is not None:
        return _print_failure(arguments, store, done.failure)
    for warning in warnings:
        _warn(warning)
    if not done.is_stored:
        # The reason was shown before, as a warning of the store.
        if arguments.json:
            _print_json("failed", category=LoginFailureCategory.PERSIST_FAILED, message=_NOT_STORED)
        print_error(f"{_NOT_STORED}. Sign in again.\n{how_to_sign_in(arguments, done.credentials)}")
        return exit_codes.FAILURE
    tokens = done.credentials.tokens
    has_tokens = tokens is not None and done.token == tokens.access_token
    account = tokens.account(Provider.codex()) if tokens is not None and has_tokens else Account()
    ends = rfc3339(utc_time(tokens.expires_at())) if tokens is not None and has_tokens else None
    if arguments.json:
        who = {"account_id": account.account_id, "email": account.email, "plan": account.plan}
        _print_json(done.delivery, message=done.message or None, expires_at=ends, **who)
    else:
        print_out(_describe(done, ends) if has_tokens else "An API key is used, which is never renewed.")
    return exit_codes.SUCCESS


def _print_failure(arguments: argparse.Namespace, store: HomeStore, failure: RefreshFailure) -> int:
    if arguments.json:
        _print_json("failed", category=failure.category, message=failure.message)
    print_error(_describe_failure(arguments, store, failure))
    return exit_codes.FAILURE


def _describe_failure(arguments: argparse.Namespace, store: HomeStore, failure: RefreshFailure) -> str:
    """Return the text for a person; with what to run, and where the command has looked, if they have to sign in."""
    text = failure.describe()
    account = None if is_codex_store(store) else signed_out_account(store, account_store(arguments, _ignore, _ignore))
    if failure.category is RefreshFailureCategory.NOT_SIGNED_IN:
        details = f"Details: {failure.category} - {failure.message}"
        text = f"{failure.title}: {nothing_stored(store)}.\n{how_to_sign_in(arguments, account=account)}\n{details}"
    elif failure.category is RefreshFailureCategory.CREDENTIALS_UNSUPPORTED:
        stored = _stored(store)
        text = "\n".join([text, *(lines_of_status(stored.tokens) if stored is not None and stored.tokens else ())])
    elif failure.category in SIGN_IN_REQUIRED:
        stored = _stored(store)
        text = f"{text}\nStored in: {store.where}\n{how_to_sign_in(arguments, stored, account)}"
    return text


def _stored(store: HomeStore) -> Credentials | None:
    """Return what is stored; None if nothing is, or if it cannot be read."""
    with contextlib.suppress(StoreError):
        return store.load()
    return None


def _ignore(_warning: str) -> None:
    """Ignore a warning, which was shown when the store was chosen."""


class _CommandSession(Session):
    """A session for one call, which may be recorded."""

    record: CommandRecord | None = None
    """Called with each line of the trace; None for no trace."""

    def _new_machine(self, memory: RefreshMemory) -> RefreshMachine:
        if self.record is None or memory != RefreshMemory():
            return super()._new_machine(memory)
        from ...drivers.traces.sessions import refresh_recorder  # noqa: PLC0415 - most calls are not recorded

        return refresh_recorder(self._provider, memory, self._environment_key, self.record, _warn)


def _session(
    arguments: argparse.Namespace, on_warning: Callable[[str], None] | None = None
) -> tuple[HomeStore, _CommandSession]:
    store = chosen_store(arguments, on_warning=_warn, on_fallback=_warn)
    session = _CommandSession(
        store,
        provider_named(arguments, store),
        environment_key=os.environ.get("OPENAI_API_KEY") if is_codex_store(store) else None,
        on_warning=on_warning or _warn,
    )
    return store, session


def _warn(text: str) -> None:
    print_error(f"Warning: {text}.")


def _describe(done: RefreshSuccess, ends: str | None) -> str:
    what = _DONE[done.delivery] + (f" ({done.message})" if done.message else "")
    return f"{what}; they last until {ends}." if ends is not None else f"{what}."


def _print_json(outcome: str, **fields: str | None) -> None:
    empty = dict.fromkeys(("category", "message", "expires_at", "account_id", "email", "plan"))
    print_out(json.dumps({"event": "finished", "outcome": outcome, **empty, **fields}))

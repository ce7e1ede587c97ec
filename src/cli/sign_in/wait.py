"""``login --wait``: wait for another sign-in that wants the same, instead of asking it to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...drivers.callback.listeners import open_listeners
from ...drivers.errors import StoreError
from ...sansio.login.events import BindFailed, BindProblem
from ...sansio.login.failures import LoginFailureCategory
from ...sansio.model.account import Account
from .. import exit_codes
from ..options import store_from
from ..signals import CancelOnSignal
from ..terminal.display import Terminal
from ..terminal.json_lines import JsonLines

if TYPE_CHECKING:
    import argparse

    from ...sansio.model.options import LoginOptions
    from .joining import MeetingPoint


def wait_for_other(arguments: argparse.Namespace, options: LoginOptions, point: MeetingPoint) -> int | None:
    """Wait for another sign-in that wants the same, show its outcome, and return the exit code.

    Returns:
        None if there is none, so that this sign-in begins. If its port is taken by another program, the exit code for
        that: a sign-in that cannot be joined is not asked to stop.
    """
    if not point.is_busy():
        return _check_port(arguments, options)
    terminal = Terminal()
    received: list[str] = []
    terminal.line("Another sign-in for the same account is waiting: finish it in your browser.")
    terminal.start_waiting("Waiting for a sign-in (Ctrl-C to stop)", arguments.timeout)
    with CancelOnSignal(received.append, owns_process=arguments.owns_process) as signals:
        joined = point.wait(arguments.timeout, lambda: bool(received))
    terminal.stop_waiting()
    account, problem = Account(), ""
    category: str | None = None
    if joined is None:
        is_stopped = signals.received is not None
        problem = "The wait was stopped." if is_stopped else "The other sign-in has not ended in time."
        category = LoginFailureCategory.LOGIN_CANCELLED if is_stopped else LoginFailureCategory.LOGIN_TIMED_OUT
    elif joined.is_success:
        account = _account(arguments, options)
    else:
        problem, category = f"The other sign-in has failed: {joined.message}.", joined.category
    who = f" as {account.email}" if account.email else ""
    terminal.line(problem or f"Signed in{who} by the other sign-in.", "bad" if problem else "good")
    terminal.close()
    if arguments.json:
        lines = JsonLines()
        lines.finished_with_secret(problem, category, account)
        lines.close()
    if joined is None and signals.received is not None:
        return exit_codes.after_signal(signals.received)
    return exit_codes.FAILURE if problem else exit_codes.SUCCESS


def _check_port(arguments: argparse.Namespace, options: LoginOptions) -> int | None:
    """Return the exit code for a port that is taken, or None."""
    port = options.first_port
    if arguments.device_code or not port:
        return None
    opened = open_listeners(port, options.redirect_host, options.listen_address)
    if not isinstance(opened, BindFailed):
        for listener in opened:
            listener.close()
        return None
    if opened.kind is not BindProblem.IN_USE:
        return None
    problem = (
        f"Port {port} is in use by another program, or by a sign-in for another account. To ask that sign-in to stop, "
        "run the same command without --wait."
    )
    terminal = Terminal()
    terminal.line(problem, "bad")
    terminal.close()
    if arguments.json:
        lines = JsonLines()
        lines.finished_with_secret(problem, LoginFailureCategory.LOCAL_SERVER_UNAVAILABLE)
        lines.close()
    return exit_codes.PORT_IN_USE


def _account(arguments: argparse.Namespace, options: LoginOptions) -> Account:
    """Return the account that the other sign-in has stored, as far as it can be read."""
    provider = options.provider
    try:
        if provider.dialect.stores_in_auth_json:
            stored = store_from(arguments, on_warning=_ignore, on_fallback=_ignore).load()
            return Account() if stored is None or stored.tokens is None else stored.tokens.account(provider)
        from ..providers.stored import account_store  # noqa: PLC0415 - not for Codex's provider

        found = account_store(arguments, _ignore, _ignore).default_for(provider)
        return Account() if found is None else Account(email=found.email)
    except StoreError:
        return Account()


def _ignore(_warning: str) -> None:
    """Ignore a warning: the other sign-in has shown it."""

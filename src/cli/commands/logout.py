"""``loginmachine logout``: remove the stored credentials, then try to revoke their tokens."""

from __future__ import annotations

import json
import os
from functools import partial
from typing import TYPE_CHECKING

from ...drivers.shared.sign_out import SignOutStore
from ...drivers.threaded.signing_out import run_sign_out
from ...sansio.sign_out import SignOutMachine
from ...sansio.sign_out.outcome import SignOutFailure
from .. import exit_codes
from ..options import StoreWarnings, overrides_from, recording_from
from ..providers.stored import chosen_store, is_codex_store, provider_named
from ..revocation import revoke_now
from ..sign_in_advice import how_to_sign_in, nothing_stored
from ..terminal.writer import print_error, print_out

if TYPE_CHECKING:
    import argparse

    from ...drivers.stores.home_store import HomeStore
    from ...drivers.traces.origin import CommandRecord
    from ...sansio.model.provider import Provider
    from ...sansio.sign_out.actions import ReportRemoval
    from ...sansio.sign_out.outcome import SignOutResult

_NOT_CONFIRMED = "The provider did not confirm that the tokens are revoked"
_STILL_SIGNED_IN = "You are still signed in. The credentials cannot be removed"


def run(arguments: argparse.Namespace) -> int:
    """Sign out, and return the exit code: success unless the credentials are still stored."""
    warnings = StoreWarnings()
    store = warnings.open_store(arguments, chosen_store)
    provider = provider_named(arguments, store)
    with recording_from(arguments, "logout") as record:
        machine = _machine(arguments, provider, record)
        on_removal = _ignore if arguments.json else partial(_print_removal, arguments, store)
        run_sign_out(
            machine, SignOutStore(store), on_removal=on_removal, send=revoke_now, keep_tokens=arguments.keep_tokens
        )
    outcome = machine.outcome
    assert outcome is not None
    if arguments.json:
        _print_json(outcome, store, warnings)
    elif isinstance(outcome, SignOutFailure):
        print_error(f"{_STILL_SIGNED_IN}: {outcome.message}.")
    elif arguments.keep_tokens and outcome.removed is not None and outcome.removed.tokens is not None:
        print_out("The tokens are not revoked. They are valid until they expire.")
    else:
        _print_revocation(outcome)
    for line in warnings.lines():
        print_error(line)
    return exit_codes.FAILURE if isinstance(outcome, SignOutFailure) else exit_codes.SUCCESS


def _machine(arguments: argparse.Namespace, provider: Provider | None, record: CommandRecord | None) -> SignOutMachine:
    if record is None:
        return SignOutMachine(provider, overrides_from(arguments))
    from ...drivers.traces.sessions import sign_out_recorder  # noqa: PLC0415 - most sign-outs are not recorded

    return sign_out_recorder(provider, record, lambda trouble: print_error(f"Warning: {trouble}."))


def _ignore(_report: ReportRemoval) -> None:
    """Print nothing, because one JSON object will say everything."""


def _message(outcome: SignOutResult | SignOutFailure, problem: str) -> str | None:
    if isinstance(outcome, SignOutFailure):
        return f"{_STILL_SIGNED_IN}: {problem}."
    tells = outcome.is_revoked is False and "disconnect" in _advice(outcome)
    return f"{_NOT_CONFIRMED}: {problem}. {_advice(outcome)}" if tells else None


def _print_json(outcome: SignOutResult | SignOutFailure, store: HomeStore, warnings: StoreWarnings) -> None:
    is_removed, is_revoked = False, None
    if isinstance(outcome, SignOutFailure):
        problem = outcome.message
    else:
        is_removed, is_revoked, problem = outcome.removed is not None, outcome.is_revoked, outcome.problem
    result = {
        "removed": is_removed,
        "revoked": is_revoked,
        "error": problem or None,
        "message": _message(outcome, problem),
        "warnings": warnings.warnings,
        "fallback": warnings.fallback,
        "store": store.kind,
        "path": store.where,
    }
    print_out(json.dumps(result))


def _print_removal(arguments: argparse.Namespace, store: HomeStore, report: ReportRemoval) -> None:
    """Print that nothing is stored any more. Called before the revocation, which can take a while."""
    if report.was_signed_in:
        print_out("Signed out: the credentials are removed from this machine.")
    else:
        print_out(f"You were not signed in: {nothing_stored(store)}.")
        print_out(how_to_sign_in(arguments))
    if is_codex_store(store) and os.environ.get("OPENAI_API_KEY"):
        print_out("The environment variable OPENAI_API_KEY is still set, and its API key is used.")


def _print_revocation(result: SignOutResult) -> None:
    if result.is_revoked:
        print_out("The provider has revoked the tokens.")
    elif result.problem:
        print_error(f"{_NOT_CONFIRMED}: {result.problem}.\n{_advice(result)}")


def _advice(result: SignOutResult) -> str:
    """Return what the person can do if the revocation is not confirmed."""
    tokens = None if result.removed is None else result.removed.tokens
    provider = None if tokens is None else tokens.provider
    if provider is None or not provider.dialect.revokes_before_removal:
        return "If someone else may have them, sign out of all sessions in your account's settings."
    return f"To be sure, disconnect this program in the settings of your account: {provider.help_url}"

"""``loginmachine logout``: remove the stored credentials, then try to revoke their tokens."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from ...drivers.errors import ProviderMismatch, StoreError
from ...drivers.shared.sign_out import check_provider
from .. import exit_codes
from ..options import StoreWarnings, issuing_provider_from
from ..revocation import revoke_old
from ..sign_in_advice import how_to_sign_in, nothing_stored
from ..terminal.writer import print_error, print_out

if TYPE_CHECKING:
    import argparse

    from ...drivers.stores.home_store import HomeStore
    from ...sansio.model.credentials import Credentials


def run(arguments: argparse.Namespace) -> int:
    """Sign out, and return the exit code: success unless the credentials are still stored."""
    warnings = StoreWarnings()
    store = warnings.open_store(arguments)
    provider = issuing_provider_from(arguments, store)
    removed: Credentials | None = None
    problem = ""
    try:
        check_provider(store, provider)
        removed = store.remove()
    except (ProviderMismatch, StoreError) as error:
        problem = str(error)
    if not arguments.json:
        _print_removal(removed, problem, arguments, store)
    unconfirmed = None if problem else revoke_old(provider, removed)
    if arguments.json:
        result = {
            "removed": removed is not None,
            "revoked": None if unconfirmed is None else not unconfirmed,
            "error": problem or unconfirmed or None,
            "warnings": warnings.warnings,
            "fallback": warnings.fallback,
            "store": store.kind,
            "path": store.where,
        }
        print_out(json.dumps(result))
    else:
        _print_revocation(unconfirmed)
    for line in warnings.lines():
        print_error(line)
    return exit_codes.FAILURE if problem else exit_codes.SUCCESS


def _print_removal(removed: Credentials | None, problem: str, arguments: argparse.Namespace, store: HomeStore) -> None:
    """Print whether the credentials were removed. Called before the revocation, which can take a while."""
    if problem:
        print_error(f"You are still signed in. The credentials cannot be removed: {problem}.")
    elif removed is None:
        print_out(f"You were not signed in: {nothing_stored(store)}.")
        print_out(how_to_sign_in(arguments))
    else:
        print_out("Signed out: the credentials are removed from this machine.")
    if not problem and os.environ.get("OPENAI_API_KEY"):
        print_out("The environment variable OPENAI_API_KEY is still set, and its API key is used.")


def _print_revocation(unconfirmed: str | None) -> None:
    if unconfirmed == "":
        print_out("The provider has revoked the tokens.")
    elif unconfirmed is not None:
        print_error(
            f"The provider did not confirm that the tokens are revoked: {unconfirmed}.\n"
            "If someone else may have them, sign out of all sessions in your account's settings."
        )

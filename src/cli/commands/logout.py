"""``loginmachine logout``: remove the stored credentials, then have their tokens revoked, best effort."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from ...drivers.errors import StoreError
from ..options import provider_from
from ..stores import Remarks
from ..terminal.writer import print_error, print_out
from .revocation import revoke_old

if TYPE_CHECKING:
    import argparse

    from ...sansio.model.credentials import Credentials


def run(arguments: argparse.Namespace) -> int:
    """Sign out; 0 also if nobody was signed in, 1 if the credentials are still there."""
    provider = provider_from(arguments)
    remarks = Remarks()
    store = remarks.open(arguments)
    removed: Credentials | None = None
    problem = ""
    try:
        removed = store.remove()
    except StoreError as error:
        problem = str(error)
    if not arguments.json:
        _tell(removed, problem)
    unconfirmed = None if problem else revoke_old(provider, removed)
    if arguments.json:
        answer = {
            "removed": removed is not None,
            "revoked": None if unconfirmed is None else not unconfirmed,
            "error": problem or unconfirmed or None,
            "warnings": remarks.warnings,
            "fallback": remarks.fallback,
            "store": store.kind,
            "path": store.where,
        }
        print_out(json.dumps(answer))
    else:
        _tell_of_tokens(unconfirmed)
    for line in remarks.lines():
        print_error(line)
    return 1 if problem else 0


def _tell(removed: Credentials | None, problem: str) -> None:
    """Say the main thing, before the provider is asked."""
    if problem:
        print_error(f"You are still signed in. The credentials cannot be removed: {problem}.")
    elif removed is None:
        print_out("Nobody was signed in.")
    else:
        print_out("Signed out: the credentials are removed from this machine.")
    if not problem and os.environ.get("OPENAI_API_KEY"):
        print_out("The API key in OPENAI_API_KEY is still there, and is used.")


def _tell_of_tokens(unconfirmed: str | None) -> None:
    if unconfirmed == "":
        print_out("The provider has revoked the tokens.")
    elif unconfirmed is not None:
        print_error(
            f"The provider did not confirm that the tokens are revoked: {unconfirmed}.\n"
            "If somebody else may have them, sign out of all sessions in the settings of your account."
        )

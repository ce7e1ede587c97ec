"""What to do about a missing sign-in: where the command has looked, and what to run."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from ..sansio.model.issuer import provenance_of
from ..sansio.model.provider import CHATGPT_CLIENT_ID, CHATGPT_ISSUER
from .shared_arguments import default_home

if TYPE_CHECKING:
    import argparse

    from ..drivers.stores.home_store import HomeStore
    from ..sansio.model.credentials import Credentials


def nothing_stored(store: HomeStore) -> str:
    """Return where the command has looked, as the end of a sentence without its full stop."""
    return f"nothing is stored in {store.searched}"


def how_to_sign_in(arguments: argparse.Namespace, credentials: Credentials | None = None) -> str:
    """Return a sentence with the command to run, for the same store and the same provider.

    Args:
        arguments: The command line.
        credentials: What is stored; None if nothing is, or if it cannot be read.
    """
    words = ["loginmachine", "login"]
    if os.path.abspath(arguments.home) != os.path.abspath(default_home()):  # noqa: PTH100 - as in `arguments`
        words += ["--home", str(arguments.home)]
    if arguments.store != "file":
        words += ["--store", arguments.store]
    recorded = provenance_of(credentials.tokens) if credentials is not None and credentials.tokens is not None else None
    issuer = recorded.issuer if recorded else getattr(arguments, "issuer", None)
    client_id = recorded.client_id if recorded else getattr(arguments, "client_id", None)
    if issuer not in (None, CHATGPT_ISSUER):
        words += ["--issuer", issuer]
    if client_id not in (None, CHATGPT_CLIENT_ID):
        words += ["--client-id", client_id]
    return f"To sign in, run: {shlex.join(words)}"

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
    from ..sansio.accounts.stored import StoredAccount
    from ..sansio.model.credentials import Credentials
    from ..sansio.model.provider import Provider


def nothing_stored(store: HomeStore) -> str:
    """Return where the command has looked, as the end of a sentence without its full stop."""
    return f"nothing is stored in {store.searched}"


def how_to_sign_in(
    arguments: argparse.Namespace, credentials: Credentials | None = None, account: StoredAccount | None = None
) -> str:
    """Return a sentence with the command to run, for the same store and the same provider.

    Args:
        arguments: The command line.
        credentials: What is stored; None if nothing is, or if it cannot be read.
        account: An account without credentials, with a client for the next login; None if there is none.
    """
    words = ["loginmachine", "login"]
    tokens = None if credentials is None else credentials.tokens
    profile, kind = getattr(arguments, "profile", None), getattr(arguments, "provider", None)
    if account is not None:
        at = [] if account.origin == CHATGPT_ISSUER else ["--issuer", account.origin]
        words += ["--provider", account.provider, *at, "--account", account.client_id]
        return f"To sign in, run: {shlex.join(words)}"
    if profile is not None:
        return f"To sign in, run: {shlex.join([*words, '--profile', profile])}"
    if tokens is not None and tokens.provider is not None:
        return f"To sign in, run: {shlex.join([*words, *options_for(tokens.provider)])}"
    if kind not in {None, "codex"}:
        which = "--account" if kind == "chatgpt" else "--client-id"
        given = (("--provider", kind), ("--issuer", arguments.issuer), (which, arguments.client_id))
        return f"To sign in, run: {shlex.join([*words, *(word for pair in given if pair[1] for word in pair)])}"
    if os.path.abspath(arguments.home) != os.path.abspath(default_home()):  # noqa: PTH100 - as in `arguments`
        words += ["--home", str(arguments.home)]
    if arguments.store != "file":
        words += ["--store", arguments.store]
    recorded = provenance_of(credentials.tokens) if credentials is not None and credentials.tokens is not None else None
    issuer = recorded.issuer if recorded else getattr(arguments, "issuer", None)
    client_id = recorded.client_id if recorded else getattr(arguments, "client_id", None)
    if issuer not in (None, CHATGPT_ISSUER):
        words += ["--provider", "codex", "--issuer", issuer]
    if client_id not in (None, CHATGPT_CLIENT_ID):
        words += ["--client-id", client_id]
    return f"To sign in, run: {shlex.join(words)}"


def options_for(provider: Provider) -> list[str]:
    """Return the options that name a provider and its client, without the client's secret."""
    known = {"--provider": provider.name, "--issuer": provider.issuer, "--client-id": provider.client_id}
    if provider.name == "oauth":
        known |= {
            "--authorization-endpoint": provider.authorization_endpoint,
            "--token-endpoint": provider.token_endpoint,
        }
    if provider.name in {"google", "microsoft"} or (provider.name == "chatgpt" and provider.issuer == CHATGPT_ISSUER):
        del known["--issuer"]
    if provider.dialect.issues_clients:
        known["--account"] = known.pop("--client-id")
    return [word for option, value in known.items() if value for word in (option, value)]

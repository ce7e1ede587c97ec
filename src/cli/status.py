"""``loginmachine status``: who is signed in. Offline, and no secret is shown."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ..drivers.errors import StoreError
from ..drivers.file_store import FileStore
from ..sansio.claims import Account, ClaimError, read_account, read_claims
from ..sansio.credentials import AuthMode
from ..sansio.options import Provider
from ..sansio.redaction import clean_text

if TYPE_CHECKING:
    import argparse

    from ..sansio.credentials import Credentials

_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60))


def run(arguments: argparse.Namespace) -> int:
    """Say who is signed in; 1 if nobody is."""
    store = FileStore(arguments.home)
    try:
        credentials = store.load()
    except StoreError as error:
        print(f"The stored credentials cannot be read: {error}.", file=sys.stderr)
        return 1
    if credentials is None:
        if os.environ.get("OPENAI_API_KEY"):
            print("Nobody is signed in; the API key in OPENAI_API_KEY is used.")
            return 0
        print("Nobody is signed in.")
        return 1
    for line in describe(credentials):
        print(line)
    print(f"Stored in: {store.path}")
    return 0


def describe(credentials: Credentials) -> list[str]:
    """Whose credentials these are, in lines without a secret."""
    account = _account(credentials)
    mode = credentials.effective_mode(account.plan)
    if mode == AuthMode.API_KEY:
        return ["Signed in with an API key."]
    if mode != AuthMode.CHATGPT:
        return [f"Signed in (mode: {clean_text(mode)})."]
    lines = [f"Signed in with ChatGPT{f' as {account.email}' if account.email else ''}."]
    if account.plan:
        lines.append(f"Plan: {account.plan}")
    if account.account_id:
        lines.append(f"Workspace: {account.account_id}")
    if credentials.api_key is not None:
        lines.append("API key: there is one for this account")
    lines.append(f"Tokens: {_age(credentials.last_refresh_time())}")
    return lines


def _account(credentials: Credentials) -> Account:
    if credentials.tokens is None:
        return Account()
    try:
        account = read_account(read_claims(credentials.tokens.id_token), {}, Provider.chatgpt())
    except ClaimError:
        return Account(account_id=credentials.tokens.account_id)
    return account


def _age(moment: datetime | None) -> str:
    if moment is None:
        return "received at an unknown time"
    seconds = (datetime.now(UTC) - moment).total_seconds()
    when = moment.strftime("%Y-%m-%d %H:%M UTC")
    for unit, size in _UNITS:
        count = int(seconds // size)
        if count >= 1:
            return f"received {count} {unit}{'s' if count > 1 else ''} ago ({when})"
    return f"received just now ({when})"

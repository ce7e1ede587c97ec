"""``loginmachine status``: who is signed in. Offline, and no secret is shown."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ...drivers.errors import StoreError
from ...sansio.base.text import clean_text
from ...sansio.model.account import Account
from ...sansio.model.credentials import AuthMode
from ...sansio.model.provider import Provider
from ...sansio.refresh.effective import applicable
from ..stores import Remarks
from ..terminal.times import moment, rfc3339
from ..terminal.writer import print_error, print_out

if TYPE_CHECKING:
    import argparse

    from ...drivers.stores.home_store import HomeStore
    from ...sansio.model.credentials import Credentials
    from ...sansio.refresh.effective import Applicable

_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60))


def run(arguments: argparse.Namespace) -> int:
    """Say who is signed in; 1 if there are no credentials to use."""
    remarks = Remarks()
    store = remarks.open(arguments)
    applies: Applicable | None = None
    problem = ""
    try:
        stored = store.load()
        applies = applicable(stored, Provider.chatgpt(), environment_key=os.environ.get("OPENAI_API_KEY"))
    except StoreError as error:
        problem = str(error)
    for line in remarks.lines():
        print_error(line)
    if arguments.json:
        print_out(json.dumps({**_values(applies), **_where(store, remarks, problem)}))
    elif problem:
        print_error(f"The stored credentials cannot be read: {problem}.")
    else:
        _print(applies, store)
    return 0 if _is_usable(applies) else 1


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
    lines.append(f"Tokens: received {_distance(credentials.last_refresh_time(), 'at an unknown time')}")
    if credentials.tokens is not None:
        lines.append(f"Access token: {_validity(moment(credentials.tokens.expires_at()))}")
    return lines


def _print(applies: Applicable | None, store: HomeStore) -> None:
    if applies is None:
        print_out("Nobody is signed in.")
    elif applies.from_environment:
        print_out("Nobody is signed in; the API key in OPENAI_API_KEY is used.")
    elif not _is_usable(applies):
        missing = "the API key" if applies.mode == AuthMode.API_KEY else "the tokens"
        print_out(f"Nobody is signed in: {missing} that should be in {store.where} cannot be found there.")
    else:
        for line in describe(applies.credentials):
            print_out(line)
        print_out(f"Stored in: {store.where}")


def _is_usable(applies: Applicable | None) -> bool:
    """What a newer version means by its own modes is not ours to judge."""
    if applies is None:
        return False
    return applies.bearer is not None or applies.mode not in (AuthMode.CHATGPT, AuthMode.API_KEY)


def _values(applies: Applicable | None) -> dict[str, object]:
    credentials = None if applies is None else applies.credentials
    tokens = None if credentials is None else credentials.tokens
    account = Account() if credentials is None else _account(credentials)
    expiry = moment(tokens.expires_at()) if tokens else None
    received = credentials.last_refresh_time() if credentials else None
    return {
        "signed_in": _is_usable(applies) and applies is not None and not applies.from_environment,
        "auth_mode": None if applies is None else clean_text(applies.mode),
        "from_environment": applies is not None and applies.from_environment,
        "account_id": account.account_id,
        "email": account.email,
        "plan": account.plan,
        "has_api_key": credentials is not None and credentials.api_key is not None,
        "expires_at": rfc3339(expiry),
        "last_refresh": rfc3339(received),
    }


def _where(store: HomeStore, remarks: Remarks, problem: str) -> dict[str, object]:
    return {
        "store": store.kind,
        "path": store.where,
        "fallback": remarks.fallback,
        "warnings": remarks.warnings,
        "error": problem or None,
    }


def _account(credentials: Credentials) -> Account:
    return Account() if credentials.tokens is None else credentials.tokens.account(Provider.chatgpt())


def _validity(end: datetime | None) -> str:
    if end is None:
        return "valid, but it does not say until when"
    if end <= datetime.now(UTC):
        return f"ended {_distance(end)}; it is renewed when it is next asked for"
    return f"valid until {end:%Y-%m-%d %H:%M} UTC ({_distance(end, is_ahead=True)})"


def _distance(when: datetime | None, unknown: str = "", *, is_ahead: bool = False) -> str:
    """How far away a moment is: in the past with its date, ahead without."""
    if when is None:
        return unknown
    seconds = abs((datetime.now(UTC) - when).total_seconds())
    counts = ((int(seconds // size), unit) for unit, size in _UNITS)
    words = next((f"{count} {unit}{'s' if count > 1 else ''}" for count, unit in counts if count), "")
    if is_ahead:
        return f"in {words}" if words else "in less than a minute"
    return f"{f'{words} ago' if words else 'just now'} ({when:%Y-%m-%d %H:%M} UTC)"

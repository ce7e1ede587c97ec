"""``loginmachine status``: show who is signed in. Works offline, and shows no secrets."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from ...drivers.errors import StoreError
from ...sansio.base.text import clean_text
from ...sansio.model.account import Account
from ...sansio.model.credentials import AuthMode, why_unknown
from ...sansio.model.entry import identity_of
from ...sansio.model.issuer import provenance_of
from ...sansio.model.provenance import provenance_of_provider
from ...sansio.model.provider import Provider
from ...sansio.refresh.effective import applicable, has_ended
from .. import exit_codes
from ..options import StoreWarnings
from ..providers.plan import lines_of_status
from ..providers.stored import account_store, chosen_store, is_codex_store, provider_named, signed_out_account
from ..sign_in.doctor_hint import look_for_cause
from ..sign_in_advice import how_to_sign_in, nothing_stored
from ..terminal.times import rfc3339, utc_time
from ..terminal.writer import print_error, print_out

if TYPE_CHECKING:
    import argparse

    from ...drivers.stores.home_store import HomeStore
    from ...sansio.accounts.stored import StoredAccount
    from ...sansio.model.credentials import Credentials
    from ...sansio.refresh.effective import Applicable

_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60))


def run(arguments: argparse.Namespace) -> int:
    """Print who is signed in, and return the exit code: success if there are usable credentials."""
    warnings = StoreWarnings()
    found = read_status(arguments, warnings)
    for line in warnings.lines():
        print_error(line)
    if arguments.json:
        stored = _store_values(found.store, warnings, found.problem)
        print_out(json.dumps({**_values(found), **stored, "message": found.message}))
    elif found.problem and found.message:
        print_error(found.message)
        if found.is_unreadable:
            print_error(look_for_cause(arguments))
    else:
        _print(found, arguments)
    return exit_codes.SUCCESS if found.is_usable else exit_codes.FAILURE


class Status(NamedTuple):
    """Which credentials apply."""

    store: HomeStore
    applies: Applicable | None
    is_ended: bool
    """Their refresh token was refused for good."""
    problem: str
    """Why what is stored cannot be read; empty if it can."""
    signed_out: StoredAccount | None = None
    """The account, if it has no credentials, and its client is kept for the next login."""

    @property
    def is_usable(self) -> bool:
        """Whether there are credentials to use."""
        return _is_usable(self.applies, is_ended=self.is_ended)

    @property
    def is_unreadable(self) -> bool:
        """Whether something is stored, or may be, which cannot be read."""
        return bool(self.problem) and self.applies is None

    @property
    def message(self) -> str | None:
        """Why there are no credentials to use, as a sentence; None if there are."""
        if self.problem:
            return f"The stored credentials cannot be read: {self.problem}."
        if self.is_usable:
            return None
        if self.applies is None and self.signed_out is not None:
            return f"Signed out: {self.signed_out}."
        if self.applies is None:
            return f"Not signed in: {nothing_stored(self.store)}."
        missing = _missing(self.applies)
        if missing:
            return f"Not signed in: {missing} cannot be found in {self.store.where}."
        return "The sign-in has ended: its tokens can no longer be renewed."


def read_status(arguments: argparse.Namespace, warnings: StoreWarnings) -> Status:
    """Find out which credentials apply, without a request."""
    store = warnings.open_store(arguments, chosen_store)
    provider = provider_named(arguments, store)
    key = os.environ.get("OPENAI_API_KEY") if is_codex_store(store) else None
    applies: Applicable | None = None
    is_ended, problem = False, ""
    try:
        stored = store.load()
        applies = applicable(stored, Provider.codex(), environment_key=key)
        unknown = "" if applies is None else why_unknown(applies.mode)
        if unknown:
            problem = f"{store.where}: {unknown}; use the program that wrote it, or sign in again"
        is_ended = has_ended(applies, store.load_refusal(), provider)
    except StoreError as error:
        problem = str(error)
    is_account = applies is None and not is_codex_store(store)
    accounts = account_store(arguments, _ignore, _ignore) if is_account else None
    signed_out = None if accounts is None else signed_out_account(store, accounts)
    return Status(store, applies, is_ended, problem, signed_out)


def _ignore(_warning: str) -> None:
    """Ignore a warning, which was collected when the store was chosen."""


def describe(credentials: Credentials, *, is_ended: bool = False) -> list[str]:
    """Describe credentials in lines for people, without secrets.

    Args:
        credentials: The credentials.
        is_ended: Their refresh token was refused for good.
    """
    account = account_of(credentials)
    mode = credentials.effective_mode(account.plan)
    if mode == AuthMode.API_KEY:
        return ["Signed in with an API key."]
    if mode == AuthMode.OAUTH:
        return _describe_account(credentials, is_ended=is_ended)
    if mode != AuthMode.CHATGPT:
        return [f"Signed in (mode: {clean_text(mode)})."]
    who = f"with ChatGPT{f' as {account.email}' if account.email else ''}"
    ended = f"The sign-in {who} has ended: its tokens can no longer be renewed."
    lines = [ended if is_ended else f"Signed in {who}."]
    if account.plan:
        lines.append(f"Plan: {account.plan}")
    if account.account_id:
        lines.append(f"Workspace: {account.account_id}")
    if credentials.api_key is not None:
        lines.append("API key: there is one for this account")
    lines.append(f"Tokens: received {_relative(credentials.last_refresh_time(), 'at an unknown time')}")
    if credentials.tokens is not None:
        lines.append(f"Access token: {_validity(utc_time(credentials.tokens.expires_at()), is_ended=is_ended)}")
    return lines


def _describe_account(credentials: Credentials, *, is_ended: bool) -> list[str]:
    """Describe the credentials of another provider than Codex's."""
    tokens, person = credentials.tokens, identity_of(credentials)
    assert tokens is not None
    recorded = provenance_of(tokens)
    at = "" if recorded is None else f" at {clean_text(urlsplit(recorded.issuer).netloc)}"
    name = person.email or person.name or person.subject
    who = f"{at}{f' as {clean_text(name)}' if name else ''}"
    ended = f"The sign-in{who} has ended: its tokens can no longer be renewed."
    lines = [ended if is_ended else f"Signed in{who}."]
    if tokens.scope:
        lines.append(f"Scopes: {clean_text(' '.join(tokens.scope))}")
    lines += lines_of_status(tokens)
    lines.append(f"Tokens: received {_relative(credentials.last_refresh_time(), 'at an unknown time')}")
    can_renew = tokens.refresh_token is not None and not is_ended
    lines.append(f"Access token: {_validity(utc_time(tokens.expires_at()), is_ended=not can_renew)}")
    return lines


def _print(found: Status, arguments: argparse.Namespace) -> None:
    store, applies, is_ended = found.store, found.applies, found.is_ended
    stored: Credentials | None = None
    if applies is None:
        print_out(str(found.message))
    elif applies.from_environment:
        print_out(f"Not signed in: {nothing_stored(store)}.")
        print_out("The API key in OPENAI_API_KEY is used.")
    elif _missing(applies):
        print_out(f"Not signed in: {_missing(applies)} cannot be found in {store.where}.")
    else:
        stored = applies.credentials
        for line in describe(stored, is_ended=is_ended):
            print_out(line)
        print_out(f"Stored in: {store.where}")
        if not is_ended:
            return
    print_out(how_to_sign_in(arguments, stored, found.signed_out))


def _missing(applies: Applicable) -> str:
    """Return what the stored credentials should have and do not have; empty if nothing is missing."""
    if applies.bearer is not None or applies.mode not in (AuthMode.CHATGPT, AuthMode.API_KEY):
        return ""
    return "the API key" if applies.mode == AuthMode.API_KEY else "the tokens"


def _is_usable(applies: Applicable | None, *, is_ended: bool) -> bool:
    """Return whether there are credentials. Those of the modes that only Codex uses are assumed to be usable.

    Args:
        applies: The credentials that apply.
        is_ended: Their refresh token was refused for good, so that only an access token that is valid can be used.
    """
    if applies is None or why_unknown(applies.mode):
        return False
    tokens = applies.credentials.tokens
    if is_ended and tokens is not None:
        ends = utc_time(tokens.expires_at())
        return ends is None or ends > datetime.now(UTC)
    if tokens is not None and applies.mode == AuthMode.OAUTH and tokens.refresh_token is None:
        ends = utc_time(tokens.expires_at())
        return ends is None or ends > datetime.now(UTC)
    return not _missing(applies)


def _values(found: Status) -> dict[str, object]:
    applies = found.applies
    credentials = None if applies is None else applies.credentials
    tokens = None if credentials is None else credentials.tokens
    account = Account() if credentials is None else account_of(credentials)
    expiry = utc_time(tokens.expires_at()) if tokens else None
    received = credentials.last_refresh_time() if credentials else None
    return {
        "signed_in": found.is_usable and applies is not None and not applies.from_environment,
        "sign_in_ended": found.is_ended,
        "auth_mode": None if applies is None else clean_text(applies.mode),
        "from_environment": applies is not None and applies.from_environment,
        "account_id": account.account_id,
        "email": account.email,
        "plan": account.plan,
        "has_api_key": credentials is not None and credentials.api_key is not None,
        "expires_at": rfc3339(expiry),
        "last_refresh": rfc3339(received),
        **provider_values(credentials),
        **_signed_out_values(found.signed_out),
    }


def _signed_out_values(account: StoredAccount | None) -> dict[str, object]:
    """Return what is known about a person who has signed out, and has a client for the next login."""
    names = ("provider", "issuer", "client_id", "email")
    return {} if account is None else {**{name: getattr(account, name) for name in names}, "subject": account.subject}


def provider_values(credentials: Credentials | None) -> dict[str, object]:
    """Return who issued the tokens, for which client and for whom, for programs."""
    names = ("provider", "issuer", "client_id", "subject", "name", "scopes", "has_refresh_token", "plan_enabled")
    tokens = None if credentials is None else credentials.tokens
    if credentials is None or tokens is None:
        return dict.fromkeys(names)
    recorded = provenance_of(tokens) or provenance_of_provider(Provider.codex())
    person = identity_of(credentials)
    values = (
        "codex" if tokens.provider is None else tokens.provider.name,
        recorded.issuer,
        recorded.client_id,
        person.subject or None,
        person.name,
        None if tokens.scope is None else list(tokens.scope),
        tokens.refresh_token is not None,
        tokens.plan_enabled,
    )
    return dict(zip(names, values, strict=True))


def _store_values(store: HomeStore, warnings: StoreWarnings, problem: str) -> dict[str, object]:
    return {
        "store": store.kind,
        "path": store.where,
        "fallback": warnings.fallback,
        "warnings": warnings.warnings,
        "error": problem or None,
    }


def account_of(credentials: Credentials) -> Account:
    """Return the account at Codex's provider, as the id token says; without one, nothing is known."""
    return Account() if credentials.tokens is None else credentials.tokens.account(Provider.codex())


def _validity(end: datetime | None, *, is_ended: bool) -> str:
    if end is None:
        return "valid until an unknown time"
    if end <= datetime.now(UTC):
        return f"expired {_relative(end)}{'' if is_ended else '; it is renewed when it is next needed'}"
    return f"valid until {end:%Y-%m-%d %H:%M} UTC ({_relative(end, is_future=True)})"


def _relative(when: datetime | None, unknown: str = "", *, is_future: bool = False) -> str:
    """Describe a time relative to now; a past time with its date."""
    if when is None:
        return unknown
    seconds = abs((datetime.now(UTC) - when).total_seconds())
    counts = ((int(seconds // size), unit) for unit, size in _UNITS)
    words = next((f"{count} {unit}{'s' if count > 1 else ''}" for count, unit in counts if count), "")
    if is_future:
        return f"in {words}" if words else "in less than a minute"
    return f"{f'{words} ago' if words else 'just now'} ({when:%Y-%m-%d %H:%M} UTC)"

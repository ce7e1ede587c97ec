"""``loginmachine accounts``, ``use`` and ``profiles``: what is stored, what is the default, what is configured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...drivers.errors import AccountNotFound, StoreError
from ...sansio.base.text import clean_text
from ...sansio.model.account import identifier
from ...sansio.model.claims import claims_of
from ...sansio.model.issuer import provenance_of
from ...sansio.model.provider import Provider
from .. import exit_codes
from ..options import store_from
from ..providers.configuration import ConfigurationError, configuration_path, read_profiles
from ..providers.stored import CODEX, account_store, is_codex_account, wanted_from
from ..terminal.times import rfc3339, utc_time
from ..terminal.writer import print_error, print_out

if TYPE_CHECKING:
    import argparse
    from typing import Final

    from ...sansio.accounts.stored import StoredAccount
    from ...sansio.model.credentials import Credentials

_SHOWN: Final = ("provider", "issuer", "client_id", "scope")
"""The members of a profile that are shown."""
_UNREADABLE: Final = "The stored accounts cannot be read"


def run(arguments: argparse.Namespace) -> int:
    """Print what is stored, and return the exit code: success also if nothing is."""
    wanted = wanted_from(arguments)
    problem = ""
    found: list[StoredAccount] = []
    codex: Credentials | None = None
    try:
        found = [each for each in _accounts(arguments).accounts() if wanted.fits(each)]
        codex = _codex(arguments) if wanted.may_be_codex else None
    except StoreError as error:
        problem = str(error)
    if arguments.account is not None:
        found = [each for each in found if _is_called(each, arguments.account)]
        codex = codex if is_codex_account(arguments.account, codex) else None
    is_chosen = any(each.is_chosen for each in found)
    groups = {each.group for each in found}
    rows = [] if codex is None else [_codex_row(codex, is_default=not is_chosen)]
    rows += [_row(each, is_default=_applies(each, codex, groups, is_chosen=is_chosen)) for each in found]
    if arguments.json:
        print_out(json.dumps({"accounts": rows, **_trouble(problem)}))
    else:
        for row in rows:
            print_out(_line(row))
        if not rows and not problem:
            print_out("Nothing is stored. To sign in, run: loginmachine login")
    if problem:
        print_error(f"{_UNREADABLE}: {problem}.")
    return exit_codes.FAILURE if problem else exit_codes.SUCCESS


def _trouble(problem: str) -> dict[str, str | None]:
    if not problem:
        return {"message": None}
    return {"error": problem, "message": f"{_UNREADABLE}: {problem}."}


def use(arguments: argparse.Namespace) -> int:
    """Make an account the default, and return the exit code."""
    text = arguments.account
    accounts = _accounts(arguments)
    arguments.account = None
    wanted = wanted_from(arguments)
    try:
        found = [each for each in accounts.accounts() if wanted.fits(each)]
        is_codex = wanted.may_be_codex and (text == CODEX or is_codex_account(text, _codex(arguments)))
        fitting = [each for each in found if _is_called(each, text)]
        if len(fitting) + is_codex > 1 and text != CODEX:
            print_error(f"{clean_text(text)} fits several accounts:")
            for line in (*(["Codex's credentials (use codex)"] if is_codex else []), *map(str, fitting)):
                print_error(f"- {line}")
            print_error("Name one with its client ID or subject, or add --provider or --issuer and --client-id.")
            return exit_codes.USAGE_ERROR
        if not is_codex and not fitting:
            print_error(f"No stored account is called {clean_text(text)}.")
            print_error("To see what is stored, run: loginmachine accounts")
            return exit_codes.FAILURE
        accounts.use(None if is_codex else fitting[0])
    except (StoreError, AccountNotFound) as error:
        print_error(f"The choice cannot be stored: {error}.")
        return exit_codes.FAILURE
    who = "Codex's credentials come first" if is_codex else f"The default is now {fitting[0]}"
    return exit_codes.SUCCESS if print_out(f"{who}.") else exit_codes.FAILURE


def _accounts(arguments: argparse.Namespace) -> Any:  # noqa: ANN401 - the store is imported with the command
    return account_store(arguments, _warn, _warn)


def _codex(arguments: argparse.Namespace) -> Credentials | None:
    return store_from(arguments, on_warning=_warn, on_fallback=_warn).load()


def _warn(text: str) -> None:
    print_error(f"Warning: {text}.")


def _is_called(account: StoredAccount, text: str) -> bool:
    return text in {account.subject, account.client_id, account.key} or (
        account.email is not None and account.email.casefold() == text.casefold()
    )


def _applies(
    account: StoredAccount, codex: Credentials | None, groups: set[tuple[str, str]], *, is_chosen: bool
) -> bool:
    """Return whether a command that names no account uses this one."""
    if is_chosen:
        return account.is_chosen
    return account.is_default and codex is None and len(groups) == 1


def _row(account: StoredAccount, *, is_default: bool) -> dict[str, object]:
    return {
        "provider": account.provider,
        "issuer": account.issuer or account.origin,
        "client_id": account.client_id,
        "subject": account.subject or None,
        "email": account.email,
        "scopes": list(account.scopes),
        "plan_enabled": account.plan_enabled,
        "expires_at": rfc3339(utc_time(account.expires_at)),
        "signed_in": account.is_signed_in,
        "default": is_default,
    }


def _codex_row(credentials: Credentials, *, is_default: bool) -> dict[str, object]:
    tokens = credentials.tokens
    recorded = None if tokens is None else provenance_of(tokens)
    account = None if tokens is None else tokens.account(Provider.codex())
    return {
        "provider": CODEX,
        "issuer": None if recorded is None else recorded.issuer,
        "client_id": None if recorded is None else recorded.client_id,
        "subject": None if tokens is None else identifier(claims_of(tokens.id_token).get("sub")),
        "email": None if account is None else account.email,
        "scopes": [],
        "plan_enabled": None,
        "expires_at": None if tokens is None else rfc3339(utc_time(tokens.expires_at())),
        "signed_in": True,
        "default": is_default,
    }


def _line(row: dict[str, Any]) -> str:
    who = row["email"] or row["subject"] or ("an API key" if row["issuer"] is None else "one account")
    at = f" at {clean_text(row['issuer'])}" if row["issuer"] else ""
    client = f" (client {clean_text(row['client_id'])})" if row["client_id"] else ""
    scopes = f", scopes {clean_text(' '.join(row['scopes']))}" if row["scopes"] else ""
    until = f", until {row['expires_at']}" if row["expires_at"] else ""
    default = ", default" if row["default"] else ""
    plan = ", using ChatGPT plan" if row["plan_enabled"] else ""
    gone = "" if row["signed_in"] else ", signed out"
    return f"{row['provider']}: {clean_text(who)}{at}{client}{scopes}{plan}{until}{gone}{default}"


def list_profiles(arguments: argparse.Namespace) -> int:
    """Print the profiles, and return the exit code: success also if there are none."""
    path = configuration_path()
    try:
        profiles = read_profiles(path)
    except ConfigurationError as error:
        words = f"The configuration cannot be used: {error}."
        print_error(words)
        if arguments.json:
            print_out(json.dumps({"path": str(path), "profiles": [], "message": words}))
        return exit_codes.USAGE_ERROR
    if arguments.json:
        found = [{"name": name, **{key: table.get(key) for key in _SHOWN}} for name, table in profiles.items()]
        return _code(print_out(json.dumps({"path": str(path), "profiles": found, "message": None})))
    if not profiles:
        return _code(print_out(f"There are no profiles in {path}."))
    lines = [f"{clean_text(name)}: {_words(table)}" for name, table in profiles.items()]
    return _code(print_out("\n".join(lines)))


def _words(table: dict[str, object]) -> str:
    kind = table.get("provider") or ("openid" if table.get("issuer") else "codex")
    at = f" at {clean_text(str(table['issuer']))}" if "issuer" in table else ""
    client = f", client {clean_text(str(table['client_id']))}" if "client_id" in table else ""
    return f"{clean_text(str(kind))}{at}{client}"


def _code(is_printed: bool) -> int:  # noqa: FBT001 - the result of a print
    return exit_codes.SUCCESS if is_printed else exit_codes.FAILURE

"""Which stored credentials a command uses: Codex's in ``auth.json``, or those of an account."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING, NamedTuple

from ...drivers.accounts.account_store import AccountStore
from ...drivers.accounts.entries import AccountEntry
from ...drivers.errors import StoreError
from ...drivers.stores.auto_store import StorePolicy
from ...sansio.accounts.choice import choose, matching
from ...sansio.accounts.stored import NOTHING_KEY
from ...sansio.base.text import clean_text
from ...sansio.model.claims import claims_of
from .. import exit_codes
from ..options import issuing_provider_from, store_from
from ..terminal.writer import print_error, print_out
from .provider import provider_name
from .settings import Settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from typing import Final, NoReturn

    from ...drivers.stores.home_store import HomeStore
    from ...sansio.accounts.stored import StoredAccount
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.provider import Provider

CODEX: Final = "codex"


class Wanted(NamedTuple):
    """What the options say about the credentials. None for any."""

    kind: str | None
    origin: str | None
    client_id: str | None

    def fits(self, account: StoredAccount) -> bool:
        """Return whether an account is one of those."""
        origin = None if self.origin is None else self.origin.rstrip("/")
        return (
            self.kind in {None, account.provider}
            and origin in {None, account.origin.rstrip("/")}
            and self.client_id in {None, account.client_id}
        )

    @property
    def may_be_codex(self) -> bool:
        """Whether Codex's credentials may be meant."""
        return self.kind == CODEX or (self.kind is None and self.origin is None)


class _NoEntry(AccountEntry):
    """An entry that is not there."""

    @property
    def where(self) -> str:
        """The folder of the accounts."""
        return str(self._home)

    @property
    def searched(self) -> str:
        """As `where`."""
        return self.where


def wanted_from(arguments: argparse.Namespace) -> Wanted:
    """Return what the options say. A wrong option ends the process with a usage error."""
    try:
        settings = Settings(arguments)
        name = provider_name(settings)
    except ValueError as error:
        arguments.usage_error(str(error))
        raise
    kind = name if settings.is_provider_named else None
    if kind is None and not settings.has("issuer") and settings.has("client_id"):
        # As before there were other providers.
        kind = CODEX
    if kind == CODEX:
        arguments.issuer, arguments.client_id = settings["issuer"], settings["client_id"]
    origin = settings["issuer"] or (settings["token_endpoint"] if kind == "oauth" else None)
    return Wanted(kind, origin, settings["client_id"])


def account_store(
    arguments: argparse.Namespace, on_warning: Callable[[str], None], on_fallback: Callable[[str], None]
) -> AccountStore:
    """Return the store of the accounts, with the policy of ``--store``."""
    policy = StorePolicy(arguments.store)
    return AccountStore(policy=policy, on_warning=on_warning, on_fallback=on_fallback)


def chosen_store(
    arguments: argparse.Namespace, on_warning: Callable[[str], None], on_fallback: Callable[[str], None]
) -> HomeStore:
    """Return the store of the credentials that a command uses.

    If several may be meant, list them, and end the process with exit code 2. If ``--account`` names none, end it with
    exit code 1.
    """
    wanted, account = wanted_from(arguments), getattr(arguments, "account", None)
    codex = store_from(arguments, on_warning=on_warning, on_fallback=on_fallback)
    if wanted.kind == CODEX and account is None:
        return codex
    accounts = account_store(arguments, on_warning, on_fallback)
    found: list[StoredAccount] = []
    try:
        found = [each for each in accounts.accounts() if wanted.fits(each)]
    except StoreError as error:
        on_warning(str(error))
    if account is not None:
        return _named(arguments, accounts, found, codex if wanted.may_be_codex else None)
    choice = choose(found, has_codex=wanted.may_be_codex and _holds_something(codex))
    if choice.candidates:
        _end_with_list(arguments, "Several accounts are stored, and none is the default", choice.candidates)
    if choice.account is not None:
        return accounts.open(choice.account)
    if choice.is_codex or wanted.may_be_codex:
        return codex
    return _no_entry(accounts, arguments, on_warning, on_fallback)


def account_to_renew(arguments: argparse.Namespace, accounts: AccountStore, provider: Provider) -> StoredAccount | None:
    """Return the account that ``login --account`` names; None if it names none.

    If several fit, list them, and end the process with exit code 2.

    Args:
        arguments: The command line.
        accounts: The accounts.
        provider: The provider of the login.

    Raises:
        StoreError: No account fits, or the accounts cannot be read.
    """
    text = arguments.account
    if text is None:
        return None
    fitting = matching(accounts.accounts(provider.name, provider.origin), text)
    if len(fitting) > 1:
        _end_with_list(arguments, f"{clean_text(text)} fits several accounts", fitting)
    if not fitting:
        raise StoreError(
            f"no stored account is called {clean_text(text)}: 'loginmachine accounts' lists what is stored"
        )
    return fitting[0]


def signed_out_account(store: HomeStore, accounts: AccountStore) -> StoredAccount | None:
    """Return the account of a store without credentials, if its client is kept for the next login; None otherwise.

    Args:
        store: The store that `chosen_store` has returned.
        accounts: The accounts.
    """
    key = store.key if isinstance(store, AccountEntry) else ""
    with contextlib.suppress(StoreError):
        return next((each for each in accounts.accounts() if each.key == key and not each.is_signed_in), None)
    return None


def is_codex_store(store: HomeStore) -> bool:
    """Return whether a store holds Codex's credentials, for which alone Codex's environment variables count."""
    return not isinstance(store, AccountEntry)


def provider_named(arguments: argparse.Namespace, store: HomeStore) -> Provider | None:
    """Return the provider that the options name for Codex's credentials; None for the one that a store records."""
    return issuing_provider_from(arguments, store) if is_codex_store(store) else None


def _no_entry(
    accounts: AccountStore,
    arguments: argparse.Namespace,
    on_warning: Callable[[str], None],
    on_fallback: Callable[[str], None],
) -> AccountEntry:
    policy = StorePolicy(arguments.store)
    return _NoEntry(accounts.folder, NOTHING_KEY, policy, on_warning=on_warning, on_fallback=on_fallback, timeout=1)


def _named(
    arguments: argparse.Namespace, accounts: AccountStore, found: Sequence[StoredAccount], codex: HomeStore | None
) -> HomeStore:
    """Return the store of the credentials that ``--account`` names."""
    text = arguments.account
    fitting = matching(found, text)
    is_codex = codex is not None and is_codex_account(text, _loaded(codex))
    if len(fitting) + is_codex > 1:
        more = [f"{clean_text(text)}, Codex's credentials (--provider codex)"] if is_codex else []
        _end_with_list(arguments, f"{clean_text(text)} fits several accounts", fitting, more)
    if is_codex and codex is not None:
        return codex
    if not fitting:
        _print_problem(arguments, f"Not signed in: no stored account is called {clean_text(text)}.")
        print_error("To see what is stored, run: loginmachine accounts")
        sys.exit(exit_codes.FAILURE)
    return accounts.open(fitting[0])


def is_codex_account(text: str, credentials: Credentials | None) -> bool:
    """Return whether a text names Codex's credentials: their e-mail address, subject, or account."""
    tokens = None if credentials is None else credentials.tokens
    if tokens is None:
        return False
    claims = claims_of(tokens.id_token)
    email = claims.get("email")
    is_email = isinstance(email, str) and email.casefold() == text.casefold()
    return text != "" and (is_email or text in {claims.get("sub"), tokens.account_id})


def _holds_something(store: HomeStore) -> bool:
    """Return whether a store has credentials. Those that cannot be read count, so that the command says so."""
    try:
        return store.load() is not None
    except StoreError:
        return True


def _loaded(store: HomeStore) -> Credentials | None:
    with contextlib.suppress(StoreError):
        return store.load()
    return None


def _end_with_list(
    arguments: argparse.Namespace, problem: str, accounts: Sequence[StoredAccount], more: Sequence[str] = ()
) -> NoReturn:
    _print_problem(arguments, f"{problem}:")
    for line in (*more, *map(str, accounts)):
        print_error(f"- {line}")
    print_error("Name one with --account or --client-id and --issuer, or choose one with: loginmachine use ACCOUNT")
    sys.exit(exit_codes.USAGE_ERROR)


def _print_problem(arguments: argparse.Namespace, problem: str) -> None:
    """Print why there is no store, also as JSON if that is wanted."""
    print_error(problem)
    if getattr(arguments, "json", False) or getattr(arguments, "format", None) == "json":
        print_out(json.dumps({"message": f"{problem.rstrip(':.')}."}))

"""Which stored credentials apply, and which account a person means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .stored import StoredAccount


class AccountChoice(Record):
    """The credentials that apply: those of an account, or Codex's in ``auth.json``; or why none do."""

    account: StoredAccount | None = None
    """The account. None if Codex's credentials apply, or none."""
    is_codex: bool = False
    """Codex's credentials in ``auth.json`` apply."""
    candidates: tuple[StoredAccount, ...] = ()
    """The accounts among which nothing decides, if there are several."""


def choose(accounts: Sequence[StoredAccount], *, has_codex: bool) -> AccountChoice:
    """Return which credentials apply if no account is named.

    It is the account that `use` has chosen; else Codex's credentials, if there are any; else the default account, if
    all accounts are of one provider and issuer.

    Args:
        accounts: The stored accounts, as `AccountStore.accounts` returns them: all, or those of a provider.
        has_codex: Whether ``auth.json`` holds Codex's credentials. False if the person has named another provider.
    """
    for account in accounts:
        if account.is_chosen:
            return AccountChoice(account=account)
    if has_codex:
        return AccountChoice(is_codex=True)
    signed_in = {account.group for account in accounts if account.is_signed_in}
    accounts = [account for account in accounts if account.group in signed_in or not signed_in]
    if len({account.group for account in accounts}) > 1:
        return AccountChoice(candidates=tuple(accounts))
    default = next((account for account in accounts if account.is_default), None)
    if default is None and len(accounts) > 1:
        # (Some accounts of the provider were left out, the default among them.)
        return AccountChoice(candidates=tuple(accounts))
    return AccountChoice(account=default or next(iter(accounts), None))


def matching(accounts: Sequence[StoredAccount], text: str) -> list[StoredAccount]:
    """Return the accounts that a text names: the subject, the e-mail address in any case, the client, or the key.

    Args:
        accounts: The stored accounts.
        text: What a person has written.
    """
    exact = [account for account in accounts if text and text in {account.subject, account.client_id, account.key}]
    wanted = text.casefold()
    by_email = [account for account in accounts if account.email and account.email.casefold() == wanted]
    return [account for account in accounts if account in exact or account in by_email]

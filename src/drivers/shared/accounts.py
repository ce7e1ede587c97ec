"""A store of many accounts in place of the store of one, for a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ...sansio.accounts.stored import StoredAccount
    from ..stores.protocols import SessionStore


@runtime_checkable
class Accounts(Protocol):
    """What a store of many accounts has: `AccountStore`, for example."""

    def session_store(self, account: StoredAccount | str | None = None) -> SessionStore:
        """Return the store of one account; of the default account if none is named."""


def session_store_of(store: SessionStore | Accounts, account: StoredAccount | str | None) -> SessionStore:
    """Return the store of a session.

    Args:
        store: The store that the program has given.
        account: The account, if the store has many; None for the default one.

    Raises:
        ValueError: An account is named, and the store has one only.
        StoreError: The accounts cannot be read.
    """
    if isinstance(store, Accounts):
        return store.session_store(account)
    if account is not None:
        raise ValueError("an account can be named only with a store of many accounts, such as AccountStore")
    return store

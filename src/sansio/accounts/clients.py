"""Which client a login uses, at a provider that issues one to each person and workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..server.registration import Registration
from .registrations import StoredRegistration
from .stored import StoredAccount, name_for

if TYPE_CHECKING:
    from collections.abc import Sequence


def client_for_login(
    registrations: Sequence[StoredRegistration],
    accounts: Sequence[StoredAccount],
    *,
    account: StoredAccount | None = None,
    is_new: bool = False,
) -> StoredRegistration | None:
    """Return the client of a login.

    It is that of the account; else of the default account; else one that was issued and is pending: its login has not
    ended with an id token, so the person is not known yet. A second client for the same person would be a second
    program in their account.

    Args:
        registrations: The clients that the provider has issued, the latest last.
        accounts: The accounts at this provider, those of people who have signed out included.
        account: The account that the person wants to renew.
        is_new: The person wants another account: a pending client is used only if its last login got a callback, and
            the provider has not refused it.

    Returns:
        The client. None for a login that gets one in its callback.
    """
    renewed = account if account or is_new else next((each for each in accounts if each.is_default), None)
    if renewed is not None:
        known = [each for each in registrations if each.registration.client_id == renewed.client_id]
        return known[-1] if known else _registration_of(renewed)
    taken = {each.client_id for each in accounts}
    pending = [each for each in registrations if not each.subject and each.registration.client_id not in taken]
    usable = [each for each in pending if not (is_new and each.is_doubtful)]
    return usable[-1] if usable else None


def _registration_of(account: StoredAccount) -> StoredRegistration:
    """Return the registration of an account that has lost its own."""
    return StoredRegistration(
        registration=Registration(issuer=account.origin, client_id=account.client_id),
        provider=account.provider,
        subject=account.subject,
        email=account.email,
    )


def signed_out(stored: StoredRegistration) -> StoredAccount:
    """Return the account of a client that belongs to a person who has signed out.

    Args:
        stored: The registration, which names the person.
    """
    registration = stored.registration
    return StoredAccount(
        key=name_for(registration.issuer, registration.client_id, stored.subject),
        provider=stored.provider,
        issuer=registration.issuer,
        origin=registration.issuer,
        client_id=registration.client_id,
        subject=stored.subject,
        email=stored.email,
        plan_enabled=False,
        is_signed_in=False,
    )

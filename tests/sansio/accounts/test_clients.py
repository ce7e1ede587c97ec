"""Which client a login uses: never a second one for the same person."""

from __future__ import annotations

from typing import Any

from loginmachine.sansio.accounts.clients import client_for_login, signed_out
from loginmachine.sansio.accounts.registrations import StoredRegistration
from loginmachine.sansio.accounts.stored import StoredAccount, name_for
from loginmachine.sansio.server.registration import Registration

ISSUER = "https://id.example"


def registration(client_id: str, subject: str = "", **changes: Any) -> StoredRegistration:
    client = Registration(issuer=ISSUER, client_id=client_id)
    return StoredRegistration(registration=client, provider="chatgpt", subject=subject, **changes)


def account(client_id: str, subject: str = "user-1", **changes: Any) -> StoredAccount:
    key = name_for(ISSUER, client_id, subject)
    names = {"provider": "chatgpt", "issuer": ISSUER, "origin": ISSUER, "client_id": client_id, "subject": subject}
    return StoredAccount(**{"key": key, **names, **changes})


def chosen(*arguments: Any, **options: Any) -> str | None:
    client = client_for_login(*arguments, **options)
    return None if client is None else client.registration.client_id


def test_the_first_login_has_none() -> None:
    assert chosen([], []) is None


def test_the_default_account_is_renewed() -> None:
    known = [registration("a", "user-1"), registration("b", "user-2")]
    accounts = [account("b", "user-2", is_default=True), account("a")]
    assert chosen(known, accounts) == "b"


def test_an_account_that_is_named_is_renewed() -> None:
    known = [registration("a", "user-1"), registration("b", "user-2")]
    accounts = [account("b", "user-2", is_default=True), account("a")]
    assert chosen(known, accounts, account=accounts[1]) == "a"


def test_a_pending_client_is_used_before_another_is_issued() -> None:
    assert chosen([registration("a"), registration("b")], []) == "b"
    assert chosen([registration("a", is_doubtful=True)], []) == "a"


def test_the_default_account_comes_before_a_pending_client() -> None:
    assert chosen([registration("a", "user-1"), registration("b")], [account("a", is_default=True)]) == "a"


def test_another_account_gets_a_pending_client_that_still_works() -> None:
    accounts = [account("a", is_default=True)]
    assert chosen([registration("a", "user-1"), registration("b")], accounts, is_new=True) == "b"
    assert chosen([registration("a", "user-1"), registration("b", is_doubtful=True)], accounts, is_new=True) is None
    assert chosen([registration("a", "user-1")], accounts, is_new=True) is None


def test_the_client_of_an_account_is_not_pending() -> None:
    """Its registration was not completed, because the program was killed just after the credentials were stored."""
    accounts = [account("a", is_default=True)]
    assert chosen([registration("a")], accounts, is_new=True) is None
    client = client_for_login([registration("a")], accounts)
    assert client is not None
    assert client.registration.client_id == "a"


def test_a_lost_registration_is_made_from_the_account() -> None:
    client = client_for_login([], [account("a", email="ada@example.org", is_default=True)])
    assert client == StoredRegistration(
        registration=Registration(issuer=ISSUER, client_id="a"),
        provider="chatgpt",
        subject="user-1",
        email="ada@example.org",
    )


def test_a_person_who_has_signed_out() -> None:
    gone = signed_out(registration("a", "user-1", email="ada@example.org"))
    assert gone == account("a", email="ada@example.org", is_signed_in=False, plan_enabled=False)

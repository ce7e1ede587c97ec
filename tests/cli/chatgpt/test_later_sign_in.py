"""Later sign-ins: hints, other accounts and workspaces, sign-outs, disconnections, and the host id."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from loginmachine.demo.browser import Browser
from loginmachine.demo.chatgpt.browser import Visitor
from loginmachine.demo.shared.answers import Answer

from .support import AT_WORK, GRACE, Computer, open_page, query_of, with_drivers

if TYPE_CHECKING:
    from pathlib import Path

    from loginmachine.demo.chatgpt.switches import ClientIdInCallback


def asked_last(computer: Computer) -> dict[str, str]:
    return computer.asked()[-1]


def host_id_file(computer: Computer) -> Path:
    """Return the file that holds the host id and no account."""
    host_id = computer.asked()[0]["ext_agent_host_id"]
    (name,) = [name for name, content in computer.files().items() if host_id in content and "oaiapp_" not in content]
    return computer.home / name


def test_an_account_that_is_not_stored(computer: Computer) -> None:
    computer.signed_in()
    login = computer.login("--account", "nobody@example.com")
    assert (login.code, login.category, login.opened) == (1, "persist_failed", [])
    assert "No stored account is called nobody@example.com: 'loginmachine accounts' lists what is stored." in login.err


# Hints


@pytest.mark.parametrize("kind", ["documented", "issued"])
def test_a_later_sign_in_sends_both_hints(computer: Computer, kind: ClientIdInCallback) -> None:  # cases 36 and 37
    first = computer.signed_in()
    computer.provider.switches.client_id_in_callback = kind
    before = computer.token()
    again = computer.signed_in()
    request = asked_last(computer)
    assert request["client_id"] == again["client_id"] == first["client_id"]
    assert request["login_hint"] == "ada@example.com"
    assert request["id_token_hint"] in computer.provider.tokens
    assert "agent_name_hint" not in request
    assert request["ext_agent_host_id"] == computer.asked()[0]["ext_agent_host_id"]
    assert computer.token() != before
    # What is replaced is not revoked: both may share a grant.
    assert computer.provider.requests_to("revocation") == ()
    assert len(computer.accounts()) == 1


def test_the_hints_are_for_the_browser_only(computer: Computer) -> None:
    computer.signed_in()
    login = computer.login()
    hint = asked_last(computer)["id_token_hint"]
    (opened,) = login.opened
    assert urlsplit(opened).hostname == "127.0.0.1"
    assert urlsplit(opened).netloc != urlsplit(computer.provider.issuer).netloc
    assert query_of(opened).keys().isdisjoint({"id_token_hint", "login_hint", "state", "nonce"})
    (listening,) = [event for event in login.events if event["event"] == "listening"]
    for shown in (opened, listening["url"], login.err, computer.logs(), str(login.events)):
        assert hint not in shown
        assert "_hint=" not in shown
    assert "ada" not in opened + listening["url"]


def test_the_address_for_the_browser_works_once(computer: Computer) -> None:
    computer.signed_in()
    seen = []

    def browse_twice(url: str) -> str:
        with Browser(until="/auth/callback") as browser:
            seen.append(browser.open(url).url)
            seen.append(open_page(url))
            return open_page(seen[0])

    login = computer.login(browse=browse_twice)
    assert login.code == 0
    assert "answered with status 4" in seen[1]


# cases 38 and 39
@pytest.mark.parametrize(
    ("what", "category"), [("client_id", "registration_failed"), ("sub", "id_token_invalid"), ("denied", "")]
)
def test_a_failed_later_sign_in_replaces_nothing(computer: Computer, what: str, category: str) -> None:
    computer.signed_in()
    token, files, accounts = computer.token(), computer.files(), computer.accounts()
    switches = computer.provider.switches
    if what == "client_id":
        switches.client_id_in_callback = "other"
    elif what == "sub":
        switches.id_token_claims = {"sub": "user-another"}
    else:
        switches.consent = "declined"
    login = computer.login()
    assert login.code == 1
    assert login.category == category or what == "denied"
    assert computer.token() == token
    assert computer.accounts() == accounts
    # (The record of the client may say that an attempt was made.)
    changed = {name for name, content in computer.files().items() if content != files.get(name)}
    assert [name for name in changed if not name.endswith((".registration.json", ".lock"))] == []
    switches.id_token_claims = {}
    assert computer.refresh()[0] == 0


def test_a_callback_with_the_bootstrap_client_is_refused(computer: Computer) -> None:
    computer.signed_in()
    token = computer.token()
    computer.provider.switches.client_id_in_callback = "bootstrap"
    assert computer.login().category == "registration_failed"
    assert computer.token() == token


def test_every_sign_in_has_a_port_of_its_own(computer: Computer) -> None:  # case 40
    for _ in range(2):
        computer.signed_in()
    addresses = [urlsplit(request["redirect_uri"]) for request in computer.asked()]
    assert {(address.hostname, address.path) for address in addresses} == {("127.0.0.1", "/auth/callback")}


def test_after_a_sign_out_the_client_is_used_without_its_token(computer: Computer) -> None:  # case 41
    client_id = computer.signed_in()["client_id"]
    assert computer.call("logout")[0] == 0
    assert computer.signed_in()["client_id"] == client_id
    assert "id_token_hint" not in asked_last(computer)
    assert asked_last(computer)["client_id"] == client_id
    assert len(computer.provider.registrations) == 1


# Several accounts


# cases 44 and 45
@pytest.mark.parametrize("visitor", [GRACE, AT_WORK])
def test_two_accounts_are_kept_apart(computer: Computer, visitor: Visitor) -> None:
    first = computer.signed_in()["client_id"]
    tokens = [computer.token()]
    second = computer.signed_in("--new-account", browse=visitor)["client_id"]
    tokens.append(computer.token())
    assert first != second
    listed = {account["client_id"]: account for account in computer.accounts()}
    assert {client_id: account["default"] for client_id, account in listed.items()} == {first: False, second: True}
    assert computer.token("--account", first) == tokens[0]
    assert computer.call("use", first)[0] == 0
    assert computer.token() == tokens[0]
    assert computer.refresh("--account", second)[0] == 0
    assert computer.token() == tokens[0]
    assert computer.forms("refresh_token")[-1]["client_id"] == second
    if visitor is AT_WORK:
        assert computer.call("token", "--account", "ada@example.com")[0] == 2
    else:
        assert computer.token("--account", "grace@example.com") != tokens[0]
    # A sign-in of one account does not touch the other.
    assert computer.signed_in("--account", second)["client_id"] == second
    assert computer.token("--account", first) == tokens[0]
    assert len(computer.provider.registrations) == 2


def test_a_new_account_that_fails_leaves_the_default(computer: Computer) -> None:
    client_id = computer.signed_in()["client_id"]
    assert computer.login("--new-account", browse=Visitor(approves=False)).code == 1
    assert [account["client_id"] for account in computer.accounts() if account["default"]] == [client_id]
    computer.provider.answer_next("token", Answer.error("invalid_grant"))
    assert computer.login("--new-account", browse=GRACE).code == 1
    assert computer.json("status")["client_id"] == client_id
    # The plain sign-in renews the default, and not the pending client.
    assert computer.signed_in()["client_id"] == client_id


def test_accounts_are_listed_with_their_members(computer: Computer) -> None:
    done = computer.signed_in()
    (account,) = computer.accounts()
    members = {"provider", "issuer", "client_id", "subject", "email", "scopes", "plan_enabled", "expires_at"}
    assert set(account) == members | {"signed_in", "default"}
    assert (account["provider"], account["issuer"]) == ("chatgpt", computer.provider.issuer)
    assert (account["client_id"], account["subject"]) == (done["client_id"], done["subject"])
    assert "client" in computer.call("accounts")[1]


# A person who disconnects the program


def test_a_disconnected_program_signs_in_again(computer: Computer) -> None:  # case 80
    client_id = computer.signed_in()["client_id"]
    computer.provider.disconnect(client_id)
    code, answer = computer.refresh()
    assert (code, answer["outcome"]) == (1, "failed")
    assert computer.json("status")["signed_in"] is False
    assert computer.signed_in()["client_id"] == client_id
    assert "id_token_hint" not in asked_last(computer)


def test_a_disconnected_client_that_is_unknown_can_be_replaced(computer: Computer) -> None:
    client_id = computer.signed_in()["client_id"]
    computer.provider.switches.after_disconnection = "unknown"
    computer.provider.disconnect(client_id)
    code, answer = computer.refresh()
    assert (code, answer["outcome"]) == (1, "failed")
    login = computer.login("--timeout", "1")
    assert (login.code, login.category) == (1, "login_timed_out")
    assert login.pages[0].endswith("/api/accounts/authorize answered with status 400")
    assert computer.signed_in("--new-account")["client_id"] != client_id


# The host id


def test_computers_have_different_host_ids(computer: Computer, other_computer: Computer) -> None:
    for each in (computer, computer, other_computer):
        each.signed_in()
    ids = [request["ext_agent_host_id"] for request in computer.asked()]
    assert ids[0] == ids[1] != ids[2]


def test_the_host_id_stays_after_a_sign_out_and_for_other_accounts(computer: Computer) -> None:
    computer.signed_in()
    computer.call("logout")
    computer.signed_in("--new-account", browse=GRACE)
    assert len({request["ext_agent_host_id"] for request in computer.asked()}) == 1


def test_a_host_id_that_is_lost_is_made_anew(computer: Computer) -> None:  # case 81
    client_id = computer.signed_in()["client_id"]
    host_id_file(computer).unlink()
    assert computer.refresh()[0] == 0
    assert computer.signed_in()["client_id"] == client_id
    first, second = (request["ext_agent_host_id"] for request in computer.asked())
    assert first != second


@pytest.mark.parametrize(
    ("computer", "content"),
    with_drivers([b"", b"\n", b"urn:uuid:", b"ada@example.com\n", b"\xff\xfe", b"x" * 100_000]),
    indirect=["computer"],
)
def test_an_odd_host_id_is_an_error_that_names_the_file(computer: Computer, content: bytes) -> None:
    computer.signed_in()
    file = host_id_file(computer)
    file.write_bytes(content)
    login = computer.login()
    assert (login.code, login.opened) == (1, [])
    assert str(file) in login.err
    assert file.read_bytes() == content
    # Tokens do not need it.
    assert computer.token()
    assert computer.refresh()[0] == 0


def test_a_host_id_of_another_form_is_kept(computer: Computer) -> None:
    computer.signed_in()
    file, old = host_id_file(computer), computer.asked()[0]["ext_agent_host_id"]
    new = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    file.write_text(file.read_text().replace(old, new))
    computer.signed_in()
    assert asked_last(computer)["ext_agent_host_id"] == new

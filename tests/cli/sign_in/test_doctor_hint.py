"""Failures of a login that point to `loginmachine doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.cli.arguments import parse_arguments
from loginmachine.cli.sign_in.doctor_hint import another_client, doctor_hint
from loginmachine.sansio import LoginFailureCategory as Category
from loginmachine.sansio.login.states import Trigger

from ..conftest import called

if TYPE_CHECKING:
    from pathlib import Path

PERSON = {
    *(Category.LOGIN_CANCELLED, Category.LOGIN_TIMED_OUT, Category.PROVIDER_CALLBACK_ERROR, Category.ISSUER_MISMATCH),
    *(Category.CALLBACK_STATE_MISMATCH, Category.CALLBACK_FROM_OTHER_USER, Category.MISSING_AUTHORIZATION_CODE),
    *(Category.TOKEN_ENDPOINT_REJECTED, Category.SCOPE_INSUFFICIENT, Category.WORKSPACE_RESTRICTION),
    *(Category.DEVICE_CODE_DENIED, Category.DEVICE_CODE_EXPIRED, Category.REDIRECT_FAILED),
    Category.BROWSER_LAUNCH_FAILED,
}
"""Failures with a cause elsewhere, and those that say all that is known."""


@pytest.mark.parametrize("category", Category)
def test_which_failures(category: Category) -> None:
    hint = doctor_hint(category, parse_arguments(["login"]))
    assert bool(hint) == (category not in PERSON)
    is_here = category in {Category.LOCAL_SERVER_UNAVAILABLE, Category.PERSIST_FAILED}
    assert ("--online" in hint) == (bool(hint) and not is_here)


def test_the_options_are_repeated() -> None:
    given = ["--issuer", "https://id.example/a b", "--client-id", "c", "--port", "0", "--home", "/tmp/x"]
    hint = doctor_hint(Category.DISCOVERY_FAILED, parse_arguments(["login", "--provider", "openid", *given]))
    options = "--provider openid --issuer 'https://id.example/a b' --client-id c --port 0 --home /tmp/x"
    assert hint == f"To look for the cause, run: loginmachine doctor --online {options}"


def test_a_client_that_the_provider_has_refused() -> None:
    arguments = parse_arguments(["login", "--profile", "work", "--account", "ada@example.com"])
    words = "The provider has refused the client of this sign-in. If it does so again, run: "
    assert (
        another_client(Trigger.CLIENT_REFUSED, arguments) == f"{words}loginmachine login --profile work --new-account"
    )
    assert another_client(Trigger.TOKEN_ENDPOINT_REJECTED, arguments) == ""
    assert another_client(None, arguments) == ""


def test_login_names_it(tmp_path: Path) -> None:
    arguments = ("login", "--no-browser", "--port", "0", "--home", str(tmp_path))
    _, _, err = called(*arguments, SSL_CERT_FILE=str(tmp_path / "none"))
    hint = f"To look for the cause, run: loginmachine doctor --online --port 0 --home {tmp_path}"
    assert err.splitlines()[1:] == [hint]


def test_login_does_not_name_it_beside_its_own_advice(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    _, _, err = called("login", "--no-browser", "--port", "0", "--home", str(tmp_path / "file"))
    assert err.splitlines()[1:] == ["Choose another folder with --home."]

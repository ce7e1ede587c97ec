"""The command with a real Secret Service: GNOME Keyring on a session bus of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ...drivers.stores.secret_service_support import MISSING, REASON, Bus, account_in, session_bus
from ..conftest import ACCESS, CODE, KEY, REFRESH, browse, callback_url, login, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..conftest import Command, ScriptedProvider

pytestmark = pytest.mark.skipif(bool(MISSING), reason=REASON)

STORED = ("service", "Codex Auth", "target", "default", "username")


@pytest.fixture
def bus() -> Iterator[Bus]:
    with session_bus() as bus:
        yield bus


@pytest.fixture
def service(bus: Bus) -> Bus:
    bus.start_service()
    return bus


def sign_in(bus: Bus, home: Path, provider: ScriptedProvider, store: str) -> tuple[Command, int, str]:
    provider.will_sign_in()
    with login(home, provider.issuer, "--store", store, **bus.environment) as command:
        browse(callback_url(command.event("listening")["url"], code=CODE))
        code, err = command.end()
    return command, code, err


@pytest.mark.parametrize("store", ["keyring", "auto"])
def test_login_status_token_logout(service: Bus, tmp_path: Path, provider: ScriptedProvider, store: str) -> None:
    options = ("--home", str(tmp_path), "--store", store)
    _, code, err = sign_in(service, tmp_path, provider, store)
    where = f"the keyring entry 'Codex Auth', '{account_in(tmp_path)}'"
    assert code == 0
    assert f"Your credentials are in {where}" in err
    assert not (tmp_path / "auth.json").exists()
    stored = json.loads(service.lookup(*STORED, account_in(tmp_path)))
    assert stored["tokens"]["refresh_token"] == REFRESH
    assert (stored["tokens"]["access_token"], stored["OPENAI_API_KEY"]) == (ACCESS, KEY)

    code, out, err = started("status", "--json", *options, **service.environment)
    assert (code, err) == (0, "")
    assert "canary" not in out
    assert json.loads(out)["store"] == "keyring"
    code, out, err = started("token", *options, **service.environment)
    assert (code, err) == (0, "")
    assert out.strip() in {ACCESS, KEY}

    code, out, err = started(
        "logout", "--provider", "codex", "--issuer", provider.issuer, *options, **service.environment
    )
    assert (code, err) == (0, "")
    assert [each["token"] for each in provider.revoked] == [REFRESH]
    assert service.items(account_in(tmp_path)) == 0
    code, out, _ = started("logout", *options, **service.environment)
    assert (code, out.startswith("You were not signed in: nothing is stored in ")) == (0, True)


def test_a_locked_keyring_is_known_before_the_browser_opens(
    service: Bus, tmp_path: Path, provider: ScriptedProvider
) -> None:
    service.lock()
    with login(tmp_path, provider.issuer, "--store", "keyring", **service.environment) as command:
        code, err = command.end()
    assert code == 1
    assert "the keyring is locked; unlock it, and try again" in err
    assert provider.forms == []
    for store in ("keyring", "auto"):
        options = ("--home", str(tmp_path), "--store", store)
        code, out, err = started("status", *options, **service.environment)
        assert (code, out) == (1, "")
        assert "the keyring is locked; unlock it, and try again" in err


@pytest.mark.parametrize("runs", [True, False])
def test_auto_without_a_keyring(*, bus: Bus, tmp_path: Path, provider: ScriptedProvider, runs: bool) -> None:
    """There is no keyring, and no question can be asked; or there is no service at all."""
    if runs:
        bus.start_service(password=None)
    command, code, err = sign_in(bus, tmp_path, provider, "auto")
    reason = "the keyring had to ask for a password" if runs else "this system has no keyring that could be used"
    assert code == 0
    assert f"Your credentials are in {tmp_path / 'auth.json'}" in err
    (fallback,) = [event for event in command.events if event["event"] == "store_fallback"]
    assert reason in fallback["message"]
    assert (tmp_path / "auth.json").exists()
    code, out, _ = started("status", "--json", "--home", str(tmp_path), "--store", "auto", **bus.environment)
    assert (code, json.loads(out)["store"]) == (0, "file")


def test_a_service_that_ends_during_the_login(service: Bus, tmp_path: Path, provider: ScriptedProvider) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer, "--store", "keyring", **service.environment) as command:
        url = command.event("listening")["url"]
        service.kill_service()
        browse(callback_url(url, code=CODE))
        code, err = command.end()
    assert code == 1
    assert command.events[-1]["category"] == "persist_failed"
    assert "the service of the keyring cannot be reached, or has just ended" in err
    assert "canary" not in err

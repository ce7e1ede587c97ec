"""Client secrets that a file holds, or that a command prints: only the path or the command is stored."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from loginmachine import Secret, StoreError
from loginmachine.drivers.accounts import client_secrets
from loginmachine.drivers.accounts.client_secrets import secret_from_command, secret_from_file

from .samples import PROVIDER, credentials, names, opened

if TYPE_CHECKING:
    from pathlib import Path

    from loginmachine import Credentials


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def secret_in(found: Credentials | None) -> Secret | None:
    assert found is not None
    assert found.tokens is not None
    assert found.tokens.provider is not None
    return found.tokens.provider.client_secret


def test_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("  canary-secret\n")
    monkeypatch.chdir(tmp_path)
    secret = secret_from_file("secret")
    assert secret == Secret("canary-secret")
    assert secret.file == str(tmp_path / "secret")
    assert "canary" not in repr(secret)


def test_a_command() -> None:
    secret = secret_from_command(python("print('canary-secret')"))
    assert secret == Secret("canary-secret")
    assert secret.command[0] == sys.executable


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it gives no secret of one line, of at most 4096 ASCII characters"),
        (b"canary\ntwo", "it gives no secret"),
        (b"canary\xff", "it gives no secret"),
        (b"c" * 4097, "it gives no secret"),
    ],
)
def test_a_file_without_a_usable_secret(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(StoreError) as raised:
        secret_from_file(path)
    assert str(raised.value).startswith(f"the client secret cannot be read from {path}: {problem}")
    assert "canary" not in str(raised.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be read from .*/secret: No such file or directory"):
        secret_from_file(tmp_path / "secret")


def test_a_command_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match=r"from the command .*: it ended with status 3$") as raised:
        secret_from_command(python("print('canary'); raise SystemExit(3)"))
    assert "canary" not in str(raised.value)
    with pytest.raises(StoreError, match=r"from the command no-such-program: No such file or directory$"):
        secret_from_command(["no-such-program", "canary"])
    monkeypatch.setattr(client_secrets, "_TIMEOUT", 0.01)
    with pytest.raises(StoreError, match=r"it took longer than 0\.01 seconds$"):
        secret_from_command(python("import sys; sys.stdin.read(); import time; time.sleep(60)"))


@pytest.mark.parametrize("command", ["pass show id", []])
def test_a_command_that_is_no_list(command: list[str]) -> None:
    with pytest.raises(ValueError, match="command"):
        secret_from_command(command)


# In an entry


def test_the_secret_is_read_when_it_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("canary-secret")
    folder = tmp_path / "accounts"
    store = opened(folder)
    provider = PROVIDER.__replace__(token_endpoint_auth_method=None, client_secret=secret_from_file(path))
    store.save(credentials(provider=provider))
    assert not any(b"canary-secret" in (folder / name).read_bytes() for name in names(folder))
    path.unlink()
    # Neither a look at the accounts nor a token that is still valid needs it.
    entry = opened(folder).open(store.find("u-1"))
    assert secret_in(entry.load()) == Secret("")
    # A refresh is not begun without it: the refresh token could be lost.
    with pytest.raises(StoreError, match=r"the client secret cannot be read from .*: No such file"), entry.renewing():
        pass
    path.write_text("canary-changed")
    with entry.renewing():
        assert secret_in(entry.load()) == Secret("canary-changed")
        with entry.transaction() as transaction:
            loaded = transaction.load()
            assert secret_in(loaded) == Secret("canary-changed")
            assert loaded is not None
            transaction.save(loaded.__replace__(last_refresh="2027"))
    assert not any(b"canary-changed" in (folder / name).read_bytes() for name in names(folder))


def test_the_secret_is_read_for_a_sign_out(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("canary-secret")
    warnings: list[str] = []
    store = opened(tmp_path / "accounts", warnings)
    provider = PROVIDER.__replace__(token_endpoint_auth_method=None, client_secret=secret_from_file(path))
    store.save(credentials(provider=provider))
    assert secret_in(store.open(store.find("u-1")).remove()) == Secret("canary-secret")
    store.save(credentials(provider=provider))
    path.unlink()
    # The credentials are removed all the same.
    assert secret_in(store.open(store.find("u-1")).remove()) == Secret("")
    assert store.accounts() == []
    assert len(warnings) == 1
    assert warnings[0].startswith("the tokens may stay valid: the client secret cannot be read from ")

"""What `RedisStore` keeps: readable only with the key, and only what this package has written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine import ClientAuthentication, Credentials, StoreError
from loginmachine.drivers.fleet.sealing import Sealer
from loginmachine.sansio.model.auth_json import CredentialsError
from loginmachine.sansio.model.entry import serialise_entry
from loginmachine.sansio.server.client_secret import ExternalSecret

from ..accounts import samples
from ..shared.session_support import LASTING, credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine import RedisStore

    from .support import RedisServer

KEY, NEWER = b"k" * 32, b"n" * 32
CREDENTIALS = credentials(LASTING)
ANY = [CREDENTIALS, samples.credentials(), Credentials(auth_mode=None)]


@pytest.mark.parametrize("kept", ANY, ids=["chatgpt", "openid", "none"])
@pytest.mark.parametrize("keys", [(), (KEY,)], ids=["plain", "sealed"])
def test_what_is_sealed_can_be_unsealed(kept: Credentials, keys: tuple[bytes, ...]) -> None:
    assert Sealer("name", keys).unseal(Sealer("name", keys).seal(kept)) == kept


def test_the_header_says_what_follows() -> None:
    assert Sealer("name", ()).seal(CREDENTIALS).startswith(b"loginmachine/1 auth plain\n{")
    assert Sealer("name", (KEY,)).seal(samples.credentials()).startswith(b"loginmachine/1 entry aes-gcm\n")


def test_nothing_can_be_read_without_the_key() -> None:
    sealed = Sealer("name", (KEY,)).seal(CREDENTIALS)
    assert b"canary" not in sealed
    assert b"canary" in Sealer("name", ()).seal(CREDENTIALS)
    # No two are alike, and each has a nonce of its own.
    assert sealed != Sealer("name", (KEY,)).seal(CREDENTIALS)


def test_a_newer_key_and_an_older_one() -> None:
    old = Sealer("name", (KEY,)).seal(CREDENTIALS)
    both = Sealer("name", (NEWER, KEY))
    assert both.unseal(old) == CREDENTIALS
    assert Sealer("name", (NEWER,)).unseal(both.seal(CREDENTIALS)) == CREDENTIALS


@pytest.mark.parametrize(
    ("sealer", "problem"),
    [
        (Sealer("name", (NEWER,)), "it cannot be decrypted: it was encrypted with another key, or changed"),
        (Sealer("other", (KEY,)), "it cannot be decrypted: it was encrypted with another key, or changed"),
        (Sealer("name", ()), "it is encrypted, and no key is given"),
    ],
    ids=["other key", "other name", "no key"],
)
def test_another_key_or_name(sealer: Sealer, problem: str) -> None:
    with pytest.raises(CredentialsError, match=f"^{problem}$"):
        sealer.unseal(Sealer("name", (KEY,)).seal(CREDENTIALS))


def test_every_changed_byte_is_noticed() -> None:
    sealer = Sealer("name", (KEY,))
    sealed = sealer.seal(CREDENTIALS)
    for position in range(len(sealed)):
        changed = sealed[:position] + bytes([sealed[position] ^ 1]) + sealed[position + 1 :]
        with pytest.raises(CredentialsError):
            sealer.unseal(changed)
    for length in range(60):
        with pytest.raises(CredentialsError):
            sealer.unseal(sealed[:length])


def test_what_is_not_encrypted_is_refused_by_a_program_with_a_key() -> None:
    """Otherwise, whoever can write to the server could put a login of their own there."""
    with pytest.raises(CredentialsError, match=r"^it is not encrypted, although a key is given$"):
        Sealer("name", (KEY,)).unseal(Sealer("name", ()).seal(CREDENTIALS))


@pytest.mark.parametrize("data", [b"x", b"\n", b'{"auth_mode": null}', b"loginmachine/1 auth plain", b"\xff\n\xff"])
def test_what_another_program_has_stored(data: bytes) -> None:
    with pytest.raises(CredentialsError, match=r"^it holds something that loginmachine has not stored$"):
        Sealer("name", ()).unseal(data)


@pytest.mark.parametrize("header", [b"loginmachine/2 auth plain", b"loginmachine/1 auth", b"loginmachine/1 new plain"])
def test_what_another_version_has_stored(header: bytes) -> None:
    with pytest.raises(CredentialsError, match=r"^it was stored by another version of loginmachine$"):
        Sealer("name", ()).unseal(header + b"\n{}")


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_length(size: int) -> None:
    with pytest.raises(ValueError, match=r"^a key has 32 bytes$"):
        Sealer("name", (b"k" * size,))


def test_a_client_secret_that_only_one_machine_has() -> None:
    """What a server says must never make a machine read a file or run a command."""
    provider = samples.PROVIDER.__replace__(
        client_secret=ExternalSecret("canary", command=("touch", "/tmp/x")),
        token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_BASIC,
    )
    outside = samples.credentials(provider=provider)
    with pytest.raises(CredentialsError, match=r"^the client secret is in a file or comes from a command"):
        Sealer("name", ()).seal(outside)
    planted = b"loginmachine/1 entry plain\n" + serialise_entry(outside)
    assert b"touch" in planted
    with pytest.raises(CredentialsError, match=r"^the client secret is in a file or comes from a command"):
        Sealer("name", ()).unseal(planted)


def test_stores_with_keys(make: Callable[..., RedisStore], redis_server: RedisServer, name: str) -> None:
    make(keys=(KEY,)).save(CREDENTIALS)
    assert make(keys=(NEWER, KEY)).load() == CREDENTIALS
    with redis_server.client() as client:
        assert b"canary" not in b"".join(client.hvals(f"loginmachine:{{{name}}}"))
    with pytest.raises(StoreError, match="it cannot be decrypted"):
        make(keys=(NEWER,)).load()


def test_credentials_that_cannot_be_read_are_replaced_and_removed(
    make: Callable[..., RedisStore], warnings: list[str]
) -> None:
    make(keys=(KEY,)).save(CREDENTIALS)
    assert make(keys=(NEWER,)).save(CREDENTIALS) is None
    assert make(keys=(NEWER,)).load() == CREDENTIALS
    assert make(keys=(KEY,)).remove() == Credentials(auth_mode=None)
    assert make(keys=(KEY,)).load() is None
    assert [warning.rpartition("; ")[2] for warning in warnings] == ["it is replaced or removed"] * 2

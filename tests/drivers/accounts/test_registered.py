"""Registrations: stored before they are used, kept through a sign-out, never mixed with another."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from loginmachine import Secret, StoreError
from loginmachine.sansio.server.registration import Registration

from .samples import credentials, names, opened

if TYPE_CHECKING:
    from pathlib import Path

ISSUER = "https://id.example.com"


def registration(client_id: str = "given", issuer: str = ISSUER) -> Registration:
    return Registration(issuer=issuer, client_id=client_id, client_secret=Secret(f"canary-{client_id}"))


def test_a_registration_is_found_again(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.save_registration(registration())
    (name,) = names(tmp_path)
    assert name.startswith("id.example.com-")
    assert name.endswith(".registration.json")
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert opened(tmp_path).load_registration(ISSUER) == registration()
    # It is no account.
    assert store.accounts() == []


def test_none_is_mixed_with_another(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.save_registration(registration("a"))
    store.save_registration(registration("b", "https://id.example.org"))
    store.save_registration(registration("c"), software="other")
    assert store.load_registration(ISSUER) == registration("a")
    assert store.load_registration(ISSUER, software="other") == registration("c")
    assert store.load_registration("https://id.example.org") == registration("b", "https://id.example.org")
    assert store.load_registration("https://id.example.com/") is None
    assert store.load_registration(ISSUER, client_id="c") is None
    assert store.load_registration(ISSUER, software="other", client_id="c") == registration("c")
    assert len(names(tmp_path)) == 3


def test_the_latest_is_used(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for client_id in ("b", "a", "c"):
        store.save_registration(registration(client_id))
    assert store.load_registration(ISSUER) == registration("c")
    assert [each.registration.client_id for each in store.registrations(ISSUER)] == ["b", "a", "c"]


def test_the_person_is_added_when_it_is_known(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.save_registration(registration(), software="my_program")
    (pending,) = store.registrations()
    assert pending.subject == ""
    store.save_registration(registration(), subject="u-1", email="ada@example.com")
    (known,) = store.registrations()
    assert (known.software, known.subject, known.email) == ("my_program", "u-1", "ada@example.com")
    assert known.saved_at == pending.saved_at
    store.save_registration(registration().__replace__(client_secret=Secret("canary-2")))
    assert store.registrations()[0].subject == "u-1"
    assert store.load_registration(ISSUER, software="my_program") != registration()


def test_a_sign_out_keeps_it(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.save_registration(registration())
    store.save(credentials())
    store.open(store.find("u-1")).remove()
    assert store.load_registration(ISSUER) == registration()


def test_it_can_be_forgotten(tmp_path: Path) -> None:
    assert opened(tmp_path / "new").remove_registration(ISSUER, "a") is False
    assert not (tmp_path / "new").exists()
    store = opened(tmp_path)
    for client_id in ("a", "b"):
        store.save_registration(registration(client_id))
    assert store.remove_registration(ISSUER, "b") is True
    assert store.remove_registration(ISSUER, "b") is False
    assert store.load_registration(ISSUER) == registration("a")


def test_one_that_cannot_be_read_is_left_out_and_replaced(tmp_path: Path) -> None:
    opened(tmp_path).save_registration(registration("a"))
    (name,) = names(tmp_path)
    warnings: list[str] = []
    store = opened(tmp_path, warnings)
    (tmp_path / name).write_bytes(b'{"client_id": "canary')
    for _ in range(2):
        assert store.registrations() == []
    assert warnings == [f"a registration is left out: {tmp_path / name}: the file cannot be used: not JSON"]
    store.save_registration(registration("a"))
    assert store.load_registration(ISSUER) == registration("a")
    assert "was set aside as" in warnings[1]


def test_members_of_a_newer_version_are_kept(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.save_registration(registration())
    (name,) = names(tmp_path)
    newer = {**json.loads((tmp_path / name).read_bytes()), "label": "work"}
    (tmp_path / name).write_text(json.dumps(newer))
    store.save_registration(registration(), subject="u-1")
    assert json.loads((tmp_path / name).read_bytes()) == {**newer, "subject": "u-1"}


def test_one_that_cannot_be_stored_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device"):
        opened(tmp_path).save_registration(registration())
    assert names(tmp_path) == set()


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match=r"file: Not a directory$"):
        opened(tmp_path / "file").registrations()

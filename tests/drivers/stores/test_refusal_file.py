"""The file that remembers a refused refresh token: what is in it, and what is not believed."""

from __future__ import annotations

import json
import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from loginmachine import FileStore, StoreError
from loginmachine.sansio.refresh.failures import RefreshFailureCategory
from loginmachine.sansio.refresh.outcome import Refusal

if TYPE_CHECKING:
    from pathlib import Path

REFUSAL = Refusal(digest="0" * 64, category=RefreshFailureCategory.REFRESH_TOKEN_REJECTED)


def test_a_refusal_is_read_back(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    assert store.load_refusal() is None
    store.save_refusal(REFUSAL)
    assert store.load_refusal() == FileStore(tmp_path).load_refusal() == REFUSAL
    another = REFUSAL.__replace__(digest="1" * 64)
    store.save_refusal(another)
    assert store.load_refusal() == another
    assert [path.name for path in tmp_path.iterdir()] == ["auth.refused.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no such modes")
def test_the_file_is_for_its_owner_and_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / ".auth.refused.json.tmp").write_text("a killed process left it")
    FileStore(tmp_path).save_refusal(REFUSAL)
    path = tmp_path / "auth.refused.json"
    content = json.loads(path.read_text())
    assert content.pop("about").startswith("The provider refused a refresh token.")
    assert content == {"digest": "0" * 64, "category": "refresh_token_rejected"}
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff",
        b'{"digest": 5, "category": "refresh_token_rejected"}',
        b'{"digest": "0"}',
        b'{"digest": "0", "category": "another"}',
        b'{"digest": "0", "category": ["refresh_token_rejected"]}',
        b'{"digest": "0", "category": "refresh_token_rejected"' + b" " * 5000 + b"}",
    ],
)
def test_another_content_means_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "auth.refused.json").write_bytes(data)
    assert FileStore(tmp_path).load_refusal() is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_other_things_in_its_place_mean_nothing(tmp_path: Path) -> None:
    path = tmp_path / "auth.refused.json"
    path.mkdir()
    assert FileStore(tmp_path).load_refusal() is None
    with pytest.raises(StoreError):
        FileStore(tmp_path).save_refusal(REFUSAL)
    path.rmdir()
    os.mkfifo(path)
    assert FileStore(tmp_path).load_refusal() is None
    path.unlink()
    (tmp_path / "elsewhere").write_text(json.dumps({"digest": "0", "category": "refresh_token_rejected"}))
    path.symlink_to(tmp_path / "elsewhere")
    assert FileStore(tmp_path).load_refusal() is None

"""Accounts for the tests."""

from __future__ import annotations

from typing import Any

from loginmachine.sansio.accounts.stored import StoredAccount


def account(key: str, provider: str = "openid", origin: str = "https://id.example.com", **fields: Any) -> StoredAccount:
    members: dict[str, Any] = {"issuer": origin, "origin": origin, "client_id": "native", **fields}
    return StoredAccount(key=key, provider=provider, **members)

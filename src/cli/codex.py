"""Codex's provider, as its environment variables change it."""

from __future__ import annotations

import os

from ..sansio.model.provider import CHATGPT_CLIENT_ID, CHATGPT_ISSUER, DEFAULT_ORIGINATOR, Provider


def codex_from(issuer: str | None, client_id: str | None, originator: str | None) -> Provider:
    """Return Codex's provider. What is None comes from Codex's environment variables, or is Codex's own.

    Raises:
        ValueError: The issuer is no safe URL.
    """
    return Provider.codex(
        issuer=CHATGPT_ISSUER if issuer is None else issuer,
        client_id=client_id or os.environ.get("CODEX_CLIENT_ID") or CHATGPT_CLIENT_ID,
        originator=originator or os.environ.get("CODEX_INTERNAL_ORIGINATOR_OVERRIDE") or DEFAULT_ORIGINATOR,
    )

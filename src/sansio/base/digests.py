"""SHA-256 for modules that are loaded more often than they need it."""

from __future__ import annotations


def sha256(data: bytes) -> bytes:
    """Return the SHA-256 of bytes: 32 bytes. Its module is loaded at the first call, because that takes 2 ms."""
    import hashlib  # noqa: PLC0415

    return hashlib.sha256(data).digest()

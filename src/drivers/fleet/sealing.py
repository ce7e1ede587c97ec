"""The bytes that `RedisStore` keeps: credentials with a header, encrypted if the host has a key.

The header names the version, the format and the encryption, ``loginmachine/1 entry aes-gcm`` for example, and ends with
a line feed. It is authenticated together with the name of the login, so bytes cannot be moved to another name.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ...sansio.model.auth_json import CredentialsError
from ...sansio.model.credentials import AuthMode, parse, serialise
from ...sansio.model.entry import parse_entry, serialise_entry
from ...sansio.server.client_secret import ExternalSecret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from ...sansio.model.credentials import Credentials

_OURS: Final = b"loginmachine/"
_VERSION: Final = b"loginmachine/1"
_SEALED, _PLAIN = b"aes-gcm", b"plain"
_AUTH, _ENTRY = b"auth", b"entry"
_NONCE: Final = 12
"""Bytes of the nonce, which is random for each value (NIST SP 800-38D section 8.2.2)."""
KEY_SIZE: Final = 32
"""Bytes of a key: AES-256."""


class Sealer:
    """Turns credentials into bytes, and back.

    Args:
        name: The name of the login.
        keys: Keys of `KEY_SIZE` bytes. The first encrypts, all decrypt. Without keys, nothing is encrypted.

    Raises:
        ValueError: A key has another length.
    """

    def __init__(self, name: str, keys: Sequence[bytes]) -> None:
        if any(len(key) != KEY_SIZE for key in keys):
            raise ValueError(f"a key has {KEY_SIZE} bytes")
        self._name = name.encode()
        self._ciphers = [_cipher(key) for key in keys]

    def seal(self, credentials: Credentials) -> bytes:
        """Return the bytes to store.

        Raises:
            CredentialsError: Only one machine can read the client secret.
        """
        _check_secret(credentials)
        is_entry = credentials.auth_mode == AuthMode.OAUTH
        content = serialise_entry(credentials) if is_entry else serialise(credentials)
        kind = _SEALED if self._ciphers else _PLAIN
        header = b" ".join((_VERSION, _ENTRY if is_entry else _AUTH, kind)) + b"\n"
        if self._ciphers:
            nonce = os.urandom(_NONCE)
            content = nonce + self._ciphers[0].encrypt(nonce, content, header + self._name)
        return header + content

    def unseal(self, data: bytes) -> Credentials:
        """Return the credentials in stored bytes.

        Raises:
            CredentialsError: They are not ours, or cannot be decrypted. The message holds nothing of them.
        """
        line, found, content = data.partition(b"\n")
        version, *words = line.split(b" ")
        if not found or not version.startswith(_OURS):
            raise CredentialsError("it holds something that loginmachine has not stored")
        if version != _VERSION or len(words) != 2 or words[0] not in (_AUTH, _ENTRY):
            raise CredentialsError("it was stored by another version of loginmachine")
        if (words[1] == _SEALED) != bool(self._ciphers):
            state = (
                "encrypted, and no key is given" if words[1] == _SEALED else "not encrypted, although a key is given"
            )
            raise CredentialsError(f"it is {state}")
        if self._ciphers:
            content = self._decrypted(content, line + b"\n" + self._name)
        credentials = (parse_entry if words[0] == _ENTRY else parse)(content)
        _check_secret(credentials)
        return credentials

    def _decrypted(self, content: bytes, associated: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - only with a key

        for cipher in self._ciphers:
            try:
                return cipher.decrypt(content[:_NONCE], content[_NONCE:], associated)
            except (InvalidTag, ValueError):
                continue
        raise CredentialsError("it cannot be decrypted: it was encrypted with another key, or changed")


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

    return AESGCM(key)


def _check_secret(credentials: Credentials) -> None:
    """Refuse a client secret in a file or from a command: what a server says must never make a machine run a command.

    Raises:
        CredentialsError: The client secret is one.
    """
    provider = credentials.tokens.provider if credentials.tokens else None
    if provider is not None and isinstance(provider.client_secret, ExternalSecret):
        raise CredentialsError("the client secret is in a file or comes from a command, which other machines lack")

"""Seal a suspended login into bytes that only the host can read, and open them again.

The bytes are a header in clear, and the login encrypted with AES-256-GCM (NIST SP 800-38D). The header says which key
was used, what the login belongs to, and when it ends. It is authenticated with the content, so that no part of it can
be changed. docs/design/suspended-logins.md has the layout.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ...sansio.base.records import Record
from ...sansio.base.strict_json import JsonError, loads_object
from ...sansio.suspended import PlainError, from_plain, origin_of, to_plain
from ..errors import SuspendedLoginRefused, SuspensionProblem

if TYPE_CHECKING:
    from ...sansio.base.strict_json import JsonObject
    from ...sansio.login.machine import LoginMachine
    from ...sansio.model.options import LoginOptions, LoginSecrets

KEY_SIZE: Final = 32
"""Bytes of a key."""
MAX_SEALED: Final = 4 * 1024 * 1024
"""The most bytes of a sealed login. The largest has a response of 1 MiB in it."""
_MAGIC: Final = b"LMSL"
_FORMAT: Final = 1
"""The version of the header and the encryption."""
_HEADER: Final = struct.Struct(">4sB8s16sQ12s")
_TAG: Final = 16
_LATEST: Final = 253_402_300_800
"""The year 10000, in seconds since 1970."""


class SealingKeys:
    """The keys of a host for its suspended logins. All replicas have the same ones.

    The first key seals, and each of them opens. To replace a key, first give every replica the new key behind the old
    one, then put it in front, and remove the old one when the logins that it has sealed are over.

    Args:
        keys: Random keys of 32 bytes, as `generate` returns them. Keep them as you keep a client secret.

    Raises:
        ValueError: There is no key, or one has another length.
    """

    __slots__ = ("_ciphers", "_first")

    def __init__(self, *keys: bytes) -> None:
        if not keys or any(len(key) != KEY_SIZE for key in keys):
            raise ValueError(f"a sealing key has {KEY_SIZE} bytes, and at least one is needed: SealingKeys.generate()")
        self._ciphers = {_id_of(key): AESGCM(key) for key in keys}
        self._first = next(iter(self._ciphers.items()))

    def __repr__(self) -> str:
        return f"<SealingKeys {len(self._ciphers)}>"

    @staticmethod
    def generate() -> bytes:
        """Return a new random key of 32 bytes."""
        return os.urandom(KEY_SIZE)


class OpenedLogin(Record):
    """A suspended login that was opened."""

    machine: LoginMachine
    """The login, which goes on from where it was suspended."""
    mark: str
    """A name for this login that reveals nothing of it. `ResumptionMarks` counts by it."""
    expires_at: float
    """When its time is over, in seconds since 1970."""


class _Header(NamedTuple):
    magic: bytes
    version: int
    key_id: bytes
    origin: bytes
    expires_at: int
    nonce: bytes


def seal_login(machine: LoginMachine, secrets: LoginSecrets, keys: SealingKeys, *, expires_at: float) -> bytes:
    """Suspend a login: return it as bytes that only the holder of the keys can read or change.

    Args:
        machine: The login, in any state. It can still be used, but only one of the two must go on.
        secrets: The secrets with which it was made.
        keys: The keys of the host.
        expires_at: When the bytes are no longer accepted, in seconds since 1970: at the latest when the deadline of the
            login is over.

    Raises:
        ValueError: The time is out of range.
    """
    if not 0 < expires_at < _LATEST:
        raise ValueError("expires_at is a time in seconds since 1970")
    snapshot = machine.snapshot()
    context = _context(snapshot.data["options"])
    # (Random nonces are safe for 2**32 logins with one key.)
    nonce = os.urandom(12)
    key_id, cipher = keys._first  # noqa: SLF001 - of this module
    raw = _HEADER.pack(_MAGIC, _FORMAT, key_id, _digest(context), math.floor(expires_at), nonce)
    content = json.dumps(to_plain(secrets, snapshot), separators=(",", ":"), allow_nan=False).encode("ascii")
    return raw + cipher.encrypt(nonce, content, raw + context)


def open_sealed(data: bytes, options: LoginOptions, keys: SealingKeys, *, now: float) -> OpenedLogin:
    """Return the login that was suspended as these bytes. `ResumptionMarks` see to it that only one use of them counts.

    Args:
        data: What `seal_login` has returned.
        options: The options of the host, for the same provider, client and redirect URI as those of the login. Only
            their client secret is used: the login keeps the options with which it began.
        keys: The keys of the host.
        now: The time, in seconds since 1970.

    Raises:
        SuspendedLoginRefused: The bytes are refused. The exception says why.
    """
    header = _read_header(data)
    cipher = keys._ciphers.get(header.key_id)  # noqa: SLF001 - of this module
    if cipher is None:
        raise SuspendedLoginRefused(SuspensionProblem.UNKNOWN_KEY)
    context = _context(options)
    if header.origin != _digest(context):
        raise SuspendedLoginRefused(SuspensionProblem.OTHER_PROVIDER)
    content = _decrypted(cipher, header, data, context)
    if content is None:
        raise SuspendedLoginRefused(SuspensionProblem.CHANGED)
    if now >= header.expires_at:
        raise SuspendedLoginRefused(SuspensionProblem.EXPIRED)
    problem = ""
    try:
        plain = loads_object(content)
        machine = from_plain(options, plain)
        return OpenedLogin(machine=machine, mark=_mark(plain), expires_at=header.expires_at)
    except (JsonError, PlainError) as error:
        problem = str(error)
    # Not in the handler above: a traceback with locals must not show the content.
    del content
    raise SuspendedLoginRefused(SuspensionProblem.OTHER_VERSION, problem)


def _read_header(data: bytes) -> _Header:
    """Return the header, which is not authenticated yet."""
    if not _HEADER.size + _TAG < len(data) <= MAX_SEALED or not data.startswith(_MAGIC):
        raise SuspendedLoginRefused(SuspensionProblem.NOT_SEALED)
    header = _Header(*_HEADER.unpack_from(data))
    if header.version != _FORMAT:
        raise SuspendedLoginRefused(SuspensionProblem.OTHER_VERSION)
    return header


def _decrypted(cipher: AESGCM, header: _Header, data: bytes, context: bytes) -> bytes | None:
    """Return the content; None if anything in the bytes was changed."""
    try:
        return cipher.decrypt(header.nonce, data[_HEADER.size :], data[: _HEADER.size] + context)
    except InvalidTag:
        return None


def _id_of(key: bytes) -> bytes:
    """Return the name of a key. It reveals nothing of it."""
    return hashlib.sha256(b"loginmachine sealing key\0" + key).digest()[:8]


def _context(options: LoginOptions) -> bytes:
    """Return what a login belongs to, as bytes that are authenticated with it."""
    return json.dumps(list(origin_of(options).values().values())).encode("ascii")


def _digest(context: bytes) -> bytes:
    return hashlib.sha256(b"loginmachine origin\0" + context).digest()[:16]


def _mark(plain: JsonObject) -> str:
    """Return the name of a login: a digest of its random ``state``, which is the same however often it is sealed."""
    state: str = plain["secrets"]["state"]
    return hashlib.sha256(b"loginmachine login\0" + state.encode()).hexdigest()

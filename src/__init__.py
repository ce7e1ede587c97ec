"""Sign a person in through their browser: OAuth 2.0 with PKCE.

Sign in:
    `start_login` with threads, `open_login` with trio, `asyncio_open_login` with asyncio. They take `LoginOptions` with
    a `Provider`, and a store. They raise `LoginFailed` or another `LoginError`. `progress` has the phases that
    ``on_progress`` receives.
Keep the credentials:
    `FileStore`, `KeyringStore`, `AutoStore` and `open_store` for programs that share them with the Codex CLI;
    `MemoryStore`; any object with the methods of `CredentialStore` or `SessionStore`. `Credentials` are what is stored.
    `RedisStore` for one login that many machines share.
    `AccountStore` for the accounts of other providers, each in an entry of its own.
Sign people in at a web host:
    `WebLogins` with threads, `TrioWebLogins` with trio, `AsyncioWebLogins` with asyncio. The host's own server receives
    the callback, and the login is suspended until then, sealed with the host's `SealingKeys`. `ResumptionMarks` see to
    it that each is resumed once.
Call an API:
    `Session` with threads, `TrioSession` with trio, `AsyncioSession` with asyncio. They refresh the access token when
    it is due, and raise `RefreshFailed` or `SignInRequired`.
Sign out:
    `sign_out` with threads, `trio_sign_out` with trio, `asyncio_sign_out` with asyncio.
All of this with the same names:
    `loginmachine.drivers.threaded`, `loginmachine.drivers.trio` and `loginmachine.drivers.asyncio` have `open_login`,
    `Login`, `Session`, `sign_out` and `WebLogins`, each for its kind of program.
Record a login:
    `TraceFile`; `loginmachine.sansio.trace` replays what was recorded, `loginmachine.drivers.traces` many traces.
Write another driver:
    `loginmachine.sansio` is the state machine, which does no I/O; `loginmachine.drivers` has what drivers share.

A name is loaded when it is first used. docs/api.md lists every public name with its stability.
"""

from __future__ import annotations

# Not from typing, which takes 4 ms to load.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from .drivers.accounts.account_store import AccountStore
    from .drivers.accounts.client_secrets import secret_from_command, secret_from_file
    from .drivers.asyncio.login import AsyncioLogin, asyncio_open_login
    from .drivers.asyncio.session import AsyncioSession
    from .drivers.asyncio.signing_out import asyncio_sign_out
    from .drivers.asyncio.web_logins import AsyncioWebLogins
    from .drivers.errors import (
        AccountNotFound,
        AmbiguousAccount,
        EndpointError,
        InsecureRequest,
        KeyringUnavailable,
        LoginCancelled,
        LoginError,
        LoginFailed,
        LoginTimedOut,
        ProviderMismatch,
        ProxyError,
        RefreshFailed,
        SignInRequired,
        StoreBusy,
        StoreError,
        SuspendedLoginRefused,
        SuspensionProblem,
        TrustError,
    )
    from .drivers.fleet.redis_store import RedisStore
    from .drivers.stores.auto_store import AutoStore, StorePolicy, open_store
    from .drivers.stores.file_store import FileStore
    from .drivers.stores.keyring_store import KeyringStore
    from .drivers.stores.protocols import (
        CredentialStore,
        MemoryStore,
        SessionStore,
        StoreVersion,
        Transaction,
        VersionedStore,
    )
    from .drivers.suspended.marks import MemoryMarks, ResumptionMarks
    from .drivers.suspended.sealing import SealingKeys
    from .drivers.suspended.web_logins import PendingLogin
    from .drivers.threaded.login import ThreadedLogin, start_login
    from .drivers.threaded.session import Session
    from .drivers.threaded.signing_out import sign_out
    from .drivers.threaded.web_logins import WebLogins
    from .drivers.traces.recording import TraceFile
    from .drivers.trio.login import TrioLogin, open_login
    from .drivers.trio.session import TrioSession
    from .drivers.trio.signing_out import trio_sign_out
    from .drivers.trio.web_logins import TrioWebLogins
    from .sansio.accounts.choice import AccountChoice
    from .sansio.accounts.stored import StoredAccount
    from .sansio.base.errors import UnexpectedEvent
    from .sansio.base.secret import Secret
    from .sansio.login import progress
    from .sansio.login.failures import LoginFailureCategory, LoginFailureStep
    from .sansio.login.machine import LoginMachine
    from .sansio.login.outcome import LoginCancellation, LoginFailure, LoginOutcome, LoginSuccess
    from .sansio.login.states import LoginState
    from .sansio.model.auth_json import CredentialsError
    from .sansio.model.credentials import AuthMode, Credentials
    from .sansio.model.options import LoginMethod, LoginOptions, LoginSecrets
    from .sansio.model.provenance import Provenance
    from .sansio.model.provider import Provider
    from .sansio.model.tokens import Tokens
    from .sansio.oauth.device_code import DeviceCode
    from .sansio.refresh.failures import RefreshFailure, RefreshFailureCategory
    from .sansio.refresh.machine import RefreshMachine
    from .sansio.refresh.outcome import Delivery, RefreshSuccess
    from .sansio.server.dialect import Dialect
    from .sansio.server.endpoints import ClientAuthentication, DeviceCodeDialect, DeviceCodeEndpoints, IdTokenPolicy
    from .sansio.server.registration import ClientMetadata
    from .sansio.sign_out.outcome import SignOutResult


__all__ = [
    "AccountChoice",
    "AccountNotFound",
    "AccountStore",
    "AmbiguousAccount",
    "AsyncioLogin",
    "AsyncioSession",
    "AsyncioWebLogins",
    "AuthMode",
    "AutoStore",
    "ClientAuthentication",
    "ClientMetadata",
    "CredentialStore",
    "Credentials",
    "CredentialsError",
    "Delivery",
    "DeviceCode",
    "DeviceCodeDialect",
    "DeviceCodeEndpoints",
    "Dialect",
    "EndpointError",
    "FileStore",
    "IdTokenPolicy",
    "InsecureRequest",
    "KeyringStore",
    "KeyringUnavailable",
    "LoginCancellation",
    "LoginCancelled",
    "LoginError",
    "LoginFailed",
    "LoginFailure",
    "LoginFailureCategory",
    "LoginFailureStep",
    "LoginMachine",
    "LoginMethod",
    "LoginOptions",
    "LoginOutcome",
    "LoginSecrets",
    "LoginState",
    "LoginSuccess",
    "LoginTimedOut",
    "MemoryMarks",
    "MemoryStore",
    "PendingLogin",
    "Provenance",
    "Provider",
    "ProviderMismatch",
    "ProxyError",
    "RedisStore",
    "RefreshFailed",
    "RefreshFailure",
    "RefreshFailureCategory",
    "RefreshMachine",
    "RefreshSuccess",
    "ResumptionMarks",
    "SealingKeys",
    "Secret",
    "Session",
    "SessionStore",
    "SignInRequired",
    "SignOutResult",
    "StoreBusy",
    "StoreError",
    "StorePolicy",
    "StoreVersion",
    "StoredAccount",
    "SuspendedLoginRefused",
    "SuspensionProblem",
    "ThreadedLogin",
    "Tokens",
    "TraceFile",
    "Transaction",
    "TrioLogin",
    "TrioSession",
    "TrioWebLogins",
    "TrustError",
    "UnexpectedEvent",
    "VersionedStore",
    "WebLogins",
    "asyncio_open_login",
    "asyncio_sign_out",
    "open_login",
    "open_store",
    "progress",
    "secret_from_command",
    "secret_from_file",
    "sign_out",
    "start_login",
    "trio_sign_out",
]

__version__ = "0.2.0"
"""As in pyproject.toml. (To read it from the metadata of the installation takes 15 ms.)"""

_HOMES = {
    "drivers.accounts.account_store": ("AccountStore",),
    "drivers.asyncio.login": ("AsyncioLogin", "asyncio_open_login"),
    "drivers.asyncio.session": ("AsyncioSession",),
    "drivers.asyncio.signing_out": ("asyncio_sign_out",),
    "drivers.asyncio.web_logins": ("AsyncioWebLogins",),
    "drivers.accounts.client_secrets": ("secret_from_command", "secret_from_file"),
    "drivers.errors": (
        "AccountNotFound",
        "AmbiguousAccount",
        "EndpointError",
        "InsecureRequest",
        "KeyringUnavailable",
        "LoginCancelled",
        "LoginError",
        "LoginFailed",
        "LoginTimedOut",
        "ProviderMismatch",
        "ProxyError",
        "RefreshFailed",
        "SignInRequired",
        "StoreBusy",
        "StoreError",
        "SuspendedLoginRefused",
        "SuspensionProblem",
        "TrustError",
    ),
    "drivers.suspended.web_logins": ("PendingLogin",),
    "drivers.suspended.marks": ("MemoryMarks", "ResumptionMarks"),
    "drivers.suspended.sealing": ("SealingKeys",),
    "sansio.sign_out.outcome": ("SignOutResult",),
    "drivers.fleet.redis_store": ("RedisStore",),
    "drivers.stores.auto_store": ("AutoStore", "StorePolicy", "open_store"),
    "drivers.stores.file_store": ("FileStore",),
    "drivers.stores.keyring_store": ("KeyringStore",),
    "drivers.stores.protocols": (
        "CredentialStore",
        "MemoryStore",
        "SessionStore",
        "StoreVersion",
        "Transaction",
        "VersionedStore",
    ),
    "drivers.threaded.login": ("ThreadedLogin", "start_login"),
    "drivers.threaded.session": ("Session",),
    "drivers.threaded.signing_out": ("sign_out",),
    "drivers.threaded.web_logins": ("WebLogins",),
    "drivers.traces.recording": ("TraceFile",),
    "drivers.trio.login": ("TrioLogin", "open_login"),
    "drivers.trio.session": ("TrioSession",),
    "drivers.trio.signing_out": ("trio_sign_out",),
    "drivers.trio.web_logins": ("TrioWebLogins",),
    "sansio.accounts.choice": ("AccountChoice",),
    "sansio.accounts.stored": ("StoredAccount",),
    "sansio.base.errors": ("UnexpectedEvent",),
    "sansio.base.secret": ("Secret",),
    "sansio.login": ("progress",),
    "sansio.login.failures": ("LoginFailureCategory", "LoginFailureStep"),
    "sansio.login.machine": ("LoginMachine",),
    "sansio.login.outcome": ("LoginCancellation", "LoginFailure", "LoginOutcome", "LoginSuccess"),
    "sansio.login.states": ("LoginState",),
    "sansio.model.auth_json": ("CredentialsError",),
    "sansio.model.credentials": ("AuthMode", "Credentials"),
    "sansio.model.tokens": ("Tokens",),
    "sansio.server.dialect": ("Dialect",),
    "sansio.server.endpoints": ("ClientAuthentication", "DeviceCodeDialect", "DeviceCodeEndpoints", "IdTokenPolicy"),
    "sansio.server.registration": ("ClientMetadata",),
    "sansio.model.options": ("LoginMethod", "LoginOptions", "LoginSecrets"),
    "sansio.model.provenance": ("Provenance",),
    "sansio.model.provider": ("Provider",),
    "sansio.oauth.device_code": ("DeviceCode",),
    "sansio.refresh.failures": ("RefreshFailure", "RefreshFailureCategory"),
    "sansio.refresh.machine": ("RefreshMachine",),
    "sansio.refresh.outcome": ("Delivery", "RefreshSuccess"),
}
_DEPRECATED: dict[str, tuple[str, str]] = {"LoginFailurePhase": ("LoginFailureStep", "0.3")}
"""For each old name, the name to use instead and the version in which the old name goes (docs/api.md)."""


def __getattr__(name: str) -> object:
    """Load a public name from its module (PEP 562)."""
    from .sansio.base.public import load  # noqa: PLC0415 - the first name needs it, not the package

    return load(__name__, _HOMES, name, _DEPRECATED)


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted(__all__)

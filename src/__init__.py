"""Sign a person in through their browser.

OAuth 2.0 with PKCE as an explicit state machine that does no I/O (`loginmachine.sansio`), and drivers that do it
(`loginmachine.drivers`). The names below are loaded when they are first used, so that nobody pays for a driver that is
not theirs.
"""

from __future__ import annotations

# Not from typing, which takes 4 ms to load.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from .drivers.errors import (
        InsecureRequest,
        KeyringUnavailable,
        LoginCancelled,
        LoginError,
        LoginFailed,
        LoginTimedOut,
        RefreshFailed,
        SignInRequired,
        StoreBusy,
        StoreError,
        TrustError,
    )
    from .drivers.stores.auto_store import AutoStore, StorePolicy, open_store
    from .drivers.stores.file_store import FileStore
    from .drivers.stores.keyring_store import KeyringStore
    from .drivers.stores.protocols import CredentialStore, MemoryStore, SessionStore, Transaction
    from .drivers.threaded.login import ThreadedLogin, start_login
    from .drivers.threaded.session import Session
    from .drivers.trio.login import TrioLogin, open_login
    from .drivers.trio.session import TrioSession
    from .sansio import (
        AuthMode,
        Credentials,
        CredentialsError,
        DeviceCode,
        DeviceCodeDialect,
        DeviceCodeEndpoints,
        IdTokenPolicy,
        LoginCancellation,
        LoginFailure,
        LoginFailureCategory,
        LoginFailureStep,
        LoginMachine,
        LoginMethod,
        LoginOptions,
        LoginOutcome,
        LoginSecrets,
        LoginState,
        LoginSuccess,
        Provider,
        Secret,
        Tokens,
        UnexpectedEvent,
    )
    from .sansio.login import progress
    from .sansio.refresh import RefreshMachine
    from .sansio.refresh.failures import RefreshFailure, RefreshFailureCategory
    from .sansio.refresh.outcome import Delivery, RefreshSuccess

    __version__: str

__all__ = [
    "AuthMode",
    "AutoStore",
    "CredentialStore",
    "Credentials",
    "CredentialsError",
    "Delivery",
    "DeviceCode",
    "DeviceCodeDialect",
    "DeviceCodeEndpoints",
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
    "MemoryStore",
    "Provider",
    "RefreshFailed",
    "RefreshFailure",
    "RefreshFailureCategory",
    "RefreshMachine",
    "RefreshSuccess",
    "Secret",
    "Session",
    "SessionStore",
    "SignInRequired",
    "StoreBusy",
    "StoreError",
    "StorePolicy",
    "ThreadedLogin",
    "Tokens",
    "Transaction",
    "TrioLogin",
    "TrioSession",
    "TrustError",
    "UnexpectedEvent",
    "open_login",
    "open_store",
    "progress",
    "start_login",
]

_MODULES = {
    "drivers.stores.auto_store": ("AutoStore", "StorePolicy", "open_store"),
    "drivers.errors": (
        "InsecureRequest",
        "KeyringUnavailable",
        "LoginCancelled",
        "LoginError",
        "LoginFailed",
        "LoginTimedOut",
        "RefreshFailed",
        "SignInRequired",
        "StoreBusy",
        "StoreError",
        "TrustError",
    ),
    "drivers.stores.file_store": ("FileStore",),
    "drivers.stores.keyring_store": ("KeyringStore",),
    "drivers.threaded.session": ("Session",),
    "drivers.stores.protocols": ("CredentialStore", "MemoryStore", "SessionStore", "Transaction"),
    "drivers.threaded.login": ("ThreadedLogin", "start_login"),
    "drivers.trio.login": ("TrioLogin", "open_login"),
    "drivers.trio.session": ("TrioSession",),
    "sansio.refresh": ("RefreshMachine",),
    "sansio.refresh.failures": ("RefreshFailure", "RefreshFailureCategory"),
    "sansio.refresh.outcome": ("Delivery", "RefreshSuccess"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Load a public name from its module (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415

        value: object = version("loginmachine")
    elif name in __all__:
        from importlib import import_module  # noqa: PLC0415

        value = getattr(import_module(f".{_HOMES.get(name, 'sansio')}", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted(__all__)

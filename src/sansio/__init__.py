"""The login as a state machine that does no I/O.

This package opens no socket and no file, reads no clock, starts no thread and draws no random number. The exception is
`LoginSecrets.generate`, which hosts call. Apart from the standard library it imports only `transitions`. Each name is
loaded when it is first used.

A `LoginMachine` is made from `LoginOptions` and `LoginSecrets`, takes `events` and returns `actions`. Its state is a
`LoginState`, and the meaning of an event is a `Trigger`. `loginmachine.sansio.trace` records and replays logins.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .base.errors import UnexpectedEvent
    from .base.http import Encoding, Form, Headers, TransportProblem
    from .base.secret import Secret
    from .login import actions, events, progress
    from .login.failures import LoginFailureCategory, LoginFailureStep
    from .login.machine import LoginMachine, Snapshot
    from .login.outcome import LoginCancellation, LoginFailure, LoginOutcome, LoginSuccess
    from .login.states import LoginState, Trigger
    from .model.auth_json import CredentialsError
    from .model.credentials import AuthMode, Credentials
    from .model.options import LoginMethod, LoginOptions, LoginSecrets
    from .model.provider import Provider
    from .model.tokens import Tokens
    from .oauth.device_code import DeviceCode
    from .server.dialect import Dialect
    from .server.endpoints import ClientAuthentication, DeviceCodeDialect, DeviceCodeEndpoints, IdTokenPolicy

__all__ = [
    "AuthMode",
    "ClientAuthentication",
    "Credentials",
    "CredentialsError",
    "DeviceCode",
    "DeviceCodeDialect",
    "DeviceCodeEndpoints",
    "Dialect",
    "Encoding",
    "Form",
    "Headers",
    "IdTokenPolicy",
    "LoginCancellation",
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
    "Provider",
    "Secret",
    "Snapshot",
    "Tokens",
    "TransportProblem",
    "Trigger",
    "UnexpectedEvent",
    "actions",
    "events",
    "progress",
]

_HOMES = {
    "base.errors": ("UnexpectedEvent",),
    "base.http": ("Encoding", "Form", "Headers", "TransportProblem"),
    "base.secret": ("Secret",),
    "login": ("actions", "events", "progress"),
    "login.failures": ("LoginFailureCategory", "LoginFailureStep"),
    "login.machine": ("LoginMachine", "Snapshot"),
    "login.outcome": ("LoginCancellation", "LoginFailure", "LoginOutcome", "LoginSuccess"),
    "login.states": ("LoginState", "Trigger"),
    "model.auth_json": ("CredentialsError",),
    "model.credentials": ("AuthMode", "Credentials"),
    "model.tokens": ("Tokens",),
    "server.dialect": ("Dialect",),
    "server.endpoints": ("ClientAuthentication", "DeviceCodeDialect", "DeviceCodeEndpoints", "IdTokenPolicy"),
    "model.options": ("LoginMethod", "LoginOptions", "LoginSecrets"),
    "model.provider": ("Provider",),
    "oauth.device_code": ("DeviceCode",),
}
_DEPRECATED: dict[str, tuple[str, str]] = {"LoginFailurePhase": ("LoginFailureStep", "0.3")}
"""For each old name, the name to use instead and the version in which the old name is removed (docs/api.md)."""


def __getattr__(name: str) -> object:
    """Load a public name from its module (PEP 562)."""
    from .base.public import load  # noqa: PLC0415 - the first name needs it, not the package

    return load(__name__, _HOMES, name, _DEPRECATED)


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted(__all__)

"""The login as a state machine that does no I/O.

Nothing here opens a socket or a file, reads a clock, starts a thread or draws a random number (but
`LoginSecrets.generate`, which hosts call). Loads `transitions` and the standard library's pure parts only.
"""

from .base.errors import UnexpectedEvent
from .base.secret import Secret
from .login import actions, events, progress
from .login.failures import LoginFailure, LoginFailureCategory, LoginFailureStep
from .login.machine import LoginMachine, Snapshot
from .login.outcome import LoginCancellation, LoginOutcome, LoginSuccess
from .login.states import LoginState, Trigger
from .model.credentials import AuthMode, Credentials, CredentialsError, Tokens
from .model.options import LoginMethod, LoginOptions, LoginSecrets
from .model.provider import DeviceCodeDialect, DeviceCodeEndpoints, IdTokenPolicy, Provider
from .oauth.device_code import DeviceCode

__all__ = [
    "AuthMode",
    "Credentials",
    "CredentialsError",
    "DeviceCode",
    "DeviceCodeDialect",
    "DeviceCodeEndpoints",
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
    "Trigger",
    "UnexpectedEvent",
    "actions",
    "events",
    "progress",
]

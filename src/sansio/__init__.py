"""The login as a state machine that does no I/O.

Nothing here opens a socket or a file, reads a clock, starts a thread or draws a random number (but
`LoginSecrets.generate`, which hosts call). Loads `transitions` and the standard library's pure parts only.
"""

from . import actions, events, progress
from .credentials import AuthMode, Credentials, CredentialsError, Tokens
from .device_code import DeviceCode
from .errors import UnexpectedEvent
from .events import LoginMethod
from .failures import LoginFailure, LoginFailureCategory, LoginFailurePhase
from .machine import LoginMachine, Snapshot
from .options import DeviceCodeDialect, DeviceCodeEndpoints, IdTokenPolicy, LoginOptions, LoginSecrets, Provider
from .outcome import LoginCancellation, LoginOutcome, LoginSuccess
from .redaction import Secret
from .table import LoginState, Trigger

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
    "LoginFailurePhase",
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

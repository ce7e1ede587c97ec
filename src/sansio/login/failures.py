"""The failures of a login: the step and category of each, and the advice for the person.

See docs/design/failures.md.
"""

from __future__ import annotations

from enum import StrEnum

from ..base.http import PROVIDER_TROUBLE
from ..base.records import Record
from .states import Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final


class LoginFailureStep(StrEnum):
    """The step in which a failure happened."""

    READ_METADATA = "read_metadata"
    REGISTER_CLIENT = "register_client"
    PUSH_REQUEST = "push_request"
    BIND_LOCAL_SERVER = "bind_local_server"
    OPEN_BROWSER = "open_browser"
    REQUEST_DEVICE_CODE = "request_device_code"
    WAIT_FOR_DEVICE_CODE = "wait_for_device_code"
    WAIT_FOR_CALLBACK = "wait_for_callback"
    VALIDATE_CALLBACK = "validate_callback"
    EXCHANGE_TOKEN = "exchange_token"
    FETCH_KEYS = "fetch_keys"
    PERSIST_CREDENTIALS = "persist_credentials"
    REDIRECT_BACK = "redirect_back"


class LoginFailureCategory(StrEnum):
    """The kind of failure. The values do not change, because scripts and support rely on them."""

    DISCOVERY_FAILED = "discovery_failed"
    REGISTRATION_FAILED = "registration_failed"
    LOCAL_SERVER_UNAVAILABLE = "local_server_unavailable"
    BROWSER_LAUNCH_FAILED = "browser_launch_failed"
    DEVICE_CODE_UNAVAILABLE = "device_code_unavailable"
    DEVICE_CODE_DENIED = "device_code_denied"
    DEVICE_CODE_EXPIRED = "device_code_expired"
    LOGIN_CANCELLED = "login_cancelled"
    LOGIN_TIMED_OUT = "login_timed_out"
    CALLBACK_STATE_MISMATCH = "callback_state_mismatch"
    CALLBACK_FROM_OTHER_USER = "callback_from_other_user"
    ISSUER_MISMATCH = "issuer_mismatch"
    PROVIDER_CALLBACK_ERROR = "provider_callback_error"
    MISSING_AUTHORIZATION_CODE = "missing_authorization_code"
    TOKEN_EXCHANGE_TIMEOUT = "token_exchange_timeout"
    TOKEN_EXCHANGE_CONNECT = "token_exchange_connect"
    TOKEN_EXCHANGE_REQUEST = "token_exchange_request"
    TOKEN_ENDPOINT_REJECTED = "token_endpoint_rejected"
    TOKEN_RESPONSE_MALFORMED = "token_response_malformed"
    ID_TOKEN_INVALID = "id_token_invalid"
    KEYS_UNAVAILABLE = "keys_unavailable"
    SCOPE_INSUFFICIENT = "scope_insufficient"
    WORKSPACE_RESTRICTION = "workspace_restriction"
    PERSIST_FAILED = "persist_failed"
    REDIRECT_FAILED = "redirect_failed"


S, C, T = LoginFailureStep, LoginFailureCategory, Trigger

# fmt: off
FAILURES: Final[Mapping[Trigger, tuple[LoginFailureStep, LoginFailureCategory]]] = {
    T.DISCOVERY_FAILED:           (S.READ_METADATA,       C.DISCOVERY_FAILED),
    T.METADATA_NOT_FOUND:         (S.READ_METADATA,       C.DISCOVERY_FAILED),
    T.REGISTRATION_FAILED:        (S.REGISTER_CLIENT,     C.REGISTRATION_FAILED),
    T.REGISTRATION_SAVE_FAILED:   (S.REGISTER_CLIENT,     C.PERSIST_FAILED),
    T.PUSH_FAILED:                (S.PUSH_REQUEST,        C.PROVIDER_CALLBACK_ERROR),
    T.KEYS_UNAVAILABLE:           (S.FETCH_KEYS,          C.KEYS_UNAVAILABLE),
    T.SCOPE_MISSING:              (S.VALIDATE_CALLBACK,   C.SCOPE_INSUFFICIENT),
    T.PORT_TAKEN:                 (S.BIND_LOCAL_SERVER,   C.LOCAL_SERVER_UNAVAILABLE),
    T.PORT_FORBIDDEN:             (S.BIND_LOCAL_SERVER,   C.LOCAL_SERVER_UNAVAILABLE),
    T.BIND_FAILED:                (S.BIND_LOCAL_SERVER,   C.LOCAL_SERVER_UNAVAILABLE),
    T.PREVIOUS_REFUSED:           (S.BIND_LOCAL_SERVER,   C.LOCAL_SERVER_UNAVAILABLE),
    T.BROWSER_FAILED:             (S.OPEN_BROWSER,        C.BROWSER_LAUNCH_FAILED),
    T.DEVICE_CODE_NOT_ENABLED:    (S.REQUEST_DEVICE_CODE, C.DEVICE_CODE_UNAVAILABLE),
    T.DEVICE_CODE_REFUSED:        (S.REQUEST_DEVICE_CODE, C.DEVICE_CODE_UNAVAILABLE),
    T.DEVICE_CODE_DENIED:         (S.WAIT_FOR_DEVICE_CODE, C.DEVICE_CODE_DENIED),
    T.DEVICE_CODE_EXPIRED:        (S.WAIT_FOR_DEVICE_CODE, C.DEVICE_CODE_EXPIRED),
    T.DEADLINE_PASSED:            (S.WAIT_FOR_CALLBACK,   C.LOGIN_TIMED_OUT),
    T.CALLBACK_MISMATCHED:        (S.VALIDATE_CALLBACK,   C.CALLBACK_STATE_MISMATCH),
    T.CALLBACK_FROM_OTHER_USER:   (S.VALIDATE_CALLBACK,   C.CALLBACK_FROM_OTHER_USER),
    T.CALLBACK_ISSUER_MISMATCHED: (S.VALIDATE_CALLBACK,   C.ISSUER_MISMATCH),
    T.CALLBACK_DENIED:            (S.VALIDATE_CALLBACK,   C.PROVIDER_CALLBACK_ERROR),
    T.CALLBACK_CLIENT_REFUSED:    (S.VALIDATE_CALLBACK,   C.REGISTRATION_FAILED),
    T.CALLBACK_WITHOUT_CODE:      (S.VALIDATE_CALLBACK,   C.MISSING_AUTHORIZATION_CODE),
    T.TOKEN_REQUEST_TIMED_OUT:    (S.EXCHANGE_TOKEN,      C.TOKEN_EXCHANGE_TIMEOUT),
    T.TOKEN_ENDPOINT_UNREACHABLE: (S.EXCHANGE_TOKEN,      C.TOKEN_EXCHANGE_CONNECT),
    T.TOKEN_REQUEST_BROKEN:       (S.EXCHANGE_TOKEN,      C.TOKEN_EXCHANGE_REQUEST),
    T.TOKEN_ENDPOINT_REJECTED:    (S.EXCHANGE_TOKEN,      C.TOKEN_ENDPOINT_REJECTED),
    T.CLIENT_REFUSED:             (S.EXCHANGE_TOKEN,      C.TOKEN_ENDPOINT_REJECTED),
    T.TOKEN_RESPONSE_MALFORMED:   (S.EXCHANGE_TOKEN,      C.TOKEN_RESPONSE_MALFORMED),
    T.ID_TOKEN_REFUSED:           (S.EXCHANGE_TOKEN,      C.ID_TOKEN_INVALID),
    T.WORKSPACE_REFUSED:          (S.VALIDATE_CALLBACK,   C.WORKSPACE_RESTRICTION),
    T.SAVE_FAILED:                (S.PERSIST_CREDENTIALS, C.PERSIST_FAILED),
    T.CLIENT_GONE:                (S.REDIRECT_BACK,       C.REDIRECT_FAILED),
}
"""The step and category of each failure.

The step of a cancellation depends on the state of the login. So does that of a time-out, or of an unusable response, in
a login with a device code.
"""

DOING: Final[Mapping[LoginFailureStep, str]] = {
    S.READ_METADATA:       "reading the provider's metadata",
    S.REGISTER_CLIENT:     "registering this program at the provider",
    S.PUSH_REQUEST:        "sending the authorization request to the provider",
    S.FETCH_KEYS:          "fetching the provider's keys",
    S.BIND_LOCAL_SERVER:   "opening the callback port on this machine",
    S.OPEN_BROWSER:        "opening the browser",
    S.REQUEST_DEVICE_CODE: "asking the provider for a device code",
    S.WAIT_FOR_DEVICE_CODE: "waiting for the device code to be used",
    S.WAIT_FOR_CALLBACK:   "waiting for the browser to come back",
    S.VALIDATE_CALLBACK:   "checking what the browser brought back",
    S.EXCHANGE_TOKEN:      "exchanging the authorization code for tokens",
    S.PERSIST_CREDENTIALS: "storing the credentials",
    S.REDIRECT_BACK:       "showing the last page in the browser",
}
"""What a login does in each step, worded to follow "while"."""
# fmt: on


class Advice(Record):
    """The advice for the person about a category of failures."""

    title: str
    """What happened, in a few words."""
    hint: str
    """One concrete thing to do."""
    status: int = 500
    """The HTTP status of the page; 500 if the cause is on this machine."""


CATALOGUE: Final[Mapping[LoginFailureCategory, Advice]] = {
    C.DISCOVERY_FAILED: Advice(
        title="The provider's metadata could not be used",
        hint="Check the issuer: it is compared exactly, and its metadata must be reachable from this machine.",
        status=502,
    ),
    C.REGISTRATION_FAILED: Advice(
        title="This program could not be registered at the provider",
        hint="Start again. If it happens twice, the provider registers no program like this: use your own client id.",
        status=502,
    ),
    C.KEYS_UNAVAILABLE: Advice(
        title="The provider's keys could not be fetched",
        hint="Without them the id token is not accepted. Check the network connection and any proxy, then start again.",
        status=502,
    ),
    C.SCOPE_INSUFFICIENT: Advice(
        title="The provider did not grant everything that is needed",
        hint="Sign in again and allow it, or ask your administrator.",
        status=403,
    ),
    C.LOCAL_SERVER_UNAVAILABLE: Advice(
        title="The callback port could not be opened",
        hint="Close the program that uses the port, or choose a free port that your provider accepts.",
    ),
    C.BROWSER_LAUNCH_FAILED: Advice(
        title="No browser could be opened",
        hint="Open the address shown above in a browser yourself.",
    ),
    C.DEVICE_CODE_UNAVAILABLE: Advice(
        title="The provider gave no device code",
        hint="Sign in with a browser instead, or ask your administrator to allow device codes.",
    ),
    C.DEVICE_CODE_DENIED: Advice(
        title="The sign-in with the device code was refused",
        hint="Start again, and allow the sign-in on the page where you enter the new code.",
    ),
    C.DEVICE_CODE_EXPIRED: Advice(
        title="The device code was not used in time",
        hint="Start again and enter the new code before the time is up.",
    ),
    C.LOGIN_CANCELLED: Advice(
        title="The sign-in was cancelled",
        hint="Start it again when you are ready.",
    ),
    C.LOGIN_TIMED_OUT: Advice(
        title="The browser did not come back in time",
        hint="Start again and finish the sign-in in the browser before the time is up.",
    ),
    C.CALLBACK_STATE_MISMATCH: Advice(
        title="A page from another sign-in was opened",
        hint="Use the newest sign-in tab, and close older ones.",
        status=400,
    ),
    C.CALLBACK_FROM_OTHER_USER: Advice(
        title="A program of another user tried to finish this sign-in",
        hint="It was refused. If it was your own browser, start again and allow other users (--any-user).",
        status=403,
    ),
    C.ISSUER_MISMATCH: Advice(
        title="The answer came from another provider",
        hint="Start again; if it happens twice, tell your administrator that the issuer does not match.",
        status=400,
    ),
    C.PROVIDER_CALLBACK_ERROR: Advice(
        title="The provider did not sign you in",
        hint="Read the provider's reason below, then start again.",
        status=403,
    ),
    C.MISSING_AUTHORIZATION_CODE: Advice(
        title="The provider sent no authorization code",
        hint="Start again; if it happens twice, the provider has a problem.",
        status=400,
    ),
    C.TOKEN_EXCHANGE_TIMEOUT: Advice(
        title="The token endpoint did not answer in time",
        hint="Check the network connection and any proxy, then start again.",
        status=504,
    ),
    C.TOKEN_EXCHANGE_CONNECT: Advice(
        title="The token endpoint could not be reached",
        hint="Check the network, proxy and certificate settings of this machine, then start again.",
        status=502,
    ),
    C.TOKEN_EXCHANGE_REQUEST: Advice(
        title="The connection to the token endpoint broke",
        hint="Start again; if it happens twice, check any proxy between this machine and the provider.",
        status=502,
    ),
    C.TOKEN_ENDPOINT_REJECTED: Advice(
        title="The token endpoint refused the sign-in",
        hint="Start again: an authorization code works once and for a short time only.",
        status=502,
    ),
    C.TOKEN_RESPONSE_MALFORMED: Advice(
        title="The token endpoint's answer could not be used",
        hint="Check that the issuer is right and that no proxy rewrites its answers.",
        status=502,
    ),
    C.ID_TOKEN_INVALID: Advice(
        title="The id token did not pass the checks",
        hint="Check the issuer, the client id and this machine's clock.",
        status=502,
    ),
    C.WORKSPACE_RESTRICTION: Advice(
        title="This account is not in an allowed workspace",
        hint="Sign in again and choose an allowed workspace, or ask your administrator.",
        status=403,
    ),
    C.PERSIST_FAILED: Advice(
        title="The credentials could not be stored",
        hint="Check that the folder exists, is writable and has space left, then start again.",
    ),
    C.REDIRECT_FAILED: Advice(
        title="The browser left before its last page",
        hint="Nothing to do: you are signed in.",
    ),
}


_PROVIDER_TROUBLE_ADVICE: Final = Advice(
    title="The provider could not answer",
    hint="The provider has a problem. Start again in a while.",
    status=502,
)
_ANSWERS: Final = (C.TOKEN_ENDPOINT_REJECTED, C.DEVICE_CODE_UNAVAILABLE)
"""The categories of responses with an error status."""


def advice_for(category: LoginFailureCategory, message: str) -> Advice:
    """Return the advice for the person about a failure.

    Args:
        category: The kind of failure.
        message: What happened. It tells a problem of the provider from a refusal.
    """
    if category in _ANSWERS and PROVIDER_TROUBLE in message:
        return _PROVIDER_TROUBLE_ADVICE
    return CATALOGUE[category]

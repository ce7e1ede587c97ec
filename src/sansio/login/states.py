"""The states of a login, and its triggers: what an event can mean."""

from __future__ import annotations

from enum import StrEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class LoginState(StrEnum):
    """The states of a login. Each is named after what the login waits for."""

    IDLE = "idle"
    REQUESTING_DEVICE_CODE = "requesting_device_code"
    POLLING_DEVICE_CODE = "polling_device_code"
    BINDING = "binding"
    CANCELLING_PREVIOUS = "cancelling_previous"
    BACKING_OFF = "backing_off"
    AWAITING_CALLBACK = "awaiting_callback"
    EXCHANGING_CODE = "exchanging_code"
    EXCHANGING_API_KEY = "exchanging_api_key"
    SAVING_CREDENTIALS = "saving_credentials"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL_STATES: Final = (LoginState.SUCCEEDED, LoginState.FAILED, LoginState.CANCELLED)
"""The states that a login never leaves."""


class Trigger(StrEnum):
    """The meanings of events. docs/state-diagram.md explains each."""

    STARTED = "started"
    STARTED_WITH_DEVICE_CODE = "started_with_device_code"
    BOUND = "bound"
    PORT_TAKEN = "port_taken"
    PORT_FORBIDDEN = "port_forbidden"
    BIND_FAILED = "bind_failed"
    PREVIOUS_CANCELLED = "previous_cancelled"
    PREVIOUS_REFUSED = "previous_refused"
    RETRY_DUE = "retry_due"
    BROWSER_OPENED = "browser_opened"
    BROWSER_FAILED = "browser_failed"
    DEADLINE_PASSED = "deadline_passed"
    CANCEL_REQUESTED = "cancel_requested"
    REQUEST_REFUSED = "request_refused"
    HTTPS_ATTEMPTED = "https_attempted"
    CALLBACK_MISMATCHED = "callback_mismatched"
    CALLBACK_FROM_OTHER_USER = "callback_from_other_user"
    CALLBACK_DENIED = "callback_denied"
    CALLBACK_WITHOUT_CODE = "callback_without_code"
    CALLBACK_ISSUER_MISMATCHED = "callback_issuer_mismatched"
    CALLBACK_ACCEPTED = "callback_accepted"
    CALLBACK_REPEATED = "callback_repeated"
    CALLBACK_CONFLICTED = "callback_conflicted"
    PASTE_REFUSED = "paste_refused"
    SUCCESS_PAGE_REQUESTED = "success_page_requested"
    DEVICE_CODE_POSTPONED = "device_code_postponed"
    CODE_REQUEST_DUE = "code_request_due"
    DEVICE_CODE_RECEIVED = "device_code_received"
    DEVICE_CODE_NOT_ENABLED = "device_code_not_enabled"
    DEVICE_CODE_REFUSED = "device_code_refused"
    POLL_DUE = "poll_due"
    DEVICE_CODE_PENDING = "device_code_pending"
    SLOW_DOWN_REQUESTED = "slow_down_requested"
    POLL_FAILED = "poll_failed"
    DEVICE_CODE_AUTHORIZED = "device_code_authorized"
    DEVICE_CODE_DENIED = "device_code_denied"
    DEVICE_CODE_EXPIRED = "device_code_expired"
    TOKENS_RECEIVED = "tokens_received"
    TOKEN_REQUEST_TIMED_OUT = "token_request_timed_out"
    TOKEN_ENDPOINT_UNREACHABLE = "token_endpoint_unreachable"
    TOKEN_REQUEST_BROKEN = "token_request_broken"
    TOKEN_ENDPOINT_REJECTED = "token_endpoint_rejected"
    TOKEN_RESPONSE_MALFORMED = "token_response_malformed"
    ID_TOKEN_REFUSED = "id_token_refused"
    WORKSPACE_REFUSED = "workspace_refused"
    API_KEY_RECEIVED = "api_key_received"
    API_KEY_UNAVAILABLE = "api_key_unavailable"
    CREDENTIALS_SAVED = "credentials_saved"
    SAVE_FAILED = "save_failed"
    PAGE_SENT = "page_sent"
    CLIENT_GONE = "client_gone"
    LINGER_OVER = "linger_over"

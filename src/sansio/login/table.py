"""The table of a login. It holds every rule about the order of events, and no other rules.

A row means: if TRIGGER comes in one of the SOURCE states, and GUARD holds, go to DEST and call EFFECT. If several rows
have the same trigger and state, they are tried from top to bottom. The last of them has no guard. With ``STAY`` the
state does not change.

`interpret` decides which trigger an event is. An event with a trigger that has no row in the current state is a mistake
of the host, and raises `UnexpectedEvent`. In a final state it is ignored instead, because events may be late.
"""

from __future__ import annotations

from ..base import engine
from .client.effects import doubt_client, exchange_code_of_client, save_client
from .client.start_page import send_to_provider
from .device_code.effects import (
    exchange_device_code,
    may_use_browser,
    poll,
    poll_after_trouble,
    poll_later,
    poll_more_slowly,
    request_code_later,
    request_device_code,
    show_device_code,
    use_browser_instead,
)
from .effects import (
    answer,
    answer_conflict,
    answer_mismatch,
    answer_not_found,
    answer_other_user,
    answer_over,
    answer_success,
    answer_too_late,
    await_callback,
    cancel,
    close,
    exchange_api_key,
    exchange_code,
    fail,
    forget_waiting,
    join_wait,
    note_client_gone,
    note_page_sent,
    redirect,
    report_browser_failed,
    report_browser_opened,
    report_https,
    report_paste_refused,
    save,
    save_with_api_key,
    save_without_api_key,
    succeed,
    wants_api_key,
)
from .port.effects import (
    back_off,
    bind_again,
    bind_fallback,
    bind_first_port,
    cancel_previous,
    has_fallback,
    may_bind_again,
    may_cancel_previous,
)
from .server import effects as server
from .states import FINAL_STATES, LoginState, Trigger
from .web import effects as web

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeAlias

    from .state import LoginData

Row: TypeAlias = engine.Row[LoginState, Trigger, "LoginData"]
"""A transition of a login."""

STAY: Final = None
"""The destination of a row that does not change the state."""

S, T = LoginState, Trigger
_IDLE = (S.IDLE,)
_RESOURCE = (S.DISCOVERING_RESOURCE,)
_DISCOVERING = (S.DISCOVERING,)
_REGISTERING = (S.REGISTERING,)
_REGISTERED = (S.SAVING_REGISTRATION,)
_PUSHING = (S.PUSHING_REQUEST,)
_REQUESTING = (S.REQUESTING_DEVICE_CODE,)
_POLLING = (S.POLLING_DEVICE_CODE,)
_BINDING = (S.BINDING,)
_ASKING = (S.CANCELLING_PREVIOUS,)
_BACKING_OFF = (S.BACKING_OFF,)
_WAITING = (S.AWAITING_CALLBACK,)
_CLIENT = (S.SAVING_CLIENT,)
_AHEAD = (*_WAITING, *_CLIENT)
_CODE = (S.EXCHANGING_CODE,)
_KEYS = (S.FETCHING_KEYS,)
_API_KEY = (S.EXCHANGING_API_KEY,)
_SAVING = (S.SAVING_CREDENTIALS,)
_SUCCEEDED = (S.SUCCEEDED,)
_OVER = (S.FAILED, S.CANCELLED)
_BUSY = (*_CLIENT, *_CODE, *_KEYS, *_API_KEY, *_SAVING)
_ARRANGING = (*_REGISTERING, *_REGISTERED, *_PUSHING)
_LISTENING = (*_WAITING, *_BUSY)
_FINDING = (*_RESOURCE, *_DISCOVERING)
_PREPARING = (*_IDLE, *_FINDING, *_REQUESTING, *_POLLING, *_BINDING, *_ASKING, *_BACKING_OFF, *_ARRANGING)
_CANCELLABLE = (*_PREPARING, *_WAITING, *_CLIENT, *_CODE, *_KEYS, *_API_KEY)

# fmt: off
ROWS: Final[tuple[Row, ...]] = (
    # The metadata of a protected resource, which names its provider
    Row(T.STARTED,                    _IDLE,        S.DISCOVERING_RESOURCE, server.read_resource,
        server.needs_resource_metadata),
    Row(T.STARTED_WITH_DEVICE_CODE,   _IDLE,        S.DISCOVERING_RESOURCE, server.read_resource_for_code,
        server.needs_resource_metadata),
    Row(T.METADATA_NOT_FOUND,         _RESOURCE,    S.DISCOVERING_RESOURCE, server.read_resource_elsewhere,
        server.has_other_resource_address),
    Row(T.METADATA_NOT_FOUND,         _RESOURCE,    S.DISCOVERING,         server.discover_at_origin),
    Row(T.DISCOVERY_FAILED,           _RESOURCE,    S.FAILED,              fail),
    Row(T.RESOURCE_METADATA_RECEIVED, _RESOURCE,    S.DISCOVERING,         server.discover_named_server),

    # The provider's metadata
    Row(T.STARTED,                    _IDLE,        S.DISCOVERING,         server.discover,
        server.needs_metadata),
    Row(T.STARTED_WITH_DEVICE_CODE,   _IDLE,        S.DISCOVERING,         server.discover_for_device_code,
        server.needs_metadata),
    Row(T.METADATA_NOT_FOUND,         _DISCOVERING, S.DISCOVERING,         server.discover_elsewhere,
        server.has_other_address),
    Row(T.METADATA_NOT_FOUND,         _DISCOVERING, S.FAILED,              fail),
    Row(T.DISCOVERY_FAILED,           _DISCOVERING, S.FAILED,              fail),
    Row(T.DEVICE_CODE_NOT_ENABLED,    _DISCOVERING, S.BINDING,             server.turn_to_browser,
        may_use_browser),
    Row(T.DEVICE_CODE_NOT_ENABLED,    _DISCOVERING, S.FAILED,              fail),
    Row(T.METADATA_RECEIVED,          _DISCOVERING, S.REGISTERING,         server.register_after_discovery,
        server.must_register_for_code),
    Row(T.METADATA_RECEIVED,          _DISCOVERING, S.REQUESTING_DEVICE_CODE, server.get_code_after_discovery,
        server.wants_device_code),
    Row(T.METADATA_RECEIVED,          _DISCOVERING, S.PUSHING_REQUEST,     web.push_as_found,
        web.must_push_as_found),
    Row(T.METADATA_RECEIVED,          _DISCOVERING, S.AWAITING_CALLBACK,   web.await_as_found,
        web.has_own_address),
    Row(T.METADATA_RECEIVED,          _DISCOVERING, S.BINDING,             server.bind_after_discovery),

    # The host's own web server receives the callback
    Row(T.STARTED,                    _IDLE,        S.PUSHING_REQUEST,     server.push,       web.must_push_at_host),
    Row(T.STARTED,                    _IDLE,        S.AWAITING_CALLBACK,   web.await_callback_at_host,
        web.has_own_address),

    # A port on loopback
    Row(T.STARTED,                    _IDLE,        S.BINDING,             bind_first_port),
    Row(T.PORT_TAKEN,                 _BINDING,     S.CANCELLING_PREVIOUS, cancel_previous,   may_cancel_previous),
    Row(T.PORT_TAKEN,                 _BINDING,     S.BACKING_OFF,         back_off,          may_bind_again),
    Row(T.PORT_TAKEN,                 _BINDING,     S.BINDING,             bind_fallback,     has_fallback),
    Row(T.PORT_TAKEN,                 _BINDING,     S.FAILED,              fail),
    Row(T.PORT_FORBIDDEN,             _BINDING,     S.BINDING,             bind_fallback,     has_fallback),
    Row(T.PORT_FORBIDDEN,             _BINDING,     S.FAILED,              fail),
    Row(T.BIND_FAILED,                _BINDING,     S.FAILED,              fail),
    Row(T.PREVIOUS_CANCELLED,         _ASKING,      S.BACKING_OFF,         back_off),
    Row(T.PREVIOUS_REFUSED,           _ASKING,      S.BINDING,             bind_fallback,     has_fallback),
    Row(T.PREVIOUS_REFUSED,           _ASKING,      S.FAILED,              fail),
    Row(T.RETRY_DUE,                  _BACKING_OFF, S.BINDING,             bind_again),
    Row(T.BOUND,                      _BINDING,     S.REGISTERING,         server.register_with_port,
        server.must_register),
    Row(T.BOUND,                      _BINDING,     S.PUSHING_REQUEST,     server.push_with_port,    server.must_push),
    Row(T.BOUND,                      _BINDING,     S.AWAITING_CALLBACK,   await_callback),

    # A client of this installation, and a pushed authorization request
    Row(T.CLIENT_REGISTERED,          _REGISTERING, S.SAVING_REGISTRATION, server.save_registration),
    Row(T.REGISTRATION_FAILED,        _REGISTERING, S.FAILED,              fail),
    Row(T.REGISTRATION_SAVED,         _REGISTERED,  S.REQUESTING_DEVICE_CODE, request_device_code,
        server.wants_device_code),
    Row(T.REGISTRATION_SAVED,         _REGISTERED,  S.PUSHING_REQUEST,     server.push,              server.must_push),
    Row(T.REGISTRATION_SAVED,         _REGISTERED,  S.AWAITING_CALLBACK,   server.await_callback_of_client),
    Row(T.REGISTRATION_SAVE_FAILED,   _REGISTERED,  S.FAILED,              fail),
    Row(T.REQUEST_PUSHED,             _PUSHING,     S.AWAITING_CALLBACK,   server.await_callback_of_pushed),
    Row(T.PUSH_FAILED,                _PUSHING,     S.FAILED,              fail),
    Row(T.REQUEST_REFUSED,            _ARRANGING,   STAY,                  answer),
    Row(T.HTTPS_ATTEMPTED,            _ARRANGING,   STAY,                  report_https),
    Row(T.SUCCESS_PAGE_REQUESTED,     _ARRANGING,   STAY,                  answer_not_found),
    Row(T.CALLBACK_MISMATCHED,        _ARRANGING,   STAY,                  answer_mismatch),
    Row(T.CALLBACK_FROM_OTHER_USER,   _ARRANGING,   STAY,                  answer_other_user),
    # The address for the person is not known yet, so no browser can have this login's state.
    Row(T.CALLBACK_ISSUER_MISMATCHED, _ARRANGING,   STAY,                  answer_not_found),
    Row(T.CALLBACK_DENIED,            _ARRANGING,   STAY,                  answer_not_found),
    Row(T.CALLBACK_WITHOUT_CODE,      _ARRANGING,   STAY,                  answer_not_found),
    Row(T.CALLBACK_ACCEPTED,          _ARRANGING,   STAY,                  answer_not_found),

    # The person is in the browser
    Row(T.BROWSER_OPENED,             _LISTENING,   STAY,                  report_browser_opened),
    Row(T.BROWSER_FAILED,             _LISTENING,   STAY,                  report_browser_failed),
    Row(T.START_PAGE_REQUESTED,       _WAITING,     STAY,                  send_to_provider),
    Row(T.KEYS_RECEIVED,              _AHEAD,       STAY,                  server.keep_keys),
    Row(T.KEYS_UNAVAILABLE,           _AHEAD,       STAY,                  server.report_keys_delayed),
    Row(T.REQUEST_REFUSED,            _LISTENING,   STAY,                  answer),
    Row(T.HTTPS_ATTEMPTED,            _LISTENING,   STAY,                  report_https),
    Row(T.SUCCESS_PAGE_REQUESTED,     _LISTENING,   STAY,                  answer_not_found),
    Row(T.CALLBACK_MISMATCHED,        _LISTENING,   STAY,                  answer_mismatch),
    Row(T.CALLBACK_FROM_OTHER_USER,   _LISTENING,   STAY,                  answer_other_user),
    Row(T.CALLBACK_ISSUER_MISMATCHED, _WAITING,     S.FAILED,              fail),
    Row(T.CALLBACK_DENIED,            _WAITING,     S.FAILED,              fail),
    Row(T.CALLBACK_WITHOUT_CODE,      _WAITING,     S.FAILED,              fail),
    Row(T.CALLBACK_CLIENT_REFUSED,    _WAITING,     S.FAILED,              fail),
    Row(T.CALLBACK_ACCEPTED,          _WAITING,     S.EXCHANGING_CODE,     exchange_code),
    Row(T.CLIENT_CONFIRMED,           _WAITING,     S.SAVING_CLIENT,       save_client),
    Row(T.REGISTRATION_SAVED,         _CLIENT,      S.EXCHANGING_CODE,     exchange_code_of_client),
    Row(T.REGISTRATION_SAVE_FAILED,   _CLIENT,      S.FAILED,              fail),
    Row(T.CALLBACK_REPEATED,          _BUSY,        STAY,                  join_wait),
    Row(T.CALLBACK_CONFLICTED,        _BUSY,        STAY,                  answer_conflict),
    Row(T.PASTE_REFUSED,              _LISTENING,   STAY,                  report_paste_refused),
    Row(T.DEADLINE_PASSED,            _WAITING,     S.FAILED,              fail),
    Row(T.CANCEL_REQUESTED,           _CANCELLABLE, S.CANCELLED,           cancel),
    Row(T.CANCEL_REQUESTED,           _SAVING,      STAY,                  answer_too_late),

    # Code to tokens to file
    Row(T.TOKENS_RECEIVED,            _CODE,        S.EXCHANGING_API_KEY,  exchange_api_key,  wants_api_key),
    Row(T.TOKENS_RECEIVED,            _CODE,        S.SAVING_CREDENTIALS,  save),
    Row(T.KEYS_NEEDED,                _CODE,        S.FETCHING_KEYS,       server.fetch_keys),
    Row(T.TOKENS_RECEIVED,            _KEYS,        S.EXCHANGING_API_KEY,  exchange_api_key,  wants_api_key),
    Row(T.TOKENS_RECEIVED,            _KEYS,        S.SAVING_CREDENTIALS,  save),
    Row(T.KEYS_UNAVAILABLE,           _KEYS,        S.FAILED,              fail),
    Row(T.ID_TOKEN_REFUSED,           _KEYS,        S.FAILED,              fail),
    Row(T.SCOPE_MISSING,              _KEYS,        S.FAILED,              fail),
    Row(T.WORKSPACE_REFUSED,          _KEYS,        S.FAILED,              fail),
    Row(T.TOKEN_REQUEST_TIMED_OUT,    _CODE,        S.FAILED,              fail),
    Row(T.TOKEN_ENDPOINT_UNREACHABLE, _CODE,        S.FAILED,              fail),
    Row(T.TOKEN_REQUEST_BROKEN,       _CODE,        S.FAILED,              fail),
    Row(T.TOKEN_ENDPOINT_REJECTED,    _CODE,        S.FAILED,              fail),
    Row(T.CLIENT_REFUSED,             _CODE,        S.FAILED,              doubt_client),
    Row(T.TOKEN_RESPONSE_MALFORMED,   _CODE,        S.FAILED,              fail),
    Row(T.ID_TOKEN_REFUSED,           _CODE,        S.FAILED,              fail),
    Row(T.SCOPE_MISSING,              _CODE,        S.FAILED,              fail),
    Row(T.WORKSPACE_REFUSED,          _CODE,        S.FAILED,              fail),
    Row(T.API_KEY_RECEIVED,           _API_KEY,     S.SAVING_CREDENTIALS,  save_with_api_key),
    Row(T.API_KEY_UNAVAILABLE,        _API_KEY,     S.SAVING_CREDENTIALS,  save_without_api_key),
    Row(T.CREDENTIALS_SAVED,          _SAVING,      S.SUCCEEDED,           succeed),
    Row(T.SAVE_FAILED,                _SAVING,      S.FAILED,              fail),
    Row(T.CLIENT_GONE,                _BUSY,        STAY,                  forget_waiting),

    # A device code instead of a callback
    Row(T.STARTED_WITH_DEVICE_CODE,   _IDLE,        S.REGISTERING,         server.register_for_device_code,
        server.must_register),
    Row(T.STARTED_WITH_DEVICE_CODE,   _IDLE,        S.REQUESTING_DEVICE_CODE, request_device_code),
    Row(T.DEVICE_CODE_NOT_ENABLED,    _REQUESTING,  S.BINDING,             use_browser_instead, may_use_browser),
    Row(T.DEVICE_CODE_NOT_ENABLED,    _REQUESTING,  S.FAILED,              fail),
    Row(T.DEVICE_CODE_REFUSED,        _REQUESTING,  S.FAILED,              fail),
    Row(T.DEVICE_CODE_POSTPONED,      _REQUESTING,  STAY,                  request_code_later),
    Row(T.CODE_REQUEST_DUE,           _REQUESTING,  STAY,                  request_device_code),
    Row(T.TOKEN_REQUEST_TIMED_OUT,    _REQUESTING,  S.FAILED,              fail),
    Row(T.TOKEN_ENDPOINT_UNREACHABLE, _REQUESTING,  S.FAILED,              fail),
    Row(T.TOKEN_REQUEST_BROKEN,       _REQUESTING,  S.FAILED,              fail),
    Row(T.TOKEN_RESPONSE_MALFORMED,   _REQUESTING,  S.FAILED,              fail),
    Row(T.DEVICE_CODE_RECEIVED,       _REQUESTING,  S.POLLING_DEVICE_CODE, show_device_code),
    Row(T.POLL_DUE,                   _POLLING,     STAY,                  poll),
    Row(T.DEVICE_CODE_PENDING,        _POLLING,     STAY,                  poll_later),
    Row(T.SLOW_DOWN_REQUESTED,        _POLLING,     STAY,                  poll_more_slowly),
    Row(T.POLL_FAILED,                _POLLING,     STAY,                  poll_after_trouble),
    Row(T.DEVICE_CODE_AUTHORIZED,     _POLLING,     S.EXCHANGING_CODE,     exchange_device_code),
    Row(T.KEYS_NEEDED,                _POLLING,     S.FETCHING_KEYS,       server.fetch_keys),
    Row(T.TOKENS_RECEIVED,            _POLLING,     S.SAVING_CREDENTIALS,  save),
    Row(T.DEVICE_CODE_DENIED,         _POLLING,     S.FAILED,              fail),
    Row(T.DEVICE_CODE_EXPIRED,        _POLLING,     S.FAILED,              fail),
    Row(T.DEADLINE_PASSED,            _POLLING,     S.FAILED,              fail),
    Row(T.TOKEN_RESPONSE_MALFORMED,   _POLLING,     S.FAILED,              fail),
    Row(T.ID_TOKEN_REFUSED,           _POLLING,     S.FAILED,              fail),
    Row(T.SCOPE_MISSING,              _POLLING,     S.FAILED,              fail),
    Row(T.WORKSPACE_REFUSED,          _POLLING,     S.FAILED,              fail),

    # The outcome is known; the last pages go out
    Row(T.REQUEST_REFUSED,            FINAL_STATES, STAY,                  answer),
    Row(T.CALLBACK_MISMATCHED,        FINAL_STATES, STAY,                  answer),
    Row(T.CALLBACK_FROM_OTHER_USER,   FINAL_STATES, STAY,                  answer),
    Row(T.CALLBACK_REPEATED,          _SUCCEEDED,   STAY,                  redirect),
    Row(T.CALLBACK_CONFLICTED,        _SUCCEEDED,   STAY,                  answer_conflict),
    Row(T.SUCCESS_PAGE_REQUESTED,     _SUCCEEDED,   STAY,                  answer_success),
    Row(T.SUCCESS_PAGE_REQUESTED,     _OVER,        STAY,                  answer_not_found),
    Row(T.CALLBACK_ISSUER_MISMATCHED, _OVER,        STAY,                  answer_over),
    Row(T.CALLBACK_DENIED,            _OVER,        STAY,                  answer_over),
    Row(T.CALLBACK_WITHOUT_CODE,      _OVER,        STAY,                  answer_over),
    Row(T.CALLBACK_CLIENT_REFUSED,    _OVER,        STAY,                  answer_over),
    Row(T.CALLBACK_ACCEPTED,          _OVER,        STAY,                  answer_over),
    Row(T.CLIENT_CONFIRMED,           _OVER,        STAY,                  answer_over),
    Row(T.CALLBACK_REPEATED,          _OVER,        STAY,                  answer_over),
    Row(T.CALLBACK_CONFLICTED,        _OVER,        STAY,                  answer_over),
    Row(T.CANCEL_REQUESTED,           FINAL_STATES, STAY,                  answer_too_late),
    Row(T.PAGE_SENT,                  FINAL_STATES, STAY,                  note_page_sent),
    Row(T.CLIENT_GONE,                FINAL_STATES, STAY,                  note_client_gone),
    Row(T.LINGER_OVER,                FINAL_STATES, STAY,                  close),
)
# fmt: on

"""The texts of docs/state-diagram.md: what each trigger means, some stories, and the page around the drawings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..login.device_code.effects import may_use_browser
from ..login.effects import wants_api_key
from ..login.port.effects import has_fallback, may_bind_again, may_cancel_previous
from ..login.server import effects as server
from ..login.states import LoginState, Trigger
from ..login.web.effects import has_own_address
from .rendering import Story

if TYPE_CHECKING:
    from collections.abc import Mapping

S, T = LoginState, Trigger

# fmt: off
MEANING: Final[Mapping[str, str]] = {
    T.STARTED:                    "the host starts the login",
    T.STARTED_WITH_DEVICE_CODE:   "the host starts a login with a device code",
    T.RESOURCE_METADATA_RECEIVED: "the resource's metadata came, which names the provider",
    T.METADATA_RECEIVED:          "the provider's metadata came, with the endpoints that are needed",
    T.METADATA_NOT_FOUND:         "there is no metadata at this address",
    T.DISCOVERY_FAILED:           "the metadata of the resource or the provider cannot be read or used",
    T.CLIENT_REGISTERED:          "the provider has registered a client",
    T.REGISTRATION_FAILED:        "the provider registers no client",
    T.REGISTRATION_SAVED:         "the registration is stored durably",
    T.REGISTRATION_SAVE_FAILED:   "the registration could not be stored",
    T.REQUEST_PUSHED:             "the provider has taken the authorization request",
    T.PUSH_FAILED:                "the provider has not taken the authorization request",
    T.KEYS_RECEIVED:              "the provider's keys came",
    T.KEYS_NEEDED:                "tokens came, and the keys that verify the id token are not there",
    T.KEYS_UNAVAILABLE:           "the provider's keys cannot be fetched or used",
    T.BOUND:                      "the callback port is open",
    T.PORT_TAKEN:                 "another program holds the port",
    T.PORT_FORBIDDEN:             "the system does not allow this port",
    T.BIND_FAILED:                "the port cannot be opened for some other reason",
    T.PREVIOUS_CANCELLED:         "the login server that holds the port will free it",
    T.PREVIOUS_REFUSED:           "the program that holds the port keeps it",
    T.RETRY_DUE:                  "the pause before the next attempt is over",
    T.BROWSER_OPENED:             "the browser was launched",
    T.BROWSER_FAILED:             "the browser could not be launched",
    T.DEADLINE_PASSED:            "the person did not come back in time",
    T.CANCEL_REQUESTED:           "the host, or another login server, cancels the login",
    T.REQUEST_REFUSED:            "a request that breaks a rule of the listener, or asks for another page",
    T.HTTPS_ATTEMPTED:            "a browser insists on https",
    T.CALLBACK_MISMATCHED:        "a callback without this login's state",
    T.CALLBACK_FROM_OTHER_USER:   "a callback with this login's state from a process of another user",
    T.CALLBACK_DENIED:            "the provider sends an error",
    T.CALLBACK_WITHOUT_CODE:      "a callback without a usable code",
    T.CLIENT_REFUSED:             "the token endpoint does not accept the client that the provider has issued",
    T.CALLBACK_ISSUER_MISMATCHED: "a callback that does not name the right issuer",
    T.CALLBACK_CLIENT_REFUSED:    "a callback that does not name the client that exchanges its code",
    T.CLIENT_CONFIRMED:           "a callback with this login's state, a code, and the client that exchanges it",
    T.START_PAGE_REQUESTED:       "the browser comes to the start page",
    T.CALLBACK_ACCEPTED:          "a callback with this login's state and a code",
    T.CALLBACK_REPEATED:          "the accepted callback once more",
    T.CALLBACK_CONFLICTED:        "a different callback, when one was accepted already",
    T.PASTE_REFUSED:              "a pasted address that is not this login's callback",
    T.SUCCESS_PAGE_REQUESTED:     "a request for this login's success page",
    T.DEVICE_CODE_POSTPONED:      "the provider has had too many requests, and gives no code at the moment",
    T.CODE_REQUEST_DUE:           "it is time to ask for a code again",
    T.DEVICE_CODE_RECEIVED:       "the provider gives a code for the person to enter",
    T.DEVICE_CODE_NOT_ENABLED:    "the provider has no device codes",
    T.DEVICE_CODE_REFUSED:        "the provider gives no device code",
    T.POLL_DUE:                   "it is time to ask whether the person has entered the code",
    T.DEVICE_CODE_PENDING:        "the person has not entered the code yet",
    T.SLOW_DOWN_REQUESTED:        "the provider asks for longer intervals",
    T.POLL_FAILED:                "the provider does not answer at the moment",
    T.DEVICE_CODE_AUTHORIZED:     "the person has entered the code, and an authorization code came",
    T.DEVICE_CODE_DENIED:         "the person or the provider refused the code",
    T.DEVICE_CODE_EXPIRED:        "the code is no longer valid",
    T.TOKENS_RECEIVED:            "tokens came, passed the checks, and are for an allowed workspace",
    T.TOKEN_REQUEST_TIMED_OUT:    "the token endpoint did not answer in time",
    T.TOKEN_ENDPOINT_UNREACHABLE: "there is no connection to the token endpoint",
    T.TOKEN_REQUEST_BROKEN:       "the connection to the token endpoint broke",
    T.TOKEN_ENDPOINT_REJECTED:    "the token endpoint refused the request",
    T.TOKEN_RESPONSE_MALFORMED:   "the response of the token endpoint cannot be used",
    T.ID_TOKEN_REFUSED:           "the id token did not pass the checks",
    T.SCOPE_MISSING:              "a scope that the caller requires was not granted",
    T.WORKSPACE_REFUSED:          "the account is not in an allowed workspace",
    T.API_KEY_RECEIVED:           "the API key came",
    T.API_KEY_UNAVAILABLE:        "the provider gives no API key",
    T.CREDENTIALS_SAVED:          "the credentials are stored durably",
    T.SAVE_FAILED:                "the credentials could not be stored",
    T.PAGE_SENT:                  "a last page was sent",
    T.CLIENT_GONE:                "a browser left before it had its response",
    T.LINGER_OVER:                "the time for last pages is over",
}
# fmt: on


STORIES: Final = (
    Story(
        "Two tabs come back at once",
        "The code is exchanged once. The same callback again waits for the same answer. A callback "
        "with another code gets a page that says so.",
        S.AWAITING_CALLBACK,
        (T.CALLBACK_ACCEPTED, T.CALLBACK_REPEATED, T.CALLBACK_CONFLICTED, T.TOKENS_RECEIVED, T.CREDENTIALS_SAVED),
    ),
    Story(
        "An older login still holds the port",
        "It is asked once to stop, and gets a few moments to do so.",
        S.IDLE,
        (T.STARTED, T.PORT_TAKEN, T.PREVIOUS_CANCELLED, T.RETRY_DUE, T.PORT_TAKEN, T.RETRY_DUE, T.BOUND),
        (may_cancel_previous, may_bind_again),
    ),
    Story(
        "Another program holds the port, and the fallback port is taken too",
        "The other registered port is tried once. Its holder is not asked to stop.",
        S.IDLE,
        (T.STARTED, T.PORT_TAKEN, T.PREVIOUS_REFUSED, T.PORT_TAKEN),
        (may_cancel_previous, has_fallback),
    ),
    Story(
        "The login belongs to a web host, which receives the callback itself",
        "There is no port. The host sends the browser to the provider, and may suspend the login until the callback "
        "comes.",
        S.IDLE,
        (T.STARTED, T.CALLBACK_MISMATCHED, T.CALLBACK_ACCEPTED, T.TOKENS_RECEIVED, T.CREDENTIALS_SAVED),
        (has_own_address,),
    ),
    Story(
        "A stray page or an old tab calls the listener",
        "It gets its response, and the login goes on.",
        S.AWAITING_CALLBACK,
        (T.REQUEST_REFUSED, T.SUCCESS_PAGE_REQUESTED, T.CALLBACK_MISMATCHED, T.CALLBACK_ACCEPTED),
    ),
    Story(
        "The person closes the tab too early",
        "Once the code has come, the login no longer needs the browser.",
        S.EXCHANGING_CODE,
        (T.CLIENT_GONE, T.TOKENS_RECEIVED, T.CREDENTIALS_SAVED),
    ),
    Story(
        "The provider gives no API key",
        "The key is optional: the login goes on without it.",
        S.EXCHANGING_CODE,
        (T.TOKENS_RECEIVED, T.API_KEY_UNAVAILABLE, T.CREDENTIALS_SAVED),
        (wants_api_key,),
    ),
    Story(
        "Tokens arrive after the login was cancelled",
        "They are ignored, and nothing is stored.",
        S.EXCHANGING_CODE,
        (T.CANCEL_REQUESTED, T.TOKENS_RECEIVED, T.PAGE_SENT),
    ),
    Story(
        "The caller cancels while the credentials are being stored",
        "It is too late. A login never ends as cancelled with its credentials written.",
        S.SAVING_CREDENTIALS,
        (T.CANCEL_REQUESTED, T.CREDENTIALS_SAVED),
    ),
    Story(
        "The browser is on another machine, and the person pastes the address on which it ended",
        "The address is judged like a callback. The person reads what is wrong with it, and pastes again.",
        S.AWAITING_CALLBACK,
        (T.PASTE_REFUSED, T.CALLBACK_ACCEPTED, T.CALLBACK_REPEATED, T.TOKENS_RECEIVED, T.CREDENTIALS_SAVED),
    ),
    Story(
        "The person pastes the address of an older sign-in",
        "The person reads that it belongs to another sign-in, and nothing is sent. The login goes on: the right "
        "address, or the browser itself, may still come.",
        S.AWAITING_CALLBACK,
        (T.PASTE_REFUSED, T.CALLBACK_ACCEPTED),
    ),
    Story(
        "The person enters a device code, and the network fails for a while",
        "The provider is polled, at longer intervals when it asks for them or does not answer.",
        S.IDLE,
        (
            *(T.STARTED_WITH_DEVICE_CODE, T.DEVICE_CODE_POSTPONED, T.CODE_REQUEST_DUE, T.DEVICE_CODE_RECEIVED),
            *(T.POLL_DUE, T.DEVICE_CODE_PENDING, T.POLL_DUE, T.SLOW_DOWN_REQUESTED, T.POLL_DUE, T.POLL_FAILED),
            *(T.POLL_DUE, T.DEVICE_CODE_AUTHORIZED, T.TOKENS_RECEIVED, T.CREDENTIALS_SAVED),
        ),
    ),
    Story(
        "The person does not enter the device code in time",
        "The login ends when the code expires. A refusal by the person or the provider ends it too, and so does the "
        "caller's own deadline.",
        S.POLLING_DEVICE_CODE,
        (T.POLL_DUE, T.DEVICE_CODE_PENDING, T.DEVICE_CODE_EXPIRED),
    ),
    Story(
        "Device codes are not enabled",
        "The login goes on in the browser, if the caller allows that.",
        S.IDLE,
        (T.STARTED_WITH_DEVICE_CODE, T.DEVICE_CODE_NOT_ENABLED, T.BOUND, T.CALLBACK_ACCEPTED),
        (may_use_browser,),
    ),
    Story(
        "The endpoints of the provider are in its metadata, and it registers clients",
        "The metadata is read first, at the address of OpenID Connect, then at those of RFC 8414. The client is stored "
        "before it is used, so that the next login uses it too.",
        S.IDLE,
        (
            *(T.STARTED, T.METADATA_NOT_FOUND, T.METADATA_RECEIVED, T.BOUND, T.CLIENT_REGISTERED),
            *(T.REGISTRATION_SAVED, T.REQUEST_PUSHED, T.KEYS_RECEIVED, T.CALLBACK_ACCEPTED, T.TOKENS_RECEIVED),
        ),
        (server.needs_metadata, server.has_other_address, server.must_register, server.must_push),
    ),
    Story(
        "A protected resource, such as an MCP server, names its provider",
        "Its metadata may be at several addresses. A resource that has none is its own provider.",
        S.IDLE,
        (T.STARTED, T.METADATA_NOT_FOUND, T.RESOURCE_METADATA_RECEIVED, T.METADATA_RECEIVED, T.BOUND),
        (server.needs_resource_metadata, server.has_other_resource_address),
    ),
    Story(
        "The provider has changed its keys since they were fetched",
        "They are fetched once more, while the tokens and the browser wait.",
        S.AWAITING_CALLBACK,
        (T.KEYS_RECEIVED, T.CALLBACK_ACCEPTED, T.KEYS_NEEDED, T.TOKENS_RECEIVED, T.CREDENTIALS_SAVED),
    ),
    Story(
        "The callback is reloaded after the login has succeeded",
        "It redirects to the success page again, as long as the listener is open.",
        S.SUCCEEDED,
        (T.CALLBACK_REPEATED, T.PAGE_SENT, T.SUCCESS_PAGE_REQUESTED, T.PAGE_SENT),
    ),
)


DOCUMENT: Final = """\
<!-- Made from src/sansio/login/table.py by `make diagram`. Changes made here are lost. -->

# The states of a login

A login waits in one state for the next event. The event selects a row of
[the table](../src/sansio/login/table.py): its effect is performed, and the login moves to the state that the row names.
The table holds every rule about order. This page is drawn from it, and a test fails when the two differ.

```mermaid
{overview}```

Only `credentials_saved` leads to success: the credentials are durable before the caller gets them. After
`callback_accepted` the browser decides nothing, and the deadline has stopped. A pasted address with this login's state
is a callback like any other. On the right is the login with a device code, which needs no port. In
`polling_device_code` the provider is polled.

## What is fetched about the provider

The default provider has known endpoints and a known client. Elsewhere a login may first have to read the provider's
metadata, register a client, and push its authorization request. The provider's keys are fetched in
`awaiting_callback`, without a state of their own. Only tokens that come before the keys, or with an unknown key, wait
for them in `fetching_keys`. These are the same states and rows of the same table, in a drawing of their own.

```mermaid
{provider}```

## How a login ends early

On the right is the category of the failure, as the person, the log and scripts see it.

```mermaid
{failures}```

## How to read it

- An arrow says `event [guard] / effect`: when the event comes and the guard holds, the effect is performed and the
  login follows the arrow. Rows are tried from top to bottom. The last row for an event has no guard.
- Events with the same effect share an arrow. The effect stands below them.
- Text inside a box is an arrow from the box to itself: `binding` tries its other port.
- A dashed edge marks a state that can fail. A dotted box stands for several states. Unfinished states are all but the
  three final ones, which are never left. In the tables, "one state to another" includes the states between them, in the
  order of the first drawing.
- The events here are meanings (triggers). The same HTTP request, or pasted address, may mean `callback_accepted`,
  `callback_repeated` or `callback_mismatched`. That is decided before the table is used.
- An event without a row is a mistake of the host: `UnexpectedEvent` is raised, and nothing has changed. In a final
  state it is ignored instead, because events may be late.
- `loginmachine diagram --format svg` draws everything as one picture, with Graphviz. `--highlight trace.jsonl`
  highlights the path of [a recorded login](replay.md), with the arrows numbered in the order in which they were taken.
- Tokens are refreshed by another machine: [the states of a refresh](refresh-diagram.md).

## What happens when ...

{stories}

## Every row that leads to a state

{moves}

The guards:

{guards}

## Every row that stays where it is

These rows are not drawn. Their effects answer a request or note something, and the login stays in its state.

{stays}
"""

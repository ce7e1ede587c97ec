"""The words around the drawings of `diagram`: what a trigger means, some stories, the frame of the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..login.states import LoginState, Trigger
from .rendering import Story

if TYPE_CHECKING:
    from collections.abc import Mapping

S, T = LoginState, Trigger

# fmt: off
MEANING: Final[Mapping[str, str]] = {
    T.STARTED:                    "the host starts the login",
    T.STARTED_WITH_DEVICE_CODE:   "the host starts a login with a device code",
    T.BOUND:                      "the callback port is open",
    T.PORT_TAKEN:                 "another program holds the port",
    T.PORT_FORBIDDEN:             "the system does not give this port away",
    T.BIND_FAILED:                "the port cannot be opened for some other reason",
    T.PREVIOUS_CANCELLED:         "the login server that held the port gives way",
    T.PREVIOUS_REFUSED:           "whoever holds the port does not give way",
    T.RETRY_DUE:                  "the pause before the next attempt is over",
    T.BROWSER_OPENED:             "the browser was launched",
    T.BROWSER_FAILED:             "the browser could not be launched",
    T.DEADLINE_PASSED:            "nobody came back in time",
    T.CANCEL_REQUESTED:           "the host, or another login server, asks for an end",
    T.REQUEST_REFUSED:            "a request that breaks the listener's rules or asks for no page of ours",
    T.CALLBACK_MISMATCHED:        "a callback without this login's state",
    T.CALLBACK_DENIED:            "the provider says no",
    T.CALLBACK_WITHOUT_CODE:      "a callback without a usable code",
    T.CALLBACK_ISSUER_MISMATCHED: "a callback that does not name the right issuer",
    T.CALLBACK_ACCEPTED:          "a callback with this login's state and a code",
    T.CALLBACK_REPEATED:          "the accepted callback once more",
    T.CALLBACK_CONFLICTED:        "a different callback, when one was accepted already",
    T.PASTE_REFUSED:              "a pasted address that is not this login's callback",
    T.SUCCESS_PAGE_REQUESTED:     "somebody asks for the success page",
    T.DEVICE_CODE_RECEIVED:       "there is a code for the person to enter",
    T.DEVICE_CODE_NOT_ENABLED:    "the provider has no device codes",
    T.DEVICE_CODE_REFUSED:        "the provider gives no device code",
    T.POLL_DUE:                   "it is time to ask whether the code was used",
    T.DEVICE_CODE_PENDING:        "the code was not used yet",
    T.SLOW_DOWN_REQUESTED:        "the provider wants to be asked less often",
    T.POLL_FAILED:                "the provider cannot be asked at the moment",
    T.DEVICE_CODE_AUTHORIZED:     "the code was used, and an authorization code is there",
    T.DEVICE_CODE_DENIED:         "the person or the provider says no to the code",
    T.DEVICE_CODE_EXPIRED:        "the code is not valid any more",
    T.TOKENS_RECEIVED:            "good tokens, checked, for an allowed workspace",
    T.TOKEN_REQUEST_TIMED_OUT:    "the token endpoint does not answer in time",
    T.TOKEN_ENDPOINT_UNREACHABLE: "no connection to the token endpoint",
    T.TOKEN_REQUEST_BROKEN:       "the connection to the token endpoint breaks",
    T.TOKEN_ENDPOINT_REJECTED:    "the token endpoint says no",
    T.TOKEN_RESPONSE_MALFORMED:   "the token endpoint's answer cannot be used",
    T.ID_TOKEN_REFUSED:           "the id token does not pass the checks",
    T.WORKSPACE_REFUSED:          "the account is in no allowed workspace",
    T.API_KEY_RECEIVED:           "the API key is there",
    T.API_KEY_UNAVAILABLE:        "there is no API key to be had",
    T.CREDENTIALS_SAVED:          "the credentials are stored for good",
    T.SAVE_FAILED:                "the credentials could not be stored",
    T.PAGE_SENT:                  "a browser has its last page",
    T.CLIENT_GONE:                "a browser left before it had its answer",
    T.LINGER_OVER:                "the time for last pages is up",
}
# fmt: on


STORIES: Final = (
    Story(
        "Two tabs come back at once",
        "The code is exchanged once. The same callback again waits for the same answer. One with another code is told "
        "that the sign-in is already being completed.",
        S.AWAITING_CALLBACK,
        (T.CALLBACK_ACCEPTED, T.CALLBACK_REPEATED, T.CALLBACK_CONFLICTED, T.TOKENS_RECEIVED, T.CREDENTIALS_SAVED),
    ),
    Story(
        "An older login still holds the port",
        "It is asked once to give way. Then it gets a few moments.",
        S.IDLE,
        (T.STARTED, T.PORT_TAKEN, T.PREVIOUS_CANCELLED, T.RETRY_DUE, T.PORT_TAKEN, T.RETRY_DUE, T.BOUND),
        ("may_cancel_previous", "may_bind_again"),
    ),
    Story(
        "A stranger holds the port, and the fallback is taken too",
        "The other registered port is tried once, and nobody is asked to leave it.",
        S.IDLE,
        (T.STARTED, T.PORT_TAKEN, T.PREVIOUS_REFUSED, T.PORT_TAKEN),
        ("may_cancel_previous", "has_fallback"),
    ),
    Story(
        "A stray page or an old tab calls the listener",
        "It gets its answer, and the login goes on as if nothing had been.",
        S.AWAITING_CALLBACK,
        (T.REQUEST_REFUSED, T.SUCCESS_PAGE_REQUESTED, T.CALLBACK_MISMATCHED, T.CALLBACK_ACCEPTED),
    ),
    Story(
        "The person closes the tab too early",
        "Once the code has come, the login does not need the browser.",
        S.EXCHANGING_CODE,
        (T.CLIENT_GONE, T.TOKENS_RECEIVED, T.CREDENTIALS_SAVED),
    ),
    Story(
        "The provider gives no API key",
        "It is worth asking for, and not worth failing for.",
        S.EXCHANGING_CODE,
        (T.TOKENS_RECEIVED, T.API_KEY_UNAVAILABLE, T.CREDENTIALS_SAVED),
        ("wants_api_key",),
    ),
    Story(
        "Tokens arrive after the login was cancelled",
        "They are dropped, and nothing is stored.",
        S.EXCHANGING_CODE,
        (T.CANCEL_REQUESTED, T.TOKENS_RECEIVED, T.PAGE_SENT),
    ),
    Story(
        "Somebody cancels while the credentials are being stored",
        "It is too late: no login ends as cancelled with its credentials written.",
        S.SAVING_CREDENTIALS,
        (T.CANCEL_REQUESTED, T.CREDENTIALS_SAVED),
    ),
    Story(
        "The browser is on another machine, and the person pastes the address on which it ended",
        "It is judged as a callback is. What is wrong with an address is said, and the person pastes again.",
        S.AWAITING_CALLBACK,
        (T.PASTE_REFUSED, T.CALLBACK_ACCEPTED, T.CALLBACK_REPEATED, T.TOKENS_RECEIVED, T.CREDENTIALS_SAVED),
    ),
    Story(
        "The person pastes the address of an older sign-in",
        "They are told that it is not this one's, and nothing is sent anywhere. The login goes on: the right address, "
        "or the browser itself, may still come.",
        S.AWAITING_CALLBACK,
        (T.PASTE_REFUSED, T.CALLBACK_ACCEPTED),
    ),
    Story(
        "The person enters a device code, and the network fails for a while",
        "The provider is asked again and again, at longer intervals when it wants that or does not answer.",
        S.IDLE,
        (
            *(T.STARTED_WITH_DEVICE_CODE, T.DEVICE_CODE_RECEIVED, T.POLL_DUE, T.DEVICE_CODE_PENDING),
            *(T.POLL_DUE, T.SLOW_DOWN_REQUESTED, T.POLL_DUE, T.POLL_FAILED),
            *(T.POLL_DUE, T.DEVICE_CODE_AUTHORIZED, T.TOKENS_RECEIVED, T.CREDENTIALS_SAVED),
        ),
    ),
    Story(
        "Nobody enters the device code in time",
        "The login ends with the code. A refusal by the person or the provider ends it too, and so does the caller's "
        "own deadline.",
        S.POLLING_DEVICE_CODE,
        (T.POLL_DUE, T.DEVICE_CODE_PENDING, T.DEVICE_CODE_EXPIRED),
    ),
    Story(
        "Device codes are not enabled",
        "The login goes on in the browser, if the caller allows that.",
        S.IDLE,
        (T.STARTED_WITH_DEVICE_CODE, T.DEVICE_CODE_NOT_ENABLED, T.BOUND, T.CALLBACK_ACCEPTED),
        ("may_use_browser",),
    ),
    Story(
        "The callback is reloaded when all is done",
        "It leads to the success page again, as long as the listener is there.",
        S.SUCCEEDED,
        (T.CALLBACK_REPEATED, T.PAGE_SENT, T.SUCCESS_PAGE_REQUESTED, T.PAGE_SENT),
    ),
)


DOCUMENT: Final = """\
<!-- Made from src/sansio/login/table.py by `make diagram`. Changes made here are lost. -->

# The way of a login

A login rests in one state until the host says what happened. Then it looks up its row in
[the table](../src/sansio/table.py), does what the row says, and rests again. That table holds every rule about order.
This page is drawn from it, and a test fails when the two differ.

```mermaid
{overview}```

Only `credentials_saved` leads to success: the credentials are stored for good before anybody hears of it. The browser
decides nothing after `callback_accepted`, and the deadline counts up to there. A pasted address with this login's state
is a callback like any other. On the right is the way with a device code, which needs no port; in
`polling_device_code` the provider is asked again and again.

## How it ends early

On the right is what the person, the logs and scripts get to know: the category of the failure.

```mermaid
{failures}```

## How to read it

- An arrow says `event [guard] / effect`: when the event comes, and if the guard holds, the effect is done and the login
  goes along the arrow. Rows are tried from top to bottom; the last row for an event has no guard.
- Events that have the same effect share an arrow, and the effect stands below them.
- Words inside a box are an arrow from the box to itself: `binding` tries its other port.
- A dashed edge marks a state that can fail. A dotted box stands for several states. A state is unfinished if it is not
  one of the three final ones, which are never left. In the tables, one state to another means those between them too,
  down the main road.
- An event is not what comes over the wire but what it means: one and the same HTTP request, or pasted address, may be
  `callback_accepted`, `callback_repeated` or `callback_mismatched`. That is decided before the table is asked.
- An event without a row is a mistake of the host: `UnexpectedEvent` is raised, and nothing has changed. In a final
  state it is dropped instead, because the world may be late.
- `loginmachine diagram --format svg` draws all of it as one picture, with Graphviz. `--highlight trace.jsonl` paints
  the way of [a recorded login](replay.md) on it, with the arrows numbered in the order in which they were taken.
- How tokens are renewed later is the business of another machine: [the way of a refresh](refresh-diagram.md).

## What happens when ...

{stories}

## Every row that leads somewhere

{moves}

The guards:

{guards}

## Every row that stays where it is

These are not drawn. Each gives somebody an answer or notes something, and leaves the login where it was.

{stays}
"""

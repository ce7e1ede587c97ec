"""The texts of docs/refresh-diagram.md: what each trigger means, some stories, and the page around the drawings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..refresh.effects import (
    adopt,
    deliver,
    deliver_refreshed,
    deliver_unsaved,
    keep,
    keep_for_good,
    keep_for_now,
    keep_last,
    may_wait,
    still_lasts,
)
from ..refresh.outcome import Delivery
from ..refresh.states import RefreshState, RefreshTrigger
from .rendering import Story

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

S, T = RefreshState, RefreshTrigger

# fmt: off
MEANING: Final[Mapping[str, str]] = {
    T.ACCESS_TOKEN_WANTED:        "the caller needs an access token",
    T.CREDENTIALS_CURRENT:        "the stored tokens need no refresh",
    T.CREDENTIALS_RENEWED:        "another process, or a new login, has stored others",
    T.CREDENTIALS_UNCHANGED:      "the store holds what it held before",
    T.CREDENTIALS_UNKNOWN:        "the store can no longer be read",
    T.CREDENTIALS_MISSING:        "nothing is stored",
    T.CREDENTIALS_UNREADABLE:     "the stored credentials cannot be understood",
    T.CREDENTIALS_UNSUPPORTED:    "the stored credentials give no token here",
    T.PROVIDER_MISMATCHED:        "another provider, or another client, has issued the stored tokens",
    T.REFRESH_DUE:                "the token ends soon, or is not wanted",
    T.REFRESH_TOO_EARLY:          "the provider accepts no refresh yet",
    T.VERIFICATION_DUE:           "the tokens of an earlier refresh wait for the keys",
    T.VERIFICATION_POSTPONED:     "the keys that the new tokens wait for cannot be fetched or used",
    T.REFRESH_HOPELESS:           "there is no refresh token, or it was refused before",
    T.SIGN_IN_ENDED:              "the refresh token was refused before, and the access token is still valid",
    T.REFRESH_POSTPONED:          "the last attempt was a moment ago, and the token is still valid",
    T.SAVE_DUE:                   "new tokens could not be stored before, and are to be stored now",
    T.LOCK_TAKEN:                 "from now on no other session refreshes the tokens",
    T.LOCK_BUSY:                  "another session holds the lock",
    T.LOCK_FAILED:                "the store cannot be locked",
    T.KEYS_RECEIVED:              "the provider's keys came",
    T.KEYS_UNAVAILABLE:           "the provider's keys cannot be fetched or used",
    T.TOKENS_RECEIVED:            "new tokens of the same account came",
    T.REFRESH_TOKEN_REFUSED:      "the provider refused the refresh token",
    T.CLIENT_REFUSED:             "the provider does not accept the client",
    T.ACCOUNT_CHANGED:            "the new id token is of another sign-in, or its signature is wrong",
    T.REFRESH_UNAVAILABLE:        "no response, or a passing refusal; or the tokens stored meanwhile have ended too",
    T.REFRESH_RESPONSE_MALFORMED: "the response cannot be used",
    T.CREDENTIALS_SAVED:          "the new tokens are stored durably",
    T.SAVE_FAILED:                "the new tokens could not be stored",
}

DELIVERY: Final[Mapping[Callable[[Any, Any], None], Delivery]] = {
    deliver:           Delivery.CURRENT,
    adopt:             Delivery.ADOPTED,
    keep:              Delivery.KEPT,
    keep_for_now:      Delivery.KEPT,
    keep_last:         Delivery.KEPT,
    keep_for_good:     Delivery.KEPT,
    deliver_refreshed: Delivery.REFRESHED,
    deliver_unsaved:   Delivery.REFRESHED,
}
"""The delivery that an effect reports. Tokens that are stored late are current: they were delivered before."""
# fmt: on

STORIES: Final = (
    Story(
        "Two programs refresh at once",
        "One refreshes. The other reads the store four times a second, and adopts the tokens that it finds there.",
        S.IDLE,
        (T.ACCESS_TOKEN_WANTED, T.REFRESH_DUE, T.LOCK_BUSY, T.REFRESH_DUE, T.LOCK_BUSY, T.CREDENTIALS_RENEWED),
        (may_wait,),
    ),
    Story(
        "The other program finished before the lock was taken",
        "The store is read again under the lock. No refresh token is sent without that.",
        S.IDLE,
        (T.ACCESS_TOKEN_WANTED, T.REFRESH_DUE, T.LOCK_TAKEN, T.CREDENTIALS_RENEWED),
    ),
    Story(
        "A person signs in while the request is under way",
        "The new sign-in stays. The refreshed tokens are dropped.",
        S.READING_AGAIN,
        (T.REFRESH_DUE, T.TOKENS_RECEIVED, T.CREDENTIALS_RENEWED),
    ),
    Story(
        "The provider cannot be reached, and the old token is still valid",
        "It is delivered once more. The next attempt is made after half a minute.",
        S.READING_AGAIN,
        (T.REFRESH_DUE, T.REFRESH_UNAVAILABLE),
        (still_lasts,),
    ),
    Story(
        "The refresh token is refused",
        "The store is read once more, because a program without locks may have used the token. If the store is "
        "unchanged, that refresh token is never sent again, by any program: the store remembers its digest. Only a new "
        "sign-in helps.",
        S.READING_AGAIN,
        (T.REFRESH_DUE, T.REFRESH_TOKEN_REFUSED, T.CREDENTIALS_UNCHANGED),
    ),
    Story(
        "The refresh token is refused, and the access token has minutes left",
        "It is delivered, with a warning.",
        S.READING_AGAIN,
        (T.REFRESH_DUE, T.REFRESH_TOKEN_REFUSED, T.CREDENTIALS_UNCHANGED),
        (still_lasts,),
    ),
    Story(
        "The next program asks for it",
        "The refresh token is not sent.",
        S.IDLE,
        (T.ACCESS_TOKEN_WANTED, T.SIGN_IN_ENDED),
    ),
    Story(
        "The disk is full when the new tokens come",
        "They are delivered, kept in memory with a warning, and stored by the next refresh that can.",
        S.READING_AGAIN,
        (T.REFRESH_DUE, T.TOKENS_RECEIVED, T.CREDENTIALS_UNCHANGED, T.SAVE_FAILED),
    ),
    Story(
        "The next refresh stores them",
        "Nothing is sent to the provider.",
        S.IDLE,
        (T.ACCESS_TOKEN_WANTED, T.SAVE_DUE, T.LOCK_TAKEN, T.SAVE_DUE, T.CREDENTIALS_SAVED),
    ),
)


DOCUMENT: Final = """\
<!-- Made from src/sansio/refresh/table.py by `make diagram`. Changes made here are lost. -->

# The states of a refresh

A refresh obtains one access token. It is a machine of its own, built like [that of a login](state-diagram.md), with
[a table of its own](../src/sansio/refresh/table.py). This page is drawn from that table, and a test fails when the two
differ. [The design of the machine](design/machine.md) has the reasons.

```mermaid
{overview}```

In each green box is where the token came from, as `loginmachine refresh --json` says it. `current`: it was stored, and
needs no refresh. `refreshed`: it was just received. `adopted`: another process, or a login, has just stored it.
`kept`: it is the old one, which is still valid. A dashed edge marks a state that can fail. The lock is held from
`reading_again` to the end.

## How a refresh fails

On the right is the category that is reported. The old tokens stay stored.

```mermaid
{failures}```

## How to read it

- An arrow says `event [guard] / effect`: when the event comes and the guard holds, the effect is performed and the
  refresh follows the arrow. Rows are tried from top to bottom. The last row for an event has no guard.
- Events with the same effect share an arrow. The effect stands below them.
- The events here are meanings (triggers). The same content of the store may mean `credentials_current`, `refresh_due`
  or `credentials_renewed`, depending on what was read before. That is decided before the table is used.
- An event without a row is a mistake of the host: `UnexpectedEvent` is raised, and nothing has changed.
- `succeeded` and `failed` are the final states. Each is drawn several times, and neither is ever left.

## What happens when ...

{stories}

## Every row

{moves}

The guards:

{guards}
"""

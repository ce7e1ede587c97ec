"""The words around the drawings of a refresh: what a trigger means, some stories, the frame of the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..refresh.outcome import Delivery
from ..refresh.table import RefreshState, RefreshTrigger
from .rendering import Story

if TYPE_CHECKING:
    from collections.abc import Mapping

S, T = RefreshState, RefreshTrigger

# fmt: off
MEANING: Final[Mapping[str, str]] = {
    T.ACCESS_TOKEN_WANTED:        "somebody needs an access token",
    T.CREDENTIALS_CURRENT:        "what is stored will do as it is",
    T.CREDENTIALS_RENEWED:        "another process, or a new login, has put others there",
    T.CREDENTIALS_UNCHANGED:      "the store holds what it held under the lock before",
    T.CREDENTIALS_UNKNOWN:        "the store cannot be read any more",
    T.CREDENTIALS_MISSING:        "nothing is stored",
    T.CREDENTIALS_UNREADABLE:     "what is stored cannot be understood",
    T.CREDENTIALS_UNSUPPORTED:    "what is stored gives no token here",
    T.REFRESH_DUE:                "the token ends soon, or is not wanted any more",
    T.REFRESH_HOPELESS:           "there is no refresh token, or it was refused before",
    T.REFRESH_POSTPONED:          "the last try was a moment ago, and the token still lasts",
    T.SAVE_DUE:                   "new tokens that could not be stored are still to be",
    T.LOCK_TAKEN:                 "from now on no other session renews the tokens",
    T.LOCK_BUSY:                  "another session holds the lock",
    T.LOCK_FAILED:                "the store cannot be locked at all",
    T.TOKENS_RECEIVED:            "new tokens, of the same account",
    T.REFRESH_TOKEN_REFUSED:      "the provider does not take the refresh token any more",
    T.ACCOUNT_CHANGED:            "the new tokens are of another account",
    T.REFRESH_UNAVAILABLE:        "no answer, or one that may be another next time; or what others stored is over too",
    T.REFRESH_RESPONSE_MALFORMED: "the answer cannot be used",
    T.CREDENTIALS_SAVED:          "the new tokens are stored for good",
    T.SAVE_FAILED:                "the new tokens could not be stored",
}

DELIVERY: Final[Mapping[str, Delivery]] = {
    "deliver":           Delivery.CURRENT,
    "adopt":             Delivery.ADOPTED,
    "keep":              Delivery.KEPT,
    "keep_for_now":      Delivery.KEPT,
    "deliver_refreshed": Delivery.REFRESHED,
    "deliver_unsaved":   Delivery.REFRESHED,
}
"""What an effect reports. (Tokens that are stored late are reported as current: they were handed out before.)"""
# fmt: on

STORIES: Final = (
    Story(
        "Two programs want to renew at once",
        "One renews. The other looks into the store four times a second, and takes what it finds there.",
        S.IDLE,
        (T.ACCESS_TOKEN_WANTED, T.REFRESH_DUE, T.LOCK_BUSY, T.REFRESH_DUE, T.LOCK_BUSY, T.CREDENTIALS_RENEWED),
        ("may_wait",),
    ),
    Story(
        "The other one was quicker, and nobody noticed before the lock",
        "The store is read again under the lock: no refresh token is sent without that.",
        S.IDLE,
        (T.ACCESS_TOKEN_WANTED, T.REFRESH_DUE, T.LOCK_TAKEN, T.CREDENTIALS_RENEWED),
    ),
    Story(
        "Somebody signs in while the provider is asked",
        "Theirs stay. The tokens that have just come are dropped.",
        S.READING_AGAIN,
        (T.REFRESH_DUE, T.TOKENS_RECEIVED, T.CREDENTIALS_RENEWED),
    ),
    Story(
        "The provider cannot be reached, and the old token still lasts",
        "It is handed out once more, and nobody tries again for half a minute.",
        S.READING_AGAIN,
        (T.REFRESH_DUE, T.REFRESH_UNAVAILABLE),
        ("still_lasts",),
    ),
    Story(
        "The refresh token is refused",
        "The store is read once more, because a program without locks may have used it. If it is unchanged, that "
        "refresh token is never sent again, and only a new sign-in helps.",
        S.READING_AGAIN,
        (T.REFRESH_DUE, T.REFRESH_TOKEN_REFUSED, T.CREDENTIALS_UNCHANGED),
    ),
    Story(
        "The disk is full when the new tokens come",
        "They are handed out, kept in memory with a warning, and stored by the next refresh that can.",
        S.READING_AGAIN,
        (T.REFRESH_DUE, T.TOKENS_RECEIVED, T.CREDENTIALS_UNCHANGED, T.SAVE_FAILED),
    ),
    Story(
        "The next one stores them",
        "Nothing is sent to the provider.",
        S.IDLE,
        (T.ACCESS_TOKEN_WANTED, T.SAVE_DUE, T.LOCK_TAKEN, T.SAVE_DUE, T.CREDENTIALS_SAVED),
    ),
)


DOCUMENT: Final = """\
<!-- Made from src/sansio/refresh/table.py by `make diagram`. Changes made here are lost. -->

# The way of a refresh

A refresh answers one question: an access token, please. It is a machine of its own, built like
[that of a login](state-diagram.md), with [a table of its own](../src/sansio/refresh/table.py). This page is drawn from
that table, and a test fails when the two differ. Why it is so is told in
[architecture.md](architecture.md#one-access-token-from-the-inside-out).

```mermaid
{overview}```

In each green box is how the token came about, as `loginmachine refresh --json` says it: `current`, it was stored and
will do; `refreshed`, it was just received; `adopted`, somebody else has just stored it; `kept`, it is the old one,
which still lasts. In a state with a dashed edge it can fail. The lock is held from `reading_again` to the end.

## How it fails

On the right is the category that is reported. The old tokens stay where they are.

```mermaid
{failures}```

## How to read it

- An arrow says `event [guard] / effect`: when the event comes, and if the guard holds, the effect is done and the
  refresh goes along the arrow. Rows are tried from top to bottom; the last row for an event has no guard.
- Events that have the same effect share an arrow, and the effect stands below them.
- An event is what something means: one and the same content of the store may be `credentials_current`, `refresh_due`
  or `credentials_renewed`, by what was seen before. That is decided before the table is asked.
- An event without a row is a mistake of the host: `UnexpectedEvent` is raised, and nothing has changed.
- `succeeded` and `failed` are the final states, and each is drawn several times. Nothing leads out of them.

## What happens when ...

{stories}

## Every row

{moves}

The guards:

{guards}
"""

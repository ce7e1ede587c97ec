"""The failures of a refresh: the category of each, whether another attempt can help, and the advice for the person."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ..base.http import PROVIDER_TROUBLE
from ..base.records import Record
from ..login.failures import Advice
from .states import RefreshTrigger

if TYPE_CHECKING:
    from collections.abc import Mapping


class RefreshFailureCategory(StrEnum):
    """The kind of failure. The values do not change, because scripts and support rely on them."""

    NOT_SIGNED_IN = "not_signed_in"
    CREDENTIALS_UNREADABLE = "credentials_unreadable"
    CREDENTIALS_UNSUPPORTED = "credentials_unsupported"
    PROVIDER_MISMATCH = "provider_mismatch"
    REFRESH_TOKEN_MISSING = "refresh_token_missing"
    REFRESH_TOKEN_REJECTED = "refresh_token_rejected"
    ACCOUNT_CHANGED = "account_changed"
    CLIENT_REFUSED = "client_refused"
    REFRESH_UNAVAILABLE = "refresh_unavailable"
    REFRESH_RESPONSE_MALFORMED = "refresh_response_malformed"
    STORE_BUSY = "store_busy"
    STORE_UNAVAILABLE = "store_unavailable"


C, T = RefreshFailureCategory, RefreshTrigger

SIGN_IN_REQUIRED: Final = (
    C.NOT_SIGNED_IN,
    C.REFRESH_TOKEN_MISSING,
    C.REFRESH_TOKEN_REJECTED,
    C.ACCOUNT_CHANGED,
)
"""The categories in which only a new sign-in helps."""
FINAL_CATEGORIES: Final = (
    *SIGN_IN_REQUIRED,
    C.CREDENTIALS_UNREADABLE,
    C.CREDENTIALS_UNSUPPORTED,
    C.CLIENT_REFUSED,
    C.PROVIDER_MISMATCH,
)
"""The categories in which another attempt is useless until the person acts. After others the old tokens stay."""

# fmt: off
REFRESH_FAILURES: Final[Mapping[RefreshTrigger, RefreshFailureCategory]] = {
    T.CREDENTIALS_MISSING:        C.NOT_SIGNED_IN,
    T.CREDENTIALS_UNREADABLE:     C.CREDENTIALS_UNREADABLE,
    T.CREDENTIALS_UNSUPPORTED:    C.CREDENTIALS_UNSUPPORTED,
    T.PROVIDER_MISMATCHED:        C.PROVIDER_MISMATCH,
    T.REFRESH_HOPELESS:           C.REFRESH_TOKEN_MISSING,
    T.REFRESH_TOO_EARLY:          C.REFRESH_UNAVAILABLE,
    T.VERIFICATION_POSTPONED:     C.REFRESH_UNAVAILABLE,
    T.REFRESH_DUE:                C.STORE_BUSY,
    T.LOCK_FAILED:                C.STORE_UNAVAILABLE,
    T.SAVE_FAILED:                C.STORE_UNAVAILABLE,
    T.REFRESH_TOKEN_REFUSED:      C.REFRESH_TOKEN_REJECTED,
    T.CLIENT_REFUSED:             C.CLIENT_REFUSED,
    T.ACCOUNT_CHANGED:            C.ACCOUNT_CHANGED,
    T.REFRESH_UNAVAILABLE:        C.REFRESH_UNAVAILABLE,
    T.REFRESH_RESPONSE_MALFORMED: C.REFRESH_RESPONSE_MALFORMED,
}
"""The category of each failure. A refresh token that was refused before leads to the same failure again."""
# fmt: on

REFRESH_CATALOGUE: Final[Mapping[RefreshFailureCategory, Advice]] = {
    C.NOT_SIGNED_IN: Advice(
        title="You are not signed in",
        hint="Sign in first.",
    ),
    C.CREDENTIALS_UNREADABLE: Advice(
        title="The stored credentials cannot be read",
        hint="Repair or remove them, then sign in again.",
    ),
    C.CREDENTIALS_UNSUPPORTED: Advice(
        title="The stored credentials are of a kind that gives no token here",
        hint="Use the program that stored them, or sign in again.",
    ),
    C.PROVIDER_MISMATCH: Advice(
        title="The stored credentials are from another provider",
        hint="Name the provider and the client that issued them, or sign in again.",
    ),
    C.REFRESH_TOKEN_MISSING: Advice(
        title="The sign-in has ended, and there is no refresh token to renew it with",
        hint="Sign in again.",
    ),
    C.REFRESH_TOKEN_REJECTED: Advice(
        title="The sign-in has ended",
        hint="Sign in again.",
    ),
    C.ACCOUNT_CHANGED: Advice(
        title="The new tokens are not those of this sign-in",
        hint="Sign in again, with the account that you want to use.",
    ),
    C.CLIENT_REFUSED: Advice(
        title="The provider does not accept this program's client",
        hint="Check the client id and the issuer in the program's configuration; you are still signed in.",
    ),
    C.REFRESH_UNAVAILABLE: Advice(
        title="The tokens could not be renewed just now",
        hint="Check the network connection and try again in a while; you are still signed in.",
    ),
    C.REFRESH_RESPONSE_MALFORMED: Advice(
        title="The token endpoint's answer could not be used",
        hint="Check that the issuer is right and that no proxy rewrites its answers.",
    ),
    C.STORE_BUSY: Advice(
        title="Another program has not finished renewing the tokens",
        hint="Try again when it has.",
    ),
    C.STORE_UNAVAILABLE: Advice(
        title="The stored credentials cannot be locked, so the tokens were not renewed",
        hint="Check that their folder is writable and has space left.",
    ),
}


class RefreshFailure(Record):
    """Why there is no token."""

    category: RefreshFailureCategory
    message: str
    """Clean words: no secret, no control character."""
    trigger: RefreshTrigger | None = None
    """The row of the table that it came from. Finer than the category; not stable."""

    @property
    def final(self) -> bool:
        """Trying again is of no use until the person acts."""
        return self.category in FINAL_CATEGORIES

    @property
    def title(self) -> str:
        """What happened, in a few words."""
        return REFRESH_CATALOGUE[self.category].title

    @property
    def hint(self) -> str:
        """One concrete thing to do."""
        if self.category is C.REFRESH_UNAVAILABLE and PROVIDER_TROUBLE in self.message:
            return "The provider has a problem. Try again in a while; you are still signed in."
        return REFRESH_CATALOGUE[self.category].hint

    def describe(self) -> str:
        """Return the default text for a person: title, hint and details."""
        return f"{self.title}.\n{self.hint}\nDetails: {self.category} - {self.message}"

"""The states of a sign-out, and its triggers: what an event can mean."""

from __future__ import annotations

from enum import StrEnum


class SignOutState(StrEnum):
    """The states of a sign-out."""

    IDLE = "idle"
    CHECKING = "checking"
    """The store is read: credentials of another provider than the named one are kept."""
    REVOKING_FIRST = "revoking_first"
    """The tokens are revoked before they are removed, with several tries."""
    REMOVING = "removing"
    REVOKING = "revoking"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class SignOutTrigger(StrEnum):
    """The meanings of events."""

    SIGN_OUT_WANTED = "sign_out_wanted"
    PROVIDER_MATCHED = "provider_matched"
    """Nothing is stored that another provider has issued."""
    REVOCATION_DUE = "revocation_due"
    """The provider's tokens are revoked before they are removed."""
    REVOCATION_INTERRUPTED = "revocation_interrupted"
    """There was no response, or the provider has a problem: another try may succeed."""
    REVOKED_REMOVED = "revoked_removed"
    """The tokens are removed for which the revocation was tried."""
    PROVIDER_MISMATCHED = "provider_mismatched"
    CREDENTIALS_UNREADABLE = "credentials_unreadable"
    """What cannot be read is removed, and never sent."""
    CREDENTIALS_REMOVED = "credentials_removed"
    NOTHING_TO_REVOKE = "nothing_to_revoke"
    PROVIDER_UNKNOWN = "provider_unknown"
    """There are tokens, and nothing says which provider has issued them."""
    REMOVAL_FAILED = "removal_failed"
    REVOCATION_CONFIRMED = "revocation_confirmed"
    REVOCATION_UNCONFIRMED = "revocation_unconfirmed"

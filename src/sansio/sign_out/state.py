"""The data of one sign-out, and what its events mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from ..base.records import Record
from ..base.text import DRIVER_TEXT_LIMIT, clean_text
from ..model.issuer import provider_of, why_not_from
from ..oauth.revocation import revocation
from ..refresh.events import CredentialsLoaded, LoadFailed
from .events import CredentialsRemoved, RemovalFailed, RevocationEnded, SignOutWanted
from .states import SignOutState, SignOutTrigger

if TYPE_CHECKING:
    from ..base.http import HttpRequest
    from ..model.credentials import Credentials
    from ..model.overrides import EndpointOverrides
    from ..model.provider import Provider
    from .actions import RevokeTokens, SignOutAction
    from .events import SignOutEvent
    from .outcome import SignOutOutcome

NO_ENDPOINT: Final = "the provider has no endpoint that revokes tokens"
UNKNOWN_PROVIDER: Final = "the provider that issued the tokens is not known"


class Meaning(Record):
    """What an event means for a sign-out."""

    trigger: SignOutTrigger
    reads_store: bool = False
    """The store is to be read first."""
    keeps_tokens: bool = False
    """Nothing is to be revoked."""
    message: str = ""
    """What is wrong, as clean text; empty if nothing is."""
    removed: Credentials | None = None
    request: HttpRequest | None = None
    """The request that revokes the removed tokens."""


class SignOutData:
    """The data of one sign-out: the model that the engine moves through the table."""

    __slots__ = (
        *("_state", "keeps_tokens", "named_provider", "out", "outcome", "overrides", "removed"),
        *("problem", "request", "reads_store"),
    )

    def __init__(self, provider: Provider | None, overrides: EndpointOverrides) -> None:
        self.overrides = overrides
        self.named_provider = provider
        """The provider that the host has named; None for the one that the tokens record."""
        self.reads_store = False
        """The store is read first."""
        self.request: RevokeTokens | None = None
        """The request that revokes the tokens before they are removed, as it was sent last."""
        self.problem = ""
        """Why that revocation is not confirmed."""
        self.keeps_tokens = False
        """Nothing is to be revoked."""
        self.out: list[SignOutAction] = []
        self._state = SignOutState.IDLE
        self.removed: Credentials | None = None
        self.outcome: SignOutOutcome | None = None

    def __repr__(self) -> str:
        # The engine logs this.
        return f"<SignOut {self._state}>"

    @property
    def state(self) -> SignOutState:
        """The state of the sign-out."""
        return self._state


def interpret(event: SignOutEvent, data: SignOutData) -> Meaning:
    """Find out what an event means. The sign-out is not changed."""
    match event:
        case SignOutWanted(keeps_tokens=keeps_tokens, reads_store=reads_store):
            trigger = SignOutTrigger.SIGN_OUT_WANTED
            return Meaning(trigger=trigger, keeps_tokens=keeps_tokens, reads_store=reads_store)
        case CredentialsLoaded(credentials=credentials):
            return _check(credentials, data)
        case LoadFailed():
            return Meaning(trigger=SignOutTrigger.CREDENTIALS_UNREADABLE)
        case CredentialsRemoved(removed=removed):
            return _removed(removed, data)
        case RemovalFailed(message=message):
            return Meaning(trigger=SignOutTrigger.REMOVAL_FAILED, message=clean_text(message, limit=DRIVER_TEXT_LIMIT))
        case RevocationEnded(problem=problem, may_pass=may_pass):
            words = clean_text(problem, limit=DRIVER_TEXT_LIMIT)
            if words and may_pass and data.state is SignOutState.REVOKING_FIRST:
                return Meaning(trigger=SignOutTrigger.REVOCATION_INTERRUPTED, message=words)
            confirmed, not_confirmed = SignOutTrigger.REVOCATION_CONFIRMED, SignOutTrigger.REVOCATION_UNCONFIRMED
            return Meaning(trigger=not_confirmed if words else confirmed, message=words)
        case _:
            assert_never(event)


def _check(credentials: Credentials | None, data: SignOutData) -> Meaning:
    tokens = credentials.tokens if credentials else None
    problem = why_not_from(credentials, data.named_provider) if credentials else ""
    if problem:
        words = f"the credentials are kept, because {problem}"
        return Meaning(trigger=SignOutTrigger.PROVIDER_MISMATCHED, message=words)
    provider = None if tokens is None else data.named_provider or provider_of(tokens)
    if provider is not None and provider.dialect.revokes_before_removal and not data.keeps_tokens:
        request = revocation(provider, credentials)
        if request is not None:
            return Meaning(trigger=SignOutTrigger.REVOCATION_DUE, request=request)
    return Meaning(trigger=SignOutTrigger.PROVIDER_MATCHED)


def _removed(removed: Credentials | None, data: SignOutData) -> Meaning:
    nothing = Meaning(trigger=SignOutTrigger.NOTHING_TO_REVOKE, removed=removed)
    if removed is None or removed.tokens is None or data.keeps_tokens:
        return nothing
    provider = data.named_provider or provider_of(removed.tokens)
    if provider is None:
        return nothing.__replace__(trigger=SignOutTrigger.PROVIDER_UNKNOWN, message=UNKNOWN_PROVIDER)
    request = revocation(data.overrides.for_tokens(provider), removed)
    if request is None:
        is_lost = provider.dialect.revokes_before_removal and removed.tokens.has_refresh_token
        return nothing.__replace__(message=NO_ENDPOINT if is_lost else "")
    if data.request is not None and request.form == data.request.form:
        return Meaning(trigger=SignOutTrigger.REVOKED_REMOVED, removed=removed, message=data.problem)
    return Meaning(trigger=SignOutTrigger.CREDENTIALS_REMOVED, removed=removed, request=request)

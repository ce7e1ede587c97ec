"""The data of one refresh, and the operations on it that several effects share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..model.issuer import provider_of
from ..model.provider import Provider
from .actions import Deliver, ReleaseLock, RememberRefusal, Warn
from .effective import applicable
from .events import AccessTokenWanted
from .failures import REFRESH_FAILURES, RefreshFailure
from .interpretation import StoreRead
from .outcome import Delivery, RefreshSuccess, Refusal, digest_of
from .states import RefreshState

if TYPE_CHECKING:
    from typing import Any

    from ..base.secret import Secret
    from ..model.credentials import Credentials
    from ..model.overrides import EndpointOverrides
    from ..model.tokens import Tokens
    from ..oauth.keys import KeySet
    from .actions import RefreshAction
    from .interpretation import Interpretation, Problem
    from .outcome import RefreshMemory, RefreshOutcome

NEW_FOR: Final = 60.0
"""Seconds for which a new access token is not refreshed again, even if its ``exp`` has passed by our clock."""


class RefreshData:
    """The data of one refresh: the model that the engine moves through the table.

    `out` collects the actions of the current event. All other attributes are plain data.
    """

    __slots__ = (
        "_state",
        "credentials",
        "environment_key",
        "exchanged",
        "failure",
        "keys",
        "locked",
        "memory",
        "named_provider",
        "now",
        "out",
        "outcome",
        "overrides",
        "refreshed",
        "seen",
        "stored",
        "unwanted",
        "waited",
        "wanted",
    )

    def __init__(
        self,
        provider: Provider | None,
        memory: RefreshMemory,
        environment_key: str | None,
        overrides: EndpointOverrides,
    ) -> None:
        self.named_provider = provider
        """The provider that the host has named; None for the one that the tokens record."""
        self.memory = memory
        self.environment_key = environment_key
        self.overrides = overrides
        self.out: list[RefreshAction] = []
        self._state = RefreshState.IDLE
        self.wanted = AccessTokenWanted()
        self.now = 0.0
        """The time of the last event that has one."""
        self.credentials: Credentials | None = None
        """The credentials that apply: the stored ones, or newer ones that could not be stored."""
        self.stored: Secret | None = None
        """The refresh token in the store when the lock was taken."""
        self.seen: Secret | None = None
        """The access token that was stored first. Another one means that another process has refreshed the tokens."""
        self.unwanted: Secret | None = None
        """The access token that must not be delivered, even if it is valid."""
        self.refreshed: Credentials | None = None
        """The credentials to store."""
        self.keys: KeySet | None = None
        """The provider's keys; None if they are not needed, or could not be fetched."""
        self.failure: RefreshFailure | None = None
        """The refusal of the refresh token, while the store is read once more."""
        self.waited = 0.0
        """Seconds spent waiting for the lock."""
        self.locked = False
        self.exchanged = False
        """The token request was sent."""
        self.outcome: RefreshOutcome | None = None

    def __repr__(self) -> str:
        # The engine logs this.
        return f"<Refresh {self._state}>"

    @property
    def state(self) -> RefreshState:
        """The state of the refresh."""
        return self._state

    def data(self) -> dict[str, Any]:
        """Return a copy of the data, without the provider and the API key that the host has named."""
        left_out = ("named_provider", "environment_key", "out")
        return {name: getattr(self, name) for name in self.__slots__ if name not in left_out}

    @property
    def provider(self) -> Provider:
        """The provider of the credentials that apply."""
        return self.provider_for(self.credentials)

    def provider_for(self, credentials: Credentials | None) -> Provider:
        """Return the provider that the host has named, or the one that credentials record, with its endpoints."""
        tokens = credentials.tokens if credentials else None
        recorded = provider_of(tokens) if tokens and not self.named_provider else None
        return self.overrides.for_tokens(self.named_provider or recorded or Provider.codex())

    @property
    def tokens(self) -> Tokens:
        """The tokens of the credentials that apply."""
        assert self.credentials is not None
        assert self.credentials.tokens is not None
        return self.credentials.tokens

    def note(self, meaning: Interpretation) -> None:
        """Note the time and the credentials of an event, before its effect is called."""
        if meaning.now is not None:
            self.now = meaning.now
        if isinstance(meaning, StoreRead) and not meaning.is_unchanged:
            self.credentials = meaning.credentials

    def is_valid_at(self, credentials: Credentials, now: float) -> bool:
        """Return whether an access token has not expired, as far as is known."""
        assert credentials.tokens is not None
        ends = credentials.tokens.expires_at()
        if ends is None or ends > now:
            return True
        # A lifetime counts from the token's arrival, by our clock. Only an absolute time can be wrong.
        return credentials.tokens.expiry is None and self.is_new(credentials, now)

    def is_unwanted(self, credentials: Credentials) -> bool:
        """Return whether an access token must not be delivered, even if it is valid."""
        assert credentials.tokens is not None
        token = credentials.tokens.access_token
        if self.seen is None:
            return self.wanted.forced or token == self.wanted.rejected
        return token == self.unwanted

    def is_new(self, credentials: Credentials, now: float) -> bool:
        """Return whether this machine received an access token a moment ago. If it has expired, our clock is wrong.

        This session has received it, or another one, which has stored the time.
        """
        assert credentials.tokens is not None
        stored = credentials.last_refresh_time()
        moments = [stored.timestamp()] if stored else []
        if credentials.tokens.access_token == self.memory.received:
            moments.append(self.memory.received_at)
        return any(0 <= now - moment < NEW_FOR for moment in moments)

    def known_secrets(self) -> tuple[str, ...]:
        """Return the secrets that the other side may echo."""
        return tuple(secret for held in (self.credentials, self.refreshed) if held for secret in held.secrets())

    def failure_of(self, problem: Problem) -> RefreshFailure:
        """Return a problem as a failure."""
        if problem.failure is not None:
            return problem.failure
        category = REFRESH_FAILURES[problem.trigger]
        return RefreshFailure(category=category, message=problem.message, trigger=problem.trigger)

    def remember_received(self, credentials: Credentials | None) -> None:
        """Remember that an access token is new."""
        if credentials is not None and credentials.tokens is not None:
            token = credentials.tokens.access_token
            self.memory = self.memory.__replace__(received=token, received_at=self.now)

    def digest(self) -> str:
        """Return what identifies the refresh token of the credentials that apply."""
        assert self.credentials is not None
        return digest_of(self.credentials, self.provider)

    def note_refusal(self, failure: RefreshFailure) -> None:
        """Warn, once in a session, that the sign-in has ended while its access token is still valid."""
        digest = self.digest()
        if self.memory.refused != digest:
            self.memory = self.memory.__replace__(refused=digest, refusal=failure)
            words = "the sign-in has ended, and its last access token is used until it expires"
            self.out.append(Warn(message=f"{words}: {failure.message}"))

    def remember_refusal(self, failure: RefreshFailure) -> None:
        """Remember, in the store too, that the refresh token was refused for good."""
        digest = self.digest()
        self.memory = self.memory.__replace__(refused=digest, refusal=failure)
        self.out.append(RememberRefusal(refusal=Refusal(digest=digest, category=failure.category)))

    def remember_attempt(self) -> None:
        """Remember that refreshing or storing failed just now, in a way that may pass."""
        self.memory = self.memory.__replace__(tried_at=self.now)

    def deliver(
        self,
        credentials: Credentials | None,
        delivery: Delivery,
        message: str = "",
        *,
        is_stored: bool = True,
        failure: RefreshFailure | None = None,
    ) -> None:
        """End the refresh with a token.

        Args:
            credentials: The credentials that hold the token; None for the API key of the environment.
            delivery: Where the token came from.
            message: Why the old token is delivered; empty for another token.
            is_stored: Whether the credentials are stored.
            failure: Why the sign-in has ended, if it has.
        """
        choice = applicable(credentials, self.provider, environment_key=self.environment_key)
        assert choice is not None
        assert choice.bearer is not None
        self.end(
            RefreshSuccess(
                credentials=choice.credentials,
                token=choice.bearer,
                delivery=delivery,
                message=message,
                is_stored=is_stored,
                failure=failure,
            )
        )

    def end(self, outcome: RefreshOutcome) -> None:
        """End the refresh: release the lock, and return the outcome."""
        self.outcome = outcome
        if self.memory.unsaved not in (self.credentials, self.refreshed):
            # The unsaved credentials were replaced by others in the store.
            self.memory = self.memory.__replace__(unsaved=None, replaces=None)
        if self.locked:
            self.locked = False
            self.out.append(ReleaseLock())
        self.out.append(Deliver(outcome=outcome))

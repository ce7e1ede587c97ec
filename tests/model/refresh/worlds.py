"""The sessions that a refresh is explored in: what the machine before has remembered, and what the host has named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from loginmachine import Secret
from loginmachine.sansio.refresh.failures import RefreshFailure, RefreshFailureCategory
from loginmachine.sansio.refresh.outcome import RefreshMemory, digest_of
from tests.sansio.refresh.samples import NEW_CREDENTIALS, OVER, PROVIDER, WITH_KEYS, stored
from tests.sansio.samples import NOW

if TYPE_CHECKING:
    from loginmachine import Provider


class World(NamedTuple):
    """A session."""

    name: str
    memory: RefreshMemory | None = None
    provider: Provider | None = PROVIDER
    environment_key: str | None = None
    is_one_use: bool = False
    """Whether refresh tokens work once, and their credentials record the provider."""


_REPLACES: Final = Secret("canary-old-refresh")
_REFUSAL: Final = RefreshFailure(category=RefreshFailureCategory.REFRESH_TOKEN_REJECTED, message="gone")

WORLDS: Final = (
    World("a first refresh"),
    World("new tokens in memory", RefreshMemory(unsaved=NEW_CREDENTIALS, replaces=_REPLACES, tried_at=NOW - 31)),
    World(
        "tokens in memory, over",
        RefreshMemory(unsaved=stored(OVER, "canary-new-refresh"), replaces=_REPLACES, tried_at=NOW - 31),
    ),
    World("an attempt a moment ago", RefreshMemory(tried_at=NOW - 1)),
    World("a refusal in memory", RefreshMemory(refused=digest_of(stored(), PROVIDER), refusal=_REFUSAL)),
    World("a provider with keys", provider=WITH_KEYS),
    World("a refresh token that works once", provider=None, is_one_use=True),
    World("a key of the environment", provider=None, environment_key="sk-canary-key"),
)

"""The letters of the exploration of a refresh: one for each event in each of its meanings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loginmachine.sansio.login.events import CredentialsSaved, SaveFailed
from loginmachine.sansio.model.provenance import Provenance
from loginmachine.sansio.refresh.events import LoadFailed, LockBusy, LockFailed, LockTaken
from loginmachine.sansio.refresh.failures import RefreshFailureCategory
from loginmachine.sansio.refresh.outcome import Refusal, digest_of
from tests.model.subject import Letter
from tests.sansio.refresh import one_use_samples as one_use
from tests.sansio.refresh.samples import (
    API_KEY_ONLY,
    FORCED,
    KEYS,
    NEW,
    NEW_CREDENTIALS,
    OLD,
    OTHER_ACCOUNT,
    OVER,
    PROVIDER,
    THEIR_CREDENTIALS,
    WANTED,
    answered,
    loaded,
    rejected,
    stored,
    unanswered,
)
from tests.sansio.rules import EventKind
from tests.sansio.samples import NOW, answer
from tests.sansio.server_samples import signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from loginmachine import Credentials
    from loginmachine.sansio.refresh.events import RefreshEvent

    from .worlds import World

LATER: Final = NOW + 61
"""By then the old tokens are over."""
_NO_REFRESH_TOKEN: Final = ""
_FOREIGN: Final = stored().__replace__(
    tokens=stored().tokens.__replace__(  # type: ignore[union-attr]
        provenance=Provenance(issuer="https://id.example", client_id="client-1")
    )
)
HOLDINGS: Final[Mapping[str, Credentials | None]] = {
    "the old tokens": stored(),
    "tokens that are over": stored(OVER),
    "their tokens": THEIR_CREDENTIALS,
    "their tokens, over": stored(OVER, "canary-their-refresh"),
    "the new tokens": NEW_CREDENTIALS,
    "an API key": API_KEY_ONLY,
    "nothing": None,
    "a newer mode": stored(auth_mode="newer"),
    "tokens of another provider": _FOREIGN,
    "tokens without a refresh token": stored(OLD, _NO_REFRESH_TOKEN),
    "tokens without a refresh token, over": stored(OVER, _NO_REFRESH_TOKEN),
}
"""What a store may hold."""
REFUSAL: Final = Refusal(digest=digest_of(stored(), PROVIDER), category=RefreshFailureCategory.REFRESH_TOKEN_REJECTED)
"""The refusal of the old refresh token."""
ANSWERS: Final[Mapping[str, RefreshEvent]] = {
    "tokens": answered(),
    "an access token alone": answered(access_token=NEW),
    "a refresh token alone": answered(refresh_token="canary-new-refresh"),
    "tokens of another account": answered(access_token=NEW, id_token=OTHER_ACCOUNT),
    "the refresh token is refused": answered(400, error="invalid_grant"),
    "the refresh token is refused, later": answered(400, at=LATER, error="invalid_grant"),
    "the client is refused": answered(401, error="invalid_client"),
    "an error": answered(400, error="whatever"),
    "the provider has a problem": answered(503, error="busy"),
    "the provider has a problem, later": answered(503, at=LATER, error="busy"),
    "no token that can be used": answered(access_token=5),
    "no answer": unanswered(),
}


def _fixed(name: str, event: RefreshEvent, kind: EventKind = EventKind.FACT) -> Letter:
    return Letter(name, lambda _: event, kind, type(event))


def _reads() -> Iterator[Letter]:
    for name, credentials in HOLDINGS.items():
        yield _fixed(f"stored: {name}", loaded(credentials))
    yield _fixed("stored: the old tokens, later", loaded(stored(), LATER))
    for name in ("the old tokens", "tokens that are over"):
        yield _fixed(f"stored: {name}, and a refusal", loaded(HOLDINGS[name]).__replace__(refusal=REFUSAL))
    yield _fixed("stored at no time", loaded(stored(), float("nan")), EventKind.MISTAKE)
    yield _fixed("the store cannot be read", LoadFailed(failed_at=NOW, message="input/output error"))
    yield _fixed("the store cannot be read, at no time", LoadFailed(failed_at=-1.0, message=""), EventKind.MISTAKE)


def _answers() -> Iterator[Letter]:
    for name, event in ANSWERS.items():
        yield _fixed(name, event)
    yield _fixed("the keys", answer(1, 200, KEYS))
    yield _fixed("tokens for a request never made", answered().__replace__(exchange_id=2), EventKind.MISTAKE)
    yield _fixed("no answer to a request never made", unanswered().__replace__(exchange_id=0), EventKind.MISTAKE)
    yield _fixed("tokens at no time", answered(at=float("nan")), EventKind.MISTAKE)


def _one_use() -> Iterator[Letter]:
    """Yield the letters for refresh tokens that work once."""
    for name, credentials in {
        "due": one_use.DUE,
        "over": one_use.OVER,
        "marked": one_use.stored(refresh_sent_at=NOW - 1),
        "too early": one_use.stored(3600.0, extra="1795000100"),
        "too early and over": one_use.stored(-60.0, extra="1795000100"),
        "new": one_use.NEW,
        "theirs": one_use.THEIRS,
        "waiting for the keys": one_use.waiting(),
        "over and waiting": one_use.waiting(one_use.OVER),
    }.items():
        yield _fixed(f"stored: {name}", one_use.loaded(credentials))
    yield _fixed("stored: nothing", one_use.loaded(None))
    yield _fixed("the store cannot be read", LoadFailed(failed_at=NOW, message="input/output error"))
    answers: dict[str, RefreshEvent] = {
        "tokens": one_use.new_tokens(None),
        "tokens with an id token": one_use.new_tokens(),
        "tokens with a wrong signature": one_use.new_tokens(one_use.FORGED),
        "tokens of another person": one_use.new_tokens(signed(**{**one_use.IDENTITY, "sub": "user-2"})),
        "the refresh token is refused": answered(400, error="invalid_grant"),
        "the client is refused": answered(401, error="invalid_client"),
        "the provider has a problem": answered(503, error="busy"),
        "no token that can be used": answered(access_token=5),
        "no answer": unanswered(),
        "the keys": one_use.KEYS,
    }
    for name, event in answers.items():
        yield _fixed(name, event)


def alphabet(world: World) -> tuple[Letter, ...]:
    """Return all letters."""
    if world.is_one_use:
        return (
            _fixed("wanted", WANTED),
            _fixed("wanted by force", FORCED),
            _fixed("wanted instead of the old one", rejected("canary-old-access")),
            *_one_use(),
            *_about_the_host(),
        )
    return (
        _fixed("wanted", WANTED),
        _fixed("wanted by force", FORCED),
        _fixed("wanted instead of the old one", rejected(OLD)),
        _fixed("wanted instead of the new one", rejected(NEW)),
        *_reads(),
        *_answers(),
        *_about_the_host(),
    )


def _about_the_host() -> Iterator[Letter]:
    yield _fixed("lock taken", LockTaken())
    yield _fixed("lock busy", LockBusy())
    yield _fixed("lock failed", LockFailed(message="read-only file system"))
    yield _fixed("saved", CredentialsSaved())
    yield _fixed("not saved", SaveFailed(message="disk full"))

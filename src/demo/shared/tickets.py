"""Grants of people, and the codes and tokens that stand for them."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ..accounts import Person

Kind = Literal["code", "access_token", "refresh_token"]


class Clock:
    """The time by which codes and tokens expire."""

    def __init__(self) -> None:
        self._offset = 0.0

    def now(self) -> float:
        """Return the time in seconds since some point in the past."""
        return time.monotonic() + self._offset

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._offset += seconds


@dataclass(slots=True, kw_only=True)
class Grant:
    """What a person granted to a client in one sign-in."""

    client_id: str
    person: Person
    scope: tuple[str, ...]
    resources: tuple[str, ...] = ()
    redirect_uri: str | None = None
    code_challenge: str | None = None
    nonce: str | None = None
    active: bool = True
    """False after it was revoked. None of its codes and tokens work then."""


@dataclass(slots=True, kw_only=True)
class Ticket:
    """A code or token."""

    kind: Kind
    grant: Grant
    scope: tuple[str, ...]
    end: float
    used: bool = False
    revoked: bool = False


class Tickets:
    """All codes and tokens that were issued."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tickets: dict[str, Ticket] = {}

    def issue(
        self,
        kind: Kind,
        grant: Grant,
        *,
        lifetime: float,
        scope: tuple[str, ...] | None = None,
        text: str | None = None,
    ) -> str:
        """Issue a code or token.

        Args:
            kind: What it is.
            grant: What it stands for.
            lifetime: Seconds until it expires.
            scope: The scopes of an access token, if they are fewer than those of the grant.
            text: The code or token; a random one if it is None.

        Returns:
            The code or token.
        """
        text = text or secrets.token_urlsafe(32)
        scope = grant.scope if scope is None else scope
        with self._lock:
            self._tickets[text] = Ticket(kind=kind, grant=grant, scope=scope, end=self._clock.now() + lifetime)
        return text

    def all(self) -> tuple[str, ...]:
        """Return all codes and tokens, in the order in which they were issued."""
        with self._lock:
            return tuple(self._tickets)

    def find(self, text: str, kind: Kind | None = None) -> Ticket | None:
        """Return a valid code or token, without using it; None if there is none of this kind."""
        with self._lock:
            ticket = self._tickets.get(text)
            return ticket if ticket is not None and kind in (None, ticket.kind) and self._is_valid(ticket) else None

    def issued(self, text: str, kind: Kind) -> Ticket | None:
        """Return a code or token, even if it is not valid any more; None if it was never issued."""
        with self._lock:
            ticket = self._tickets.get(text)
            return ticket if ticket is not None and ticket.kind == kind else None

    def redeem(self, text: str, kind: Kind, client_id: str, *, again_ends: bool = True) -> Ticket | None:
        """Use a code or token that works once.

        A second use means that two parties have it. The whole grant is then revoked (RFC 6749 section 4.1.2, RFC 9700
        section 4.14.2). A client cannot do so with a token of another client.

        Args:
            text: The code or token.
            kind: What it is.
            client_id: The client that uses it.
            again_ends: Set to False to leave the grant as it is at a second use.

        Returns:
            The ticket; None if it is unknown, used, expired, revoked, or belongs to another client.
        """
        with self._lock:
            ticket = self._tickets.get(text)
            if ticket is None or ticket.kind != kind or ticket.grant.client_id != client_id:
                return None
            if ticket.used and again_ends:
                ticket.grant.active = False
            if not self._is_valid(ticket):
                return None
            ticket.used = True
            return ticket

    def revoke(self, text: str, client_id: str) -> bool:
        """Revoke a token: an access token alone, a refresh token with its whole grant (RFC 7009 section 2.1).

        Returns:
            False if it belongs to another client; nothing is revoked then. True otherwise, also if it is unknown.
        """
        with self._lock:
            ticket = self._tickets.get(text)
            if ticket is None or ticket.kind == "code":
                return True
            if ticket.grant.client_id != client_id:
                return False
            ticket.revoked = True
            if ticket.kind == "refresh_token":
                ticket.grant.active = False
            return True

    def _is_valid(self, ticket: Ticket) -> bool:
        return ticket.grant.active and not ticket.used and not ticket.revoked and self._clock.now() < ticket.end

"""State of the imitation of "Sign in with ChatGPT": registered clients, and what clients did wrong."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .switches import BOOTSTRAP

if TYPE_CHECKING:
    from ..accounts import Person
    from ..shared.signing import Keys
    from ..shared.tickets import Clock, Grant, Tickets
    from .switches import ChatGptSwitches, Endpoint


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that a client did, and that OpenAI's documentation does not allow."""

    endpoint: Endpoint
    rule: str
    """The rule as a sentence. It repeats nothing of the request."""


class Violations:
    """Everything that clients did wrong, in its order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: list[Violation] = []

    def add(self, endpoint: Endpoint, rule: str) -> None:
        """Record a violation."""
        with self._lock:
            self._found.append(Violation(endpoint, rule))

    def all(self) -> tuple[Violation, ...]:
        """Return all of them."""
        with self._lock:
            return tuple(self._found)


@dataclass(slots=True, kw_only=True)
class Registration:
    """A client, which belongs to one person in one workspace."""

    client_id: str
    person: Person
    workspace: str
    agent_name: str
    """The name that the person approved."""
    scope: tuple[str, ...]
    """What the person approved."""
    host_ids: tuple[str, ...]
    """The hosts from which authorization requests came."""
    connected: bool = True
    """False after the person disconnected the client."""
    grants: list[Grant] = field(default_factory=list, repr=False)


class Registrations:
    """All registered clients."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._registrations: dict[str, Registration] = {}

    def add(
        self, *, person: Person, workspace: str, agent_name: str, scope: tuple[str, ...], host_id: str
    ) -> Registration:
        """Register a client."""
        registration = Registration(
            client_id=f"oaiapp_{secrets.token_urlsafe(9)}",
            person=person,
            workspace=workspace,
            agent_name=agent_name,
            scope=scope,
            host_ids=(host_id,),
        )
        with self._lock:
            self._registrations[registration.client_id] = registration
        return registration

    def find(self, client_id: str) -> Registration | None:
        """Return the client with this id, if there is one."""
        with self._lock:
            return self._registrations.get(client_id)

    def all(self) -> tuple[Registration, ...]:
        """Return all clients, in the order of their registration."""
        with self._lock:
            return tuple(self._registrations.values())


@dataclass(slots=True, kw_only=True)
class State:
    """What the endpoints share."""

    issuer: str = ""
    """Set when the provider starts."""
    switches: ChatGptSwitches
    clock: Clock
    keys: Keys
    tickets: Tickets
    registrations: Registrations = field(default_factory=Registrations)
    violations: Violations = field(default_factory=Violations)
    hints: dict[str, Grant] = field(default_factory=dict, repr=False)
    """Maps issued ID tokens to their grants."""
    lost_tokens: set[str] = field(default_factory=set, repr=False)
    """Refresh tokens that are used up, though the response did not reach the client."""

    def check_client_id(self, endpoint: Endpoint, client_id: str) -> Registration | None:
        """Return the client of a request, if it may send one to this endpoint.

        A client id that was never issued, and the one for first authorization requests, are violations.
        """
        registration = self.registrations.find(client_id)
        if client_id == BOOTSTRAP:
            self.violations.add(endpoint, f"{BOOTSTRAP} is for first authorization requests only.")
        elif registration is None:
            self.violations.add(endpoint, "The client_id was never issued here.")
        elif not registration.connected and self.switches.after_disconnection == "unknown":
            return None
        return registration

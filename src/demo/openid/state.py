"""State of the OpenID provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..shared.signing import Keys
    from ..shared.tickets import Clock, Tickets
    from .clients import Clients
    from .switches import OpenIdSwitches


@dataclass(slots=True, kw_only=True)
class State:
    """What the endpoints share."""

    issuer: str = ""
    """Set when the provider starts."""
    switches: OpenIdSwitches
    clients: Clients
    clock: Clock
    keys: Keys
    tickets: Tickets

"""What scripts consist of: steps, each of which is an event of the world around a login."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from ...sansio.base.records import Record, hidden
from ...sansio.login.events import Started

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.login.actions import Action
    from ...sansio.login.events import Event
    from ...sansio.model.options import LoginMethod, LoginOptions, LoginSecrets
    from ...sansio.model.provider import Provider
    from ...sansio.oauth.device_code import DeviceCode


class Scene(Protocol):
    """What a step may look at."""

    options: LoginOptions
    secrets: LoginSecrets
    request_id: int
    """The number of the last request to the callback port; 0 before the first."""

    @property
    def provider(self) -> Provider:
        """The provider, with what its metadata and a registration have added."""

    @property
    def port(self) -> int | None:
        """The callback port; None before it is open."""

    @property
    def device_code(self) -> DeviceCode | None:
        """The device code; None if the login has none."""

    @property
    def wall_time(self) -> float:
        """The time of the script, in seconds since 1970."""

    def next_request_id(self) -> int:
        """Return the number of the next request to the callback port."""


class Request(StrEnum):
    """What a login asks the provider for."""

    RESOURCE_METADATA = "resource_metadata"
    METADATA = "metadata"
    REGISTRATION = "registration"
    PUSHED_REQUEST = "pushed_request"
    KEYS = "keys"
    DEVICE_CODE = "device_code"
    POLL = "poll"
    TOKENS = "tokens"
    API_KEY = "api_key"


class Owed(Record):
    """An action that the world has to answer."""

    action: Action
    request: Request | None = None
    """What is asked for, if it is a request to the provider."""
    since: float = 0.0
    """When the machine ordered it, in seconds of the script."""


class Step(Record):
    """One thing that happens in the world. `loginmachine.testing.steps` makes them."""

    name: str
    """What happens, for messages."""


class Answer(Step):
    """The world answers an action of the machine. Without such a step, it answers so that all goes well."""

    to: type[Action]
    request: Request | None = None
    """The request to answer; None for any."""
    event: Callable[[Scene, Owed], Event] = hidden()

    def fits(self, owed: Owed) -> bool:
        """Return whether this answers an action."""
        return isinstance(owed.action, self.to) and self.request in (None, owed.request)


class Happening(Step):
    """Something happens that the machine has not asked for."""

    event: Callable[[Scene], Event] = hidden()


class TimePasses(Step):
    """Time passes. Timers run out on the way."""

    seconds: float
    end: float | None = None
    """When it has passed, in seconds of the script. None before it has begun."""


class Pause(Step):
    """Nothing happens until the program does something that brings the login forward."""


class Recorded(Step):
    """An event of a trace. It is played as it was, unless the program has done something else meanwhile."""

    event: Event = hidden()
    at: float
    """Seconds since the start."""


class Script(Record):
    """What happens during a login."""

    steps: tuple[Step, ...] = ()
    options: LoginOptions
    """The options, if the program brings none."""
    method: LoginMethod
    """How the person signs in."""
    is_recorded: bool = False
    """The steps are those of a trace. They fit no other options."""
    started: Started = Started()
    """The first event."""
    why_not: Callable[[LoginOptions, LoginMethod], str] = hidden(default=lambda _options, _method: "")
    """Returns why a login with other options, or with another method, cannot go like this; empty if it can."""

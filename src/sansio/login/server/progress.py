"""The phases of a login that reads the provider's metadata, registers a client, or verifies signatures."""

from __future__ import annotations

from ...base.phase import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


class DiscoveringResource(Phase):
    """The metadata of the protected resource is being read (RFC 9728). It names the provider."""

    name: ClassVar[str] = "discovering_resource"
    sentence: ClassVar[str] = "Reading the resource's metadata at {url}."
    url: str


class Discovering(Phase):
    """The provider's metadata is being read (OpenID Connect Discovery, RFC 8414)."""

    name: ClassVar[str] = "discovering"
    sentence: ClassVar[str] = "Reading the provider's metadata at {url}."
    url: str


class RegisteringClient(Phase):
    """A client is being registered for this installation (RFC 7591)."""

    name: ClassVar[str] = "registering_client"
    is_user_visible: ClassVar[bool] = True
    sentence: ClassVar[str] = "Registering this program at the provider."


class PushingRequest(Phase):
    """The authorization request is being sent to the provider (RFC 9126)."""

    name: ClassVar[str] = "pushing_request"
    sentence: ClassVar[str] = "Sending the authorization request to the provider."


class FetchingKeys(Phase):
    """The login waits for the provider's keys, to verify the id token."""

    name: ClassVar[str] = "fetching_keys"
    sentence: ClassVar[str] = "Fetching the provider's keys."


class KeysDelayed(Phase):
    """The provider's keys could not be fetched ahead of time. They are fetched again when the tokens are there."""

    name: ClassVar[str] = "keys_delayed"
    sentence: ClassVar[str] = "The provider's keys are not there yet: {message}."
    message: str
    """The reason, as clean text."""

"""A program as it presents itself to a provider, and the client that the provider has registered for it (RFC 7591)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.records import Record, hidden
from ..base.text import clean_text
from .endpoints import ClientAuthentication

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from ..base.secret import Secret

TEXTS: Final = ("client_name", "client_uri", "logo_uri", "scope", "software_id", "software_version")
_LONGEST: Final = 2048
"""The most characters of a text about the program."""


class ClientMetadata(Record):
    """What a program tells the provider about itself (RFC 7591 section 2).

    Raises:
        ValueError: A value is of the wrong type, empty, or not one of those that it can have.
    """

    client_name: str
    """The name that the person sees."""
    client_uri: str | None = None
    """A page about the program."""
    logo_uri: str | None = None
    contacts: tuple[str, ...] = ()
    """E-mail addresses of the people responsible for the program."""
    scope: str | None = None
    """The scopes that the client may ask for, separated by spaces; None to let the provider decide."""
    software_id: str | None = None
    """The same text for all registrations of the program."""
    software_version: str | None = None
    token_endpoint_auth_method: ClientAuthentication = ClientAuthentication.NONE
    grant_types: tuple[str, ...] | None = None
    """None for those that the login needs: an authorization code or a device code, and a refresh token."""

    def _check(self) -> None:
        for name in TEXTS:
            value = getattr(self, name)
            if value is not None and not _can_be_shown(value):
                raise ValueError(f"{name} is not a text that can be shown, of at most {_LONGEST} characters")
        for name in ("contacts", "grant_types"):
            value = getattr(self, name)
            if isinstance(value, str) or not all(isinstance(item, str) and item for item in value or ()):
                raise ValueError(f"{name} is not a tuple of texts")
        if self.token_endpoint_auth_method not in tuple(ClientAuthentication):
            raise ValueError(f"token_endpoint_auth_method is none of {', '.join(ClientAuthentication)}")

    def covering(self, scopes: Iterable[str]) -> ClientMetadata:
        """Return the metadata with further scopes that the client may ask for."""
        scope = " ".join(dict.fromkeys(((self.scope or "").split()) + list(scopes)))
        return self.__replace__(scope=scope or None)


class Registration(Record):
    """A client that the provider has registered for this installation (RFC 7591 section 3.2.1)."""

    issuer: str
    """The provider, compared exactly. The client means nothing to another one."""
    client_id: str
    client_secret: Secret | None = None
    client_secret_expires_at: float | None = None
    """Seconds since 1970; None if the secret stays valid."""
    token_endpoint_auth_method: ClientAuthentication = ClientAuthentication.NONE
    redirect_uri: str | None = None
    """The redirect URI that was registered; None for a client that uses device codes only."""
    is_refused: bool = False
    """The provider has refused the client when it was used last (``invalid_client``)."""
    others: Secret | None = hidden(default=None)
    """The other members of the response as a JSON object. They may hold a ``registration_access_token``."""


def _can_be_shown(value: object) -> bool:
    return isinstance(value, str) and value != "" and clean_text(value, limit=_LONGEST) == value

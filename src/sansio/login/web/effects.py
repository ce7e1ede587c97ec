"""The guards and effects for a login of a web host, which receives the callback itself. See `login.effects`."""

from __future__ import annotations

from ...oauth.authorization import authorization_url
from ..effects import show_address
from ..server.effects import note_provider, push

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..interpretation import Interpretation, ReceivedMetadata
    from ..state import LoginData


def has_own_address(login: LoginData, _: Interpretation) -> bool:
    """The host's own web server receives the callback."""
    return login.options.redirect_uri is not None


def must_push_at_host(login: LoginData, meaning: Interpretation) -> bool:
    """The host's own web server receives the callback, and the authorization request is pushed to the provider."""
    return has_own_address(login, meaning) and login.options.provider.require_pushed_authorization_requests


def must_push_as_found(login: LoginData, meaning: ReceivedMetadata) -> bool:
    """The host's own web server receives the callback, and the metadata or the caller asks for a pushed request."""
    return has_own_address(login, meaning) and meaning.provider.require_pushed_authorization_requests


def await_callback_at_host(login: LoginData, _: Interpretation) -> None:
    """Show the authorization request, and start the deadline."""
    show_address(login, authorization_url(login.options, login.secrets, login.port))


def await_as_found(login: LoginData, meaning: ReceivedMetadata) -> None:
    """Note the provider's endpoints, and show the authorization request."""
    note_provider(login, meaning)
    await_callback_at_host(login, meaning)


def push_as_found(login: LoginData, meaning: ReceivedMetadata) -> None:
    """Note the provider's endpoints, and push the authorization request."""
    note_provider(login, meaning)
    push(login, meaning)

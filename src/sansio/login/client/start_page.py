"""The start page: an address of the listener that sends the person's browser to the provider, once.

A login that renews an account has hints about the person in its authorization request, and one of them is a token. The
browser alone gets that address. Its launcher, the terminal and the log have the address of the start page, or the
authorization request without hints.
"""

from __future__ import annotations

from ...callback import responses
from ...oauth.authorization import hinted_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..interpretation import FromRequest
    from ..state import LoginData


def browser_url(login: LoginData, url: str) -> str:
    """Return the address to open in the browser: that of the start page if there are hints.

    Args:
        login: The login. Its callback port accepts connections.
        url: The authorization request without hints.
    """
    login.has_start_page = hinted_url(url, login.options, login.known_account) != url
    if not login.has_start_page:
        return url
    return f"http://{login.options.redirect_host}:{login.port}{responses.start_path(login.secrets)}"


def send_to_provider(login: LoginData, meaning: FromRequest) -> None:
    """Redirect the browser to the authorization request, with hints about the person. This works once."""
    assert login.auth_url is not None
    login.has_start_page = False
    login.respond(
        meaning.request_id,
        responses.redirect_to_provider(hinted_url(login.auth_url, login.options, login.known_account)),
    )

"""Make the events of a login safe to publish: rebuild each from values that were reviewed.

The recording machine gets these events, so that all its actions, pages included, are safe as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..login import events
from ..model.options import LoginMethod
from .placeholders import Placeholders
from .requests import Requests
from .tokens import TokenResponses

if TYPE_CHECKING:
    from ..base.http import Headers
    from ..model.options import LoginOptions, LoginSecrets
    from ..model.provider import Provider

_PARAMETERS: Final = {
    **dict.fromkeys(("id_token_add_organizations", "codex_cli_simplified_flow"), re.compile("true|false")),
    "originator": re.compile("codex_(cli_rs|exec|vscode)|loginmachine"),
    "prompt": re.compile("none|login|consent|select_account"),
}
"""Parameters of an authorization request, with the values that a trace may hold."""
_DATE: Final = rb"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
_HEADERS: Final = {
    b"date": re.compile(_DATE),
    b"retry-after": re.compile(rb"\d{1,5}|" + _DATE),
    b"content-type": re.compile(
        rb"application/(json|problem\+json|x-www-form-urlencoded|xml|octet-stream)|text/(html|plain|xml)"
    ),
    b"content-encoding": re.compile(rb"|identity|gzip|deflate|br|zstd", re.IGNORECASE),
}
"""Header fields of a response that are read or help to understand it, with the values that a trace may hold."""
_LINK: Final = re.compile(r"https?://[\w.:\[\]-]+(/[\w./-]*)?")
"""A URL without user name, query and fragment."""
_NO_LINK: Final = "https://redacted.invalid/"


class Redactor:
    """Redacts the events of one login, in their order.

    Args:
        options: The options of the real login.
        secrets: The secrets of the real login.
    """

    def __init__(self, options: LoginOptions, secrets: LoginSecrets) -> None:
        self._placeholders = Placeholders(secrets)
        self._requests = Requests(options.provider, self._placeholders, secrets)
        self._responses = TokenResponses(options.provider, self._placeholders)
        self._port = 0
        self.options = options.__replace__(
            allowed_workspaces=tuple(self._placeholders.of("account", each) for each in options.allowed_workspaces),
            provider=public(options.provider),
        )
        """The options as they stand in the trace."""

    def event(self, event: events.Event) -> events.Event:
        """Return an event that means the same for the login, without secrets and persons."""
        match event:
            case events.Started(method=method):
                self._responses.has_polls = method is LoginMethod.DEVICE_CODE
                return event
            case events.Bound(port=port):
                self._port = port
                return event
            case events.CallbackPasted(text=text):
                return event.__replace__(text=self._requests.paste(text, self._port))
            case events.RequestReceived():
                return self._requests.request(event)
            case events.TokenResponseReceived():
                return token_response(event, self._responses)
            case (
                events.BindFailed(message=words)
                | events.BrowserFailed(message=words)
                | events.TokenRequestFailed(message=words)
                | events.SaveFailed(message=words)
            ):
                return event.__replace__(message=self._placeholders.text(words))
            case events.CredentialsSaved(replaced=replaced) if replaced is not None:
                return event.__replace__(replaced=self._responses.credentials(replaced))
            case events.CancelRequested(reason=words):
                return event.__replace__(reason=self._placeholders.text(words))
            case _:
                return event


def token_response(event: events.TokenResponseReceived, responses: TokenResponses) -> events.TokenResponseReceived:
    """Return a token response that means the same, without secrets and persons."""
    return event.__replace__(
        headers=_headers(event.headers),
        body=responses.body(event.headers, event.body),
        received_at=moment(event.received_at),
    )


def moment(seconds: float) -> float:
    """Return a time as it stands in a trace. The machines refuse every time that is out of range."""
    return seconds if events.is_moment(seconds) else -1.0


def public(provider: Provider) -> Provider:
    """Return the provider without values that may be secrets or name a person."""
    return provider.__replace__(
        authorization_parameters=tuple(
            (name, value if _PARAMETERS[name].fullmatch(value) else "redacted")
            if name in _PARAMETERS
            else (f"redacted-parameter-{number}", "redacted")
            for number, (name, value) in enumerate(provider.authorization_parameters, 1)
        ),
        dialect=provider.dialect.__replace__(platform_url=_link(provider.dialect.platform_url)),
        help_url=_link(provider.help_url),
    )


def _link(url: str | None) -> str | None:
    return url if url is None or _LINK.fullmatch(url) else _NO_LINK


def _headers(headers: Headers) -> Headers:
    kept = []
    for name, value in headers:
        name = name.lower()  # noqa: PLW2901 - names have no case
        if name == b"content-type":
            value = value.partition(b";")[0]  # noqa: PLW2901 - its parameters decide nothing
        if name in _HEADERS:
            known = _HEADERS[name].fullmatch(value.strip())
            kept.append((name, known[0] if known else b"other"))
    return tuple(kept)

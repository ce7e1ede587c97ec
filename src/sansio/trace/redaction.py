"""What happens in a login, made safe to publish: every event rebuilt from what was reviewed.

The machine in a trace is run on these events, so that whatever it does, pages included, is safe as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .. import events
from .placeholders import Placeholders
from .requests import Requests
from .tokens import TokenAnswers

if TYPE_CHECKING:
    from ..options import LoginOptions, LoginSecrets

_PARAMETERS: Final = frozenset({"id_token_add_organizations", "codex_cli_simplified_flow", "originator", "prompt"})
"""Parameters of an authorization request whose values may be told."""
_HEADERS: Final = {
    b"date": re.compile(rb"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"),
    b"retry-after": re.compile(rb"\d{1,9}|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"),
    b"content-type": re.compile(rb"[\w.+-]{1,40}/[\w.+-]{1,40}"),
    b"content-encoding": re.compile(rb"|identity|gzip|deflate|br|zstd"),
}
"""The header fields of an answer that are read or help to understand it, with the values that may be told."""


class Redactor:
    """Redacts the events of one login, in their order.

    Args:
        options: The real ones.
        secrets: The real ones.
    """

    def __init__(self, options: LoginOptions, secrets: LoginSecrets) -> None:
        self._placeholders = Placeholders(secrets)
        self._requests = Requests(options.provider, self._placeholders)
        self._answers = TokenAnswers(options.provider, self._placeholders)
        self._port = 0
        parameters = options.provider.authorization_parameters
        self.options = options.__replace__(
            allowed_workspaces=tuple(self._placeholders.of("account", each) for each in options.allowed_workspaces),
            provider=options.provider.__replace__(
                authorization_parameters=tuple(
                    (name, value if name in _PARAMETERS else "redacted") for name, value in parameters
                )
            ),
        )
        """The options as a trace has them."""

    def event(self, event: events.Event) -> events.Event:
        """An event that means the same to the login."""
        match event:
            case events.Bound(port=port):
                self._port = port
                return event
            case events.CallbackPasted(text=text):
                return event.__replace__(text=self._requests.paste(text, self._port))
            case events.RequestReceived():
                return self._requests.request(event)
            case events.TokenResponseReceived(headers=headers, body=body):
                return event.__replace__(headers=self._headers(headers), body=self._answers.body(body))
            case (
                events.BindFailed(message=words)
                | events.BrowserFailed(message=words)
                | events.TokenRequestFailed(message=words)
                | events.SaveFailed(message=words)
            ):
                return event.__replace__(message=self._placeholders.text(words))
            case events.CredentialsSaved(replaced=replaced) if replaced is not None:
                return event.__replace__(replaced=self._answers.credentials(replaced))
            case events.CancelRequested(reason=words):
                return event.__replace__(reason=self._placeholders.text(words))
            case _:
                return event

    def _headers(self, headers: events.Headers) -> events.Headers:
        kept = []
        for name, value in headers:
            name = name.lower()  # noqa: PLW2901 - names have no case
            if name == b"content-type":
                value = value.partition(b";")[0]  # noqa: PLW2901 - its parameters decide nothing
            if name in _HEADERS:
                told = _HEADERS[name].fullmatch(value.strip().lower() if name == b"content-encoding" else value.strip())
                kept.append((name, value if told else b"other"))
        return tuple(kept)

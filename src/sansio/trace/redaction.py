"""Make the events of a login safe to publish: rebuild each from values that were reviewed.

The recording machine gets these events, so that all its actions, pages included, are safe as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..login import events
from ..model.options import LoginMethod
from ..oauth.authorization import redirect_uri
from .placeholders import Placeholders
from .requests import Requests
from .server.documents import Documents
from .server.kinds import RequestKind, RequestKinds
from .server.public import public_options, public_start
from .server.signatures import Signatures
from .tokens import TokenResponses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..base.http import Headers
    from ..login.actions import Action
    from ..login.machine import LoginMachine
    from ..model.options import LoginOptions, LoginSecrets
    from ..model.provider import Provider

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


class Redactor:
    """Redacts the events of one login, in their order.

    Args:
        options: The options of the real login.
        secrets: The secrets of the real login.
    """

    def __init__(self, options: LoginOptions, secrets: LoginSecrets) -> None:
        self._placeholders = Placeholders(secrets)
        self._secrets = secrets
        self._real = options
        self._kinds = RequestKinds()
        self._signatures = Signatures(self._placeholders)
        self._port: int | None = None
        self.options = public_options(options, self._placeholders)
        """The options as they stand in the trace."""
        self._use(options.provider, self.options.provider)

    def follow(self, machine: LoginMachine, second: LoginMachine, actions: Iterable[Action]) -> None:
        """Note what the machines have done with the last event.

        Args:
            machine: The machine of the real login.
            second: The machine of the trace.
            actions: What the second machine has returned.
        """
        self._signatures.settle(counts=machine.last_trigger is not None)
        self._kinds.note(second.state, actions)
        if machine.provider is not self._provider:
            self._use(machine.provider, second.provider)

    def _use(self, provider: Provider, public: Provider) -> None:
        """Redact what follows for a provider, which may have been completed by its metadata or a registration."""
        placeholders, signatures = self._placeholders, self._signatures
        self._provider, self._public = provider, public
        signatures.algorithms = provider.id_token_signing_alg_values_supported
        scopes = self._real.__replace__(provider=provider).requested_scopes
        self._requests = Requests(provider, public, placeholders, self._secrets)
        self._tokens = TokenResponses(provider, public, placeholders, scopes, signatures)
        self._documents = Documents(provider, public, placeholders, signatures)

    def event(self, event: events.Event) -> events.Event:
        """Return an event that means the same for the login, without secrets and persons."""
        match event:
            case events.Started(method=method):
                self._tokens.keeps_web_pages(method is LoginMethod.DEVICE_CODE)
                return public_start(event, self._provider, self._placeholders)
            case events.Bound(port=port):
                self._port = port
                return event
            case events.CallbackPasted(text=text):
                return event.__replace__(text=self._requests.paste(text, self._port or 0))
            case events.RequestReceived() | events.CallbackArrived():
                return self._requests.request(event)
            case events.TokenResponseReceived():
                return response(event, self._body(event))
            case (
                events.BindFailed(message=words)
                | events.BrowserFailed(message=words)
                | events.TokenRequestFailed(message=words)
                | events.SaveFailed(message=words)
                | events.RegistrationSaveFailed(message=words)
            ):
                return event.__replace__(message=self._placeholders.text(words))
            case events.CredentialsSaved(replaced=replaced) if replaced is not None:
                return event.__replace__(replaced=self._tokens.credentials(replaced))
            case events.CancelRequested(reason=words):
                return event.__replace__(reason=self._placeholders.text(words))
            case _:
                return event

    def _body(self, event: events.TokenResponseReceived) -> bytes:
        kind = self._kinds.of(event.exchange_id)
        if kind is RequestKind.TOKENS:
            return self._tokens.body(event.headers, event.body)
        uri = None if self._port is None else redirect_uri(self._real, self._port)
        return self._documents.body(kind, event, uri)


def response(event: events.TokenResponseReceived, body: bytes) -> events.TokenResponseReceived:
    """Return a response with a redacted body, without secrets and persons in its other parts."""
    return event.__replace__(headers=_headers(event.headers), body=body, received_at=moment(event.received_at))


def moment(seconds: float) -> float:
    """Return a time as it stands in a trace. The machines refuse every time that is out of range."""
    return seconds if events.is_moment(seconds) else -1.0


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

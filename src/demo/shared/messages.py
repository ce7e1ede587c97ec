"""Requests as a provider records and reads them, and its error responses."""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as BadBase64
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote_plus

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from werkzeug.wrappers import Request

_FORM: Final = "application/x-www-form-urlencoded"
_REPEATABLE: Final = frozenset({"resource"})
"""Parameters that may occur more than once (RFC 8707 section 2)."""

Pairs = tuple[tuple[str, str], ...]


class OAuthError(Exception):
    """An error of RFC 6749 section 5.2, or of the RFC of an endpoint.

    Args:
        error: The error code.
        description: A text for programmers. It repeats nothing of the request.
        status: The HTTP status.
        authenticate: The ``WWW-Authenticate`` header.
    """

    def __init__(self, error: str, description: str, *, status: int = 400, authenticate: str | None = None) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status
        self.authenticate = authenticate

    def response(self) -> Response:
        """Return the error response."""
        response = json_response({"error": self.error, "error_description": self.description}, status=self.status)
        if self.authenticate is not None:
            response.headers["WWW-Authenticate"] = self.authenticate
        return response


@dataclass(frozen=True, slots=True, repr=False)
class ReceivedRequest:
    """A request that reached the provider. Its repr has method and path only."""

    method: str
    path: str
    endpoint: str | None
    """None if there is nothing at this path."""
    headers: Headers
    """All headers. Names are compared without regard to case."""
    query: Pairs
    raw_query: str
    body: bytes

    @classmethod
    def of(cls, request: Request, endpoint: str | None) -> ReceivedRequest:
        """Read a request.

        Raises:
            werkzeug.exceptions.RequestEntityTooLarge: The body is larger than the request's limit.
        """
        raw_query = request.query_string.decode("latin-1")
        return cls(
            request.method,
            request.path,
            endpoint,
            Headers(list(request.headers)),
            _pairs(raw_query),
            raw_query,
            request.get_data(),
        )

    @property
    def content_type(self) -> str:
        """The media type of the body, in lower case; empty if there is none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def form(self) -> Pairs:
        """The fields of the body, if it is a form."""
        return _pairs(self.body.decode("utf-8", "replace")) if self.content_type == _FORM else ()

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of query and body by name. Of a JSON body they are the members that are strings."""
        members: Iterable[tuple[object, object]] = ()
        if self.content_type == "application/json":
            content = self.json()
            members = content.items() if isinstance(content, dict) else ()
        texts = {name: value for name, value in members if isinstance(name, str) and isinstance(value, str)}
        return {**dict(self.query), **dict(self.form), **texts}

    @property
    def basic(self) -> tuple[str, str] | None:
        """Client id and secret of an ``Authorization: Basic`` header, decoded as RFC 6749 section 2.3.1 says."""
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, colon, secret = b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
        except (BadBase64, UnicodeDecodeError):
            return None
        return (unquote_plus(name), unquote_plus(secret)) if colon else None

    def json(self) -> object:
        """Return the body as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def contains(self, text: str) -> bool:
        """Return whether a text occurs anywhere in the request, encoded or not. For tests that look for secrets."""
        places = [self.path, self.raw_query, self.body.decode("utf-8", "replace"), *(self.basic or ())]
        places += [value for _, value in (*self.query, *self.form, *self.headers, *self.parameters.items())]
        return any(text in place for place in places)

    def __repr__(self) -> str:
        return f"<{self.method} {self.path}>"


class Parameters:
    """Parameters of a request. Those without a value count as absent (RFC 6749 section 3.1)."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs: Final = tuple((name, value) for name, value in pairs if value)

    @classmethod
    def of_form(cls, received: ReceivedRequest, *, endpoint_query: str) -> Parameters:
        """Return the parameters of a request to an endpoint that takes forms only.

        Args:
            received: The request.
            endpoint_query: The query that the endpoint has by itself. Parameters of the request must not be there.

        Raises:
            OAuthError: The body is not a form, or the query is another one, or a parameter is repeated.
        """
        if received.content_type != _FORM:
            raise OAuthError("invalid_request", f"The body must be {_FORM}.")
        if received.raw_query != endpoint_query:
            raise OAuthError("invalid_request", "Parameters belong into the body.")
        parameters = cls(received.form)
        parameters.check_repeated()
        return parameters

    def get(self, name: str) -> str | None:
        """Return a parameter; None if it is absent.

        Raises:
            OAuthError: It is repeated.
        """
        values = self.all(name)
        if len(values) > 1:
            raise OAuthError("invalid_request", f"The parameter {name} is repeated.")
        return values[0] if values else None

    def need(self, name: str) -> str:
        """Return a parameter.

        Raises:
            OAuthError: It is absent or repeated.
        """
        value = self.get(name)
        if value is None:
            raise OAuthError("invalid_request", f"The parameter {name} is missing.")
        return value

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter."""
        return tuple(value for found, value in self.pairs if found == name)

    def check_repeated(self) -> None:
        """Check that parameters occur once.

        Raises:
            OAuthError: One is repeated.
        """
        counts = Counter(name for name, _ in self.pairs if name not in _REPEATABLE)
        if any(count > 1 for count in counts.values()):
            raise OAuthError("invalid_request", "A parameter is repeated.")


def json_response(content: Mapping[str, object], *, status: int = 200) -> Response:
    """Return a JSON response that must not be cached (RFC 6749 section 5.1)."""
    return Response(json.dumps(content), status, {"Cache-Control": "no-store"}, content_type="application/json")


def scopes_in(text: str | None) -> tuple[str, ...]:
    """Return the scopes of a ``scope`` parameter, each once, in their order."""
    return tuple(dict.fromkeys((text or "").split(" "))) if text else ()


def _pairs(encoded: str) -> Pairs:
    return tuple(parse_qsl(encoded, keep_blank_values=True))

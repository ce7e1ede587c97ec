"""Responses that a test puts in the place of an endpoint's own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGE: Final = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response that an endpoint sends instead of its own."""

    status: int = 200
    content: bytes = field(default=b"", repr=False)
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    handled: bool = False
    """The endpoint handles the request, and its own response is sent. Only `ending` and `is_held` count then."""
    ending: Literal["whole", "cut", "dropped"] = "whole"
    """How much of the response is sent: all of it, half of its body, or nothing before the connection ends."""
    is_held: bool = False
    """The response is not sent before `Site.release`, or the end of the provider."""

    @classmethod
    def json(cls, content: object, *, status: int = 200) -> Answer:
        """Return a JSON answer."""
        return cls(status=status, content=json.dumps(content).encode())

    @classmethod
    def error(cls, code: str, *, status: int = 400) -> Answer:
        """Return an error response (RFC 6749 section 5.2). With the status 200 it is one that no standard allows."""
        return cls.json({"error": code}, status=status)

    @classmethod
    def error_object(cls, code: str, *, status: int = 400, param: str | None = None) -> Answer:
        """Return an error response in which ``error`` is an object, as those of an API are."""
        error = {"code": code, "message": "The request was refused.", "type": "invalid_request_error", "param": param}
        return cls.json({"error": error}, status=status)

    @classmethod
    def html(cls, *, status: int = 200) -> Answer:
        """Return a web page, such as a captive portal sends."""
        return cls(
            status=status, content=b"<!doctype html><title>Hello</title>", content_type="text/html; charset=utf-8"
        )

    @classmethod
    def redirect(cls, location: str, *, status: int = 302) -> Answer:
        """Return a redirect."""
        return cls(status=status, headers={"Location": location})

    @classmethod
    def large(cls, *, size: int = _LARGE) -> Answer:
        """Return a valid JSON object.

        Args:
            size: Its size in bytes.
        """
        return cls(content=b"{" + b" " * (size - 2) + b"}")

    @classmethod
    def dropped(cls, *, handled: bool = False) -> Answer:
        """End the connection without a response.

        Args:
            handled: The endpoint handles the request before.
        """
        return cls(handled=handled, ending="dropped")

    @classmethod
    def held(cls) -> Answer:
        """Let the endpoint handle the request, and do not send its response before `Site.release`."""
        return cls(handled=True, is_held=True)

    @classmethod
    def cut(cls) -> Answer:
        """Let the endpoint handle the request, and send half of its response."""
        return cls(handled=True, ending="cut")

    def after(self, seconds: int) -> Answer:
        """Return the same answer with a ``Retry-After`` header (RFC 9110 section 10.2.3)."""
        return replace(self, headers={**self.headers, "Retry-After": str(seconds)})

    def response(self) -> Response:
        """Return the whole response."""
        return Response(self.content, self.status, dict(self.headers), content_type=self.content_type)

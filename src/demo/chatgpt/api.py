"""A stand-in for the interface of the models: it lists them, and streams one answer."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Response

from ..shared.answers import Answer
from ..shared.messages import json_response
from .switches import PLAN_SCOPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..shared.messages import ReceivedRequest
    from ..shared.tickets import Ticket
    from .state import State
    from .switches import Endpoint

_MEMBERS: Final = frozenset(
    {"model", "input", "instructions", "store", "stream", "reasoning", "text", "tools", "tool_choice", "include"}
)
"""Members of a request. Others are not available with a plan."""
_WORDS: Final = ("This ", "is ", "the ", "demonstration.")


class ModelEndpoints:
    """Handles requests of signed-in programs."""

    def __init__(self, state: State) -> None:
        self._state = state

    def models(self, received: ReceivedRequest) -> Response:
        """List the models."""
        refusal = self._refusal(received, "models")
        if refusal is not None:
            return refusal
        models = [
            {"slug": name, "display_name": name.upper(), "visibility": visibility}
            for name, visibility in self._state.switches.models
        ]
        return json_response({"models": models})

    def responses(self, received: ReceivedRequest) -> Response:
        """Stream an answer as server-sent events."""
        refusal = self._refusal(received, "responses")
        if refusal is not None:
            return refusal
        content = received.json() if received.content_type == "application/json" else None
        if not isinstance(content, dict) or not isinstance(content.get("input"), list) or "model" not in content:
            return Answer.error_object("invalid_request_error", param="input").response()
        unsupported = sorted(set(content) - _MEMBERS)
        if content.get("store") is not False:
            unsupported.insert(0, "store")
        if content.get("stream") is not True:
            unsupported.insert(0, "stream")
        if unsupported:
            return Answer.error_object("subscription_sharing_unsupported_capability", param=unsupported[0]).response()
        response = Response(self._events(), content_type="text/event-stream")
        if not self._state.switches.stream_content_type:
            del response.headers["Content-Type"]
        return response

    def _events(self) -> Iterator[bytes]:
        name = f"resp_{secrets.token_hex(8)}"
        yield _event("response.created", {"response": {"id": name, "status": "in_progress"}})
        failure = self._state.switches.stream_failure
        if failure is not None:
            error = {"code": failure, "message": "The plan cannot be used."}
            yield _event("response.failed", {"response": {"id": name, "status": "failed", "error": error}})
            return
        for word in _WORDS:
            yield _event("response.output_text.delta", {"delta": word})
        yield _event("response.completed", {"response": {"id": name, "status": "completed"}})

    def _refusal(self, received: ReceivedRequest, endpoint: Endpoint) -> Response | None:
        """Return an error if the token of a request does not work, else None."""
        scheme, _, token = received.headers.get("Authorization", "").partition(" ")
        ticket = self._state.tickets.issued(token.strip(), "access_token") if scheme.lower() == "bearer" else None
        if ticket is None:
            self._state.violations.add(endpoint, "A request has an access token that was issued here.")
            return json_response({"detail": "Unauthorized"}, status=401)
        if not self._belongs_to_connected(ticket):
            return Answer.error_object("subscription_sharing_invalid_user", status=401).response()
        if self._state.tickets.find(token.strip()) is None or PLAN_SCOPE not in ticket.scope:
            return json_response({"detail": "Unauthorized"}, status=401)
        return None

    def _belongs_to_connected(self, ticket: Ticket) -> bool:
        registration = self._state.registrations.find(ticket.grant.client_id)
        return registration is not None and registration.connected


def _event(kind: str, content: dict[str, object]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **content})}\n\n".encode()

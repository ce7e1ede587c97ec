"""The authorization endpoint of the imitation of "Sign in with ChatGPT"."""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from werkzeug.wrappers import Response

from ..shared.messages import OAuthError, Parameters
from ..shared.sessions import page_response
from ..shared.tickets import Grant
from .interaction import Approval, Approvals
from .pages import refusal_page
from .rules import UnusableError, check_client, check_request
from .switches import BOOTSTRAP, RESOURCE

if TYPE_CHECKING:
    from ..shared.messages import ReceivedRequest
    from .rules import AuthorizationRequest
    from .state import Registration, State

_LONG: Final = "oaiapp_" + "x" * 293
_CONTROLS: Final = "oaiapp_a\r\n\x00b"


class AuthorizationEndpoint:
    """Handles authorization requests, and the forms that answer them."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._switches = state.switches
        self._approvals = Approvals(state)
        self._lock = threading.Lock()
        self._answered: set[str] = set()
        """Values of answered requests that must be fresh for each attempt."""

    def authorize(self, received: ReceivedRequest) -> Response:
        """Answer an authorization request, or a submitted form."""
        parameters = Parameters(received.query)
        try:
            registration, redirect_uri = check_client(self._state, parameters)
        except UnusableError as error:
            request_id = f"req_{secrets.token_hex(8)}"
            return page_response(refusal_page(error.text, error=error.error, request_id=request_id), 400)
        try:
            request = check_request(self._state, parameters, registration, redirect_uri)
            self._check_fresh(request)
        except OAuthError as error:
            self._state.violations.add("authorization", error.description)
            return _redirect(redirect_uri, [("error", error.error), *_state_of(parameters)])
        if self._switches.authorization_error is not None:
            return _redirect(redirect_uri, [("error", self._switches.authorization_error), ("state", request.state)])
        decision = self._approvals.ask(received, request)
        if isinstance(decision, Response):
            return decision
        with self._lock:
            self._answered |= {request.state, request.nonce, request.code_challenge}
        if decision is None:
            return _redirect(redirect_uri, [("error", "access_denied"), ("state", request.state)])
        return self._approved(request, decision)

    def _check_fresh(self, request: AuthorizationRequest) -> None:
        """Check that the random values were not used by another attempt.

        Raises:
            OAuthError: One was.
        """
        with self._lock:
            if self._answered & {request.state, request.nonce, request.code_challenge}:
                raise OAuthError("invalid_request", "The state, nonce and code_challenge are new at each attempt.")

    def _approved(self, request: AuthorizationRequest, approval: Approval) -> Response:
        registration = request.registration
        if registration is None:
            registration = self._state.registrations.add(
                person=approval.person,
                workspace=approval.workspace,
                agent_name=approval.agent_name,
                scope=approval.scope,
                host_id=request.host_id,
            )
        elif request.host_id not in registration.host_ids:
            registration.host_ids += (request.host_id,)
        registration.scope, registration.connected = approval.scope, True
        grant = Grant(
            client_id=registration.client_id,
            person=approval.person,
            scope=approval.scope,
            resources=(RESOURCE,),
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            nonce=request.nonce,
        )
        registration.grants.append(grant)
        code = self._state.tickets.issue("code", grant, lifetime=self._switches.code_lifetime)
        return _redirect(request.redirect_uri, self._answer(request, registration, code))

    def _answer(self, request: AuthorizationRequest, registration: Registration, code: str) -> list[tuple[str, str]]:
        """Return the parameters of an authorization response, in the documented order."""
        switches = self._switches
        answer = [("code", code)]
        if switches.scope_in_callback:
            answer.append(("scope", " ".join(sorted(registration.scope))))
        answer.append(("state", request.state))
        answer += [("client_id", value) for value in self._client_ids(request, registration)]
        if switches.callback_issuer != "none":
            own = switches.callback_issuer == "own"
            answer.append(("iss", self._state.issuer if own else "https://stranger.example"))
        return [*answer, *switches.callback_parameters.items()]

    def _client_ids(self, request: AuthorizationRequest, registration: Registration) -> tuple[str, ...]:
        kind, issued = self._switches.client_id_in_callback, registration.client_id
        if kind == "documented":
            return (issued,) if request.registration is None else ()
        values = {
            "issued": (issued,),
            "none": (),
            "bootstrap": (BOOTSTRAP,),
            "empty": ("",),
            "twice": (issued, "oaiapp_another"),
            "long": (_LONG,),
            "control_characters": (_CONTROLS,),
            "other": ("oaiapp_another",),
        }
        return values[kind]


def _state_of(parameters: Parameters) -> list[tuple[str, str]]:
    return [("state", value) for value in parameters.all("state")[:1]]


def _redirect(redirect_uri: str, answer: list[tuple[str, str]]) -> Response:
    return Response(status=302, headers={"Location": f"{redirect_uri}?{urlencode(answer)}"})

"""Where a person decides about a sign-in: on pages, or at once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..accounts import Person
from ..pages import unusable
from ..shared.sessions import Sessions, page_response
from .pages import WORKSPACES, account_form, consent_form, first_form
from .switches import IDENTITY_SCOPES, SCOPES

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from ..shared.messages import ReceivedRequest
    from .rules import AuthorizationRequest
    from .state import Registration, State

FOLDER: Final = "/api/accounts"
"""The folder of the pages. Cookies ignore ports: the path keeps them from a callback listener."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What a person approved."""

    person: Person
    workspace: str
    agent_name: str
    scope: tuple[str, ...]


class Approvals:
    """Asks the person."""

    def __init__(self, state: State) -> None:
        self._switches = state.switches
        self._sessions = Sessions(state.issuer, FOLDER)

    def ask(self, received: ReceivedRequest, request: AuthorizationRequest) -> Approval | Response | None:
        """Return what the person approved, None if they declined, or a page for them."""
        switches, registration = self._switches, request.registration
        if switches.consent == "declined":
            return None
        if registration is not None and not self._asks_for_permissions(request):
            if switches.consent == "automatic" or request.hinted:
                return _as_before(registration)
            return self._select_account(received, registration)
        if switches.consent == "automatic":
            scope = tuple(name for name in SCOPES if name not in switches.declined_scopes)
            if registration is not None:
                return _as_before(registration, scope)
            person = Person(email=switches.email, auth_time=int(time.time()))
            return Approval(person=person, workspace=switches.workspace, agent_name=request.agent_name, scope=scope)
        return self._first(received, request) if registration is None else self._consent(received, registration)

    @staticmethod
    def _asks_for_permissions(request: AuthorizationRequest) -> bool:
        return request.registration is None or request.consent or not request.registration.connected

    def _first(self, received: ReceivedRequest, request: AuthorizationRequest) -> Approval | Response | None:
        email, problem, form = "", None, dict(received.form)
        if received.method == "POST":
            refusal = self._refusal(received)
            if refusal is not None or form.get("decision") == "refuse":
                return refusal
            email, agent_name = form.get("email", "").strip(), form.get("agent_name", "").strip()
            correct = "@" in email and email.isprintable() and form.get("password") and agent_name.isprintable()
            if correct and agent_name and form.get("workspace") in WORKSPACES:
                person = Person(email=email, auth_time=int(time.time()))
                workspace = form["workspace"]
                return Approval(person=person, workspace=workspace, agent_name=agent_name, scope=_chosen(received))
            problem = "Type an email address, any password, and a name."

        def page(csrf_token: str) -> str:
            return first_form(csrf_token=csrf_token, agent_name=request.agent_name, email=email, problem=problem)

        return self._sessions.show(received, page, 422 if problem else 200)

    def _consent(self, received: ReceivedRequest, registration: Registration) -> Approval | Response | None:
        if received.method == "POST":
            refusal = self._refusal(received)
            if refusal is not None or dict(received.form).get("decision") == "refuse":
                return refusal
            return _as_before(registration, _chosen(received))
        name, email = registration.agent_name, registration.person.email
        return self._sessions.show(
            received, lambda csrf_token: consent_form(csrf_token=csrf_token, agent_name=name, email=email)
        )

    def _select_account(self, received: ReceivedRequest, registration: Registration) -> Approval | Response | None:
        if received.method == "POST":
            refusal = self._refusal(received)
            if refusal is not None or dict(received.form).get("decision") == "refuse":
                return refusal
            return _as_before(registration)
        name, email = registration.agent_name, registration.person.email
        return self._sessions.show(
            received, lambda csrf_token: account_form(csrf_token=csrf_token, agent_name=name, email=email)
        )

    def _refusal(self, received: ReceivedRequest) -> Response | None:
        """Return a page if a form was not sent to this browser."""
        if self._sessions.submitted(received) is None:
            return page_response(unusable("This form was not opened in this browser, or is too old."), 403)
        return None


def _as_before(registration: Registration, scope: tuple[str, ...] | None = None) -> Approval:
    """Return an approval of a registered client for its person and workspace."""
    return Approval(
        person=registration.person,
        workspace=registration.workspace,
        agent_name=registration.agent_name,
        scope=registration.scope if scope is None else scope,
    )


def _chosen(received: ReceivedRequest) -> tuple[str, ...]:
    """Return the scopes of a submitted form."""
    checked = {value for name, value in received.form if name == "scope"}
    return tuple(name for name in SCOPES if name in IDENTITY_SCOPES or name in checked)

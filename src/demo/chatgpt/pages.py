"""Pages on which a person approves a program."""

from __future__ import annotations

from html import escape
from typing import Final

from ..pages import alert_of, page_of
from .switches import IDENTITY_SCOPES, PLAN_SCOPE

WORKSPACES: Final = ("Personal", "Analytical Engines")
_PERMISSIONS: Final = {
    "offline_access": "Stay signed in",
    "resource.invoke": "Use models in your name",
    PLAN_SCOPE: "Use your ChatGPT plan",
}
_NOTE: Final = (
    '<p class="note"><strong>This is a demonstration.</strong> It runs on this computer only and forgets everything '
    "when it ends. Any email address and any password will do; do not type a real password.</p>"
)
_BUTTONS: Final = (
    '<button class="act" name="decision" value="approve">Approve</button>'
    '<button name="decision" value="refuse" formnovalidate>Cancel</button></form>'
)


def first_form(*, csrf_token: str, agent_name: str, email: str = "", problem: str | None = None) -> str:
    """Return the form of a first sign-in: person, workspace, name of the program, and permissions.

    Args:
        csrf_token: The CSRF token of the browser's session.
        agent_name: The name that the program suggests.
        email: The email address that was submitted before.
        problem: What was wrong with the submitted form.
    """
    alert, described = alert_of(problem)
    workspaces = "".join(f"<option>{escape(name)}</option>" for name in WORKSPACES)
    return page_of(
        "Continue with ChatGPT",
        f"<p>A program on this computer asks to connect to your account.</p>{_NOTE}{alert}{_start(csrf_token)}"
        '<label for="email">Email address</label>'
        f'<input id="email" name="email" type="email" value="{escape(email)}" maxlength="200" required autofocus'
        f' spellcheck="false" autocapitalize="none"{described}>'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" maxlength="200" autocomplete="off" required>'
        f'<label for="workspace">Workspace</label><select id="workspace" name="workspace">{workspaces}</select>'
        '<label for="agent_name">Name of the program</label>'
        f'<input id="agent_name" name="agent_name" value="{escape(agent_name)}" maxlength="120" required>'
        f"{_permissions()}{_BUTTONS}",
    )


def consent_form(*, csrf_token: str, agent_name: str, email: str) -> str:
    """Return the form of a later sign-in in which the program asks for the permissions again."""
    return page_of(
        "Review permissions",
        f"<p>{escape(agent_name)} asks {escape(email)} for permissions.</p>"
        f"{_start(csrf_token)}{_permissions()}{_BUTTONS}",
    )


def account_form(*, csrf_token: str, agent_name: str, email: str) -> str:
    """Return the form of a later sign-in in which the person selects the account."""
    return page_of(
        "Choose an account",
        f"<p>Continue to {escape(agent_name)}.</p>{_start(csrf_token)}"
        f'<button class="act" name="decision" value="approve">Continue as {escape(email)}</button>'
        '<button name="decision" value="refuse">Cancel</button></form>',
    )


def refusal_page(text: str, *, error: str, request_id: str) -> str:
    """Return the page of a request that is not answered at its redirect URI.

    Args:
        text: What is wrong with the request.
        error: The error code.
        request_id: Names the request.
    """
    return page_of(
        "This sign-in cannot go on",
        f'<p>{escape(text)}</p><p class="soft">Error code: {escape(error)}<br>Request: {escape(request_id)}</p>',
    )


def _start(csrf_token: str) -> str:
    return (
        f'<form method="post" autocomplete="off"><input type="hidden" name="csrf_token" value="{escape(csrf_token)}">'
    )


def _permissions() -> str:
    choices = "".join(
        f'<label class="choice"><input type="checkbox" name="scope" value="{escape(scope)}" checked>{text}</label>'
        for scope, text in _PERMISSIONS.items()
    )
    return (
        f"<fieldset><legend>Permissions</legend>{choices}</fieldset>"
        f'<p class="soft">The program always learns who you are ({", ".join(IDENTITY_SCOPES)}).</p>'
    )

"""The steps of a script: what the browser, the person, the provider, the system and other programs do.

    played([steps.callback(error="access_denied")])
    played([steps.callback(), steps.answer({"error": "invalid_grant"}, status=400)])

Steps happen in their order. What a script does not say goes well. After the last step, time passes, until the login
times out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from ...sansio.base.http import TransportProblem
from ...sansio.login import actions, events
from . import answers
from .script import Answer, Happening, Pause, Request, Step, TimePasses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .script import Owed, Scene

__all__ = [
    "Request",
    "Step",
    "another_login_cancels",
    "answer",
    "browser_fails",
    "browser_leaves",
    "callback",
    "device_code_pending",
    "id_token",
    "no_answer",
    "other_account",
    "port_fails",
    "previous_login",
    "program_cancels",
    "registration_store_fails",
    "request",
    "store_fails",
    "time_passes",
    "tokens",
    "wait_for_program",
]

_REASONS: Final[Mapping[TransportProblem, str]] = {
    TransportProblem.TIMEOUT: "no answer in time",
    TransportProblem.CONNECT: "the connection was refused",
    TransportProblem.REQUEST: "the connection broke",
}


# The system


def port_fails(kind: events.BindProblem | str = "other", message: str = "the port cannot be opened") -> Step:
    """The next attempt to open the callback port fails.

    Args:
        kind: ``in_use``, ``forbidden`` or ``other``.
        message: The system's reason.
    """
    failed = events.BindFailed(kind=events.BindProblem(kind), message=message)
    return Answer(name=f"the port cannot be opened: {kind}", to=actions.Bind, event=lambda _scene, _owed: failed)


def previous_login(*, stops: bool) -> Step:
    """The program that holds the callback port is asked to stop, and does so or not."""
    answered = events.PreviousCancelled(accepted=stops)
    return Answer(name="an earlier login answers", to=actions.CancelPrevious, event=lambda _scene, _owed: answered)


def browser_fails(message: str = "no browser was found") -> Step:
    """No browser can be opened."""
    failed = events.BrowserFailed(message=message)
    return Answer(name="no browser opens", to=actions.OpenBrowser, event=lambda _scene, _owed: failed)


def store_fails(message: str = "No space left on device") -> Step:
    """The credentials cannot be stored. The program's store is not called."""
    failed = events.SaveFailed(message=message)
    return Answer(name="the store fails", to=actions.SaveCredentials, event=lambda _scene, _owed: failed)


def registration_store_fails(message: str = "No space left on device") -> Step:
    """The registered client cannot be stored."""
    failed = events.RegistrationSaveFailed(message=message)
    return Answer(name="the store fails", to=actions.SaveRegistration, event=lambda _scene, _owed: failed)


# The browser and the person


def callback(  # noqa: PLR0913 - the parameters of a callback
    *,
    code: str | None = answers.CODE,
    error: str | None = None,
    error_description: str | None = None,
    state: str | None = None,
    iss: str | None = None,
    client_id: str | None = None,
    from_other_user: bool = False,
) -> Step:
    """The browser comes back to the callback port.

    Args:
        code: The authorization code. None, or an error, for none.
        error: The provider's error code, such as ``access_denied``.
        error_description: The provider's words about the error.
        state: None for the right one.
        iss: The issuer. None for the right one, if the provider sends it.
        client_id: The client that the provider issues. None for a right one, if the provider issues clients.
        from_other_user: A process of another user of this machine has sent it.
    """

    def event(scene: Scene) -> events.Event:
        provider = scene.provider
        parameters = {
            "code": None if error else code,
            "error": error,
            "error_description": error_description,
            "state": scene.secrets.state if state is None else state,
            "client_id": answers.issued_client(provider) if client_id is None else client_id,
            "iss": (provider.issuer if provider.promises_iss else None) if iss is None else iss,
        }
        query = urlencode({name: value for name, value in parameters.items() if value is not None})
        return answers.visit(scene, f"{provider.request_path}?{query}", from_other_user=from_other_user)

    return Happening(name="the browser comes back", event=event)


def request(target: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> Step:
    """Any request to the callback port.

    Args:
        target: The path and the query.
        method: The method.
        headers: More header fields than ``Host``.
    """
    fields = tuple((name.encode(), value.encode()) for name, value in (headers or {}).items())
    return Happening(
        name=f"a request for {target.partition('?')[0]}",
        event=lambda scene: answers.visit(scene, target, method=method, headers=fields),
    )


def another_login_cancels() -> Step:
    """Another login on this machine asks this one to free the port."""
    return Happening(name="another login takes over", event=lambda scene: answers.visit(scene, "/cancel"))


def browser_leaves() -> Step:
    """The browser is closed while it waits for its last page, and the login for the tokens."""
    return _answer(
        "the browser is closed",
        Request.TOKENS,
        lambda scene, _owed: events.ClientGone(request_id=scene.request_id),
    )


# The provider


def answer(
    content: object = None,
    *,
    status: int = 200,
    to: Request | str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Step:
    """The provider answers a request.

    Args:
        content: The body: bytes, or what is written as JSON. None for no body.
        status: The status.
        to: What the request is for, a `Request`, such as ``tokens``. None for the next request, whatever it is for.
        headers: More header fields than ``Content-Type``.
    """
    body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
    kind = "text/html" if isinstance(content, bytes) else "application/json"
    fields = {"Content-Type": kind, **(headers or {})}
    encoded = tuple((name.encode(), value.encode()) for name, value in fields.items())
    return _answer(
        f"the provider answers with status {status}",
        to,
        lambda scene, owed: answers.respond(scene, owed, status, body, encoded),
    )


def tokens(**members: object) -> Step:
    """The provider answers the token request with tokens.

    Args:
        members: Members of the answer that are other than with which all goes well. One that is None is left out.
    """
    return _answer(
        "the provider gives tokens",
        Request.TOKENS,
        lambda scene, owed: answers.respond(scene, owed, body=answers.body_for(scene, owed, **members)),
    )


def id_token(**claims: object) -> Step:
    """The provider answers the token request with tokens, one of which is an id token with other claims.

    Args:
        claims: Claims that are other than with which all goes well. One that is None is left out.
    """

    def event(scene: Scene, owed: Owed) -> events.Event:
        return answers.respond(scene, owed, body=json.dumps(answers.tokens(scene, claims)).encode())

    return _answer("the provider gives an id token with other claims", Request.TOKENS, event)


def other_account(account_id: str = "another-workspace") -> Step:
    """The provider answers the token request with the tokens of another account than the program expects.

    Args:
        account_id: The id of the account, which is also its workspace.
    """

    def event(scene: Scene, owed: Owed) -> events.Event:
        members = answers.tokens(scene, account_id=account_id)
        return answers.respond(scene, owed, body=json.dumps(members).encode())

    return _answer("the person chooses another account", Request.TOKENS, event)


def no_answer(kind: TransportProblem | str = "timeout", message: str = "", *, to: Request | str | None = None) -> Step:
    """The provider does not answer a request.

    Args:
        kind: ``timeout``, ``connect`` or ``request`` (the connection broke).
        message: The reason, for people.
        to: What the request is for, as for `answer`.
    """
    problem = TransportProblem(kind)

    def event(_scene: Scene, owed: Owed) -> events.Event:
        assert isinstance(owed.action, actions.SendTokenRequest)
        return events.TokenRequestFailed(
            exchange_id=owed.action.exchange_id, kind=problem, message=message or _REASONS[problem]
        )

    return _answer(f"the provider does not answer: {problem}", to, event)


def device_code_pending() -> Step:
    """The person has not entered the device code yet. The login asks again."""

    def event(scene: Scene, owed: Owed) -> events.Event:
        status, body = answers.is_pending(scene)
        return answers.respond(scene, owed, status, body)

    return _answer("the code was not entered yet", Request.POLL, event)


def _answer(name: str, to: Request | str | None, event: Callable[[Scene, Owed], events.Event]) -> Step:
    wanted = None if to is None else Request(to)
    return Answer(name=name, to=actions.SendTokenRequest, request=wanted, event=event)


# Time, and the program


def time_passes(seconds: float) -> Step:
    """Time passes, which takes no real time. Timers run out on the way.

    Args:
        seconds: 0 or more.
    """
    return TimePasses(name=f"{seconds:g} seconds pass", seconds=seconds)


def wait_for_program() -> Step:
    """The person and the provider do nothing, and time stands still, until the program does something.

    The pause ends when what the program does, `cancel` or `paste`, brings the login forward.
    """
    return Pause(name="the program is to act")


def program_cancels(*, during: Request | str | None = None, reason: str = "cancelled by the caller") -> Step:
    """The login is cancelled, as if the program had called `cancel`.

    Args:
        during: Cancel while this request is not answered yet. None to cancel in the order of the steps.
        reason: Why.
    """
    cancelled = events.CancelRequested(reason=reason)
    if during is None:
        return Happening(name="the program cancels", event=lambda _scene: cancelled)
    return _answer("the program cancels", during, lambda _scene, _owed: cancelled)

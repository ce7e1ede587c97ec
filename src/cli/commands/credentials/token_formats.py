"""The forms in which ``loginmachine token`` prints a token: each is for another program."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from ...terminal.times import rfc3339, utc_time

if TYPE_CHECKING:
    from typing import Final

    from ....sansio.refresh.outcome import RefreshSuccess

VARIABLE: Final = "LOGINMACHINE_TOKEN"
"""The environment variable that ``--format env`` sets."""
EXEC_CREDENTIAL: Final = "client.authentication.k8s.io/v1"
"""The API of credential plugins of kubectl, in which a `status` has the token."""
NOTHING: Final[dict[str, str | None]] = dict.fromkeys(("token", "token_type", "expires_at", "category", "message"))
"""The members of ``--format json``."""


def text_of(done: RefreshSuccess, form: str) -> str:
    """Return a token as text, without a line end.

    Args:
        done: The token, and the credentials that hold it.
        form: ``token``, ``header``, ``env``, ``json`` or ``kubernetes``.
    """
    token = done.token.reveal()
    match form:
        case "header":
            return f"Authorization: Bearer {token}"
        case "env":
            return f"{VARIABLE}={shlex.quote(token)}"
        case "json":
            found = {"token": token, "token_type": "Bearer", "expires_at": _expiry(done), "message": _message(done)}
            return json.dumps({**NOTHING, **found})
        case "kubernetes":
            ends = _expiry(done)
            status = {"token": token, **({} if ends is None else {"expirationTimestamp": ends})}
            return json.dumps({"apiVersion": EXEC_CREDENTIAL, "kind": "ExecCredential", "status": status})
        case _:
            return token


def failure_as_json(category: str, message: str) -> str:
    """Return what ``--format json`` prints if there is no token."""
    return json.dumps({**NOTHING, "category": category, "message": message})


def _expiry(done: RefreshSuccess) -> str | None:
    """Return when the token expires; None if nothing says, as for an API key."""
    tokens = done.credentials.tokens
    if tokens is None or tokens.access_token != done.token:
        return None
    return rfc3339(utc_time(tokens.expires_at()))


def _message(done: RefreshSuccess) -> str | None:
    """Return why the token could not be renewed; None if it could."""
    return (done.failure.message if done.failure is not None else done.message) or None

"""What the command says about the use of a person's plan, at a provider that has plans."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ...sansio.server.chatgpt import USAGE_URL
from ..sign_in_advice import options_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from ...sansio.model.credentials import Credentials
    from ...sansio.model.tokens import Tokens

NOTICE: Final = "plan_use"
"""The name of the notice that is shown once."""
_IS_USED: Final = f"Requests of this program use your ChatGPT plan. Manage usage: {USAGE_URL}"
_IDENTITY_ONLY: Final = "The sign-in only says who you are: the provider gave no access token."


def lines_after_login(credentials: Credentials, show_once: Callable[[str], bool]) -> list[str]:
    """Return what to say about the plan after a login.

    Args:
        credentials: The new credentials.
        show_once: Returns whether something that is shown once is to be shown, and notes that it was.
    """
    tokens = credentials.tokens
    if tokens is None or tokens.plan_enabled is None:
        return []
    if tokens.plan_enabled:
        return [_IS_USED] if show_once(NOTICE) else []
    return [*_without_token(tokens), f"Plan use is off. To turn it on, run: {_how_to_enable(tokens)}"]


def lines_of_status(tokens: Tokens) -> list[str]:
    """Return what to say about the plan of stored credentials."""
    if tokens.plan_enabled is None:
        return []
    if tokens.plan_enabled:
        return [f"Using ChatGPT plan. Manage usage: {USAGE_URL}"]
    return [*_without_token(tokens), f"Plan use is off. To turn it on, run: {_how_to_enable(tokens)}"]


def _without_token(tokens: Tokens) -> list[str]:
    return [] if tokens.access_token.reveal() else [_IDENTITY_ONLY]


def _how_to_enable(tokens: Tokens) -> str:
    assert tokens.provider is not None
    return shlex.join(["loginmachine", "login", *options_for(tokens.provider), "--enable-plan"])

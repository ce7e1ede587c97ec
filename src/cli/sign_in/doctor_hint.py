"""Which failures of a login point to another command: ``loginmachine doctor``, or a login with another client."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from ...sansio.login.failures import LoginFailureCategory as Category
from ...sansio.login.states import Trigger
from ..shared_arguments import default_home

if TYPE_CHECKING:
    import argparse
    from typing import Final

_HERE: Final = (Category.LOCAL_SERVER_UNAVAILABLE, Category.PERSIST_FAILED)
"""Failures with a cause on this machine."""
_ONLINE: Final = (
    *(Category.DISCOVERY_FAILED, Category.KEYS_UNAVAILABLE, Category.REGISTRATION_FAILED),
    *(Category.TOKEN_EXCHANGE_TIMEOUT, Category.TOKEN_EXCHANGE_CONNECT, Category.TOKEN_EXCHANGE_REQUEST),
    *(Category.TOKEN_RESPONSE_MALFORMED, Category.ID_TOKEN_INVALID, Category.DEVICE_CODE_UNAVAILABLE),
)
"""Failures that the network, the provider or the clock may have caused."""


def another_client(trigger: Trigger | None, arguments: argparse.Namespace) -> str:
    """Return a sentence with the command that gets another client, if the provider has refused one that it has issued.

    The next login sends the refused client again, because a second one is a second program in the person's account.

    Args:
        trigger: What led to the failure.
        arguments: The command line of the login. The options that choose a provider are repeated.
    """
    if trigger is not Trigger.CLIENT_REFUSED:
        return ""
    words = ["loginmachine", "login", *_repeated(arguments, ("profile", "provider", "issuer")), "--new-account"]
    return f"The provider has refused the client of this sign-in. If it does so again, run: {shlex.join(words)}"


def _repeated(arguments: argparse.Namespace, names: tuple[str, ...]) -> list[str]:
    given = {f"--{name.replace('_', '-')}": getattr(arguments, name, None) for name in names}
    return [word for option, value in given.items() if value is not None for word in (option, str(value))]


def doctor_hint(category: str, arguments: argparse.Namespace) -> str:
    """Return a sentence with the command that looks for the cause of a failure; empty if it would find none.

    Args:
        category: The kind of failure.
        arguments: The command line of the login. The options that choose a provider and a folder are repeated.
    """
    if category not in (*_HERE, *_ONLINE):
        return ""
    return look_for_cause(arguments, is_online=category in _ONLINE)


def look_for_cause(arguments: argparse.Namespace, *, is_online: bool = False) -> str:
    """Return a sentence with the command that looks for the cause of a problem.

    Args:
        arguments: The command line. The options that choose a provider, a port and a store are repeated.
        is_online: Whether the provider is asked, too.
    """
    words = ["loginmachine", "doctor", *(["--online"] if is_online else [])]
    words += _repeated(arguments, ("profile", "provider", "issuer", "client_id", "port"))
    if os.path.abspath(arguments.home) != os.path.abspath(default_home()):  # noqa: PTH100 - as in `sign_in_advice`
        words += ["--home", str(arguments.home)]
    if arguments.store != "file":
        words += ["--store", arguments.store]
    return f"To look for the cause, run: {shlex.join(words)}"

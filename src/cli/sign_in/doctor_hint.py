"""Which failures of a login point to ``loginmachine doctor``, and with which options."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from ...sansio.login.failures import LoginFailureCategory as Category
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
    for name in ("profile", "provider", "issuer", "client_id", "port"):
        value = getattr(arguments, name, None)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    if os.path.abspath(arguments.home) != os.path.abspath(default_home()):  # noqa: PTH100 - as in `sign_in_advice`
        words += ["--home", str(arguments.home)]
    if arguments.store != "file":
        words += ["--store", arguments.store]
    return f"To look for the cause, run: {shlex.join(words)}"

"""Options of several commands."""

from __future__ import annotations

import os

from .argument_types import folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Final

PROVIDERS: Final = ("codex", "chatgpt", "openid", "oauth", "google", "github", "microsoft", "gitlab")


def add_choice(parser: argparse.ArgumentParser, *, has_account: bool = True) -> None:
    """Add the options that say which of the stored credentials are meant. None is needed if there is only one.

    Args:
        parser: The command.
        has_account: Whether ``--account`` is one of them.
    """
    add = parser.add_argument
    add("--provider", choices=PROVIDERS, metavar="NAME", help="only credentials of this provider")
    add("--profile", metavar="NAME", help="only those of this profile of the configuration (or $LOGINMACHINE_PROFILE)")
    add("--issuer", metavar="URL", help="only those that this provider has issued; with --client-id or --provider")
    add("--client-id", metavar="ID", help="only those that were issued to this OAuth client")
    if has_account:
        add("--account", metavar="ACCOUNT", help="those of this account: its e-mail address, subject or client ID")


def default_home() -> str:
    """Return the folder that is used without ``--home``."""
    return os.environ.get("CODEX_HOME") or os.path.expanduser("~/.codex")  # noqa: PTH111 - pathlib costs 5 ms


def add_home(parser: argparse.ArgumentParser) -> None:
    """Add ``--home``."""
    parser.add_argument(
        "--home",
        type=folder,
        default=default_home(),
        metavar="DIR",
        help="folder of auth.json (default: $CODEX_HOME, then ~/.codex)",
    )


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add ``--store``."""
    parser.add_argument(
        "--store",
        choices=["file", "keyring", "auto"],
        default="file",
        help="where credentials are stored: in files, in the system keyring, or in the keyring if there is one "
        "(default: %(default)s)",
    )


def add_session(parser: argparse.ArgumentParser) -> None:
    """Add the options of commands that use stored tokens."""
    add_choice(parser)
    add_home(parser)
    add_store(parser)
    add_record(parser)


def add_record(parser: argparse.ArgumentParser) -> None:
    """Add ``--record``."""
    parser.add_argument("--record", metavar="FILE", help="write a trace, without secrets, to this file")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="write one JSON object to standard output")

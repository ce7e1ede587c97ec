"""The command line: subcommands, options, and their defaults.

A subcommand's module is imported when the subcommand runs.
"""

from __future__ import annotations

import argparse
import os
from importlib import import_module

from ..sansio.model.options import DEFAULT_DEADLINE
from ..sansio.model.provider import CHATGPT_CLIENT_ID, CHATGPT_ISSUER, DEFAULT_ORIGINATOR
from . import exit_codes
from .argument_types import count, folder, port, seconds
from .help_format import HelpFormat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final, TypeAlias

    Run: TypeAlias = Callable[[argparse.Namespace], int]


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line. If it is wrong, print the usage and end the process with exit code 2.

    Returns:
        The options. ``run`` is the function that runs the subcommand; it takes these options.
    """
    parser = argparse.ArgumentParser(
        prog="loginmachine",
        description="Sign in with OAuth 2.0 through the browser.",
        epilog=exit_codes.HELP,
        formatter_class=HelpFormat,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.set_defaults(run=_without_command(parser))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog=parser.prog)
    # argparse takes 1 ms for the options of all commands. Usually the first argument names the only one that matters.
    named = arguments[:1] if arguments and arguments[0] in _COMMANDS else _COMMANDS
    for name in named:
        text, run, add_options = _COMMANDS[name]
        description = f"{text[:1].upper()}{text[1:]}."
        command = commands.add_parser(
            name, help=text, description=description, formatter_class=HelpFormat, allow_abbrev=False
        )
        command.set_defaults(run=run, usage_error=command.error)
        add_options(command)
    return _parse(parser, arguments)


def lazy(module: str, name: str) -> Run:
    """Return a function that imports a function and calls it.

    Args:
        module: The module, relative to this package, for example ``commands.status``.
        name: The function in it, which takes the options and returns an exit code.
    """

    def run(options: argparse.Namespace) -> int:
        function: Run = getattr(import_module(f".{module}", __package__), name)
        return function(options)

    return run


def _without_command(parser: argparse.ArgumentParser) -> Run:
    def run(options: argparse.Namespace) -> int:
        if options.version:
            from .. import __version__  # noqa: PLC0415
            from .terminal.writer import print_out  # noqa: PLC0415

            return exit_codes.SUCCESS if print_out(f"loginmachine {__version__}") else exit_codes.FAILURE
        parser.print_help()
        return exit_codes.USAGE_ERROR

    return run


def _parse(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Parse, and keep secrets out of error messages: argparse would repeat an API key or a callback URL."""
    no_value = "--api-key takes no value, because others could see it: the key is read from standard input"
    if any(argument.startswith("--api-key=") for argument in arguments):
        parser.error(no_value)
    options, unknown = parser.parse_known_args(arguments)
    if unknown and getattr(options, "api_key", False):
        options.usage_error(no_value)
    if unknown and "no_arguments" in options:
        options.usage_error(options.no_arguments)
    if unknown:
        from ..sansio.base.text import clean_text  # noqa: PLC0415 - for wrong usage only

        parser.error(f"unrecognized arguments: {clean_text(' '.join(unknown))}")
    return options


def _run_login(options: argparse.Namespace) -> int:
    return lazy("commands.api_key" if options.api_key else "commands.login", "run")(options)


def _add_login(login: argparse.ArgumentParser) -> None:
    login.epilog = exit_codes.HELP
    add = login.add_argument
    add("--no-browser", action="store_true", help="print the login URL, but do not open a browser")
    add("--device-code", action="store_true", help="sign in with a short code, in a browser on any machine")
    add("--port", type=port, help="port for the callback; 0 for any free port (default: 1455, then 1457)")
    add("--any-user", action="store_true", help="accept a callback from a program of another user of this machine, too")
    add("--api-key", action="store_true", help="read an API key from standard input or a hidden prompt, and store it")
    _add_provider(login)
    add("--workspace", action="append", default=[], metavar="ID", help="allow only this workspace; can be repeated")
    add(
        "--timeout",
        type=seconds,
        default=DEFAULT_DEADLINE,
        metavar="SECONDS",
        help="time to wait for the browser; 0 for no limit (default: %(default)g, or the lifetime of a device code)",
    )
    _add_home(login)
    _add_store(login)
    add(
        "--originator",
        default=os.environ.get("CODEX_INTERNAL_ORIGINATOR_OVERRIDE") or DEFAULT_ORIGINATOR,
        metavar="NAME",
        help="name of the program to report to the provider (default: %(default)s)",
    )
    add("--driver", choices=["threaded", "trio"], default="threaded", help="I/O implementation (default: %(default)s)")
    _add_record(login)
    add("--json", action="store_true", help="write events to standard output, one JSON object per line")
    add("-v", "--verbose", action="store_true", help="show every phase of the login")


def _add_complete(complete: argparse.ArgumentParser) -> None:
    complete.set_defaults(
        no_arguments="the address is read from standard input, because others could see it on a command line"
    )
    complete.add_argument(
        "--port",
        type=port,
        help="port at which the sign-in waits, if it is not that of the address (for example behind a tunnel)",
    )


def _add_status(status: argparse.ArgumentParser) -> None:
    _add_issuing_provider(status)
    _add_home(status)
    _add_store(status)
    _add_json(status)


def _add_replay(replay: argparse.ArgumentParser) -> None:
    replay.epilog = exit_codes.REPLAY_HELP
    add = replay.add_argument
    add("file", metavar="FILE", help="trace file; - for standard input")
    add("--until", type=count, metavar="N", help="show only the first N events")
    form = replay.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="write one JSON object per line")
    form.add_argument("--diagram", action="store_true", help="draw the path of the login (Mermaid)")


def _add_logout(logout: argparse.ArgumentParser) -> None:
    _add_session(logout)
    _add_json(logout)


def _add_token(token: argparse.ArgumentParser) -> None:
    _add_session(token)


def _add_refresh(refresh: argparse.ArgumentParser) -> None:
    refresh.add_argument("--if-due", action="store_true", help="refresh only if the tokens expire soon")
    _add_session(refresh)
    _add_json(refresh)


def _add_demo(demo: argparse.ArgumentParser) -> None:
    add = demo.add_argument
    add("--browser", action="store_true", help="open your browser instead of an automatic one")
    add("--device-code", action="store_true", help="sign in with a short code")
    add("--record", metavar="FILE", help="write a trace of the login to this file")


def _add_diagram(diagram: argparse.ArgumentParser) -> None:
    add = diagram.add_argument
    add(
        "--format",
        choices=["mermaid", "dot", "svg", "png"],
        default="mermaid",
        help="output format; svg and png need Graphviz (default: %(default)s)",
    )
    add("--failures", action="store_true", help="mermaid only: draw the failures, each with its category")
    add("--highlight", metavar="TRACE", help="highlight the path of a recorded login; - for standard input")
    add("--output", metavar="FILE", help="output file (default: standard output)")


def _add_issuing_provider(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the provider of stored credentials. They are needed only if it is not recorded."""
    add = parser.add_argument
    add("--issuer", metavar="URL", help="identity provider (default: the one that issued the stored tokens)")
    add("--client-id", metavar="ID", help="OAuth client ID (default: the one that the tokens were issued to)")


def _add_provider(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--issuer", default=CHATGPT_ISSUER, metavar="URL", help="identity provider (default: %(default)s)")
    add(
        "--client-id",
        default=os.environ.get("CODEX_CLIENT_ID") or CHATGPT_CLIENT_ID,
        metavar="ID",
        help="OAuth client ID",
    )


def default_home() -> str:
    """Return the folder that is used without ``--home``."""
    return os.environ.get("CODEX_HOME") or os.path.expanduser("~/.codex")  # noqa: PTH111 - pathlib costs 5 ms


def _add_home(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--home",
        type=folder,
        default=default_home(),
        metavar="DIR",
        help="folder of auth.json (default: $CODEX_HOME, then ~/.codex)",
    )


def _add_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--store",
        choices=["file", "keyring", "auto"],
        default="file",
        help="where credentials are stored: in auth.json, in the system keyring, or in the keyring if there is one "
        "(default: %(default)s)",
    )


def _add_session(parser: argparse.ArgumentParser) -> None:
    _add_issuing_provider(parser)
    _add_home(parser)
    _add_store(parser)
    _add_record(parser)


def _add_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--record", metavar="FILE", help="write a trace, without secrets, to this file")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="write one JSON object to standard output")


_COMMANDS: Final[dict[str, tuple[str, Run, Callable[[argparse.ArgumentParser], None]]]] = {
    "login": ("sign in and store the credentials", _run_login, _add_login),
    "complete": (
        "finish a waiting login on this machine with the address at which the browser ended",
        lazy("commands.complete", "run"),
        _add_complete,
    ),
    "status": ("show who is signed in", lazy("commands.status", "run"), _add_status),
    "replay": (
        "explain a recorded login, refresh or sign-out step by step, and check that it has the same result today",
        lazy("commands.replay", "run"),
        _add_replay,
    ),
    "logout": (
        "remove the stored credentials and revoke their tokens",
        lazy("commands.logout", "run"),
        _add_logout,
    ),
    "token": (
        "print the access token, and refresh it first if necessary",
        lazy("commands.tokens", "print_token"),
        _add_token,
    ),
    "refresh": ("refresh the tokens now", lazy("commands.tokens", "refresh"), _add_refresh),
    "demo": ("try a login with a demo provider on this machine", lazy("commands.demo", "run"), _add_demo),
    "diagram": ("draw the state machine of a login", lazy("commands.diagram", "run"), _add_diagram),
}
"""Help text, function, and options of each command."""

"""The command line: what can be given, and where defaults come from. Commands are imported when they are run."""

from __future__ import annotations

import argparse
import os

from ..sansio.model.options import DEFAULT_DEADLINE
from ..sansio.model.provider import CHATGPT_CLIENT_ID, CHATGPT_ISSUER, DEFAULT_ORIGINATOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_EPILOG = """exit codes:
  0    done
  1    failed (status: nobody is signed in)
  2    wrong usage
  13   the callback port is in use
  130  interrupted
"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help of a fixed width: asking the terminal imports shutil, 4 ms before anybody has asked for help."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=100)


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line. Ends the process with code 2 and a usage line if it is wrong.

    Returns:
        The options; ``run`` is the function that carries the command out, given these options.
    """
    parser = argparse.ArgumentParser(
        prog="loginmachine",
        description="Sign in through the browser.",
        epilog=_EPILOG,
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.set_defaults(run=_run_alone(parser))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog=parser.prog)
    _add_login(commands)
    complete = commands.add_parser(
        "complete",
        help="finish a login that waits on this machine, with the address on which your browser ended",
        formatter_class=_Help,
        allow_abbrev=False,
    )
    complete.set_defaults(run=_run_complete, usage_error=complete.error)
    status = commands.add_parser("status", help="say who is signed in", formatter_class=_Help, allow_abbrev=False)
    _add_home(status)
    _add_store(status)
    status.add_argument("--json", action="store_true", help="write one JSON object on standard output")
    status.set_defaults(run=_run_status)
    _add_replay(commands)
    _add_logout(commands)
    _add_tokens(commands)
    demo = commands.add_parser(
        "demo", help="sign in to a provider on this machine, as a trial", formatter_class=_Help, allow_abbrev=False
    )
    demo.add_argument("--browser", action="store_true", help="use your own browser instead of an automatic one")
    demo.add_argument("--device-code", action="store_true", help="sign in with a short code")
    demo.add_argument("--record", metavar="FILE", help="write a trace of the sign-in into this file")
    demo.set_defaults(run=_run_demo, usage_error=demo.error)
    _add_diagram(commands)
    return _parse(parser, arguments)


def _parse(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Parse, and never show what may be a key: argparse's own words would."""
    misplaced = "--api-key takes no value, which others could see: the key is read from standard input"
    if any(argument.startswith("--api-key=") for argument in arguments):
        parser.error(misplaced)
    options, unknown = parser.parse_known_args(arguments)
    if unknown and getattr(options, "api_key", False):
        options.usage_error(misplaced)
    if unknown and options.run is _run_complete:
        options.usage_error("the address is read from standard input: on a command line others could see it")
    if unknown:
        from ..sansio.base.text import clean_text  # noqa: PLC0415 - for those who mistype

        parser.error(f"unrecognized arguments: {clean_text(' '.join(unknown))}")
    return options


def _add_login(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    login = commands.add_parser(
        "login",
        help="sign in",
        epilog=_EPILOG,
        formatter_class=_Help,
        allow_abbrev=False,
    )
    add = login.add_argument
    add("--no-browser", action="store_true", help="print the address, and leave opening it to you")
    add("--device-code", action="store_true", help="sign in with a short code, in a browser on any machine")
    add("--port", type=_port, help="callback port; 0 for any (default: 1455, then 1457)")
    add("--api-key", action="store_true", help="store an API key, read from standard input or typed unseen")
    _add_provider(login)
    add("--workspace", action="append", default=[], metavar="ID", help="allow only this workspace (repeatable)")
    add(
        "--timeout",
        type=_seconds,
        default=DEFAULT_DEADLINE,
        metavar="SECONDS",
        help="how long to wait for the browser; 0 for no limit (default: %(default)g; a code: as long as it is valid)",
    )
    _add_home(login)
    _add_store(login)
    add(
        "--originator",
        default=os.environ.get("CODEX_INTERNAL_ORIGINATOR_OVERRIDE") or DEFAULT_ORIGINATOR,
        help="name of the program on whose behalf you sign in (default: %(default)s)",
    )
    add("--driver", choices=["threaded", "trio"], default="threaded", help="what carries it out (default: %(default)s)")
    add("--record", metavar="FILE", help="write a trace of the sign-in, without its secrets, into this file")
    add("--json", action="store_true", help="write one JSON object a line on standard output")
    add("-v", "--verbose", action="store_true", help="show every phase")
    login.set_defaults(run=_run_login, usage_error=login.error)


def _add_replay(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    replay = commands.add_parser(
        "replay",
        help="tell the story of a recorded sign-in, and check that it would go the same way today",
        epilog="exit codes: 0 the same, 1 different, 2 not a trace",
        formatter_class=_Help,
        allow_abbrev=False,
    )
    add = replay.add_argument
    add("file", metavar="FILE", help="a trace; - for standard input")
    add("--until", type=_count, metavar="N", help="tell of the first N events only")
    form = replay.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="write one JSON object a line")
    form.add_argument("--diagram", action="store_true", help="draw the way that it took (Mermaid)")
    replay.set_defaults(run=_run_replay)


def _add_logout(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    logout = commands.add_parser("logout", help="sign out", formatter_class=_Help, allow_abbrev=False)
    _add_provider(logout)
    _add_home(logout)
    _add_store(logout)
    logout.add_argument("--json", action="store_true", help="write one JSON object on standard output")
    logout.set_defaults(run=_run_logout, usage_error=logout.error)


def _add_tokens(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    token = commands.add_parser(
        "token", help="print the access token, renewed if that is due", formatter_class=_Help, allow_abbrev=False
    )
    refresh = commands.add_parser("refresh", help="renew the tokens now", formatter_class=_Help, allow_abbrev=False)
    refresh.add_argument("--if-due", action="store_true", help="renew them only if that is due")
    refresh.add_argument("--json", action="store_true", help="write one JSON object on standard output")
    for parser, run in ((token, _run_token), (refresh, _run_refresh)):
        _add_provider(parser)
        _add_home(parser)
        _add_store(parser)
        parser.set_defaults(run=run, usage_error=parser.error)


def _add_provider(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--issuer", default=CHATGPT_ISSUER, help="identity provider (default: %(default)s)")
    add("--client-id", default=os.environ.get("CODEX_CLIENT_ID") or CHATGPT_CLIENT_ID, help="OAuth client id")


def _add_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--store",
        choices=["file", "keyring", "auto"],
        default="file",
        help="where the credentials are: auth.json, the system's keyring, or the keyring if it can be used "
        "(default: %(default)s)",
    )


def _add_diagram(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    diagram = commands.add_parser("diagram", help="draw the way of a login", formatter_class=_Help, allow_abbrev=False)
    add = diagram.add_argument
    add(
        "--format",
        choices=["mermaid", "dot", "svg", "png"],
        default="mermaid",
        help="svg and png are made by Graphviz (default: %(default)s)",
    )
    add("--failures", action="store_true", help="with mermaid: the ways to end early, each with its category")
    add("--highlight", metavar="TRACE", help="paint the way of a recorded sign-in; - for standard input")
    add("--output", metavar="FILE", help="where to write it (default: standard output)")
    diagram.set_defaults(run=_run_diagram, usage_error=diagram.error)


def _add_home(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--home",
        type=_folder,
        default=os.environ.get("CODEX_HOME") or os.path.expanduser("~/.codex"),  # noqa: PTH111 - pathlib costs 5 ms
        metavar="DIR",
        help="folder of auth.json (default: $CODEX_HOME, then ~/.codex)",
    )


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


def _count(text: str) -> int:
    count = int(text) if text.isascii() and text.isdecimal() else 0
    if count < 1:
        raise argparse.ArgumentTypeError("a count is a number, from 1")
    return count


def _folder(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("a folder has a name")
    return text


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError("seconds are a number, not below 0")
    return seconds or None


def _run_alone(parser: argparse.ArgumentParser) -> object:
    def run(options: argparse.Namespace) -> int:
        if options.version:
            from .. import __version__  # noqa: PLC0415
            from .terminal.writer import print_out  # noqa: PLC0415

            return 0 if print_out(f"loginmachine {__version__}") else 1
        parser.print_help()
        return 2

    return run


def _run_login(options: argparse.Namespace) -> int:
    if options.api_key:
        from .commands.api_key import run  # noqa: PLC0415
    else:
        from .commands.login import run  # noqa: PLC0415

    return run(options)


def _run_complete(options: argparse.Namespace) -> int:
    from .commands.complete import run  # noqa: PLC0415

    return run(options)


def _run_status(options: argparse.Namespace) -> int:
    from .commands.status import run  # noqa: PLC0415

    return run(options)


def _run_replay(options: argparse.Namespace) -> int:
    from .commands.replay import run  # noqa: PLC0415

    return run(options)


def _run_logout(options: argparse.Namespace) -> int:
    from .commands.logout import run  # noqa: PLC0415

    return run(options)


def _run_token(options: argparse.Namespace) -> int:
    from .commands.tokens import print_token  # noqa: PLC0415

    return print_token(options)


def _run_refresh(options: argparse.Namespace) -> int:
    from .commands.tokens import refresh  # noqa: PLC0415

    return refresh(options)


def _run_demo(options: argparse.Namespace) -> int:
    from .commands.demo import run  # noqa: PLC0415

    return run(options)


def _run_diagram(options: argparse.Namespace) -> int:
    from .commands.diagram import run  # noqa: PLC0415

    return run(options)

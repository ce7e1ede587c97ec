"""The command line: subcommands, options, and their defaults.

A subcommand's module is imported when the subcommand runs.
"""

from __future__ import annotations

from importlib import import_module

from . import exit_codes
from .argument_types import count, port
from .login_arguments import add_login
from .shared_arguments import add_choice, add_home, add_json, add_session, add_store
from .shell.parser import CommandParser

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Sequence
    from typing import Final, TypeAlias

    Run: TypeAlias = Callable[[argparse.Namespace], int]

_NO_VALUE: Final = {
    "--api-key": "--api-key takes no value, because others could see it: the key is read from standard input",
    "--client-secret": "--client-secret takes no value, because others could see it: use --client-secret-file FILE",
}
"""Options that a secret could follow, and what to say about that."""


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line. If it is wrong, print the usage and end the process with exit code 2.

    Returns:
        The options. ``run`` is the function that runs the subcommand; it takes these options.
    """
    # argparse takes 1 ms for the options of all commands. Usually the first argument names the only one that matters.
    is_named = bool(arguments) and arguments[0] in _COMMANDS
    parser, commands = make_parsers(arguments[:1] if is_named else _COMMANDS)
    word = next((argument for argument in arguments if not argument.startswith("-")), None)
    if word is not None and word not in commands:
        from .shell.wrong_usage import about_command  # noqa: PLC0415 - for wrong usage only

        parser.error(about_command(word, _COMMANDS))
    return _parse(parser, arguments)


def make_parsers(names: Iterable[str] | None = None) -> tuple[CommandParser, dict[str, CommandParser]]:
    """Return the parser of the whole command line, and that of each subcommand by its name.

    Args:
        names: The subcommands; None for all.
    """
    parser = CommandParser("loginmachine", "Sign in with OAuth 2.0 through the browser.", exit_codes.HELP)
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.set_defaults(run=_without_command(parser), usage_error=parser.error, parser=parser)
    added = parser.add_subparsers(title="commands", metavar="COMMAND", prog=parser.prog)
    commands = {}
    for name in _COMMANDS if names is None else names:
        text, run, add_options = _COMMANDS[name]
        command = added.add_parser(name, help=text, description=f"{text[:1].upper()}{text[1:]}.")
        command.set_defaults(run=run, usage_error=command.error, parser=command)
        add_options(command)
        commands[name] = command
    return parser, commands


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


def _parse(parser: CommandParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Parse, and keep secrets out of error messages: argparse would repeat an API key or a callback URL."""
    for name, problem in _NO_VALUE.items():
        if any(argument.startswith(f"{name}=") for argument in arguments) or (
            # Before argparse could repeat the secret that follows.
            name == "--client-secret" and name in arguments
        ):
            _parser_of(parser, arguments).error(problem)
    options, unknown = parser.parse_known_args(arguments)
    for name, problem in _NO_VALUE.items():
        if unknown and getattr(options, name[2:].replace("-", "_"), False):
            options.usage_error(problem)
    if unknown and "no_arguments" in options:
        options.usage_error(options.no_arguments)
    if unknown:
        from .shell.wrong_usage import about_arguments  # noqa: PLC0415 - for wrong usage only

        is_before = unknown[0] == arguments[0] and options.parser is not parser
        options.usage_error(about_arguments(unknown, options.parser, is_before=is_before))
    return options


def _parser_of(parser: CommandParser, arguments: Sequence[str]) -> CommandParser:
    """Return the parser of the subcommand that is named first; the parser of all if none is."""
    return make_parsers(arguments[:1])[1][arguments[0]] if arguments[0] in _COMMANDS else parser


def _run_login(options: argparse.Namespace) -> int:
    if options.with_token:
        return lazy("commands.credentials.with_token", "run")(options)
    return lazy("commands.api_key" if options.api_key else "commands.login", "run")(options)


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
    add_choice(status)
    add_home(status)
    add_store(status)
    add_json(status)


def _add_replay(replay: argparse.ArgumentParser) -> None:
    replay.epilog = exit_codes.REPLAY_HELP
    add = replay.add_argument
    add("files", metavar="FILE", nargs="+", help="trace file, or a folder of *.jsonl files; - for standard input")
    add("--until", type=count, metavar="N", help="show only the first N events")
    form = replay.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="write one JSON object per line")
    form.add_argument("--diagram", action="store_true", help="draw the path of the login (Mermaid)")
    form.add_argument("--as-test", action="store_true", help="write a test that replays the trace (pytest)")
    many = replay.add_argument_group("many traces")
    many.add_argument("--report", metavar="HTML", help="write a page with pictures of all traces to this file")
    where = many.add_mutually_exclusive_group()
    where.add_argument(
        "--processes", type=count, metavar="N", help="number of processes (default: one for each processor)"
    )
    where.add_argument("--dask", metavar="ADDRESS", help="replay on a Dask cluster, such as tcp://HOST:8786")


def _add_logout(logout: argparse.ArgumentParser) -> None:
    logout.add_argument(
        "--keep-tokens", action="store_true", help="forget the credentials here, but revoke nothing at the provider"
    )
    add_session(logout)
    add_json(logout)


def _add_token(token: argparse.ArgumentParser) -> None:
    token.add_argument(
        "--format",
        choices=["token", "header", "env", "json", "kubernetes"],
        metavar="FORM",
        default="token",
        help="token: nothing else; header: an HTTP header; env: LOGINMACHINE_TOKEN=..., for export; json: with its"
        " expiry; kubernetes: an ExecCredential for kubectl (default: %(default)s)",
    )
    add_session(token)


def _add_refresh(refresh: argparse.ArgumentParser) -> None:
    refresh.add_argument("--if-due", action="store_true", help="refresh only if the tokens expire soon")
    add_session(refresh)
    add_json(refresh)


def _add_accounts(accounts: argparse.ArgumentParser) -> None:
    add_choice(accounts)
    add_home(accounts)
    add_store(accounts)
    add_json(accounts)


def _add_use(use: argparse.ArgumentParser) -> None:
    use.add_argument(
        "account",
        metavar="ACCOUNT",
        help="e-mail address, subject or client ID; codex for the credentials in auth.json",
    )
    add_choice(use, has_account=False)
    add_home(use)
    add_store(use)


def _add_demo(demo: argparse.ArgumentParser) -> None:
    add = demo.add_argument
    kinds = ["codex", "chatgpt", "openid"]
    add("--provider", choices=kinds, default="codex", help="kind of provider (default: %(default)s)")
    add("--browser", action="store_true", help="open your browser instead of an automatic one")
    add("--device-code", action="store_true", help="sign in with a short code")
    add("--record", metavar="FILE", help="write a trace of the login to this file")


def _add_doctor(doctor: argparse.ArgumentParser) -> None:
    doctor.add_argument(
        "--online", action="store_true", help="ask the provider for its metadata, too, and compare the clocks"
    )
    doctor.add_argument("--port", type=port, help="callback port to check (default: the provider's)")
    add_choice(doctor, has_account=False)
    add_home(doctor)
    add_store(doctor)
    add_json(doctor)


def _add_completion(completion: argparse.ArgumentParser) -> None:
    completion.add_argument("shell", choices=["bash", "zsh", "fish"], help="shell to print the script for")
    completion.epilog = (
        "to use it now and later:\n"
        '  bash  add to ~/.bashrc: eval "$(loginmachine completion bash)"\n'
        '  zsh   add to ~/.zshrc, after compinit: eval "$(loginmachine completion zsh)"\n'
        "  fish  loginmachine completion fish > ~/.config/fish/completions/loginmachine.fish"
    )


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


_COMMANDS: Final[dict[str, tuple[str, Run, Callable[[argparse.ArgumentParser], None]]]] = {
    "login": ("sign in and store the credentials", _run_login, add_login),
    "complete": (
        "finish a waiting login on this machine with the address at which the browser ended",
        lazy("commands.complete", "run"),
        _add_complete,
    ),
    "status": ("show who is signed in", lazy("commands.status", "run"), _add_status),
    "whoami": (
        "print who is signed in, at which provider, in one line",
        lazy("commands.credentials.whoami", "run"),
        _add_status,
    ),
    "replay": (
        "explain a recorded login, refresh or sign-out step by step, or many in a table, and check the results",
        lazy("commands.replay", "run"),
        _add_replay,
    ),
    "accounts": (
        "list the stored accounts",
        lazy("commands.accounts", "run"),
        _add_accounts,
    ),
    "use": ("make a stored account the default", lazy("commands.accounts", "use"), _add_use),
    "profiles": ("list the profiles of the configuration", lazy("commands.accounts", "list_profiles"), add_json),
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
    "doctor": ("check this machine for what sign-ins need", lazy("doctor.command", "run"), _add_doctor),
    "demo": ("try a login with a demo provider on this machine", lazy("commands.demo", "run"), _add_demo),
    "completion": (
        "print a script that lets a shell complete this command line",
        lazy("shell.completion", "run"),
        _add_completion,
    ),
    "diagram": ("draw the state machine of a login", lazy("commands.diagram", "run"), _add_diagram),
}
"""Help text, function, and options of each command."""

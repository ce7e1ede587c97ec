"""Parsing of the command line."""

from __future__ import annotations

import argparse
import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from loginmachine.cli import arguments
from loginmachine.cli.arguments import lazy, parse_arguments

from .conftest import called

COMMANDS = [
    *("login", "complete", "status", "whoami", "replay", "accounts", "use", "profiles"),
    *("logout", "token", "refresh", "doctor", "demo", "completion", "diagram"),
]


def test_every_lazy_function_exists() -> None:
    found = re.findall(
        r'"((?:commands|shell|doctor)\.[\w.]+)"(?:, | if .* else .*, )"(\w+)"', Path(arguments.__file__).read_text()
    )
    assert len(found) >= len(COMMANDS)
    for module, name in found:
        assert callable(getattr(import_module(f"loginmachine.cli.{module}"), name))


def test_lazy_calls_the_function() -> None:
    assert lazy("exit_codes", "after_signal")(2) == 130  # type: ignore[arg-type]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help(command: str) -> None:
    code, out, err = called(command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: loginmachine {command} [-h]")


def test_the_help_lists_every_command() -> None:
    _, out, _ = called("--help")
    assert re.findall(r"^    (\w+) +\w", out, re.MULTILINE) == COMMANDS


def test_a_command_sets_run_and_usage_error() -> None:
    options = parse_arguments(["status"])
    assert callable(options.run)
    assert callable(options.usage_error)
    assert isinstance(options, argparse.Namespace)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (("login", "--home", ""), "argument --home: must not be empty"),
        (("login", "--port", "65536"), "argument --port: a port is a number from 0 to 65535"),
        (("login", "--timeout", "-1"), "argument --timeout: SECONDS must be a number, at least 0"),
        (("replay", "--until", "0", "-"), "argument --until: N must be a whole number, at least 1"),
        (("login", "--json", "now"), "unrecognized arguments: now"),
    ],
)
def test_usage_errors(given: tuple[str, ...], error: str) -> None:
    code, out, err = called(*given)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].endswith(f"error: {error}")


@pytest.mark.parametrize(
    ("given", "usage", "error"),
    [
        (("logn",), "", ": error: there is no command logn. Did you mean login?"),
        (("Token", "--json"), "", ": error: there is no command Token. Did you mean token?"),
        (("qqq",), "", ": error: there is no command qqq. To see all commands, run: loginmachine --help"),
        (("--versoin",), "", ": error: unrecognized arguments: --versoin. Did you mean --version?"),
        (("status", "--jsn"), " status", " status: error: unrecognized arguments: --jsn. Did you mean --json?"),
        (("status", "--qqq"), " status", " status: error: unrecognized arguments: --qqq"),
        (("status", "x", "-q"), " status", " status: error: unrecognized arguments: -q"),
        (("use", "ada", "bob"), " use", " use: error: unrecognized arguments: bob"),
        (
            ("--json", "status"),
            " status",
            " status: error: unrecognized arguments: --json. Options come after the name of the command",
        ),
    ],
)
def test_a_mistyped_word(given: tuple[str, ...], usage: str, error: str) -> None:
    code, out, err = called(*given)
    assert (code, out) == (2, "")
    assert err.startswith(f"usage: loginmachine{usage} [-h] ")
    assert err.splitlines()[-1] == f"loginmachine{error}"


@pytest.mark.parametrize("given", [("--client-secrt=canary",), ("--client-secrt", "canary"), ("canary", "--pasword")])
def test_the_value_of_a_mistyped_option_is_not_repeated(given: tuple[str, ...]) -> None:
    code, out, err = called("login", *given)
    assert (code, out) == (2, "")
    assert "canary" not in err
    assert ("Did you mean --client-secret-file?" in err) == ("--pasword" not in given)


def test_a_usage_error_is_as_wide_as_the_variable_says() -> None:
    _, _, err = called("status", "--jsn", COLUMNS="40")
    usage, _, _ = err.partition("loginmachine status: error:")
    assert 28 < max(map(len, usage.splitlines())) <= 40


def test_the_message_of_a_usage_error_is_broken_between_words() -> None:
    code, _, err = called("status", "--store", "disk", COLUMNS="40")
    _, words, message = err.rpartition("loginmachine status: error:")
    text = words + message
    assert code == 2
    assert "invalid choice: 'disk' (choose from" in " ".join(text.split())
    assert 28 < max(map(len, text.splitlines())) <= 40


@pytest.mark.parametrize("given", ["--home", "CODEX_HOME"])
def test_a_tilde_in_the_home_folder_is_expanded(tmp_path: Path, given: str) -> None:
    options = ["--home", "~/x"] if given == "--home" else []
    extra = {} if options else {"CODEX_HOME": "~/x"}
    code, out, _ = called("status", "--json", *options, HOME=str(tmp_path), **extra)
    assert (code, json.loads(out)["path"]) == (1, str(tmp_path / "x" / "auth.json"))


def test_a_tilde_that_stands_for_no_folder_is_wrong_usage() -> None:
    code, _, err = called("status", "--home", "~no-such-user/x")
    assert code == 2
    assert "argument --home: ~ stands for no folder here: set HOME, or give the whole path" in err

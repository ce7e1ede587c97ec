"""docs/command.md names every exit code and every environment variable."""

from __future__ import annotations

import re
from pathlib import Path

from loginmachine.cli import exit_codes
from loginmachine.cli.doctor.variables import VARIABLES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "command.md").read_text(encoding="utf-8")
SOURCES = {path: path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")}
OF_BUNDLES = {"APPDIR"}
"""What the starter of an AppImage sets, and people do not."""
OF_LIBRARIES = {"XDG_CONFIG_HOME", "XDG_STATE_HOME"}
"""Variables that only platformdirs reads."""


def test_every_variable_is_in_the_table() -> None:
    table = PAGE.partition("## Environment variables")[2]
    assert dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE)) == VARIABLES


def test_every_variable_that_is_read_is_described() -> None:
    pattern = re.compile(r'environ\w*(?:\.get\(|\[)"(\w+)"')
    read = {name for text in SOURCES.values() for name in pattern.findall(text)}
    assert len(read) > 10
    assert read <= set(VARIABLES) | OF_BUNDLES


def test_every_variable_that_is_described_is_read() -> None:
    text = "".join(text for path, text in SOURCES.items() if path.name != "variables.py")
    unread = {name for name in VARIABLES if name not in text and name.lower() not in text}
    assert unread == OF_LIBRARIES


def test_every_exit_code_is_in_the_table() -> None:
    codes = {(name, getattr(exit_codes, name)) for name in ("SUCCESS", "FAILURE", "USAGE_ERROR", "PORT_IN_USE")}
    codes.add(("INTERRUPTED", exit_codes.INTERRUPTED))
    assert {(name, int(code)) for code, name in re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE, re.MULTILINE)} == codes
    others = {name for name in vars(exit_codes) if name.isupper()} - {name for name, _ in codes}
    assert others == {"DIFFERENT", "NOT_A_TRACE", "HELP", "REPLAY_HELP"}

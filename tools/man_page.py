"""The manual page of the command, from its parsers and docs/command.md: ``make man`` writes docs/loginmachine.1."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from loginmachine.cli.arguments import make_parsers

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Final

    from loginmachine.cli.shell.parser import CommandParser

DOCS: Final = Path(__file__).parents[1] / "docs"
PAGE: Final = DOCS / "loginmachine.1"
_DESCRIPTION: Final = (
    "**loginmachine** signs a person in through their browser, with OAuth 2.0 and OpenID Connect, and keeps them signed"
    " in. Without other options it signs in at the provider of the Codex CLI, and shares its credentials."
)
_SECTIONS: Final = {"EXIT STATUS": "Exit codes", "FILES": "Files", "ENVIRONMENT": "Environment variables"}
"""Sections of the manual page, and those of docs/command.md."""
_BOLD: Final = re.compile(r"\*\*(.+?)\*\*|`(.+?)`")
_LINK: Final = re.compile(r"\[([^]]*)\]\([^)]*\)")


def page() -> str:
    """Return the manual page, in the language of man(7)."""
    _, commands = make_parsers()
    lines = [
        '.\\" Written by tools/man_page.py.',
        '.TH LOGINMACHINE 1 "" loginmachine "User Commands"',
        ".SH NAME",
        r"loginmachine \- sign in with OAuth 2.0 through the browser",
        ".SH SYNOPSIS",
        r"\fBloginmachine\fR \fICOMMAND\fR [\fIOPTIONS\fR]",
        ".br",
        r"\fBloginmachine\fR [\fB\-\-version\fR|\fB\-\-help\fR]",
        ".SH DESCRIPTION",
        _roff(_DESCRIPTION),
        ".SH COMMANDS",
        *(line for command in commands.values() for line in _command(command)),
    ]
    source = (DOCS / "command.md").read_text(encoding="utf-8")
    for title, heading in _SECTIONS.items():
        lines += [f".SH {title}", *_section(source, heading)]
    return "\n".join([*lines, ""])


def _command(command: CommandParser) -> Iterator[str]:
    yield f".SS {_roff(command.prog)}"
    yield _roff(command.description or "")
    for title, words, actions in command.groups():
        if title:
            yield from (".PP", _roff(f"**{title.capitalize()}**{f' ({words})' if words else ''}:"))
        for action in actions:
            yield from (".TP", _heading(action), _roff((action.help or "") % {"default": action.default}))


def _heading(action: argparse.Action) -> str:
    """Return the names of an option, and that of its value."""
    choices = "|".join(map(str, action.choices or ()))
    value = rf"\fI{_roff(str(action.metavar or choices or action.dest.upper()))}\fR"
    if not action.option_strings:
        return value
    names = ", ".join(rf"\fB{_roff(name)}\fR" for name in action.option_strings)
    if action.nargs == 0:
        return names
    return f"{names} [{value}]" if action.nargs == "?" else f"{names} {value}"


def _section(source: str, heading: str) -> Iterator[str]:
    """Return a section of a Markdown page, up to its first subsection. The first column of a table is a heading."""
    body = re.split(r"^##", source.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]
    for block in body.strip().split("\n\n"):
        if not block.startswith("|"):
            yield from (".PP", _roff(" ".join(block.split())))
            continue
        for row in block.splitlines()[2:]:
            first, *_, last = row.strip("| ").split(" | ")
            yield from (".TP", _roff(f"**{first.replace('`', '')}**"), _roff(last))


def _roff(text: str) -> str:
    """Return text for a line of its own: escaped, with bold words where Markdown has them or code."""
    text = _LINK.sub(r"\1", text).replace("\\", r"\e").replace("-", r"\-")
    text = _BOLD.sub(lambda found: rf"\fB{found[1] or found[2]}\fR", text)
    return rf"\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    sys.stdout.write(page())

"""What is wrong with a command line: which word, what was probably meant, and no secret.

It is loaded when a command line is wrong.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ...sansio.base.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .parser import CommandParser


def about_command(word: str, commands: Iterable[str]) -> str:
    """Return what to say about a command that does not exist."""
    near = nearest(word, commands)
    advice = near or " To see all commands, run: loginmachine --help"
    return f"there is no command {clean_text(word)}.{advice}"


def about_arguments(unknown: Sequence[str], command: CommandParser, *, is_before: bool = False) -> str:
    """Return what to say about arguments that a command does not have.

    What is written after the name of an option may be a secret, and is not repeated.

    Args:
        unknown: The arguments, at least one.
        command: The command.
        is_before: Whether the first of them stands before the name of the command.
    """
    options = [word.partition("=")[0] for word in unknown if word.startswith("-") and word != "-"]
    words = f"unrecognized arguments: {clean_text(' '.join(options or unknown))}"
    if not options:
        return words
    known = command.option_names()
    if is_before and options[0] in known:
        return f"{words}. Options come after the name of the command"
    near = next(filter(None, (nearest(option, known) for option in options)), "")
    return f"{words}.{near}" if near else words


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a question with the known word that was probably meant, after a space; empty if none is near."""
    near = get_close_matches(word.casefold(), list(known), n=1)
    return f" Did you mean {near[0]}?" if near else ""

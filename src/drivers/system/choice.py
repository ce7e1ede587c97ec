"""The person's choice of a browser: the environment variable ``BROWSER``, a list of commands separated by colons."""

from __future__ import annotations

import contextlib
import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Final

_NONE: Final = "none"
"""The entry with which the person says that no browser shall be opened."""
_ENTRY: Final = re.compile(r"""(?:[^:'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+""", re.DOTALL)
"""An entry of the list. In quotes, and after a backslash, a colon does not end it."""


def opens_nothing(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether ``BROWSER`` is ``none``."""
    return environment.get("BROWSER", "").strip(" :").lower() == _NONE


def chosen(url: str, environment: Mapping[str, str] = os.environ) -> tuple[list[list[str]], bool]:
    """Return the commands in ``BROWSER``, with the URL for ``%s`` or at the end of each.

    Returns:
        The commands before an entry ``none``, and whether there is one. After it nothing may be tried.
    """
    commands: list[list[str]] = []
    for entry in _entries(environment.get("BROWSER", "").strip()):
        if entry.lower() == _NONE:
            return commands, True
        words = _words(entry)
        if words and any("%s" in word for word in words[1:]):
            words = [word.replace("%s", url) for word in words]
        elif words:
            words.append(url)
        commands.append(words)
    return [command for command in commands if command], False


def _entries(text: str) -> Iterator[str]:
    if _exists(text):
        yield text
        return
    has_quotes_in_pairs = not _ENTRY.sub("", text).strip(":")
    for entry in _ENTRY.findall(text) if has_quotes_in_pairs else text.split(":"):
        if entry.strip():
            yield entry.strip()


def _words(entry: str) -> list[str]:
    """Return the words of a command. A path with spaces is one word if there is such a program."""
    import shlex  # noqa: PLC0415 - not needed before the login URL is shown

    if _exists(entry):
        return [entry]
    words: list[str] = []
    # A quote without its partner may be in a path.
    with contextlib.suppress(ValueError):
        words = shlex.split(entry)
    if words and _exists(words[0]):
        return words
    for space in reversed([match.start() for match in re.finditer(" ", entry)]):
        program, rest = entry[:space], entry[space:]
        if os.sep in program and _exists(program):
            try:
                return [program, *shlex.split(rest)]
            except ValueError:
                return []
    return words


def _exists(program: str) -> bool:
    import shutil  # noqa: PLC0415 - as above

    return bool(program) and shutil.which(program) is not None

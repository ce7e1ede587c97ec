"""Docstrings as Markdown: paragraphs, and the sections with arguments, results and errors."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECTIONS = {
    "Args": "Arguments",
    "Attributes": "Attributes",
    "Raises": "Raises",
    "Returns": "Returns",
    "Yields": "Yields",
}
"""The sections of a docstring, and their titles on the page."""
HEADING = re.compile(rf"^({'|'.join(SECTIONS)}):$", re.MULTILINE)
ITEM = re.compile(r"^(?P<name>\*{0,2}\w+(?:\.\w+)*): (?P<text>.*)$", re.DOTALL)
NAME = re.compile(r"``(?P<code>[^`]+)``|`(?P<name>[^`]+)`")


class Docstring(NamedTuple):
    """The parts of a docstring."""

    text: str
    sections: dict[str, list[tuple[str, str]]]
    """By its title, the items of each section: a name, which is empty for a result, and a text."""


def parse(docstring: str | None) -> Docstring:
    """Divide a docstring into its text and its sections."""
    parts = HEADING.split(inspect.cleandoc(docstring or ""))
    sections = {
        SECTIONS[title]: list(_items(textwrap.dedent(body).strip("\n")))
        for title, body in zip(parts[1::2], parts[2::2], strict=True)
    }
    return Docstring(parts[0].strip(), sections)


def _items(body: str) -> Iterator[tuple[str, str]]:
    for block in re.split(r"\n(?=\S)", body):
        match = ITEM.match(textwrap.dedent(block))
        if match:
            yield match["name"], " ".join(match["text"].split())
        elif block.strip():
            yield "", " ".join(block.split())


def markdown(text: str, link: Callable[[str], str]) -> str:
    """Return the text of a docstring as Markdown.

    Args:
        text: The text.
        link: Returns the Markdown for a name in single backticks.
    """
    paragraphs = text.split("\n\n")
    made = []
    for number, paragraph in enumerate(paragraphs):
        if number and paragraphs[number - 1].rstrip().endswith("::"):
            made.append(f"```python\n{textwrap.dedent(paragraph)}\n```")
        else:
            made.append(_inline(re.sub(r"::$", ":", paragraph.rstrip()), link))
    return "\n\n".join(made)


def _inline(text: str, link: Callable[[str], str]) -> str:
    return NAME.sub(lambda match: f"`{match['code']}`" if match["code"] else link(match["name"]), text)


def cell(text: str, link: Callable[[str], str]) -> str:
    """Return the text of a docstring as the cell of a table."""
    return markdown(" ".join(text.split()), link).replace("|", "\\|")

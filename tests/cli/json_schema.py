"""The tables of docs/json.md, and whether an output fits them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "json.md"
KINDS = {
    "text": lambda value: type(value) is str,
    "time": lambda value: type(value) is str and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value) is not None,
    "true": lambda value: value is True,
    "false": lambda value: value is False,
    "null": lambda value: value is None,
    "number": lambda value: type(value) in {int, float},
    "texts": lambda value: type(value) is list and all(type(item) is str for item in value),
    "object": lambda value: type(value) is dict,
    "objects": lambda value: type(value) is list and all(type(item) is dict for item in value),
}


def read_tables() -> dict[str, dict[str, str]]:
    """Return the value of each member, as the page has it, by the heading of its table."""
    tables: dict[str, dict[str, str]] = {}
    heading = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("##"):
            heading = line.strip("# ")
        row = re.fullmatch(r"\| `(\w+)` \| (.*) \|", line)
        if row:
            tables.setdefault(heading, {})[row[1]] = row[2]
    return tables


TABLES = read_tables()


def check(heading: str, content: dict[str, Any]) -> None:
    """Check that an object has the members of a table, with values of their kinds."""
    table = TABLES[heading]
    optional = {name for name, value in table.items() if "Left out if" in value}
    if heading == "login: progress":
        content = {name: content[name] for name in table}
    assert table.keys() - optional <= content.keys() <= table.keys()
    for name, value in content.items():
        words, _, _ = table[name].partition(":")
        kinds = words.removesuffix(" (below)").split(" or ")
        assert any(KINDS[kind](value) for kind in kinds), f"{heading}: {name} is {value!r}, not {words}"


def fit(heading: str, code: int, out: str) -> list[dict[str, Any]]:
    """Check the output of a command, and return its objects. A failure has a message."""
    found = [json.loads(line) for line in out.splitlines()]
    assert found
    for content in found:
        check(f"{heading}: {content['event']}" if heading in {"login", "replay"} else heading, content)
        for member in ("accounts", "profiles", "findings"):
            for each in content.get(member, ()):
                check(f"{heading}: each {member.removesuffix('s')}", each)
    message = found[-1]["message"]
    assert bool(message) or code == 0
    return found

"""The README for a package index, where links to files of the repository lead nowhere."""

from __future__ import annotations

import re
from urllib.parse import urljoin

LINK = re.compile(r"\[(?P<words>[^\]\[]+)\]\((?P<target>[^()\s]+)\)")
CODE = re.compile(r"^(?:```.*?^```|(?: {4}[^\n]*\n)+)|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def for_index(text: str, base: str | None) -> str:
    """Return a README without relative links.

    Args:
        text: The README of the repository.
        base: The address of the repository's files at this version, which ends with a slash; None if the repository
            has no address. Then a link becomes its words, with the name of the file if the words do not have it.
    """
    spans = [match.span() for match in CODE.finditer(text)]

    def rewrite(match: re.Match[str]) -> str:
        words, target = match["words"], match["target"]
        if "://" in target or target.startswith("#") or any(start <= match.start() < end for start, end in spans):
            return match[0]
        if base is not None:
            return f"[{words}]({urljoin(base, target)})"
        file = target.partition("#")[0]
        return words if words == file else f"{words} (`{file}`)"

    return LINK.sub(rewrite, text)

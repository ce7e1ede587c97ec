"""Check the links of a folder of HTML pages: each file and each anchor that a page names is there."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

LOADED = ("script", "link", "img", "iframe", "source")
"""Elements with which a page loads something by itself."""
KNOWN_RELATIONS = ("canonical", "next", "prev", "search", "index", "genindex")


class Page(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.loads: list[str] = []
        """The addresses elsewhere from which the page loads something."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the links and anchors of an element."""
        values = {name: value for name, value in attrs if value}
        self.anchors.update(values[name] for name in ("id", "name") if name in values)
        for name in ("href", "src"):
            if name in values:
                self.links.append(values[name])
                if tag in LOADED and urlsplit(values[name]).netloc and values.get("rel") not in KNOWN_RELATIONS:
                    self.loads.append(values[name])


def read_page(path: Path) -> Page:
    """Parse a page."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def broken_links(folder: Path) -> list[str]:
    """Return what is wrong with the links of the pages in a folder, one line each.

    Args:
        folder: The folder. Links that lead out of it, and files that a page loads from elsewhere, are wrong too.
            Other addresses elsewhere are not checked.
    """
    root = folder.resolve()
    pages = {path: read_page(path) for path in sorted(root.rglob("*.html"))}
    problems = []
    for path, page in pages.items():
        name = path.relative_to(root)
        problems += [f"{name}: loads {address}" for address in page.loads]
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_relative_to(root) or not target.is_file():
                problems.append(f"{name}: {link} does not exist")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                problems.append(f"{name}: {link} has no such anchor")
    return list(dict.fromkeys(problems))

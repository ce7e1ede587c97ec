"""Copy the pages for Sphinx: links out of docs/ lead to pages of the site, and diagrams become pictures."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from .mermaid import svg

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = {
    "CHANGELOG.md": "changelog",
    "CODE_OF_CONDUCT.md": "conduct",
    "CONTRIBUTING.md": "contributing",
    "SECURITY.md": "reporting",
}
"""Pages of the repository, and their names on the site."""
LINK = re.compile(r"(?<!!)\[(?P<words>[^\]\[]*)\]\((?P<target>[^()\s]+)\)")
FENCE = re.compile(r"^```mermaid\n(?P<source>.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r"^#+ (.*)$", re.MULTILINE)
COMMENT = re.compile(r"\A<!--.*?-->\n", re.DOTALL)
LISTED = re.compile(r"(?:- |\| )\[(?P<words>[^\]]+)\]\((?P<target>[^)#\s]+\.md)\)")
LANGUAGES = {".py": "python", ".toml": "toml", ".jsonl": "text", ".sh": "bash"}


class Pages:
    """The pages of a site in the making.

    Args:
        root: The folder of the repository.
        folder: Where the pages are written.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self.sources: dict[Path, str] = {}
        """The files of the repository to which a page links, with the names of their pages."""

    def copy(self, source: Path, name: str) -> None:
        """Copy a page.

        Args:
            source: The file, in the repository.
            name: The name of the page, with folders and without a suffix.
        """
        text = COMMENT.sub("", source.read_text(encoding="utf-8"))
        text = FENCE.sub(lambda match: _picture(match["source"], _title_before(text, match.start())), text)
        spans = [match.span() for match in CODE.finditer(text)]

        def rewrite(match: re.Match[str]) -> str:
            if any(start <= match.start() < end for start, end in spans):
                return match[0]
            return f"[{match['words']}]({self._target(source, name, match['target'])})"

        self._write(name, "\n\n".join([LINK.sub(rewrite, text), *self._trees(source, name)]))

    def copy_sources(self) -> None:
        """Write a page for each file to which another page links."""
        names = []
        for path, name in sorted(self.sources.items()):
            language = LANGUAGES.get(path.suffix, "text")
            relative = path.relative_to(self._root).as_posix()
            code = path.read_text(encoding="utf-8")
            self._write(name, f"# {relative}\n\n`````{{code-block}} {language}\n{code}`````\n")
            names.append(name.removeprefix("source/"))
        listed = "\n".join(names)
        self._write(
            "source/index", f"---\norphan: true\n---\n# Files that these pages name\n\n```{{toctree}}\n{listed}\n```\n"
        )

    def _trees(self, source: Path, name: str) -> Iterator[str]:
        """Yield the navigation of a page that lists others."""
        if source.name not in ("index.md", "README.md"):
            return
        for heading, listed in navigation(source):
            entries = [
                f"{words} <{self._target(source, name, target).removesuffix('.md')}>" for words, target in listed
            ]
            caption = [] if source.name == "README.md" else [f":caption: {heading}"]
            yield "\n".join(["```{toctree}", ":hidden:", *caption, *entries, "```"])

    def _target(self, source: Path, name: str, target: str) -> str:
        """Return the target of a link on its new page."""
        address, hash_mark, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:") or not address:
            return target
        path = Path(os.path.normpath(source.parent / address))
        if not path.exists():
            raise ValueError(f"{source}: {target} does not exist")
        page = self._page_of(path)
        return f"{os.path.relpath(page, Path(name).parent)}.md{hash_mark}{anchor}"

    def _page_of(self, path: Path) -> str:
        """Return the name of the page for a file or a folder of the repository."""
        relative = path.relative_to(self._root)
        if relative.parts[0] == "docs":
            return relative.relative_to("docs").with_suffix("").as_posix()
        if relative.as_posix() in PROJECT:
            return PROJECT[relative.as_posix()]
        if relative.as_posix() == "README.md":
            return "index"
        if path.is_dir():
            # The page of a folder is its README, or else that of the repository's tree.
            readme = path / "README.md"
            return self._page_of(readme) if readme.exists() else "contributing"
        self.sources[path] = f"source/{relative.as_posix().replace('/', '-').replace('.', '-')}"
        return self.sources[path]

    def _write(self, name: str, text: str) -> None:
        path = self._folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _picture(source: str, words: str) -> str:
    return f"```{{raw}} html\n<div class='diagram'>{svg(source, words)}</div>\n```"


def _title_before(text: str, place: int) -> str:
    """Return the last heading before a place."""
    titles: list[str] = TITLE.findall(text[:place])
    return titles[-1] if titles else ""


def stage(root: Path, folder: Path) -> None:
    """Write all pages, except for those of the API reference.

    Args:
        root: The folder of the repository.
        folder: Where the pages are written.

    Raises:
        ValueError: A link leads nowhere, or a diagram has a line that is not known.
    """
    pages = Pages(root, folder)
    for path, name in documents(root):
        pages.copy(path, name)
    pages.copy_sources()


def navigation(page: Path) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the groups of pages that a page lists: a heading, and the title and the target of each page below it.

    A page is listed by a line that begins with a link, in a list or a table.
    """
    heading, listed = "", list[tuple[str, str]]()
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            if listed:
                yield heading, listed
            heading, listed = line.lstrip("# "), []
        elif match := LISTED.match(line):
            listed.append((match["words"], match["target"]))
    if listed:
        yield heading, listed


def documents(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files that become pages, and the names of their pages."""
    docs = root / "docs"
    for path in sorted(docs.rglob("*.md")):
        yield path, path.relative_to(docs).with_suffix("").as_posix()
    for file, name in PROJECT.items():
        yield root / file, name

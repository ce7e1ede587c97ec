"""Check that links and paths in the documentation lead to existing files."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest

from tools.words import ROOT

PAGES = sorted(
    path
    for path in chain(
        ROOT.glob("*.md"), (ROOT / "docs").rglob("*.md"), [ROOT / "benchmarks/README.md", ROOT / "interop/README.md"]
    )
)
SOURCES = [path for folder in ("src", "tests", "examples", "tools") for path in (ROOT / folder).rglob("*.py")]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(
    r"`((?:\.\./)?(?:src|tests|docs|tools|examples|benchmarks|interop|"
    r"sansio|drivers|cli|demo|fuzz)/[\w./*-]*)`"
)
PAGE_IN_SOURCE = re.compile(r"docs/[\w/-]+\.md")


def exists(name: str) -> bool:
    """Return whether a path names a file or folder, relative to the root, to src or to tests."""
    return any(list(base.glob(name.rstrip("/"))) for base in (ROOT, ROOT / "src", ROOT / "tests"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_and_paths_in_a_page_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in LINK.findall(text) if "://" not in link and not link.startswith("#")]
    assert [link for link in links if not (page.parent / link).exists()] == []
    assert [path for path in CODE.findall(text) if not exists(path)] == []


def test_pages_named_in_the_code_exist() -> None:
    named = {
        (path.relative_to(ROOT).as_posix(), page)
        for path in SOURCES
        if path.parent != Path(__file__).parent
        for page in PAGE_IN_SOURCE.findall(path.read_text(encoding="utf-8"))
    }
    assert [item for item in sorted(named) if not (ROOT / item[1]).exists()] == []

"""What a release is made of: files that agree, a README without relative links, archives that are always the same."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path

import pytest

from tools.release.archives import names_in, normalise
from tools.release.readme import for_index
from tools.release.tag import problems

ROOT = Path(__file__).parents[2]
BASE = "https://example.com/project/blob/v1.0/"


def test_version_changelog_and_citation_agree() -> None:
    assert problems(ROOT) == []


FILES = {
    "pyproject.toml": '[project]\nversion = "1.2.0"\n',
    "src/__init__.py": '__version__ = "1.2.0"\n',
    "CHANGELOG.md": "## Unreleased\n\n## 1.2.0 - 2026-12-01\n\n## 1.1.0 - 2026-11-01\n",
    "CITATION.cff": 'cff-version: 1.2.0\nversion: "1.2.0"\ndate-released: "2026-12-01"\n',
}


@pytest.mark.parametrize(
    ("changes", "tag", "expected"),
    [
        ({}, None, []),
        ({}, "v1.2.0", []),
        ({}, "1.2.0", ["the tag is 1.2.0, and not v1.2.0"]),
        ({"src/__init__.py": "x"}, None, ["src/__init__.py has the version (none), and pyproject.toml 1.2.0"]),
        (
            {"CHANGELOG.md": "## Unreleased\n\n## 1.1.0 - 2026-12-01\n"},
            None,
            ["CHANGELOG.md has the version 1.1.0, and pyproject.toml 1.2.0"],
        ),
        (
            {"CITATION.cff": "version: 1.2.0\ndate-released: 2026-12-02\n"},
            "v1.2.0",
            ["CHANGELOG.md has the date 2026-12-01, and CITATION.cff 2026-12-02"],
        ),
    ],
    ids=["all", "tag", "other tag", "package", "changelog", "date"],
)
def test_what_does_not_agree(tmp_path: Path, changes: dict[str, str], tag: str | None, expected: list[str]) -> None:
    (tmp_path / "src").mkdir()
    for name, text in (FILES | changes).items():
        (tmp_path / name).write_text(text)
    assert problems(tmp_path, tag) == expected


@pytest.mark.parametrize(
    ("text", "with_address", "without"),
    [
        ("see [docs/a.md](docs/a.md)", f"see [docs/a.md]({BASE}docs/a.md)", "see docs/a.md"),
        ("see [the table](src/t.py)", f"see [the table]({BASE}src/t.py)", "see the table (`src/t.py`)"),
        ("see [x](docs/a.md#b)", f"see [x]({BASE}docs/a.md#b)", "see x (`docs/a.md`)"),
        ("see [x](https://example.org/)", "see [x](https://example.org/)", "see [x](https://example.org/)"),
        ("see [x](#here)", "see [x](#here)", "see [x](#here)"),
        ("`[x](a.md)`", "`[x](a.md)`", "`[x](a.md)`"),
        (
            "a\n\n    [x](a.md)\n\nb [x](a.md)",
            f"a\n\n    [x](a.md)\n\nb [x]({BASE}a.md)",
            "a\n\n    [x](a.md)\n\nb x (`a.md`)",
        ),
        ("```\n[x](a.md)\n```\n", "```\n[x](a.md)\n```\n", "```\n[x](a.md)\n```\n"),
    ],
)
def test_links_of_the_readme(text: str, with_address: str, without: str) -> None:
    assert for_index(text, BASE) == with_address
    assert for_index(text, None) == without


@pytest.mark.parametrize("base", [BASE, None])
def test_the_readme_has_no_relative_link_on_an_index(base: str | None) -> None:
    text = for_index((ROOT / "README.md").read_text(encoding="utf-8"), base)
    assert [target for target in re.findall(r"\]\(([^)]*)\)", text) if "://" not in target] == []


def test_each_link_of_the_readme_leads_to_a_file() -> None:
    targets = re.findall(r"\]\(([^)#]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []


def archive(path: Path, seconds: int, owner: str, names: list[str]) -> Path:
    with tarfile.open(path, "w:gz") as made:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.uname, entry.uid = 3, seconds, owner, seconds % 1000
            entry.mode = 0o664 if owner == "ada" else 0o600
            made.addfile(entry, io.BytesIO(b"abc"))
    return path


def test_archives_are_the_same_on_each_machine(tmp_path: Path) -> None:
    first = archive(tmp_path / "a.tar.gz", 1_700_000_001, "ada", ["x-1/b", "x-1/a"])
    second = archive(tmp_path / "b.tar.gz", 1_700_000_002, "bob", ["x-1/a", "x-1/b"])
    assert first.read_bytes() != second.read_bytes()
    for path in (first, second):
        normalise(path, 1_600_000_000)
    assert first.read_bytes() == second.read_bytes()
    assert names_in(first) == {"a", "b"}
    with tarfile.open(first) as opened:
        assert [(member.mtime, member.mode, member.uname) for member in opened] == [(1_600_000_000, 0o644, "")] * 2
        content = opened.extractfile("x-1/a")
        assert content is not None
        assert content.read() == b"abc"

"""The documentation site: each page is in its navigation, and what is made of pages and docstrings."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tools.site.docstrings import cell, markdown, parse
from tools.site.links import broken_links
from tools.site.mermaid import parse as parse_diagram
from tools.site.mermaid import svg
from tools.site.pages import FENCE, documents, navigation, stage
from tools.site.reference import Reference, write_reference

from ..api_page import public_names

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
INDEX = DOCS / "index.md"
DIAGRAMS = [
    pytest.param(match["source"], id=f"{path.stem}-{number}")
    for path in sorted(DOCS.rglob("*.md"))
    for number, match in enumerate(FENCE.finditer(path.read_text(encoding="utf-8")))
]


def listed(page: Path) -> list[Path]:
    """Return the pages that a page lists."""
    return [(page.parent / target).resolve() for _, pages in navigation(page) for _, target in pages]


def test_each_page_is_in_the_navigation_once() -> None:
    found = [INDEX, *listed(INDEX), *(path for path in listed(DOCS / "design" / "README.md"))]
    pages = [path for path, _ in documents(ROOT)]
    # A new page of docs/ gets a line in docs/index.md, and one of docs/design/ a row in its README.
    assert sorted(map(str, found)) == sorted(map(str, pages))


def test_the_navigation_has_the_groups_of_the_start_page() -> None:
    groups = [heading for heading, _ in navigation(INDEX)]
    assert groups == ["Use it", "Trust it", "Understand it", "The project"]


# Pages


def test_all_pages_can_be_staged(tmp_path: Path) -> None:
    stage(ROOT, tmp_path)
    assert (tmp_path / "changelog.md").is_file()
    text = (tmp_path / "state-diagram.md").read_text(encoding="utf-8")
    assert "```mermaid" not in text
    assert text.count("<svg ") == 3
    assert "[the table](source/src-sansio-login-table-py.md)" in text
    source = (tmp_path / "source" / "src-sansio-login-table-py.md").read_text(encoding="utf-8")
    assert "S.AWAITING_CALLBACK" in source


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see [b](b.md#x)", "see [b](b.md#x)"),
        ("see [b](../README.md)", "see [b](index.md)"),
        ("see [b](../CHANGELOG.md)", "see [b](changelog.md)"),
        ("see [b](https://example.com/x)", "see [b](https://example.com/x)"),
        ("see [b](#here)", "see [b](#here)"),
        ("`[b](missing.md)`", "`[b](missing.md)`"),
        ("see [b](../code.py)", "see [b](source/code-py.md)"),
        ("see [b](../src)", "see [b](contributing.md)"),
    ],
)
def test_links(tmp_path: Path, text: str, expected: str) -> None:
    root = repository(tmp_path, text)
    stage(root, tmp_path / "pages")
    assert (tmp_path / "pages" / "a.md").read_text().strip() == expected


def test_a_link_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.md: missing\.md does not exist"):
        stage(repository(tmp_path, "see [b](missing.md)"), tmp_path / "pages")


def test_lists_of_pages_become_navigation(tmp_path: Path) -> None:
    root = repository(tmp_path, "")
    (root / "docs" / "index.md").write_text(
        "# Start\n\n[b](b.md)\n\n## Use it\n\n- [First](a.md): one\n- [Second](b.md)\n"
    )
    stage(root, tmp_path / "pages")
    text = (tmp_path / "pages" / "index.md").read_text()
    assert text.count("```{toctree}") == 1
    assert text.endswith("```{toctree}\n:hidden:\n:caption: Use it\nFirst <a>\nSecond <b>\n```")


def repository(tmp_path: Path, text: str) -> Path:
    root = tmp_path / "root"
    (root / "docs").mkdir(parents=True)
    (root / "src").mkdir()
    for name in ("CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "SECURITY.md", "README.md", "docs/b.md"):
        (root / name).write_text("# x\n")
    (root / "code.py").write_text("x = 1\n")
    (root / "docs" / "a.md").write_text(text)
    return root


# Diagrams


@pytest.mark.parametrize("source", DIAGRAMS)
def test_each_diagram_of_the_pages_is_drawn(source: str) -> None:
    picture = ET.fromstring(svg(source, "Title & more"))
    diagram = parse_diagram(source)
    assert picture.get("aria-label") == "Title & more"
    assert len(list(picture.iter("rect"))) + len(list(picture.iter("circle"))) == len(diagram.boxes)
    texts = {text.text for text in picture.iter("text")}
    assert texts >= {line for _, _, label in diagram.arrows for line in label}
    # An arrow with a label has two pieces, and one head.
    heads = [path for path in picture.iter("path") if path.get("marker-end")]
    assert len(heads) == len(diagram.arrows)


def test_a_diagram() -> None:
    source = (
        'stateDiagram-v2\n    classDef fails x\n    direction LR\n    state "any<br/>state" as any\n    [*] --> a\n'
        "    a : a\n    a : more\n    a --> b : x<br/>/ y\n    any --> b\n    b --> [*]\n    class a,b fails\n"
    )
    diagram = parse_diagram(source)
    assert diagram.boxes == {"any": ["any", "state"], "[*]": [], "a": ["a", "more"], "b": ["b"]}
    assert diagram.arrows == [("[*]", "a", []), ("a", "b", ["x", "/ y"]), ("any", "b", [])]
    assert diagram.styles == {"a": ["fails"], "b": ["fails"]}
    assert diagram.is_sideways
    places = {
        rect.get("class", "").strip(): float(rect.get("x", "")) for rect in ET.fromstring(svg(source, "")).iter("rect")
    }
    assert places["box"] < places["box fails"]


def test_an_unknown_line_of_a_diagram_is_an_error() -> None:
    with pytest.raises(ValueError, match="note right of a"):
        parse_diagram("stateDiagram-v2\n    note right of a\n")


# The reference


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    (folder / "api.md").write_text((DOCS / "api.md").read_text(encoding="utf-8"), encoding="utf-8")
    write_reference(folder)
    return folder


def test_each_public_name_has_a_description(reference: Path) -> None:
    overview = (reference / "api.md").read_text(encoding="utf-8")
    for place, name, _ in public_names():
        text = (reference / "reference" / f"{place}.md").read_text(encoding="utf-8")
        assert f"\n## {name}\n" in text
        assert re.search(rf"\[`{name}`\]\(reference/{re.escape(place)}\.md#[\w.-]+\)", overview)


def test_fields_have_types_defaults_and_units(reference: Path) -> None:
    text = (reference / "reference" / "loginmachine.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| `deadline` |"))
    assert "| `float \\| None` | `600.0` |" in row
    assert "econds" in row


def test_signatures_are_without_modules_and_addresses(reference: Path) -> None:
    text = (reference / "reference" / "loginmachine.md").read_text(encoding="utf-8")
    assert " at 0x" not in text
    assert "ForwardRef" not in text
    assert re.findall(r"loginmachine\.(?:sansio|drivers)\.[a-z_.]*[A-Z]", text) == []


def test_links_of_names() -> None:
    reference = Reference()
    assert reference.link("FileStore") == "[`FileStore`](loginmachine.md#loginmachine.filestore)"
    assert reference.link("FileStore.save") == "[`FileStore.save`](loginmachine.md#loginmachine.filestore)"
    assert reference.link("auth.json") == "`auth.json`"


DOCSTRING = """Do a thing.

    Use it like this::

        go(1)

    Args:
        seconds: How long, from 0 to 9.
            Longer is an error.
        *more: Others.

    Returns:
        What ``x`` says: all of it.

    Raises:
        ValueError: It is wrong.
    """


def test_docstrings() -> None:
    parsed = parse(DOCSTRING)
    assert parsed.sections == {
        "Arguments": [("seconds", "How long, from 0 to 9. Longer is an error."), ("*more", "Others.")],
        "Returns": [("", "What ``x`` says: all of it.")],
        "Raises": [("ValueError", "It is wrong.")],
    }
    made = markdown(parsed.text, str.upper)
    assert made == "Do a thing.\n\nUse it like this:\n\n```python\ngo(1)\n```"
    assert markdown("``x`` and `name`", str.upper) == "`x` and NAME"
    assert cell("a |\nb", str) == "a \\| b"
    assert parse(None) == ("", {})


# Links


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ('<a href="b.html#here">', []),
        ('<a href="#top"><i id="top">', []),
        ('<a href="b.html#gone">', ["a.html: b.html#gone has no such anchor"]),
        ('<a href="c.html">', ["a.html: c.html does not exist"]),
        ('<a href="../outside.html">', ["a.html: ../outside.html does not exist"]),
        ('<a href="https://example.com/x#y">', []),
        ('<script src="https://example.com/x.js">', ["a.html: loads https://example.com/x.js"]),
        ('<link rel="stylesheet" href="//example.com/x.css">', ["a.html: loads //example.com/x.css"]),
        ('<img src="missing%20picture.png">', ["a.html: missing%20picture.png does not exist"]),
    ],
)
def test_links_of_the_site(tmp_path: Path, body: str, problems: list[str]) -> None:
    folder = tmp_path / "html"
    folder.mkdir()
    (tmp_path / "outside.html").write_text("")
    (folder / "a.html").write_text(body)
    (folder / "b.html").write_text('<p id="here">')
    assert broken_links(folder) == problems

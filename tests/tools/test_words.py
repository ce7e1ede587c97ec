"""The check of words: what it finds in each kind of file, and what it accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools import words

if TYPE_CHECKING:
    from pathlib import Path


def found_in(path: str, source: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.found) for problem in words.check([(path, source)]).to_correct()]


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("`on_progress` is told of each phase.", "is told"),
        ("The tokens are given back.", "given back"),
        ("How a token is had that lasts.", "is had"),
        ("The last answer is taken away.", "taken away"),
        ("The thread posts what came of it.", "what came of it"),
        ("The way of a callback.", "The way of a"),
        ("The way of a callback through the house.", "the house"),
        ("It has no business there.", "has no business"),
        ("The order of DESIGN section 3.", "DESIGN section"),
        ("The limits are in THREATS.", "THREATS"),
        ("Read WIRE.md first.", "WIRE.md"),
    ],
)
def test_a_riddle_is_found_in_markdown(sentence: str, found: str) -> None:
    assert found in [text for _, text in found_in("docs/page.md", f"# Page\n\n{sentence}\n")]


@pytest.mark.parametrize(
    "sentence",
    [
        "`on_progress` is called with each phase.",
        "The tokens are revoked.",
        "The wire format of the design.",
        "He told us. It has a house style.",
        "`is_told` looks at one word.",
    ],
)
def test_a_plain_sentence_passes(sentence: str) -> None:
    assert found_in("docs/page.md", f"{sentence}\n") == []


def test_the_line_is_that_of_the_phrase_and_not_of_its_paragraph() -> None:
    assert found_in("docs/page.md", "One.\n\nTwo.\nIt is\ntold.\n") == [(4, "is told")]


def test_code_in_markdown_is_not_read() -> None:
    page = "One.\n\n```\nit is told\n```\n\n    it is told\n\nThe end.\n"
    assert found_in("docs/page.md", page) == []


def test_docstrings_and_comments_are_read() -> None:
    source = '"""It is told."""\n\nX = 1\n"""It was told."""\n# They are\n# told.\n'
    assert found_in("tests/helper.py", source) == [(1, "is told"), (4, "was told"), (5, "are told")]


@pytest.mark.parametrize(("path", "lines"), [("src/module.py", [1]), ("tests/module.py", [])])
def test_strings_are_read_in_the_package_only(path: str, lines: list[int]) -> None:
    assert [line for line, _ in found_in(path, 'X = "it is told"\n')] == lines


def test_documents_are_looked_for_in_code_too() -> None:
    assert found_in("tests/module.py", "DESIGN = 1\n") == [(1, "DESIGN")]


def test_comments_of_scripts_are_read() -> None:
    assert found_in("Makefile", "all:\n\techo it is told  # it was told\n") == [(2, "was told")]


def test_the_names_of_tests_have_a_longest_length() -> None:
    longest = "test_" + 64 * "x"
    source = f"def {longest}(): ...\n\n\ndef {longest}y(): ...\n\n\ndef helper_{longest}(): ...\n"
    assert found_in("tests/test_module.py", source) == [(4, f"{longest}y")]
    assert found_in("src/module.py", source) == []


def test_rare_words_may_be_rare() -> None:
    page = "nobody " + 3400 * "word " + "\n"
    assert found_in("docs/page.md", page) == []
    assert words.check([("docs/page.md", page)]).rate == pytest.approx(2.94, abs=0.01)


def test_rare_words_are_named_when_there_are_too_many() -> None:
    page = "Nobody knows.\n\nWhose?\n" + 3400 * "word " + "\n"
    assert found_in("docs/page.md", page) == [(1, "Nobody"), (3, "Whose")]


def test_without_any_words_there_is_no_rate() -> None:
    assert words.check([("docs/page.md", "")]).rate == 0


def test_the_files_of_the_repository_are_found(tmp_path: Path) -> None:
    for name in ("README.md", "docs/design/machine.md", "src/module.py", "build/module.py", "tools/words.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n", encoding="utf-8")
    assert [name for name, _ in words.files(tmp_path)] == ["README.md", "docs/design/machine.md", "src/module.py"]


def test_the_command_prints_the_place_and_the_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(words, "ROOT", tmp_path)
    (tmp_path / "README.md").write_text("It is told.\n", encoding="utf-8")
    assert words.main([]) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first == "README.md:1: is told -> say what is called, shown, logged or passed to it"
    assert last == "1 problems; 0 rare words in 3 (0.0 in 10,000; at most 3)"
    (tmp_path / "README.md").write_text("It is shown.\n", encoding="utf-8")
    assert words.main([]) == 0


def test_the_command_can_be_limited_to_some_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "ROOT", tmp_path)
    (tmp_path / "README.md").write_text("It is told.\n", encoding="utf-8")
    assert words.main(["docs/"]) == 0
    assert words.main(["README.md"]) == 1

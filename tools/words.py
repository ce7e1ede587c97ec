"""Check that what people read here is plain English.

Run it with ``make words``, or with ``python -m tools.words`` from the root of the repository. It reads Markdown files,
docstrings, comments and, in `src`, string constants. It looks for three things:

- phrases that hide who does what, each with a hint what to write instead;
- words such as "whoever", which are allowed in small numbers;
- test names that are too long, and names of documents that are not in the repository.

Each problem is printed as ``file:line: text -> hint``. The exit code is 1 if there is one.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROOT: Final = Path(__file__).parent.parent
FOLDERS: Final = ("src", "tests", "examples", "benchmarks", "interop", "tools", "docs")
SCRIPTS: Final = ("Makefile", ".ci/run", "pyproject.toml")
"""Files with comments that begin with ``#``, besides Python's."""
UNCHECKED: Final = ("tools/words.py", "tests/tools/test_words.py", "benchmarks/.envs/", "interop/.cache/")
"""This check and its test, which quote what they look for, and environments of other programs."""

LONGEST_TEST_NAME: Final = 69
RARE_WORDS: Final = re.compile(r"\b(?:nobody|somebody|whoever|whom|whose)\b", re.IGNORECASE)
MOST_RARE_WORDS: Final = 3.0
"""How many of `RARE_WORDS` may stand in 10,000 words of Markdown, docstrings and comments."""
RARE_HINT: Final = "name the person, program or thing"

PHRASES: Final = (
    (r"(?:is|are|was|were|be|been|being) told\b", "say what is called, shown, logged or passed to it"),
    (r"(?:gives?|gave|given|giving) back\b", "tokens are revoked, values are returned, locks are released"),
    (r"(?:is|are|was|be|been) had\b", "it is obtained, received or available"),
    (r"(?:takes?|took|taken|taking) away\b", "it is removed"),
    (r"what (?:came|comes|has come) of (?:it|them|that)\b", "the result, or the event that reports it"),
    (r"the way of an?\b", "how it is processed"),
    (r"\bhas no business\b", "it must not be there"),
    (r"\bno(?: \w+){0,2} in the world\b", "none"),
    (r"\bthe house\b", "the package, the code"),
)
"""Phrases that are never written, and what to write instead."""
DOCUMENTS: Final = (r"\b(?:DESIGN|THREATS|WIRE)(?:\.md| section|\b)", r"\b(?:HOUSE|PROVIDERS|STYLE)\.md")
"""Documents that readers of this repository do not have."""
DOCUMENT_HINT: Final = "refer to a page in docs/design/"

# A phrase may run over the end of a line.
_PHRASES: Final = tuple((re.compile(words.replace(" ", r"\s+"), re.IGNORECASE), hint) for words, hint in PHRASES)
_DOCUMENTS: Final = tuple(re.compile(words.replace(" ", r"\s+")) for words in DOCUMENTS)
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z'-]*")
_FENCE: Final = re.compile(r"\s*(?:```|~~~)")
_INLINE_CODE: Final = re.compile(r"`[^`]*`")


class Text(NamedTuple):
    """Something that people read."""

    line: int
    """Where it begins, counted from 1."""
    words: str
    is_prose: bool
    """Markdown, a docstring or a comment: its words are counted."""


class Problem(NamedTuple):
    """Something to be written in another way."""

    path: str
    line: int
    found: str
    hint: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.found} -> {self.hint}"


class Report(NamedTuple):
    """What the check found in some files."""

    problems: list[Problem]
    rare: list[Problem]
    """Every rare word."""
    words: int
    """Words of Markdown, docstrings and comments."""

    @property
    def rate(self) -> float:
        """How many rare words stand in 10,000."""
        return 10_000 * len(self.rare) / self.words if self.words else 0.0

    def to_correct(self) -> list[Problem]:
        """Return the problems, with the rare words if there are too many."""
        return sorted([*self.problems, *(self.rare if self.rate > MOST_RARE_WORDS else ())])


def files(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the path of each file to check, relative to `root` and with slashes, and its text."""
    found = [*root.glob("*.md"), *(root / name for name in SCRIPTS)]
    for folder in FOLDERS:
        found += [*(root / folder).rglob("*.py"), *(root / folder).rglob("*.md")]
    for path in sorted(found):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not name.startswith(UNCHECKED):
            yield name, path.read_text(encoding="utf-8")


def texts(path: str, source: str) -> Iterator[Text]:
    """Yield what people read in a file.

    Args:
        path: Relative to the root of the repository. Its ending says how the file is read.
        source: The file's text.
    """
    if path.endswith(".py"):
        yield from _python(source, with_strings=path.startswith("src/"))
    elif path.endswith(".md"):
        yield from _markdown(source)
    else:
        yield from _comments_of_script(source)


def check(sources: Iterable[tuple[str, str]]) -> Report:
    """Check files.

    Args:
        sources: The path and the text of each.
    """
    report = Report([], [], 0)
    words = 0
    for path, source in sources:
        report.problems.extend(_documents(path, source))
        if path.startswith("tests/") and path.endswith(".py"):
            report.problems.extend(_long_names(path, source))
        for text in texts(path, source):
            report.problems.extend(_phrases(path, text))
            if text.is_prose:
                words += len(_WORD.findall(text.words))
                found = RARE_WORDS.finditer(text.words)
                report.rare.extend(_problem(path, text, match, RARE_HINT) for match in found)
    return report._replace(words=words)


def main(arguments: Sequence[str]) -> int:
    """Check the whole repository, or the files whose paths begin with one of the arguments.

    Returns:
        The exit code: 1 if something is to be written in another way.
    """
    chosen = (item for item in files(ROOT) if not arguments or item[0].startswith(tuple(arguments)))
    report = check(chosen)
    problems = report.to_correct()
    for problem in problems:
        print(problem)
    rare = f"{len(report.rare)} rare words in {report.words} ({report.rate:.1f} in 10,000; at most {MOST_RARE_WORDS:g})"
    print(f"{len(problems)} problems; {rare}")
    return 1 if problems else 0


def _markdown(source: str) -> Iterator[Text]:
    """Yield each paragraph, without code."""
    fenced = False
    begun, paragraph = 1, ""
    for number, line in enumerate(source.splitlines(), 1):
        is_fence = _FENCE.match(line) is not None
        fenced = fenced != is_fence
        is_code = fenced or is_fence or line.startswith("    ")
        if is_code or not line.strip():
            if paragraph:
                yield Text(begun, paragraph, is_prose=True)
            paragraph = ""
            continue
        if not paragraph:
            begun = number
        paragraph += _INLINE_CODE.sub("", line) + "\n"
    if paragraph:
        yield Text(begun, paragraph, is_prose=True)


def _python(source: str, *, with_strings: bool) -> Iterator[Text]:
    tree = ast.parse(source)
    standalone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_docstring = id(node) in standalone
            if is_docstring or with_strings:
                yield Text(node.lineno, _INLINE_CODE.sub("", node.value), is_prose=is_docstring)
    yield from _joined(
        (token.start[0], token.string)
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    )


def _comments_of_script(source: str) -> Iterator[Text]:
    lines = enumerate(source.splitlines(), 1)
    yield from _joined((number, line[line.index("#") :]) for number, line in lines if re.search(r"(?:^|\s)#", line))


def _joined(comments: Iterable[tuple[int, str]]) -> Iterator[Text]:
    """Join comments on consecutive lines to one text each."""
    begun, last, words = 0, -1, ""
    for number, comment in comments:
        if number != last + 1 and words:
            yield Text(begun, words, is_prose=True)
            words = ""
        if not words:
            begun = number
        words += comment.lstrip("#!") + "\n"
        last = number
    if words:
        yield Text(begun, words, is_prose=True)


def _phrases(path: str, text: Text) -> Iterator[Problem]:
    for pattern, hint in _PHRASES:
        for match in pattern.finditer(text.words):
            yield _problem(path, text, match, hint)


def _documents(path: str, source: str) -> Iterator[Problem]:
    for pattern in _DOCUMENTS:
        for match in pattern.finditer(source):
            yield Problem(path, source.count("\n", 0, match.start()) + 1, match.group(), DOCUMENT_HINT)


def _long_names(path: str, source: str) -> Iterator[Problem]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test_"):
            continue
        if len(node.name) > LONGEST_TEST_NAME:
            hint = f"a name of at most {LONGEST_TEST_NAME} characters, not {len(node.name)}"
            yield Problem(path, node.lineno, node.name, hint)


def _problem(path: str, text: Text, match: re.Match[str], hint: str) -> Problem:
    line = text.line + text.words.count("\n", 0, match.start())
    return Problem(path, line, " ".join(match.group().split()), hint)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Entered and pasted texts in the bytes of a terminal."""

from __future__ import annotations

import pytest

from loginmachine.cli.terminal.hidden_input import MAX_LINE, LineParser

BEGIN, END = b"\x1b[200~", b"\x1b[201~"
TYPED: dict[str, tuple[bytes, list[str]]] = {
    "a line": (b"abc\r", ["abc"]),
    "two lines": (b"abc\ndef\r", ["abc", "def"]),
    "nothing": (b"\r\n  \r", []),
    "not complete": (b"abc", []),
    "corrected": (b"abx\x7fc\x08d\r", ["abd"]),
    "begun again": (b"wrong\x15right\r", ["right"]),
    "control characters": (b"a\x01b\x04c\x00\r", ["abc"]),
    "arrow keys": (b"a\x1b[Ab\x1b[1;5Dc\r", ["abc"]),
    "an escape key": (b"a\x1bOb\r", ["aOb"]),
    "not UTF-8": (b"a\xffb\r", ["a\ufffdb"]),
    "a paste": (BEGIN + b"abc" + END, ["abc"]),
    "a paste and Enter": (BEGIN + b"abc" + END + b"\r", ["abc"]),
    "a paste with line breaks": (BEGIN + b"abc\r\ndef\n" + END, ["abc\r\ndef"]),
    "a paste behind something": (b"x" + BEGIN + b"abc" + END, ["xabc"]),
    "two pastes": (BEGIN + b"abc" + END + BEGIN + b"def" + END, ["abc", "def"]),
    "a paste without end": (BEGIN + b"abc\r", []),
    "a paste with an escape": (BEGIN + b"a\x1b[201xb" + END, ["a\x1b[201xb"]),
}


@pytest.mark.parametrize(("typed", "texts"), TYPED.values(), ids=TYPED)
def test_line_parser_with_whole_and_split_input(typed: bytes, texts: list[str]) -> None:
    assert LineParser().feed(typed) == texts
    lines = LineParser()
    assert [text for byte in typed for text in lines.feed(bytes([byte]))] == texts
    for cut in range(len(typed)):
        lines = LineParser()
        assert lines.feed(typed[:cut]) + lines.feed(typed[cut:]) == texts


@pytest.mark.parametrize(("before", "after"), [(b"", b"\r"), (BEGIN, END)], ids=["typed", "pasted"])
def test_line_parser_truncates_long_input(before: bytes, after: bytes) -> None:
    lines = LineParser()
    texts = lines.feed(before)
    for _ in range(100):
        texts += lines.feed(b"a" * 1000)
    texts += lines.feed(after)
    assert [len(text) for text in texts] == [MAX_LINE]
    assert lines.feed(b"abc\r") == ["abc"]

"""QR codes in a terminal."""

from __future__ import annotations

import io

import pytest
import segno

from loginmachine.cli.sign_in.codes import show_qr_code
from loginmachine.cli.terminal import qr_code as module
from loginmachine.cli.terminal.display import Terminal
from loginmachine.cli.terminal.qr_code import qr_code, width_of

ADDRESS = "https://id.example/device?user_code=WXYZ-1234"
HALVES = {" ": (0, 0), "\u2584": (0, 1), "\u2580": (1, 0), "\u2588": (1, 1)}


@pytest.mark.parametrize("has_colours", [True, False])
def test_the_lines_hold_every_module(*, has_colours: bool) -> None:
    lines = qr_code(ADDRESS, has_colours=has_colours)
    if has_colours:
        assert all(line.startswith("\x1b[30;107m") and line.endswith("\x1b[0m") for line in lines)
    plain = [line.removeprefix("\x1b[30;107m").removesuffix("\x1b[0m") for line in lines]
    assert {len(line) for line in plain} == {width_of(lines[0])}
    rows = [[HALVES[character][half] for character in line] for line in plain for half in (0, 1)]
    # Drawn is dark on a light ground, and light without colours.
    dark = [[bool(drawn) == has_colours for drawn in row] for row in rows]
    expected = [[bool(each) for each in row] for row in segno.make_qr(ADDRESS, error="l").matrix_iter(border=4)]
    assert dark[: len(expected)] == expected
    assert not any(any(row) for row in dark[len(expected) :])


class Screen(io.TextIOWrapper):
    """A terminal of a size."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, columns: int, rows: int, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, errors="backslashreplace")
        monkeypatch.setattr(Terminal, "columns", columns)
        monkeypatch.setattr(Terminal, "rows", rows)
        monkeypatch.setenv("TERM", "xterm")

    def isatty(self) -> bool:
        return True

    def shown(self, *, is_wanted: bool) -> list[str]:
        terminal = Terminal(self)
        show_qr_code(terminal, ADDRESS, is_wanted=is_wanted)
        terminal.close()
        self.flush()
        self.seek(0)
        return self.read().splitlines()


@pytest.mark.parametrize(
    ("columns", "rows", "is_wanted", "is_shown"),
    [
        (37, 33, False, True),
        (37, 32, False, False),
        (36, 50, False, False),
        (37, 5, True, True),
        (80, 0, False, False),
    ],
)
def test_there_must_be_room(
    monkeypatch: pytest.MonkeyPatch, columns: int, rows: int, *, is_wanted: bool, is_shown: bool
) -> None:
    lines = Screen(monkeypatch, columns, rows).shown(is_wanted=is_wanted)
    assert lines == (["The same address as a QR code:", *qr_code(ADDRESS, has_colours=True)] if is_shown else [])


def test_a_wanted_code_that_is_too_wide_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    lines = Screen(monkeypatch, 36, 50).shown(is_wanted=True)
    assert " ".join(lines) == "No QR code is shown: it needs 37 columns, and this terminal has 36."


def test_without_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert Screen(monkeypatch, 80, 50, "latin-1").shown(is_wanted=False) == []
    words = "No QR code is shown, because this terminal does not use UTF-8."
    assert Screen(monkeypatch, 80, 50, "latin-1").shown(is_wanted=True) == [words]


def test_without_segno(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loginmachine.cli.sign_in.codes.is_installed", lambda: False)
    assert Screen(monkeypatch, 80, 50).shown(is_wanted=False) == []


def test_segno_is_found() -> None:
    assert module.is_installed()

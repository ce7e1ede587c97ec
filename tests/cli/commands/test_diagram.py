"""`loginmachine diagram`: text for Mermaid and Graphviz, and pictures drawn by Graphviz."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from loginmachine.cli import main
from loginmachine.cli.commands import diagram as command
from loginmachine.sansio import LoginState
from loginmachine.sansio.diagram import login as diagram
from loginmachine.sansio.diagram.login_dot import dot
from loginmachine.sansio.login.states import Trigger

from ...traces.record import FOLDER
from ..conftest import called_for_bytes, started

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = FOLDER / "provider_callback_error.jsonl"
S, T = LoginState, Trigger
PATH = (
    (S.IDLE, T.STARTED, S.BINDING),
    (S.BINDING, T.BOUND, S.AWAITING_CALLBACK),
    (S.AWAITING_CALLBACK, T.CALLBACK_DENIED, S.FAILED),
)
needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not on this machine")


def loginmachine(*arguments: str, **extra: str) -> tuple[int, bytes, str]:
    return called_for_bytes("diagram", *arguments, **extra)


def path_with_dot(folder: Path, script: str) -> str:
    """Return a PATH on which `dot` is a shell script."""
    program = folder / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"{folder}:/bin:/usr/bin"


def test_mermaid_is_the_default() -> None:
    assert started("diagram") == (0, diagram.mermaid_overview(), "")


def test_failures() -> None:
    assert started("diagram", "--failures") == (0, diagram.mermaid_failures(), "")


def test_dot_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "login.dot"
    assert loginmachine("--format", "dot", "--output", str(file)) == (0, b"", "")
    assert file.read_bytes() == dot().encode()


@needs_graphviz
def test_svg_by_graphviz() -> None:
    code, picture, complaint = loginmachine("--format", "svg")
    assert (code, complaint) == (0, "")
    assert picture.startswith(b"<?xml")
    assert picture.rstrip().endswith(b"</svg>")
    assert b">awaiting_callback</text>" in picture


@needs_graphviz
def test_png_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "login.png"
    assert loginmachine("--format", "png", "--output", str(file)) == (0, b"", "")
    assert file.read_bytes().startswith(b"\x89PNG\r\n")


def test_missing_graphviz_is_explained(tmp_path: Path) -> None:
    code, picture, complaint = loginmachine("--format", "svg", PATH=str(tmp_path))
    assert (code, picture) == (1, b"")
    assert "Install the package graphviz" in complaint


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script replaces Graphviz")
def test_input_and_arguments_of_graphviz(tmp_path: Path) -> None:
    path = path_with_dot(tmp_path, 'echo "arguments: $*"; cat')
    assert loginmachine("--format", "svg", PATH=path) == (0, b"arguments: -Tsvg\n" + dot().encode(), "")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script replaces Graphviz")
def test_graphviz_gets_none_of_our_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    path = path_with_dot(tmp_path, 'cat > /dev/null; echo "from $LD_LIBRARY_PATH"')
    libraries = {"LD_LIBRARY_PATH": "/tmp/_MEI1", "LD_LIBRARY_PATH_ORIG": "/opt/lib"}
    assert loginmachine("--format", "svg", PATH=path, **libraries) == (0, b"from /opt/lib\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script replaces Graphviz")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("cat > /dev/null; echo 'no layout' >&2; exit 3", "could not draw the picture: no layout"),
        ("cat > /dev/null; exit 3", "could not draw the picture: exit code 3"),
    ],
)
def test_failing_graphviz(tmp_path: Path, script: str, words: str) -> None:
    code, picture, complaint = loginmachine("--format", "png", PATH=path_with_dot(tmp_path, script))
    assert (code, picture) == (1, b"")
    assert words in complaint
    assert "Traceback" not in complaint


def test_graphviz_that_cannot_be_executed(tmp_path: Path) -> None:
    (tmp_path / "dot").write_bytes(b"\x7fELF and no more")
    (tmp_path / "dot").chmod(0o755)
    code, _, complaint = loginmachine("--format", "png", PATH=str(tmp_path))
    assert code == 1
    assert "could not be run" in complaint


def test_output_file_that_cannot_be_written(tmp_path: Path) -> None:
    code, _, complaint = loginmachine("--output", str(tmp_path / "nowhere" / "login.mmd"))
    assert code == 1
    assert "could not be written to" in complaint
    assert "No such file or directory" in complaint


def test_failures_needs_mermaid() -> None:
    code, _, complaint = loginmachine("--failures", "--format", "dot")
    assert code == 2
    assert "--failures needs --format mermaid" in complaint


def test_png_is_not_written_to_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(SystemExit) as caught:
        main(["diagram", "--format", "png"])
    assert caught.value.code == 2
    assert "--output FILE" in capsys.readouterr().err


def test_draw_highlights_steps() -> None:
    steps = ((LoginState.IDLE, Trigger.STARTED, LoginState.BINDING),)
    assert command.draw("mermaid", highlight=steps) == diagram.mermaid_overview(highlight=steps).encode()
    assert command.draw("dot", highlight=steps) == dot(highlight=steps).encode()


@pytest.mark.parametrize(
    ("options", "drawing"),
    [
        ((), diagram.mermaid_overview(highlight=PATH)),
        (("--failures",), diagram.mermaid_failures(highlight=PATH)),
        (("--format", "dot"), dot(highlight=PATH)),
    ],
    ids=["overview", "failures", "dot"],
)
def test_highlight_a_trace(options: tuple[str, ...], drawing: str) -> None:
    code, picture, complaint = loginmachine("--highlight", str(REFUSED), *options)
    assert (code, complaint) == (0, "")
    assert "#1d4ed8" in drawing
    assert picture.decode() == drawing


@needs_graphviz
def test_highlight_a_trace_in_a_picture() -> None:
    code, picture, complaint = started("diagram", "--highlight", str(REFUSED), "--format", "svg")
    assert (code, complaint) == (0, "")
    assert "(3) " in picture
    assert "(4) " not in picture


def test_highlight_a_trace_that_replays_differently(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(REFUSED.read_bytes().replace(b'"attempt":1}]', b'"attempt":2}]'))
    code, picture, complaint = loginmachine("--highlight", str(path))
    assert (code, picture.decode()) == (0, diagram.mermaid_overview(highlight=PATH[:1]))
    assert "acts differently today, from line 2 of the trace on" in complaint


def test_highlight_a_file_that_is_not_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    assert loginmachine("--highlight", str(path)) == (2, b"", f"{path} cannot be read: No such file or directory.\n")
    path.write_bytes(b"")
    assert loginmachine("--highlight", str(path)) == (2, b"", f"{path} is not a trace: line 1: the file is empty.\n")

"""Replay many traces: a report for each, in order, and one for each unreadable file."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loginmachine.drivers.traces import Report, replay_file, replay_many
from loginmachine.sansio.trace import Recorder

from ..sansio.samples import DEADLINE, OPTIONS, PATHS, SECRETS
from ..traces.record import REFRESH_FOLDER, SIGN_OUT_FOLDER

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import Event


def record(*happened: Event) -> str:
    """Record a login with one second before each event."""
    lines: list[str] = []
    recorder = Recorder(OPTIONS, SECRETS, write=lines.append, clock=itertools.count().__next__)
    for event in happened:
        recorder.handle(event)
    return "".join(lines)


SUCCESS = record(*PATHS["succeeded"])
TIMEOUT = record(*PATHS["awaiting_callback"], DEADLINE)
UNFINISHED = record(*PATHS["awaiting_callback"])


@pytest.fixture
def corpus(tmp_path: Path) -> list[Path]:
    """Write three files: two logins, a trace that is cut off, and one that the machine now replays differently."""
    files = {
        "a": SUCCESS + TIMEOUT,
        "b": UNFINISHED + TIMEOUT[:-20],
        "c": SUCCESS.replace('"seconds":600.0', '"seconds":601.0'),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return [tmp_path / name for name in (*files, "missing")]


def expected(folder: Path) -> list[Report]:
    a, b, c, missing = (str(folder / name) for name in ("a", "b", "c", "missing"))
    return [
        Report(path=a, line=1, outcome="succeeded", events=6, seconds=6.0),
        Report(path=a, line=8, outcome="failed", category="login_timed_out", events=3, seconds=3.0),
        Report(path=b, line=1, outcome="unfinished", events=2, seconds=2.0),
        Report(path=b, line=4, outcome="unfinished", events=2, seconds=2.0, cut_line=7),
        Report(path=c, line=1, outcome="unfinished", events=6, seconds=6.0, diverges_at=3),
        Report(path=missing, line=1, outcome="unreadable", problem="No such file or directory"),
    ]


def test_each_trace_has_a_report(corpus: list[Path], tmp_path: Path) -> None:
    assert [report for path in corpus for report in replay_file(path)] == expected(tmp_path)


def test_processes_come_to_the_same(corpus: list[Path], tmp_path: Path) -> None:
    assert list(replay_many(corpus, processes=2)) == expected(tmp_path)


def test_the_example_counts_the_outcomes_of_a_corpus(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "replay_corpus.py"
    command = [sys.executable, str(example)]
    subprocess.run([*command, "--generate", "40", str(tmp_path / "corpus")], check=True)
    output = subprocess.run([*command, str(tmp_path / "corpus")], check=True, capture_output=True, text=True).stdout
    assert output.startswith("40 traces replayed in ")
    assert "succeeded" in output
    assert output.endswith("\n0 act differently today\n")


def test_the_example_counts_refreshes_and_sign_outs(tmp_path: Path) -> None:
    kinds = [*REFRESH_FOLDER.glob("kept*.jsonl"), *SIGN_OUT_FOLDER.glob("provider_mismatch.jsonl")]
    (tmp_path / "corpus.jsonl").write_text(SUCCESS + "".join(path.read_text() for path in sorted(kinds)))
    example = Path(__file__).parents[2] / "examples" / "replay_corpus.py"
    done = subprocess.run([sys.executable, str(example), str(tmp_path)], check=True, capture_output=True, text=True)
    counts = [line.split("median")[0].split() for line in done.stdout.splitlines() if "median" in line]
    assert sorted(counts) == [
        ["1", "sign-out", "failed", "provider_mismatch"],
        ["1", "succeeded"],
        ["2", "refresh", "succeeded", "refresh_token_rejected"],
        ["3", "refresh", "succeeded"],
    ]
    assert [report.of for report in replay_many([tmp_path / "corpus.jsonl"], processes=1)] == [
        "login",
        *["refresh"] * 5,
        "sign_out",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there are no traces"),
        (SUCCESS.replace('"seconds":600.0', '"seconds":601.0'), "1 act differently today"),
        (SUCCESS + "x\n", "trace.jsonl:8: it is not a JSON object"),
        ("", "trace.jsonl:1: the file is empty"),
    ],
    ids=["none", "different", "unreadable", "empty"],
)
def test_the_example_fails_if_not_all_is_as_recorded(tmp_path: Path, text: str | None, words: str) -> None:
    example = Path(__file__).parents[2] / "examples" / "replay_corpus.py"
    if text is not None:
        (tmp_path / "trace.jsonl").write_text(text)
    done = subprocess.run([sys.executable, str(example), str(tmp_path)], check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert words in done.stdout + done.stderr

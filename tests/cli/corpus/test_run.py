"""`loginmachine replay` with many traces: the table, JSON lines, exit codes, and what cannot be combined."""

from __future__ import annotations

import json
import re
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from loginmachine.drivers.traces.many import work

from ...traces.record import FOLDER, REFRESH_FOLDER, SIGN_OUT_FOLDER
from ..conftest import called, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRACE = (FOLDER / "login_cancelled_while_binding.jsonl").read_bytes()
DIFFERENT = TRACE.replace(b'"attempt":1}]', b'"attempt":2}]')
TABLE = """\
2 traces replayed in

    count  share  outcome          category           median   longest
        2  100 %  login cancelled  login_cancelled     0.5 s     0.5 s

The slowest:
  {a}:1  0.5 s, of which binding 0.25 s
  {b}:1  0.5 s, of which binding 0.25 s

The machine does today what was recorded.
"""


def replay(*arguments: object, **extra: str) -> tuple[int, str, str]:
    return called("replay", *map(str, arguments), **extra)


def without_times(out: str) -> str:
    return re.sub(r"replayed in .*", "replayed in", out)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_table(tmp_path: Path) -> None:
    a, b = (write(tmp_path / name, TRACE) for name in ("a.jsonl", "b"))
    code, out, err = started("replay", str(a), str(b))
    assert (code, err) == (0, "")
    assert without_times(out) == TABLE.format(a=a, b=b)
    assert re.match(r"2 traces replayed in [\d.]+ s \([\d,]+ a second\)\n", out)


def test_a_folder_and_a_file_with_several_traces_come_to_the_same_table(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    a, b = (write(folder / name, TRACE) for name in ("a.jsonl", "b.jsonl"))
    code, out, err = replay(folder)
    assert (code, without_times(out), err) == (0, TABLE.format(a=a, b=b), "")
    both = write(tmp_path / "both", TRACE * 2)
    code, out, err = replay(both)
    table = TABLE.format(a=both, b=both).replace(
        f"{both}:1  0.5 s, of which binding 0.25 s\n\n", f"{both}:4  0.5 s, of which binding 0.25 s\n\n"
    )
    assert (code, without_times(out), err) == (0, table, "")


def test_every_golden_trace_is_replayed_as_it_was_recorded() -> None:
    code, out, err = replay(FOLDER)
    assert (code, err) == (0, "")
    assert "\nThe machine does today what was recorded.\n" in out
    recorded = [path for folder in (FOLDER, REFRESH_FOLDER, SIGN_OUT_FOLDER) for path in folder.glob("*.jsonl")]
    assert out.startswith(f"{len(recorded)} traces replayed in ")
    for words in ("login succeeded", "refresh succeeded", "sign-out succeeded", "token_endpoint_rejected"):
        assert words in out


def test_a_narrow_terminal(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", TRACE)
    code, out, _ = replay(tmp_path, COLUMNS="40")
    assert code == 0
    assert out.splitlines()[2:5] == [
        "1 (100 %) login cancelled",
        "  login_cancelled",
        "  median 0.5 s, longest 0.5 s",
    ]
    assert max(map(len, out.splitlines()[1:])) <= 41
    assert "slowest" not in out


@pytest.mark.parametrize(
    ("contents", "code", "words"),
    [
        ((TRACE, DIFFERENT), 1, ["1 trace has another result today:\n  {folder}1.jsonl:2\n"]),
        (
            (TRACE, b"x\n"),
            2,
            ["1 file is not a trace, or cannot be read:\n  {folder}1.jsonl:1: it is not a JSON object"],
        ),
        ((b"x\n", DIFFERENT), 1, ["{folder}0.jsonl:1: it is", "{folder}1.jsonl:2\n"]),
        ((TRACE, TRACE[:-9]), 0, ["1 trace ends in the middle of a line:\n  {folder}1.jsonl:3\n"]),
        ((b"",), 2, ["0 traces replayed in", "{folder}0.jsonl:1: the file is empty"]),
        ((DIFFERENT,) * 25, 1, ["25 traces have another result", "{folder}19.jsonl:2\n  and 5 more; --json names all"]),
    ],
    ids=["different", "unreadable", "both", "cut", "none", "many"],
)
def test_exit_codes(tmp_path: Path, contents: tuple[bytes, ...], code: int, words: list[str]) -> None:
    paths = [write(tmp_path / f"{number}.jsonl", content) for number, content in enumerate(contents)]
    found = (
        replay(*paths, "--processes", "1")
        if len(paths) == 2 and code == 0
        else replay(*paths)
        if len(paths) > 1
        else replay(tmp_path)
    )
    assert (found[0], found[2]) == (code, "")
    for text in words:
        assert text.format(folder=f"{tmp_path}/") in found[1]
    assert ("what was recorded." in found[1]) is (code != 1 and b"" not in contents)


def test_a_missing_file_among_others(tmp_path: Path) -> None:
    path = write(tmp_path / "a", TRACE)
    code, out, _ = replay(path, tmp_path / "missing")
    assert code == 2
    assert f"  {tmp_path / 'missing'}:1: No such file or directory\n" in out


def test_a_folder_without_traces(tmp_path: Path) -> None:
    words = "There is no trace: no file in these folders has a name that ends with .jsonl.\n"
    assert replay(tmp_path) == (2, "", words)


def test_json(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", TRACE)
    write(tmp_path / "b.jsonl", TRACE + DIFFERENT)
    write(tmp_path / "c.jsonl", b"x\n")
    code, out, err = replay(tmp_path, "--json")
    assert (code, err) == (1, "")
    *lines, summary = map(json.loads, out.splitlines())
    same = {"outcome": "cancelled", "category": "login_cancelled", "events": 2, "seconds": 0.5, "of": "login"}
    ended = {"event": "trace", **same, "cut_line": None}
    assert lines == [
        {**ended, "path": str(tmp_path / "a.jsonl"), "line": 1, "identical": True, "diverges_at": None},
        {**ended, "path": str(tmp_path / "b.jsonl"), "line": 1, "identical": True, "diverges_at": None},
        {**ended, "path": str(tmp_path / "b.jsonl"), "line": 4, "identical": False, "diverges_at": 5}
        | {"outcome": "unfinished", "category": None},
        {
            "event": "unreadable",
            "path": str(tmp_path / "c.jsonl"),
            "line": 1,
            "message": "it is not a JSON object; the line may have been cut off",
        },
    ]
    assert summary.pop("seconds") > 0
    times = {"median_seconds": 0.5, "p95_seconds": 0.5, "longest_seconds": 0.5}
    slowest = [
        {"path": line["path"], "line": line["line"], "seconds": 0.5, "state": "binding", "state_seconds": 0.25}
        for line in lines[:3]
    ]
    slowest[2] |= {"state": None, "state_seconds": 0.0}
    assert summary == {
        "event": "summary",
        "message": "1 have another result today, 1 cannot be read",
        "traces": 3,
        "identical": False,
        "different": 1,
        "unreadable": 1,
        "cut": 0,
        "outcomes": [
            {"of": "login", "outcome": "cancelled", "category": "login_cancelled", "count": 2, **times},
            {"of": "login", "outcome": "unfinished", "category": None, "count": 1, **times},
        ],
        "states": [
            {"of": "login", "state": "binding", "count": 2}
            | {"median_seconds": 0.25, "p95_seconds": 0.25, "longest_seconds": 0.25}
        ],
        "arrows": [
            {"of": "login", "before": "binding", "trigger": "cancel_requested", "after": "cancelled", "count": 2},
            {"of": "login", "before": "idle", "trigger": "started", "after": "binding", "count": 3},
        ],
        "slowest": slowest,
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--until", "3"), "--until is for one trace"),
        (("--diagram",), "--diagram is for one trace"),
        (("-",), "standard input holds one trace: name files and folders"),
        (("--processes", "2", "--dask", "tcp://127.0.0.1:9"), "not allowed with argument"),
        (("--report", "missing/folder/report.html"), "--report: No such file or directory"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    write(tmp_path / "a.jsonl", TRACE)
    code, out, err = replay(tmp_path, *arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_a_path_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    path = write(tmp_path / "\x1b[31m", DIFFERENT)
    code, out, _ = replay(path, path)
    assert code == 1
    assert "\x1b" not in out


def test_dask_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.jsonl", TRACE)
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, out, err = replay(tmp_path, "--dask", "tcp://127.0.0.1:9")
    assert (code, out) == (2, "")
    assert "--dask needs the extra: pip install 'loginmachine[dask]'" in err


def test_workers_that_fail_end_the_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def lost(_address: str) -> Iterator[None]:
        raise OSError("no answer")
        yield

    write(tmp_path / "a.jsonl", TRACE)
    monkeypatch.setattr("loginmachine.cli.corpus.run.dask_workers", lost)
    found = replay(tmp_path, "--dask", "tcp://127.0.0.1:9")
    assert found == (1, "", "The Dask cluster cannot be reached: no answer\n")

    def gone(*_: object, **_more: object) -> Iterator[work.Result]:
        raise work.WorkerError("KilledWorker: x")
        yield

    monkeypatch.setattr("loginmachine.cli.corpus.run.replay_portions", gone)
    found = replay(tmp_path)
    assert found == (
        1,
        "",
        "The replay was given up, because a process that replays has failed or is lost: KilledWorker: x\n",
    )
    assert "loginmachine-writer" not in {thread.name for thread in threading.enumerate()}

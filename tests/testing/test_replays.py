"""A trace is a regression test in one line, and the command writes it."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from loginmachine.sansio.trace import TraceError
from loginmachine.testing import ReplayDiffers, assert_replays

TRACES = Path(__file__).parents[1] / "traces"
TRACE = TRACES / "token_endpoint_rejected.jsonl"


@pytest.mark.parametrize("name", ["succeeded", "refreshes/refreshed", "sign_outs/not_confirmed"])
def test_a_trace_replays(name: str) -> None:
    assert_replays(TRACES / f"{name}.jsonl")


def changed(path: Path) -> str:
    """The trace with another state in its last line but one."""
    lines = TRACE.read_text(encoding="utf-8").splitlines()
    content = json.loads(lines[-2])
    assert content["state"] == "failed"
    lines[-2] = json.dumps({**content, "state": "succeeded"})
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def test_a_difference_is_shown_with_the_story(tmp_path: Path) -> None:
    path = changed(tmp_path / "trace.jsonl")
    with pytest.raises(ReplayDiffers) as caught:
        assert_replays(path)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{path}: the machine acts differently today, from line 6 on."
    assert any("token request 1 is answered: status 400" in line for line in lines)
    assert '- "state": "succeeded",' in [line.replace("-  ", "- ") for line in lines]


def test_the_second_trace_of_a_file_counts_too(tmp_path: Path) -> None:
    path = tmp_path / "two.jsonl"
    path.write_bytes(TRACE.read_bytes() + Path(changed(tmp_path / "one.jsonl")).read_bytes())
    with pytest.raises(ReplayDiffers):
        assert_replays(path)


@pytest.mark.parametrize("content", [b"", b"hello\n"])
def test_a_file_without_a_trace(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_bytes(content)
    with pytest.raises(TraceError):
        assert_replays(path)


def written(path: Path) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "loginmachine", "replay", "--as-test", str(path)],
        capture_output=True, text=True, check=True, timeout=50,
    )  # fmt: skip
    return run.stdout


def test_the_command_writes_a_test_that_passes(tmp_path: Path) -> None:
    path = tmp_path / "from the field.jsonl"
    shutil.copy(TRACE, path)
    test = tmp_path / "test_it.py"
    test.write_text(written(path), encoding="utf-8")
    assert test.read_text(encoding="utf-8").splitlines()[0] == (
        '"""A recorded login replays as it was: failed, token_endpoint_rejected."""'
    )
    runpy.run_path(str(test))["test_from_the_field"]()
    changed(path)
    with pytest.raises(ReplayDiffers):
        runpy.run_path(str(test))["test_from_the_field"]()

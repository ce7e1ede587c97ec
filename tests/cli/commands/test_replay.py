"""`loginmachine replay`, and the option `--record`."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import loginmachine

from ...drivers.traces.comparing import without_times
from ...sansio.trace.beside import everything_told
from ...traces.record import FOLDER
from ..conftest import (
    ACCESS,
    CODE,
    ID_TOKEN,
    KEY,
    REFRESH,
    browse,
    callback_url,
    called,
    environment,
    login,
    run,
    started,
)

if TYPE_CHECKING:
    from ..conftest import ScriptedProvider

CANCELLED = FOLDER / "login_cancelled_while_binding.jsonl"
STORY = """\
    0.250 s the host starts the login  [started]
            report binding
            open port 1455, attempt 1
            => binding
    0.500 s the host cancels: cancelled by the caller  [cancel_requested]
            report cancelled
            finish: cancelled
            close the listener
            => cancelled
The login was cancelled: login_cancelled - cancelled by the caller
Advice for the person: Start it again when you are ready.

Replayed: the machine does today what was recorded.
"""


def replay(*arguments: object, given: bytes = b"") -> tuple[int, str, str]:
    return called("replay", *map(str, arguments), given=given)


def test_story() -> None:
    assert started("replay", str(CANCELLED)) == (0, STORY, "")


def test_trace_from_standard_input() -> None:
    assert started("replay", "-", given=CANCELLED.read_bytes()) == (0, STORY, "")
    assert replay("-") == (2, "", "- is not a trace: line 1: the file is empty.\n")


def test_until() -> None:
    code, out, _ = replay(CANCELLED, "--until", "1")
    assert code == 0
    assert out.splitlines()[3:5] == ["            => binding", "(1 more event)"]
    assert replay(CANCELLED, "--until", "0")[0] == 2


def test_json() -> None:
    code, out, err = replay(CANCELLED, "--json")
    assert (code, err) == (0, "")
    assert [json.loads(line) for line in out.splitlines()] == [
        {
            "event": "step",
            "at": 0.25,
            "came": "Started",
            "trigger": "started",
            "before": "idle",
            "after": "binding",
            "actions": ["ReportProgress", "Bind"],
        },
        {
            "event": "step",
            "at": 0.5,
            "came": "CancelRequested",
            "trigger": "cancel_requested",
            "before": "binding",
            "after": "cancelled",
            "actions": ["ReportProgress", "Finish", "CloseListener"],
        },
        {
            "event": "replayed",
            "of": "login",
            "identical": True,
            "outcome": "cancelled",
            "category": "login_cancelled",
            "states": ["idle", "binding", "cancelled"],
            "message": None,
            "difference": None,
            "origin": {},
            "cut_line": None,
        },
    ]


def test_diagram() -> None:
    code, out, err = started("replay", str(CANCELLED), "--diagram")
    assert (code, err) == (0, "")
    assert out.startswith("stateDiagram-v2\n")
    assert "    idle --> binding : (1)<br/>started<br/>/ bind_first_port\n" in out
    assert "    any_cancel_requested --> cancelled : (2)<br/>cancel_requested<br/>/ cancel\n" in out
    assert out.endswith("    class idle,binding,cancelled,any_cancel_requested passed\n")


def test_diagram_until() -> None:
    code, out, _ = replay(CANCELLED, "--diagram", "--until", "1")
    assert code == 0
    assert out.endswith("    class idle,binding passed\n")
    assert "(2)" not in out


def test_diagram_leaves_out_unexpected_events() -> None:
    code, out, err = replay(FOLDER / "unexpected.jsonl", "--diagram")
    assert (code, err) == (0, "")
    assert "    any_cancel_requested --> cancelled : (2)<br/>cancel_requested<br/>/ cancel\n" in out
    assert out.endswith("    class idle,binding,cancelled,any_cancel_requested passed\n")


def test_diagram_and_json_exclude_each_other() -> None:
    code, out, err = replay(CANCELLED, "--diagram", "--json")
    assert (code, out) == (2, "")
    assert "not allowed with argument" in err


def test_diagram_shows_a_difference_on_standard_error(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(CANCELLED.read_bytes().replace(b'"attempt":1}]', b'"attempt":2}]'))
    code, out, err = replay(path, "--diagram")
    assert code == 1
    assert out.endswith("    class idle,binding passed\n")
    assert err.startswith("Replayed: the machine acts differently today, from line 2 on:\n--- recorded\n+++ replayed\n")
    path.write_bytes(b"")
    assert replay(path, "--diagram") == (2, "", f"{path} is not a trace: line 1: the file is empty.\n")


def test_difference(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(
        CANCELLED.read_bytes().replace(b'"attempt":1}],"', b"").replace(b'"attempt":1}]', b'"attempt":2}]')
    )
    code, out, err = replay(path)
    assert (code, err) == (1, "")
    assert "Replayed: the machine acts differently today, from line 2 on:\n--- recorded\n+++ replayed\n" in out
    assert '-   "attempt": 2\n+   "attempt": 1\n' in out
    code, out, err = replay(path, "--json")
    assert code == 1
    assert json.loads(out.splitlines()[-1])["difference"]["line"] == 2


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", 1, "the file is empty"),
        (b"\x00\x1b[31m\xff" * 99, 1, "it is not a JSON object; the line may have been cut off"),
        (CANCELLED.read_bytes()[:40], 1, "it is not a JSON object; the line may have been cut off"),
        (CANCELLED.read_bytes()[:-3] + b"\n", 3, "it is not a JSON object; the line may have been cut off"),
        (b"x" * (3 * 1024 * 1024), 1, "it is longer than 1048576 bytes"),
    ],
    ids=["empty", "binary", "truncated", "a broken line", "one long line"],
)
def test_files_that_are_not_traces(tmp_path: Path, content: bytes, line: int, reason: str) -> None:
    path = tmp_path / "trace"
    path.write_bytes(content)
    assert replay(path) == (2, "", f"{path} is not a trace: line {line}: {reason}.\n")


@pytest.mark.parametrize("cut", [3, 60, 250])
def test_trace_that_is_cut_in_the_middle_of_a_line(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "trace"
    path.write_bytes(CANCELLED.read_bytes()[:-cut])
    code, out, err = replay(path)
    assert (code, err) == (0, "The file ends in the middle of line 3: the events before it were replayed.\n")
    assert out.startswith(STORY[: STORY.index("    0.500 s")])
    assert "The trace stops while the login is binding.\n\nReplayed: the machine does today what was" in out
    code, out, err = replay(path, "--json")
    assert (code, json.loads(out.splitlines()[-1])["cut_line"]) == (0, 3)


@pytest.mark.parametrize("option", [("--diagram",), ("--until", "1")])
def test_a_file_with_two_traces_where_one_is_needed(tmp_path: Path, option: tuple[str, ...]) -> None:
    path = tmp_path / "trace"
    path.write_bytes(CANCELLED.read_bytes() * 2)
    assert replay(path, *option) == (2, "", f"{path} is not a trace: line 4: another trace begins here.\n")
    given = CANCELLED.read_bytes() * 2
    assert replay("-", given=given) == (2, "", "- is not a trace: line 4: another trace begins here.\n")


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    # In a process of its own, because of the memory.
    assert started("replay", str(path))[0] == 2
    code, out, _ = started("replay", str(path), str(CANCELLED), "--processes", "1")
    assert code == 2
    assert f"{path}:1: it is longer than 1048576 bytes" in out


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "missing\x1b[31m"
    assert replay(missing) == (2, "", f"{tmp_path}/missing\ufffd[31m cannot be read: No such file or directory.\n")


def test_trace_from_a_fifo(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(CANCELLED.read_bytes()))
    writer.start()
    assert replay(path) == (0, STORY, "")
    writer.join()


def test_closed_pipe() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "loginmachine", "replay", CANCELLED],
        stdout=write,
        stderr=subprocess.PIPE,
        timeout=50,
        check=False,
        env=environment(),
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_terminal_without_unicode(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(CANCELLED.read_bytes().replace(b"cancelled by the caller", b"\\u001b[31m\\u20ac"))
    code, out, err = started("replay", str(path), PYTHONIOENCODING="ascii")
    # The machine would have cleaned this text: the replay differs.
    assert (code, err) == (1, "")
    assert "\x1b" not in out


# --record


def sign_in(path: Path, provider: ScriptedProvider, home: Path, *more: str) -> str:
    """Record a complete login, and return its standard error."""
    provider.will_sign_in()
    with login(home, provider.issuer, "--record", str(path), *more) as command:
        page, _ = browse(callback_url(command.event("listening")["url"], code=CODE))
        assert page == 200
        code, err = command.end()
    assert code == 0, err
    assert command.events[-1]["outcome"] == "succeeded"
    return str(err)


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_record(tmp_path: Path, provider: ScriptedProvider, driver: str) -> None:
    path = tmp_path / "trace"
    path.write_text("old")
    path.chmod(0o644)
    sign_in(path, provider, tmp_path / "home", "--driver", driver)
    assert path.stat().st_mode & 0o777 == 0o600
    code, out, err = replay(path)
    assert (code, err) == (0, "")
    assert "The login succeeded." in out
    first = json.loads(path.read_text().splitlines()[0])["origin"]
    assert first["program"] == "loginmachine login"
    assert (first["version"], first["driver"]) == (loginmachine.__version__, driver)
    assert platform.python_version() in first["python"]
    assert platform.system() in first["system"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["recorded"])
    assert "--no-browser" in first["arguments"]
    for words in (loginmachine.__version__, f"{driver} driver", platform.python_version(), first["recorded"], "--json"):
        assert words in out
    content = everything_told(path.read_text())
    secrets = (CODE, KEY, ACCESS, REFRESH, ID_TOKEN, "ada", "acc-1", "canary", str(tmp_path))
    assert [secret for secret in secrets if secret in content] == []


def test_each_driver_records_the_same(tmp_path: Path, provider: ScriptedProvider) -> None:
    traces = []
    for driver in ("threaded", "trio", "asyncio"):
        path = tmp_path / driver
        sign_in(path, provider, tmp_path / f"{driver}-home", "--driver", driver)
        traces.append(without_times(path.read_text()))
    assert traces == [traces[0]] * 3


@pytest.mark.parametrize("path", ["", "missing/trace", "."])
def test_record_to_an_unwritable_file_is_a_usage_error(tmp_path: Path, path: str) -> None:
    home = tmp_path / "home"
    with login(home, "http://127.0.0.1:9", "--record", str(tmp_path / path) if path else "") as command:
        code, err = command.end()
    assert code == 2
    assert "login: error: --record: " in err
    assert command.events == []
    assert not home.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_a_full_disk_does_not_end_the_login(tmp_path: Path, provider: ScriptedProvider, driver: str) -> None:
    mode = Path("/dev/full").stat().st_mode
    err = sign_in(Path("/dev/full"), provider, tmp_path / "home", "--driver", driver)
    assert err.count("the trace ends before the login: OSError") == 1
    assert Path("/dev/full").stat().st_mode == mode


def test_a_killed_login_leaves_a_readable_trace(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    with login(tmp_path / "home", "http://127.0.0.1:9", "--record", str(path)) as command:
        command.event("listening")
        command.process.send_signal(signal.SIGKILL)
        command.process.wait()
        command.end()
    code, out, err = replay(path)
    assert (code, err) == (0, "")
    assert "The trace stops while the login is awaiting callback." in out


@pytest.mark.timeout(60)
def test_record_the_demo(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    with run("demo", "--record", str(path)) as command:
        out, err = command.process.communicate(timeout=50)
    assert (command.process.returncode, err) == (0, "")
    match = re.search(r"It is stored in (\S+)", out)
    assert match is not None
    stored = json.loads(Path(match[1]).read_text())
    content = everything_told(path.read_text())
    for secret in (
        stored["OPENAI_API_KEY"],
        *(stored["tokens"][name] for name in ("id_token", "access_token", "refresh_token")),
        "ada@example.com",
    ):
        assert secret not in content
    code, out, _ = replay(path)
    assert code == 0
    assert "The login succeeded." in out

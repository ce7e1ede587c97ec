"""Sessions in many processes on one home: one refresh, and the others continue when one of them is killed."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from loginmachine import FileStore, Session

from ..replies import reply
from ..support import PATIENCE, eventually
from .programs import go, line_of, ready
from .session_support import OVER, TokenEndpoint, mark_of, signed_in, token_of

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from werkzeug import Response

ASK = """
import sys
from loginmachine import FileStore, Provider, Session
session = Session(FileStore(sys.argv[1]), Provider.codex(issuer=sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
print(session.access_token(), flush=True)
"""
ASK_WITH_TRIO = """
import sys, trio
from loginmachine import FileStore, Provider, TrioSession
session = TrioSession(FileStore(sys.argv[1]), Provider.codex(issuer=sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
print(trio.run(session.access_token), flush=True)
"""
ASK_WITH_ASYNCIO = """
import asyncio, sys
from loginmachine import AsyncioSession, FileStore, Provider
session = AsyncioSession(FileStore(sys.argv[1]), Provider.codex(issuer=sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
print(asyncio.run(session.access_token()), flush=True)
"""


def processes(count: int, home: Path, endpoint: TokenEndpoint) -> AbstractContextManager[list[subprocess.Popen[str]]]:
    """Processes that are ready to ask for a token, with each driver in turn."""
    programs = (ASK, ASK_WITH_TRIO, ASK_WITH_ASYNCIO)
    return ready([sys.executable, "-c", programs[number % 3], str(home), endpoint.url] for number in range(count))


def test_twenty_processes_cause_one_refresh(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    endpoint.hold()
    with processes(20, tmp_path, endpoint) as asking:
        for process in asking:
            go(process)
        assert endpoint.asked.wait(PATIENCE)
        endpoint.released.set()
        tokens = [line_of(process) for process in asking]
    assert {mark_of(token) for token in tokens} == {"new-1"}
    assert endpoint.requests == 1
    assert token_of(store.load()) == tokens[0]


def test_a_process_that_is_killed_during_its_request(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    """Its lock ends with the process, and the next process gets it."""
    store = signed_in(tmp_path, OVER)
    before = store.path.read_bytes()
    gone = threading.Event()

    def hang() -> Response:
        assert gone.wait(PATIENCE)
        return reply({}, 500)()

    endpoint.scripted.append(hang)
    session = Session(FileStore(tmp_path), endpoint.provider)
    tokens: list[str] = []
    waiting = threading.Thread(target=lambda: tokens.append(session.access_token()))
    with processes(2, tmp_path, endpoint) as (first, second):
        go(first)
        assert endpoint.asked.wait(PATIENCE)
        waiting.start()
        go(second)
        assert eventually(lambda: session._current is not None)
        first.kill()
        waiting.join(PATIENCE)
        assert [mark_of(token) for token in (*tokens, line_of(second))] == ["new-2", "new-2"]
        gone.set()
    assert endpoint.requests == 2
    assert before != store.path.read_bytes()


def test_a_process_that_is_killed_while_it_waits(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    with processes(2, tmp_path, endpoint) as (first, second):
        with store.renewing():
            go(first)
            go(second)
            first.kill()
        assert mark_of(line_of(second)) == "new-1"
    assert endpoint.requests == 1


def test_the_end_of_a_program_waits_for_its_refresh(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    """The response of the provider is stored, although no caller waits for it."""
    store = signed_in(tmp_path, OVER)
    endpoint.hold()
    script = (
        "import sys, threading\n"
        "from loginmachine import FileStore, Provider, Session\n"
        "session = Session(FileStore(sys.argv[1]), Provider.codex(issuer=sys.argv[2]))\n"
        "threading.Thread(target=session.access_token, daemon=True).start()\n"
        "sys.stdin.readline()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path), endpoint.url], stdin=subprocess.PIPE)
    with process:
        assert endpoint.asked.wait(PATIENCE)
        assert process.stdin is not None
        process.stdin.close()
        endpoint.released.set()
    assert process.returncode == 0
    assert mark_of(token_of(store.load())) == "new-1"


def test_other_members_of_the_file_are_kept(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    members: dict[str, Any] = json.loads(store.path.read_text())
    members["tokens"]["oauth_provenance"] = {"x": 1}
    members |= {"agent_identity": {"y": [2]}, "personal_access_token": "z"}
    # As a Python script writes it.
    store.path.write_text(json.dumps(members))
    Session(store, endpoint.provider).access_token()
    after = json.loads(store.path.read_text())
    changed = {"access_token": endpoint.accepted, "refresh_token": "canary-refresh-1"}
    expected = {**members, "tokens": {**members["tokens"], **changed}, "last_refresh": after["last_refresh"]}
    assert after == expected
    assert after["last_refresh"] > "2026"

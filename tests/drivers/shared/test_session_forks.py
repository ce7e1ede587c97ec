"""Sessions in the child of a fork: neither a refresh nor a lock of the parent stays behind there."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import FileStore, Session

from ..support import PATIENCE
from .programs import go
from .session_support import OVER, TokenEndpoint, mark_of, signed_in, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

PROGRAM = """
import os, signal, sys, threading
from loginmachine import AsyncioSession, FileStore, MemoryStore, Provider, Session, TrioSession
home, issuer, driver, kept = sys.argv[1:]
store = FileStore(home)
if kept == "memory":
    stored, store = store.load(), MemoryStore()
    store.save(stored)
provider = Provider.codex(issuer=issuer)
if driver == "trio":
    import trio
    session = TrioSession(store, provider)
    ask = lambda: trio.run(session.access_token)
elif driver == "asyncio":
    import asyncio
    session = AsyncioSession(store, provider)
    ask = lambda: asyncio.run(session.access_token())
else:
    session = Session(store, provider)
    ask = session.access_token
def say(text):
    # In one write: `print` may write the end of the line separately, and parent and child share the pipe.
    os.write(1, f"{text}\\n".encode())
refresh = threading.Thread(target=ask)
refresh.start()
sys.stdin.readline()
child = os.fork()
if not child:
    # The descriptors of the parent's stores must not be closed twice: these take their numbers.
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(8)]
"""
ASK = """
    say(ask())
    [os.fstat(file) for file in files]
    os._exit(0)
say(child)
refresh.join()
say(ask())
os.waitpid(child, 0)
"""
SLEEP = """
    signal.pause()
    os._exit(0)
say(child)
refresh.join()
"""


@contextlib.contextmanager
def running(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A program that talks over its standard streams. It and its children end with the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM + program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def line_of(process: subprocess.Popen[str]) -> str:
    """The next line, or nothing if it does not come."""
    assert process.stdout is not None
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.append(process.stdout.readline().strip()), daemon=True)  # type: ignore[union-attr]
    reader.start()
    reader.join(PATIENCE)
    return lines[0] if lines else ""


@pytest.mark.parametrize("driver", ["threads", "trio", "asyncio"])
def test_a_child_gets_the_tokens_that_its_parent_refreshes(
    tmp_path: Path, endpoint: TokenEndpoint, driver: str
) -> None:
    signed_in(tmp_path, OVER)
    endpoint.hold()
    with running(ASK, str(tmp_path), endpoint.url, driver, "file") as process:
        assert endpoint.asked.wait(PATIENCE)
        go(process)
        assert line_of(process).isdigit()
        endpoint.released.set()
        assert [mark_of(line_of(process)) for _ in range(2)] == ["new-1", "new-1"]
    assert endpoint.requests == 1


@pytest.mark.parametrize("driver", ["threads", "trio", "asyncio"])
def test_a_child_with_a_store_in_memory_refreshes_itself(tmp_path: Path, endpoint: TokenEndpoint, driver: str) -> None:
    """The lock of such a store is held by a thread that the child does not have."""
    signed_in(tmp_path, OVER)
    endpoint.hold()
    with running(ASK, str(tmp_path), endpoint.url, driver, "memory") as process:
        assert endpoint.asked.wait(PATIENCE)
        go(process)
        assert line_of(process).isdigit()
        endpoint.released.set()
        assert {mark_of(line_of(process)) for _ in range(2)} == {"new-1", "new-2"}


@pytest.mark.parametrize("driver", ["threads", "trio", "asyncio"])
@pytest.mark.parametrize("parent", ["ends", "is killed"])
def test_a_child_that_sleeps_holds_no_lock(tmp_path: Path, endpoint: TokenEndpoint, driver: str, parent: str) -> None:
    store = signed_in(tmp_path, OVER)
    endpoint.hold()
    with running(SLEEP, str(tmp_path), endpoint.url, driver, "file") as process:
        assert endpoint.asked.wait(PATIENCE)
        go(process)
        child = int(line_of(process))
        if parent == "is killed":
            process.kill()
        endpoint.released.set()
        process.wait(PATIENCE)
        os.kill(child, 0)
        with store.renewing(timeout=1), store.transaction(timeout=1):
            pass
        assert mark_of(Session(store, endpoint.provider).access_token()).startswith("new-")
    assert mark_of(token_of(store.load())).startswith("new-")


LOCKS: Any = [FileStore.renewing, FileStore.transaction]


@pytest.mark.parametrize("lock", LOCKS, ids=["renewing", "transaction"])
def test_the_lock_of_a_block_stays_with_the_parent(tmp_path: Path, lock: Any) -> None:
    """A child that leaves the block, or ends, does not release the parent's lock."""
    script = (
        "import os, sys\n"
        "from loginmachine import FileStore\n"
        "with getattr(FileStore(sys.argv[1]), sys.argv[2])():\n"
        "    child = os.fork()\n"
        "if not child:\n"
        "    os._exit(0)\n"
    )
    block = (
        "import os, sys\n"
        "from loginmachine import FileStore, StoreBusy\n"
        "store = FileStore(sys.argv[1])\n"
        "with getattr(store, sys.argv[2])():\n"
        "    child = os.fork()\n"
        "    if child:\n"
        "        os.waitpid(child, 0)\n"
        "        try:\n"
        "            with getattr(FileStore(sys.argv[1]), sys.argv[2])(timeout=0.0):\n"
        "                print('lost')\n"
        "        except StoreBusy:\n"
        "            print('held')\n"
        "if not child:\n"
        "    os._exit(0)\n"
        "with getattr(store, sys.argv[2])(timeout=0.0):\n"
        "    print('again')\n"
    )
    for program, said in ((script, ""), (block, "held\nagain\n")):
        arguments = [sys.executable, "-c", program, str(tmp_path), lock.__name__]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=6 * PATIENCE, check=True)
        assert (done.stdout, done.stderr) == (said, "")

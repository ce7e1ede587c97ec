"""The command and the stores in a process that acts as one on Windows does: see `tests.fake_windows`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import environment

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not show open files")

ROOT = Path(__file__).parents[2]
PREPARED = """
import sys, threading
sys.path.insert(0, sys.argv[1])
from tests import fake_windows
fake_windows.pretend("flask", "werkzeug.serving", "loginmachine.demo.server")
import os
from pathlib import Path
home = sys.argv[2]
# The system's own function for this does not exist here.
os.environ["LOCALAPPDATA"] = home + "-state"
import platformdirs.windows
platformdirs.windows._RESOLVE_WIN_FOLDER = platformdirs.windows.get_win_folder_from_env_vars
"""
A_LOGIN = """
from loginmachine.cli import main
from loginmachine.demo.browser import sign_in
from loginmachine.demo.server import DemoProvider

opened = []

def start_file(url):
    browser = threading.Thread(target=sign_in, args=(url,), kwargs={"email": "ada@example.com", "password": "any"})
    opened.append(browser)
    browser.start()

def listed():
    # (The lock of `login --wait` is named after what is wanted.)
    return sorted(name for name in os.listdir(home) if not name.startswith("login-"))

os.startfile = start_file
with DemoProvider() as provider:
    at = ["--home", home, "--provider", "codex", "--issuer", provider.issuer]
    codes = [main(["login", *at, "--port", "0", "--driver", sys.argv[3], "--record", home + "-trace.jsonl"])]
    opened[0].join()
    codes += [main(["refresh", *at]), main(["status", *at[:2]]), main(["token", *at[:2]])]
    names = listed()
    codes += [main(["logout", *at])]
print(codes, names, listed())
"""


def on_windows(program: str, *arguments: str) -> str:
    """Run a program, and return the last line that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", f"{PREPARED}{program}", str(ROOT), *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.timeout(90)
@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_sign_in_and_out(tmp_path: Path, driver: str) -> None:
    home = tmp_path / "home"
    locks = ["auth.json.lock", "auth.lock", "auth.refresh.lock", "log"]
    assert on_windows(A_LOGIN, str(home), driver) == f"{[0, 0, 0, 0, 0]} {['auth.json', *locks]} {locks}"
    for path in (home / "log" / "codex-login.log", tmp_path / "home-trace.jsonl"):
        lines = path.read_bytes().splitlines(keepends=True)
        assert len(lines) > 5
        assert not [line for line in lines if not line.endswith(b"\n") or line.endswith(b"\r\n")]


BESIDE_A_READER = """
from loginmachine import Credentials, FileStore, Secret
from loginmachine.sansio.refresh.failures import RefreshFailureCategory
from loginmachine.sansio.refresh.outcome import Refusal
from loginmachine.drivers import files

def key(letter):
    return Credentials(auth_mode="apikey", api_key=Secret(letter))

def refusal(letter):
    return Refusal(digest=letter, category=RefreshFailureCategory.REFRESH_TOKEN_REJECTED)

store = FileStore(home)
changes = {
    "auth.json": [lambda: store.save(key("a")), lambda: store.save(key("b")), store.remove],
    "auth.refused.json": [lambda: store.save_refusal(refusal("a")), lambda: store.save_refusal(refusal("b"))],
}
found = []
for name, (first, *others) in changes.items():
    first()
    for change in others:
        # A reader that closes the file when the writer has found it open.
        reader = (Path(home) / name).open("rb")
        pauses = []
        files.pause = lambda seconds: (pauses.append(seconds), reader.close())
        change()
        # One that never does: the writer gives up, and the old file stays.
        found.append(len(pauses))
    if name == "auth.json":
        first()
    with (Path(home) / name).open("rb"):
        pauses = []
        files.pause = pauses.append
        try:
            others[0]()
        except Exception as error:
            found.append((type(error).__name__, len(pauses), sum(pauses) < 2))
print(found, store.load().api_key.reveal(), store.load_refusal().digest, sorted(os.listdir(home)))
"""


def test_a_reader_delays_a_writer(tmp_path: Path) -> None:
    names = ["auth.json", "auth.json.lock", "auth.lock", "auth.refused.json"]
    given_up = ("StoreError", 7, True)
    assert on_windows(BESIDE_A_READER, str(tmp_path / "home")) == f"{[1, 1, given_up, 1, given_up]} a b {names}"


CUT_BACK = """
from loginmachine.drivers.traces import TraceFile
path = Path(home)
with TraceFile(path) as trace:
    trace.write("one\\n")
    real = os.write
    def full(descriptor, data):
        os.write = real
        real(descriptor, data[:2])
        os.write = fails
        return 2
    def fails(descriptor, data):
        raise OSError(28, "No space left on device")
    os.write = full
    try:
        trace.write("two\\n")
    except OSError:
        pass
print(path.read_bytes())
"""


def test_what_was_written_of_a_line_is_cut_off_and_no_more(tmp_path: Path) -> None:
    assert on_windows(CUT_BACK, str(tmp_path / "trace.jsonl")) == str(b"one\n")


def test_a_file_that_another_program_holds(tmp_path: Path) -> None:
    program = """
from loginmachine import FileStore, StoreBusy
with FileStore(home).transaction():
    try:
        with FileStore(home).transaction(timeout=0.01):
            print("both")
    except StoreBusy:
        print("busy")
"""
    assert on_windows(program, str(tmp_path / "home")) == "busy"


def test_a_system_that_cannot_lock(tmp_path: Path) -> None:
    # Without a lock, a file would stand for it, and the process in that file be looked for with `os.kill(process, 0)`.
    # On Windows that sends Ctrl-C to it.
    program = """
import msvcrt
from loginmachine import FileStore, StoreError

def refuse(*_):
    raise OSError(22, "Invalid argument")

msvcrt.locking = refuse
try:
    with FileStore(home).renewing():
        pass
except StoreError as error:
    print(error, [name for name in os.listdir(home) if name.endswith(".held")])
"""
    home = tmp_path / "home"
    assert on_windows(program, str(home)) == f"{home / 'auth.json'}: Invalid argument []"


def test_ctrl_break_cancels_a_login(tmp_path: Path) -> None:
    program = """
import signal
from loginmachine.cli import main
os.startfile = lambda url: os.kill(os.getpid(), signal.SIGBREAK)
arguments = ["login", "--home", home, "--provider", "codex", "--issuer", "http://127.0.0.1:1", "--port", "0"]
print(main(arguments), int(signal.SIGBREAK))
"""
    code, number = on_windows(program, str(tmp_path / "home")).split()
    assert int(code) == 128 + int(number)

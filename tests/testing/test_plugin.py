"""The pytest plugin: its fixtures, its marker and its option."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loginmachine import LoginFailed, LoginOptions, MemoryStore, Provider, start_login
from loginmachine.testing import assert_replays

if TYPE_CHECKING:
    from loginmachine.testing import Browser, FakeProvider, FakeSession, PlayLogin

TRACES = Path(__file__).parents[1] / "traces"
REJECTED = "../traces/token_endpoint_rejected.jsonl"


# In this suite


def test_an_outcome(played_login: PlayLogin) -> None:
    with played_login("token_endpoint_rejected", driver="threaded") as login, pytest.raises(LoginFailed):
        login.wait()


def test_a_login_that_succeeds(played_login: PlayLogin) -> None:
    with played_login() as login:
        login.wait()


@pytest.mark.login_trace(REJECTED)
def test_the_fixture_plays_the_trace_of_the_marker(played_login: PlayLogin) -> None:
    with played_login() as login, pytest.raises(LoginFailed) as caught:
        login.wait()
    assert caught.value.category == "token_endpoint_rejected"


@pytest.mark.login_trace(REJECTED)
def test_a_login_of_the_program_plays_the_trace_of_the_marker() -> None:
    options = LoginOptions(provider=Provider.codex())
    with start_login(options, store=MemoryStore()) as login, pytest.raises(LoginFailed) as caught:
        login.wait()
    assert caught.value.category == "token_endpoint_rejected"


def test_a_real_login(fake_provider: FakeProvider, login_browser: Browser) -> None:
    login_browser.email = "grace@example.com"
    with start_login(fake_provider.options(), store=MemoryStore()) as login:
        login.wait()
    assert login_browser.headings == ["You are signed in"]
    assert len(fake_provider.requests_to("token")) == 1


def test_a_session(fake_session: FakeSession) -> None:
    fake_session.expire()
    assert fake_session.access_token() == "fake-access-token-2"


# In a suite of its own

SUITE = """
import pytest
from loginmachine import LoginFailed, LoginOptions, MemoryStore, Provider, start_login
from loginmachine.testing import playing

def sign_in():
    try:
        with start_login(LoginOptions(provider=Provider.codex()), store=MemoryStore()) as login:
            login.wait()
    except LoginFailed:
        pass

def test_played(played_login):
    for name in ("succeeded", "login_timed_out"):
        with played_login(name) as login:
            try:
                login.wait()
            except LoginFailed:
                pass

def test_started():
    with playing("token_endpoint_rejected"):
        sign_in()

@pytest.mark.login_trace("trace.jsonl")
def test_marked():
    sign_in()

def test_real(fake_provider, login_browser):
    with start_login(fake_provider.options(), store=MemoryStore()) as login:
        login.wait()

def test_that_signs_nobody_in():
    pass
"""


BROKEN = """
import pytest

@pytest.mark.login_trace("trace.jsonl")
def test_changed():
    pass

@pytest.mark.login_trace
def test_nameless():
    pass
"""
LOADED = """
import sys

def test_it():
    print(sorted(name for name in sys.modules if name.startswith("loginmachine")))
"""


def run(folder: Path, suite: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a suite with this plugin only. (The tests above have found it by its entry point.)"""
    (folder / "test_it.py").write_text(suite, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "loginmachine.testing.plugin", "-p", "no:cacheprovider", *arguments],
        cwd=folder, env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip


def test_logins_are_recorded(tmp_path: Path) -> None:
    shutil.copy(TRACES / "token_endpoint_rejected.jsonl", tmp_path / "trace.jsonl")
    result = run(tmp_path, SUITE, "--record-logins", "recorded")
    assert result.returncode == 0, result.stdout
    paths = sorted((tmp_path / "recorded").iterdir())
    assert [path.name for path in paths] == [
        "test_it.py_test_marked.jsonl",
        "test_it.py_test_played-2.jsonl",
        "test_it.py_test_played.jsonl",
        "test_it.py_test_real.jsonl",
        "test_it.py_test_started.jsonl",
    ]
    for path in paths:
        assert_replays(path)
    last = json.loads(paths[4].read_text(encoding="utf-8").splitlines()[-1])
    assert last["state"] == "failed"


def test_a_trace_that_replays_otherwise_fails_with_its_story(tmp_path: Path) -> None:
    lines = (TRACES / "token_endpoint_rejected.jsonl").read_text(encoding="utf-8").splitlines()
    lines[-2] = json.dumps({**json.loads(lines[-2]), "state": "succeeded"})
    (tmp_path / "trace.jsonl").write_text("\n".join(lines), encoding="utf-8")
    result = run(tmp_path, BROKEN)
    assert "2 failed" in result.stdout
    assert "the machine acts differently today, from line 6 on." in result.stdout
    assert "token request 1 is answered: status 400" in result.stdout
    assert "login_trace needs the path of a trace" in result.stdout
    assert "pytest_support.py" not in result.stdout.partition("test_nameless")[0]


def test_a_suite_without_logins_loads_the_plugin_only(tmp_path: Path) -> None:
    result = run(tmp_path, LOADED, "-s")
    assert "['loginmachine', 'loginmachine.testing', 'loginmachine.testing.plugin']" in result.stdout
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".jsonl"]

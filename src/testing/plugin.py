"""The pytest plugin: fixtures, a marker and an option. pytest loads it in every suite, so it loads nothing else.

`loginmachine.testing.pytest_support` does the work, when something of it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .logins.playing import PlayLogin
    from .provider import Browser, FakeProvider
    from .sessions.threaded import FakeSession

_MARKER = "login_trace(path, ...): let the logins of the test play recorded traces, beside the file of the test"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("loginmachine").addoption(
        "--record-logins",
        metavar="DIR",
        help="write a trace of the logins of each test to this folder (docs/testing.md of loginmachine)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Add the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Let logins play the traces of the marker, and record them if the option is given."""
    marker, folder = item.get_closest_marker("login_trace"), item.config.getoption("--record-logins")
    if marker is None and folder is None:
        return (yield)
    from .pytest_support import around  # noqa: PLC0415 - few tests need it

    with around(item, marker, folder):
        return (yield)


@pytest.fixture
def played_login(request: pytest.FixtureRequest) -> PlayLogin:
    """Play a login: `loginmachine.testing.played`.

    Without an argument it plays the trace of the marker ``login_trace``, or else a login that succeeds.
    """
    from .pytest_support import player  # noqa: PLC0415 - as above

    return player(request)


@pytest.fixture
def fake_provider() -> Iterator[FakeProvider]:
    """A provider that runs on this machine. Needs the extra ``loginmachine[demo]``."""
    from .provider import FakeProvider  # noqa: PLC0415 - as above

    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def login_browser() -> Iterator[Browser]:
    """The browser of this machine: a person signs in at ``fake_provider`` when a login opens it."""
    from .provider import Browser  # noqa: PLC0415 - as above

    with Browser() as browser:
        yield browser


@pytest.fixture
def fake_session() -> FakeSession:
    """A session of a person who is signed in."""
    from .sessions.threaded import FakeSession  # noqa: PLC0415 - as above

    return FakeSession()

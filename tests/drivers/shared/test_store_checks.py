"""What drivers find out of a store before a browser opens, and before a refresh token is sent."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest
import trio

from loginmachine import (
    FileStore,
    LoginOptions,
    MemoryStore,
    RefreshFailed,
    StoreError,
    asyncio_open_login,
    open_login,
    start_login,
)

from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all
from .session_drivers import DRIVER_IDS, SESSION_DRIVERS, Driver, Start
from .session_support import DUE, OVER, mark_of, signed_in, token_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from loginmachine import CredentialStore

    from ..conftest import ScriptedProvider
    from ..support import Progress
    from .session_support import TokenEndpoint

    Enter = Callable[[LoginOptions, CredentialStore, Progress], None]

fcntl = pytest.importorskip("fcntl", reason="this system has other locks")


@pytest.fixture(params=SESSION_DRIVERS, ids=DRIVER_IDS)
def driver(request: pytest.FixtureRequest) -> Driver:
    """Return each driver in turn."""
    chosen: Driver = request.param
    return chosen


# A refresh


def break_lock(home: Path) -> None:
    (home / "auth.json.lock").unlink()
    (home / "auth.json.lock").mkdir()


def break_file(home: Path) -> None:
    if os.geteuid() != 0 or subprocess.run(["chattr", "+i", home / "auth.json"], check=False).returncode:
        pytest.skip("this user, or file system, has no immutable files")


@pytest.fixture
def home(tmp_path: Path) -> Any:
    yield tmp_path
    if os.geteuid() == 0:
        subprocess.run(["chattr", "-i", tmp_path / "auth.json"], capture_output=True, check=False)


@pytest.mark.parametrize("broken", [break_lock, break_file])
def test_a_refresh_token_that_could_not_be_replaced_is_not_sent(
    driver: Driver, home: Path, endpoint: TokenEndpoint, broken: Callable[[Path], None]
) -> None:
    store = signed_in(home, OVER)
    before = store.path.read_bytes()
    broken(home)
    for _ in range(2):
        with pytest.raises(RefreshFailed) as caught:
            driver.run(driver.session(store, endpoint.provider).access_token)
        assert (caught.value.category, caught.value.final) == ("store_unavailable", False)
        assert str(home) in caught.value.message
    assert endpoint.requests == 0
    assert store.path.read_bytes() == before


def test_the_old_token_is_used_meanwhile(driver: Driver, home: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(home, DUE)
    session = driver.session(store, endpoint.provider)
    break_lock(home)
    assert mark_of(driver.run(session.access_token)) == "old"
    assert endpoint.requests == 0


def test_a_file_that_is_mounted_read_only(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    mount = ["mount", "--bind", str(store.path), str(store.path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", store.path], check=True)
        with pytest.raises(RefreshFailed, match="it is mounted on its own, and may not be written"):
            driver.run(driver.session(store, endpoint.provider).access_token)
        assert endpoint.requests == 0
    finally:
        subprocess.run(["umount", store.path], check=True)
    assert mark_of(driver.run(driver.session(store, endpoint.provider).access_token)) == "new-1"


def test_homes_that_share_a_file_share_its_refreshes(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    shared = signed_in(tmp_path / "shared", OVER)
    homes = [tmp_path / name for name in "abc"]
    for one in homes:
        one.mkdir()
        (one / "auth.json").symlink_to(shared.path)
    stores = [shared, *(FileStore(one) for one in homes)]
    sessions = [driver.session(store, endpoint.provider) for store in stores * 3]
    tokens = driver.play(*(Start(session.access_token) for session in sessions))
    assert {mark_of(token) for token in tokens} == {"new-1"}
    assert endpoint.requests == 1
    assert all((one / "auth.json").is_symlink() for one in homes)
    assert {token_of(store.load()) for store in stores} == set(tokens)


def test_one_refresh_on_a_file_system_without_locks(
    driver: Driver, tmp_path: Path, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    signed_in(tmp_path, OVER)
    sessions = [driver.session(FileStore(tmp_path), endpoint.provider) for _ in range(20)]
    tokens = driver.play(*(Start(session.access_token) for session in sessions))
    assert {mark_of(token) for token in tokens} == {"new-1"}
    assert endpoint.requests == 1
    assert not list(tmp_path.glob("*.held*"))


# A login


def enter_with_threads(options: LoginOptions, store: CredentialStore, progress: Progress) -> None:
    with start_login(options, store=store, on_progress=progress) as login:
        login.cancel()


def enter_with_trio(options: LoginOptions, store: CredentialStore, progress: Progress) -> None:
    async def main() -> None:
        async with open_login(options, store=store, on_progress=progress) as login:
            login.cancel()

    trio.run(main)


def enter_with_asyncio(options: LoginOptions, store: CredentialStore, progress: Progress) -> None:
    async def main() -> None:
        async with asyncio_open_login(options, store=store, on_progress=progress) as login:
            login.cancel()

    asyncio.run(main())


@pytest.fixture(params=[enter_with_threads, enter_with_trio, enter_with_asyncio], ids=DRIVER_IDS)
def enter(request: pytest.FixtureRequest) -> Enter:
    chosen: Enter = request.param
    return chosen


def test_a_login_begins_with_a_check_of_its_store(
    enter: Enter, provider: ScriptedProvider, progress: Progress, tmp_path: Path
) -> None:
    (tmp_path / "auth.lock").mkdir()
    with pytest.raises(StoreError, match=r"the lock .*/auth\.lock cannot be used: it is a folder$"):
        enter(provider.options(), FileStore(tmp_path), progress)
    assert progress.phases == []


def test_warnings_come_before_the_browser(
    enter: Enter, provider: ScriptedProvider, progress: Progress, tmp_path: Path
) -> None:
    said: list[tuple[str, int]] = []
    tmp_path.chmod(0o777)
    store = FileStore(tmp_path, on_warning=lambda text: said.append((text, len(progress.phases))))
    enter(provider.options(), store, progress)
    assert [("mode 0777" in text, phases) for text, phases in said] == [(True, 0)]
    assert progress.names[0] == "binding"


class CheckedStore(MemoryStore):
    """A store of a program, with a check."""

    def __init__(self, problem: str = "") -> None:
        super().__init__()
        self.checked: list[threading.Thread] = []
        self._problem = problem

    def check(self) -> None:
        self.checked.append(threading.current_thread())
        if self._problem:
            raise StoreError(self._problem)


def test_a_program_may_check_its_own_store(enter: Enter, provider: ScriptedProvider, progress: Progress) -> None:
    store = CheckedStore()
    enter(provider.options(), store, progress)
    assert len(store.checked) == 1
    # A check may ask the person something: an event loop must not stand still.
    is_main = store.checked[0] is threading.main_thread()
    assert is_main == (enter is enter_with_threads)
    with pytest.raises(StoreError, match=r"^no disk$"):
        enter(provider.options(), CheckedStore("no disk"), progress)


def test_a_login_whose_check_failed_may_be_entered_again(provider: ScriptedProvider, tmp_path: Path) -> None:
    (tmp_path / "auth.lock").mkdir()
    login = start_login(provider.options(), store=FileStore(tmp_path))
    with pytest.raises(StoreError), login:
        pass
    (tmp_path / "auth.lock").rmdir()
    with login:
        login.cancel()

"""What holds for the whole suite."""

import gc
import os
import signal
import threading
from collections.abc import Generator

import pytest

from .drivers.stores.person_support import people

__all__ = ["people"]

# A process inherits the signals that its parent ignores, and the command leaves them ignored. If the suite runs in the
# background of a script, or under nohup, the commands would ignore the signals of the tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two for each processor: many tests wait for something."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_finish() -> None:
    """Take the collected tests, and all that is loaded, out of the sight of the garbage collector.

    They stay until the end, and would be looked at again in each collection.
    """
    # It asks the collector who refers to the random numbers of trio, so it is loaded before.
    import hypothesis  # noqa: F401

    gc.collect()
    gc.freeze()


_PATIENCE = 5.0
"""Seconds for which a thread may outlive its test."""
_threads_before = pytest.StashKey[set[threading.Thread]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Note the threads of fixtures, which may end later than the test."""
    item.stash[_threads_before] = set(threading.enumerate())
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Check that no thread of ours outlives the test: a later test, in another folder, would find it."""
    result = yield
    before = item.stash.get(_threads_before, None)
    begun = set(threading.enumerate()) - before if before is not None else ()
    ours = [thread for thread in begun if thread.name.startswith("loginmachine")]
    for thread in ours:
        thread.join(_PATIENCE)
    left = [thread.name for thread in ours if thread.is_alive()]
    assert not left, f"the test has left threads behind: {left}"
    return result

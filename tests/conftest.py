"""What holds for the whole suite."""

import os
import signal

import pytest

# A process inherits the signals that its parent ignores, and the command leaves them ignored. If the suite runs in the
# background of a script, or under nohup, the commands would ignore the signals of the tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are processors: some tests wait for something."""
    return (os.cpu_count() or 1) + 1

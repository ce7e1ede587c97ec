"""What holds for the whole suite."""

import os
import signal

import pytest

# A program inherits which signals are ignored, and ours respects that. Started by a script in the background, or under
# nohup, the suite would hand it down to the commands whose signals are tested.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are processors: some tests wait for something."""
    return (os.cpu_count() or 1) + 1

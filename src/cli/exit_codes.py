"""Exit codes of the ``loginmachine`` command."""

from __future__ import annotations

SUCCESS = 0
FAILURE = 1
"""The command failed. For ``status``: there are no usable credentials. For ``doctor``: there is a problem."""
USAGE_ERROR = 2
PORT_IN_USE = 13
"""Another program uses the callback port."""
INTERRUPTED = 130
"""The command was ended by Ctrl-C."""

DIFFERENT = 1
"""``replay``: the machine acts differently from the trace."""
NOT_A_TRACE = 2
"""``replay``, ``diagram``: the file cannot be read, or is not a trace."""

HELP = """exit codes:
  0    success
  1    failure (status: not signed in)
  2    wrong usage
  13   the callback port is in use
  130  interrupted
"""
"""The last part of ``--help``."""
REPLAY_HELP = "exit codes: 0 same result, 1 different result (of any trace), 2 not a trace"
"""The last part of ``replay --help``."""


def after_signal(number: int) -> int:
    """Return the exit code of a command that a signal ended, as a shell reports it."""
    return 128 + number

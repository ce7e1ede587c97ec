"""The ``loginmachine`` command."""

from __future__ import annotations

import sys

# Not from typing: whatever is imported here, an interrupt could still end with a traceback.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Without the program's name; by default those of the process.

    Returns:
        The exit code: 0 done, 1 failed, 2 wrong usage, 13 callback port in use, 130 interrupted.
    """
    # From here on an interrupt ends without a traceback.
    code, settle, end_soon = INTERRUPTED, _nothing, _nothing
    try:
        if arguments is None:
            from .signals import interrupt_once  # noqa: PLC0415

            settle = interrupt_once(INTERRUPTED)
            from .startup import collect_seldom, end_soon, load_when_used  # noqa: PLC0415

            collect_seldom()
            load_when_used()
        from .arguments import parse_arguments  # noqa: PLC0415

        options = parse_arguments(sys.argv[1:] if arguments is None else arguments)
        options.ends_the_process = arguments is None
        code = options.run(options)
    except KeyboardInterrupt:
        code = INTERRUPTED
    settle()
    end_soon()
    return code


def _nothing() -> None:
    pass

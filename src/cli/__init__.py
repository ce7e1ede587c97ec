"""The ``loginmachine`` command."""

from __future__ import annotations

import sys

# Until `interrupt_once` has run, Ctrl-C ends in a traceback. Import as little as possible before.
from .exit_codes import INTERRUPTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The command line without the program's name. By default that of this process; the process is then
            expected to end with the command, and signals and imports are handled accordingly.

    Returns:
        The exit code, one of `exit_codes`.
    """
    code, ignore_interrupts, skip_final_collection = INTERRUPTED, _do_nothing, _do_nothing
    try:
        if arguments is None:
            from .signals import interrupt_once  # noqa: PLC0415

            ignore_interrupts = interrupt_once(INTERRUPTED)
            from .startup import collect_rarely, defer_imports, skip_final_collection  # noqa: PLC0415

            collect_rarely()
            defer_imports()
        from .arguments import parse_arguments  # noqa: PLC0415

        options = parse_arguments(sys.argv[1:] if arguments is None else arguments)
        options.owns_process = arguments is None
        code = options.run(options)
    except KeyboardInterrupt:
        code = INTERRUPTED
    ignore_interrupts()
    skip_final_collection()
    return code


def _do_nothing() -> None:
    pass

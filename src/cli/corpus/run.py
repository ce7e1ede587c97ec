"""Replay many traces, and show what they have in common."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import sys
import time
from typing import TYPE_CHECKING, NoReturn

from ...drivers.traces.many.files import PORTION, files_in, portions
from ...drivers.traces.many.summary import Summary
from ...drivers.traces.many.work import WorkerError, dask_workers, local_workers, replay_portions
from .. import exit_codes
from ..terminal.screen import columns_for_text
from ..terminal.writer import StreamWriter, print_error
from .json_form import report_line, summary_line
from .progress import Progress
from .table import table_lines

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import BinaryIO

    from ...drivers.traces.many.work import Workers


def run_many(arguments: argparse.Namespace) -> int:
    """Replay the traces of files and folders, and return the exit code."""
    for option, is_given in (("--until", arguments.until is not None), ("--diagram", arguments.diagram)):
        if is_given:
            arguments.usage_error(f"{option} is for one trace")
    if "-" in arguments.files:
        arguments.usage_error("standard input holds one trace: name files and folders")
    count, size = _measure(arguments.files)
    if not count:
        print_error("There is no trace: no file in these folders has a name that ends with .jsonl.")
        return exit_codes.NOT_A_TRACE
    with contextlib.ExitStack() as stack:
        report = None if arguments.report is None else _open(stack, arguments)
        try:
            workers = stack.enter_context(_workers(arguments, size))
        except ImportError:
            arguments.usage_error("--dask needs the extra: pip install 'loginmachine[dask]'")
        except (OSError, ValueError) as error:
            print_error(f"The Dask cluster cannot be reached: {error}")
            return exit_codes.FAILURE
        try:
            summary, seconds = _replay(arguments, workers, size)
        except WorkerError as error:
            print_error(f"The replay was given up, because a process that replays has failed or is lost: {error}")
            return exit_codes.FAILURE
        if report is not None:
            return _write_report(report, summary, seconds) or _exit_code(summary)
    return _exit_code(summary)


def _measure(paths: Sequence[str]) -> tuple[int, int]:
    """Return the number of files, and their bytes."""
    count = size = 0
    for part in files_in(paths):
        count += 1
        size += part.size
    return count, size


def _open(stack: contextlib.ExitStack, arguments: argparse.Namespace) -> BinaryIO:
    """Open the file of the report before the work begins. What it holds stays until the report is there."""
    try:
        return stack.enter_context(open(arguments.report, "ab"))  # noqa: PTH123 - it may be empty, and a path may not
    except OSError as error:
        _refuse(arguments, f"--report: {os.strerror(error.errno or 0)}")


def _refuse(arguments: argparse.Namespace, words: str) -> NoReturn:
    arguments.usage_error(words)
    raise AssertionError


def _workers(arguments: argparse.Namespace, size: int) -> AbstractContextManager[Workers | None]:
    """Return where to replay. Little work is done before other processes have started, in this process."""
    if arguments.dask is not None:
        return _quietly(dask_workers(arguments.dask))
    if arguments.processes is None and size <= PORTION:
        return contextlib.nullcontext()
    return local_workers(arguments.processes)


@contextlib.contextmanager
def _quietly(workers: AbstractContextManager[Workers]) -> Iterator[Workers]:
    """Leave it to this command to say that a cluster is lost. Dask would log a traceback for each task."""
    with workers as found:
        for name in ("distributed", "distributed.client", "distributed.core"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        yield found


def _replay(arguments: argparse.Namespace, workers: Workers | None, size: int) -> tuple[Summary, float]:
    """Replay, print the results, and return them with the seconds that it took."""
    summary, progress = Summary(), Progress(size)
    # The results so far are shown also if the workers fail.
    with contextlib.closing(StreamWriter(sys.stdout, timeout=None)) as writer:
        try:
            work = portions(files_in(arguments.files))
            for result in replay_portions(workers, work, with_reports=arguments.json):
                summary.merge(result.summary)
                progress.advance(result.size, result.summary.traces)
                writer.write("".join(f"{report_line(report)}\n" for report in result.reports))
        finally:
            progress.close()
        seconds = progress.elapsed
        if arguments.json:
            lines = [summary_line(summary, seconds)]
        else:
            lines = list(table_lines(summary, seconds, columns_for_text(sys.stdout)))
        writer.write("".join(f"{line}\n" for line in lines))
    return summary, seconds


def _write_report(file: BinaryIO, summary: Summary, seconds: float) -> int:
    from .report import report_page  # noqa: PLC0415 - the table needs no pictures

    page = report_page(summary, seconds, time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()))
    try:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.truncate(0)
        file.write(page.encode("utf-8"))
        file.flush()
    except OSError as error:
        print_error(f"The report could not be written: {os.strerror(error.errno or 0)}.")
        return exit_codes.FAILURE
    return exit_codes.SUCCESS


def _exit_code(summary: Summary) -> int:
    if summary.different.count:
        return exit_codes.DIFFERENT
    return exit_codes.NOT_A_TRACE if summary.unreadable.count else exit_codes.SUCCESS

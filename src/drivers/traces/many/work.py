"""Replay many traces, portion by portion, in the processes of an executor."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from ..recording import lines_of
from ..replaying import Report, replay_lines, unreadable
from .files import files_in, portions
from .summary import Summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Executor, Future

    from ....sansio.trace.replay import Replayed
    from .files import Part

AHEAD: Final = 4
"""Portions for each process that are handed out before their results are needed."""
_CONNECT_TIMEOUT: Final = 10.0
"""Seconds for the first connection to a Dask scheduler."""


class WorkerError(Exception):
    """A process that replays has ended, cannot be reached, or cannot load loginmachine.

    The text names the exception.
    """


class Result(NamedTuple):
    """The result of a portion."""

    summary: Summary
    reports: tuple[Report, ...]
    """The report of each trace, if reports are wanted."""
    size: int
    """Bytes of the portion."""


class Workers(NamedTuple):
    """The processes that replay."""

    executor: Executor
    number: int
    """How many portions they work on at the same time."""


def replay_many(paths: Iterable[str | os.PathLike[str]], *, processes: int | None = None) -> Iterator[Report]:
    """Replay the traces of many files in several processes. Memory does not grow with their number.

    Args:
        paths: The files. Of a folder, the files ``*.jsonl`` in it, and in its folders.
        processes: The number of processes, from 1. By default one for each processor.

    Yields:
        The reports, in the order of the files and of the traces in them. A file of more than 4 MiB is read in parts, so
        that traces behind a line that cannot be read may have reports too.
    """
    with local_workers(processes) as workers:
        for result in replay_portions(
            workers, portions(files_in(os.fspath(path) for path in paths)), with_reports=True
        ):
            yield from result.reports


def replay_portion(portion: tuple[Part, ...], *, with_reports: bool) -> Result:
    """Replay the traces of a portion. Never raises.

    Args:
        portion: Files, and parts of files, which this process can read.
        with_reports: Whether to return a report of each trace.
    """
    summary, kept = Summary(), []
    for part in portion:
        for report, steps in _replay_part(part):
            summary.add(report, steps)
            if with_reports:
                kept.append(report)
    return Result(summary, tuple(kept), sum(part.size for part in portion))


def replay_portions(
    workers: Workers | None, work: Iterable[tuple[Part, ...]], *, with_reports: bool
) -> Iterator[Result]:
    """Replay the traces of many portions. Only a few portions wait at any time, and only a few results.

    Args:
        workers: Where to replay; None for this process.
        work: The portions.
        with_reports: Whether the results have a report of each trace.

    Yields:
        The results, in the order of the portions.

    Raises:
        WorkerError: The processes do not work.
    """
    if workers is None:
        yield from (replay_portion(portion, with_reports=with_reports) for portion in work)
        return
    waiting: deque[Future[Result]] = deque()
    for portion in work:
        waiting.append(workers.executor.submit(replay_portion, portion, with_reports=with_reports))
        if len(waiting) >= AHEAD * workers.number:
            yield _result(waiting.popleft())
    while waiting:
        yield _result(waiting.popleft())


@contextmanager
def local_workers(count: int | None = None) -> Iterator[Workers]:
    """Start processes on this machine, and end them after the block.

    Args:
        count: The number of processes, from 1; None for one for each processor.
    """
    count = count or os.cpu_count() or 1
    # Not forked, because the program may have threads.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_prepare_process)
    try:
        yield Workers(pool, count)
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def dask_workers(address: str) -> Iterator[Workers]:
    """Use the workers of a Dask cluster, which stays as it is after the block.

    The workers have this version of loginmachine, and read the files at the same paths.

    Args:
        address: That of the scheduler, such as ``tcp://HOST:8786``.

    Raises:
        ImportError: The extra ``dask`` is not installed.
        OSError: The scheduler cannot be reached.
        ValueError: The address is not one.
    """
    from distributed import Client  # noqa: PLC0415 - an extra

    with Client(address, timeout=_CONNECT_TIMEOUT, set_as_default=False) as client:
        yield Workers(client.get_executor(), max(sum(client.ncores().values()), 1))


def _prepare_process() -> None:
    """Make a process end with the one that has started it, and not before."""
    # Ctrl-C reaches all processes of a terminal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Otherwise it would wait for work for ever after the first process was killed.
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _result(future: Future[Result]) -> Result:
    try:
        return future.result()
    except Exception as error:
        # Replaying never raises. Dask has exceptions of its own for each way in which a worker can be lost.
        raise WorkerError(": ".join(filter(None, (type(error).__name__, str(error))))) from error


def _replay_part(part: Part) -> Iterator[tuple[Report, tuple[Replayed, ...]]]:
    if part.problem is not None:
        yield unreadable(part.path, part.first_line, part.problem), ()
        return
    try:
        with open(part.path, "rb") as file:  # noqa: PTH123 - as in files.py
            file.seek(part.offset)
            lines = lines_of(file) if part.is_whole else _first_bytes(lines_of(file), part.size)
            yield from replay_lines(part.path, lines, first_line=part.first_line)
    except OSError as error:
        yield unreadable(part.path, part.first_line, error.strerror or "it cannot be read"), ()


def _first_bytes(lines: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield lines of so many bytes."""
    while size > 0 and (line := next(lines, None)):
        size -= len(line)
        yield line

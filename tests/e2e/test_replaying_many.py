"""Replaying portions in other processes, and on a Dask cluster: the results are those of this process."""

from __future__ import annotations

import os
import select
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from loginmachine.drivers.traces.many.files import files_in, portions
from loginmachine.drivers.traces.many.work import WorkerError, Workers, dask_workers, local_workers, replay_portions
from loginmachine.drivers.traces.replaying import Report, replay_file

from ..cli.conftest import Command, run
from ..traces.record import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRACE = (FOLDER / "login_cancelled_while_binding.jsonl").read_bytes()
DIFFERENT = TRACE.replace(b'"attempt":1}]', b'"attempt":2}]')


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for number in range(12):
        (tmp_path / f"{number:02}.jsonl").write_bytes(TRACE * 2 if number != 7 else TRACE + DIFFERENT)
    (tmp_path / "bad.jsonl").write_bytes(b"x\n")
    return tmp_path


def reports(corpus: Path, workers: Workers) -> list[Report]:
    work = portions(files_in([str(corpus)]), size=4000)
    return [report for result in replay_portions(workers, work, with_reports=True) for report in result.reports]


def expected(corpus: Path) -> list[Report]:
    made = [report for path in sorted(corpus.iterdir()) for report in replay_file(path)]
    assert len(made) == 25
    assert [report.path for report in made if report.diverges_at] == [str(corpus / "07.jsonl")]
    return made


def test_in_other_processes(corpus: Path) -> None:
    with local_workers(2) as workers:
        assert workers.number == 2
        assert reports(corpus, workers) == expected(corpus)


def test_a_process_that_is_killed_is_an_error_that_says_so(corpus: Path) -> None:
    with local_workers(1) as workers:
        # As the system does when memory is used up.
        workers.executor.submit(os._exit, 1)
        with pytest.raises(WorkerError, match=r"^BrokenProcessPool: "):
            reports(corpus, workers)


@contextmanager
def replaying(fifo: Path) -> Iterator[tuple[Command, int]]:
    """Start the command, and wait until a process of it reads a pipe. Return the command, and the end to write to."""
    os.mkfifo(fifo)
    with run("replay", str(fifo), str(FOLDER / "succeeded.jsonl"), "--processes", "1") as command:
        yield command, os.open(fifo, os.O_WRONLY)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_an_interrupt_ends_it_without_a_word(tmp_path: Path) -> None:
    with replaying(tmp_path / "fifo") as (command, descriptor):
        command.process.send_signal(signal.SIGINT)
        # The process that reads comes to the end of its portion.
        os.close(descriptor)
        assert command.end() == (130, "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_its_processes_end_when_it_is_killed(tmp_path: Path) -> None:
    with replaying(tmp_path / "fifo") as (command, descriptor):
        command.process.kill()
        gone = select.poll()
        gone.register(descriptor, select.POLLERR)
        # Nothing reads the pipe any more.
        assert gone.poll(50_000) == [(descriptor, select.POLLERR)]
        os.close(descriptor)


# A Dask cluster


@pytest.fixture
def cluster() -> Iterator[str]:
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
    # Its workers are threads of this process, without sockets, so that a busy machine cannot lose them.
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, silence_logs=50
    ) as made:
        yield made.scheduler_address


@pytest.mark.filterwarnings("ignore")  # of Dask itself
def test_on_a_dask_cluster(corpus: Path, cluster: str) -> None:
    with dask_workers(cluster) as workers:
        assert workers.number == 2
        assert reports(corpus, workers) == expected(corpus)


@pytest.mark.filterwarnings("ignore")
def test_an_address_without_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    monkeypatch.setattr("loginmachine.drivers.traces.many.work._CONNECT_TIMEOUT", 0.2)
    with pytest.raises(OSError), dask_workers("tcp://127.0.0.1:9"):  # noqa: PT011 - the words are Dask's
        pass
    with pytest.raises(ValueError, match="unknown address scheme"), dask_workers("elsewhere://x"):
        pass

"""Replaying portions in this process. tests/e2e/test_replaying_many.py does it in others, and on a Dask cluster."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.drivers.traces.many.files import Part, files_in, portions
from loginmachine.drivers.traces.many.work import (
    WorkerError,
    Workers,
    replay_portion,
    replay_portions,
)
from loginmachine.drivers.traces.replaying import Report, replay_file

from ....traces.record import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TRACE = (FOLDER / "login_cancelled_while_binding.jsonl").read_bytes()
DIFFERENT = TRACE.replace(b'"attempt":1}]', b'"attempt":2}]')


class Slowly(Executor):
    """Runs what it is given only when the result is wanted, and counts what waits."""

    def __init__(self) -> None:
        self.waiting = self.most = 0

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        executor = self
        self.waiting += 1
        self.most = max(self.most, self.waiting)

        class Late(Future[Any]):
            def result(self, timeout: float | None = None) -> Any:  # noqa: ARG002 - as its base
                executor.waiting -= 1
                return function(*args, **kwargs)

        return Late()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for number in range(12):
        (tmp_path / f"{number:02}.jsonl").write_bytes(TRACE * 2 if number != 7 else TRACE + DIFFERENT)
    (tmp_path / "bad.jsonl").write_bytes(TRACE + b"x\n")
    return tmp_path


def reports(corpus: Path, workers: Workers | None, size: int = 4000) -> list[Report]:
    work = portions(files_in([str(corpus)]), size=size)
    results = list(replay_portions(workers, work, with_reports=True))
    total = sum(result.summary.traces + result.summary.unreadable.count for result in results)
    made = [report for result in results for report in result.reports]
    assert total == len(made)
    assert sum(result.size for result in results) == sum(path.stat().st_size for path in corpus.iterdir())
    return made


def expected(corpus: Path) -> list[Report]:
    made = [report for path in sorted(corpus.iterdir()) for report in replay_file(path)]
    assert len(made) == 25
    assert [report.path for report in made if report.diverges_at] == [str(corpus / "07.jsonl")]
    return made


def test_in_this_process(corpus: Path) -> None:
    assert reports(corpus, None) == expected(corpus)


def test_parts_of_files_have_the_same_reports(corpus: Path) -> None:
    (corpus / "99.jsonl").write_bytes(TRACE * 3 + DIFFERENT + TRACE[:-9])
    assert reports(corpus, None, size=10) == [
        report for path in sorted(corpus.iterdir()) for report in replay_file(path)
    ]


def test_only_a_few_portions_wait(corpus: Path) -> None:
    slowly = Slowly()
    assert reports(corpus, Workers(slowly, 2), size=10) == expected(corpus)
    # Four for each of the two workers.
    assert slowly.most == 8


def test_reports_are_left_out_if_they_are_not_wanted(corpus: Path) -> None:
    (result,) = replay_portions(None, portions(files_in([str(corpus)])), with_reports=False)
    assert result.reports == ()
    assert result.summary.traces == 24


def test_what_cannot_be_read_is_reported(tmp_path: Path) -> None:
    missing, folder = str(tmp_path / "missing"), Part("folder", problem="Permission denied")
    result = replay_portion((Part(missing), folder), with_reports=True)
    assert [(report.path, report.problem) for report in result.reports] == [
        (missing, "No such file or directory"),
        ("folder", "Permission denied"),
    ]


def test_a_lost_process_is_an_error_that_says_so(corpus: Path) -> None:
    class Lost(Executor):
        def submit(self, _: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ARG002
            future: Future[Any] = Future()
            future.set_exception(RuntimeError("the worker is gone"))
            return future

    with pytest.raises(WorkerError, match="RuntimeError: the worker is gone"):
        reports(corpus, Workers(Lost(), 1))

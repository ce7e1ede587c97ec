"""A mark is set once, and forgotten when it is no longer needed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from loginmachine import MemoryMarks


def test_only_the_first_mark_counts() -> None:
    marks = MemoryMarks()
    assert [marks.mark("a", 60), marks.mark("a", 60), marks.mark("b", 60)] == [True, False, True]


def test_of_many_threads_one_is_the_first() -> None:
    marks = MemoryMarks()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: marks.mark("a", 60), range(200))) == 1


def test_old_marks_are_forgotten() -> None:
    now = 1000.0
    marks = MemoryMarks(clock=lambda: now)
    for number in range(100):
        assert marks.mark(str(number), 60)
    now += 59
    assert not marks.mark("0", 60)
    now += 1
    assert marks.mark("new", 60)
    assert len(marks._until) == 1
    assert marks.mark("0", 60)


def test_a_mark_that_ends_behind_a_longer_one() -> None:
    now = 1000.0
    marks = MemoryMarks(clock=lambda: now)
    assert marks.mark("long", 600)
    assert marks.mark("short", 10)
    now += 11
    assert marks.mark("short", 10)
    assert not marks.mark("long", 600)

"""What the child of a fork does not take over."""

from __future__ import annotations

import gc
import os
import tempfile

import pytest

from loginmachine.drivers import forks
from loginmachine.drivers.forks import Forkable, OwnDescriptor, tell_of_forks


class Thing(Forkable):
    """Cannot be hashed, as many data classes."""

    __hash__ = None  # type: ignore[assignment]
    forked = 0

    def after_fork(self) -> None:
        self.forked += 1
        raise ValueError


def test_only_objects_that_exist_are_remembered() -> None:
    kept = Thing()
    tell_of_forks(kept)
    for _ in range(forks._MANY):
        tell_of_forks(Thing())
    gc.collect()
    things = [Thing() for _ in range(2 * forks._MANY)]
    for thing in things:
        tell_of_forks(thing)
    assert len(forks._things) < 4 * forks._MANY
    forks.no_fork.acquire()
    forks._in_child()
    assert {thing.forked for thing in (kept, *things)} == {1}
    del thing, things
    gc.collect()
    tell_of_forks(kept)
    assert len(forks._things) < forks._MANY


def test_a_descriptor_is_closed_once() -> None:
    with tempfile.TemporaryFile() as other:
        descriptor = os.dup(other.fileno())
        file = OwnDescriptor(descriptor)
        assert file.fileno() == descriptor
        assert id(file) in forks._things
        file.after_fork()
        assert id(file) not in forks._things
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
        again = os.dup(other.fileno())
        assert again == descriptor
        file.close()
        os.fstat(again)
        os.close(again)
    assert file.fileno() == -1

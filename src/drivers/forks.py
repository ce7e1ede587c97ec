"""What the child of a fork must not take over: locks of its parent, and work of threads that it does not have."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref


class Forkable:
    """Base of objects that have something to do in the child of a fork."""

    def after_fork(self) -> None:
        """Called in the child of a fork, before the fork returns there. No other thread runs."""


_MANY: int = 1000
"""From this number on, objects that do not exist any more are looked for."""
_things: dict[int, weakref.ref[Forkable]] = {}
"""By their ids, because an object need not be hashable. A `WeakValueDictionary` would call Python code when an object
is freed, and an interrupt in there would be lost."""
no_fork = threading.RLock()
"""No fork happens while a thread holds it. It can be taken again, because a signal handler may fork."""


def tell_of_forks(thing: Forkable) -> None:
    """Call the `after_fork` of an object in the child of every fork, as long as the object exists."""
    with no_fork:
        if len(_things) >= _MANY:
            for key in [key for key, reference in _things.items() if reference() is None]:
                del _things[key]
        _things[id(thing)] = weakref.ref(thing)


class OwnDescriptor(Forkable):
    """An open file that belongs to this process. The child of a fork closes it.

    A lock of the system belongs to the open file, which a fork shares: as long as one process has it open, the lock is
    held. Closing it in the child does not release the lock of the parent.

        with no_fork:
            file = OwnDescriptor(os.open(...))

    Args:
        descriptor: The descriptor of the file.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        tell_of_forks(self)

    def fileno(self) -> int:
        """Return the descriptor; -1 if it is closed."""
        return self._descriptor

    def close(self) -> None:
        """Close the file. An error is ignored, because it changes nothing for a file that is only locked."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor != -1:
            _things.pop(id(self), None)
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def after_fork(self) -> None:
        """Close the file in the child."""
        self.close()


def _in_child() -> None:
    no_fork.release()
    for reference in list(_things.values()):
        thing = reference()
        if thing is not None:
            with contextlib.suppress(Exception):
                thing.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=no_fork.acquire, after_in_parent=no_fork.release, after_in_child=_in_child)

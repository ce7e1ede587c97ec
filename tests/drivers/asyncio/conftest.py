"""Each test of the asyncio driver sees only the threads that it has begun."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from . import support

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def threads_of_the_test() -> Iterator[None]:
    support.EARLIER.clear()
    support.EARLIER.update(threading.enumerate())
    yield
    support.EARLIER.clear()

"""A running demo provider, and a client of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.demo.server import DemoProvider

from .support import (
    Person,
    client_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def provider() -> Iterator[DemoProvider]:
    with DemoProvider() as running:
        yield running


@pytest.fixture
def person(provider: DemoProvider) -> Iterator[Person]:
    with client_of(provider) as client:
        yield Person(client)

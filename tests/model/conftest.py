"""The order of the tests of the model."""

from __future__ import annotations

import pytest


def is_last(item: pytest.Item) -> bool:
    """Return whether a test uses what the tests of all worlds have found."""
    return item.name.startswith("test_every_row_is_taken")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the last tests after all others. A world that is not explored by then would be explored twice."""
    items.sort(key=is_last)

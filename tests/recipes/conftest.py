"""Fixtures of the recipes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_httpserver import HTTPServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def recipe_server() -> Iterator[HTTPServer]:
    server = HTTPServer("127.0.0.1", 0, threaded=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(recipe_server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield recipe_server
    recipe_server.clear()

"""A running demo provider, and a client of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.demo.openid.provider import OpenIdProvider
from loginmachine.demo.server import DemoProvider

from .openid.support import Program
from .support import (
    Person,
    client_of,
    http_client,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


@pytest.fixture(scope="module")
def provider() -> Iterator[DemoProvider]:
    with DemoProvider() as running:
        yield running


@pytest.fixture
def person(provider: DemoProvider) -> Iterator[Person]:
    with client_of(provider) as client:
        yield Person(client)


@pytest.fixture
def openid() -> Iterator[OpenIdProvider]:
    with OpenIdProvider() as running:
        yield running


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with http_client() as client:
        yield client


@pytest.fixture
def program(openid: OpenIdProvider, http: httpx.Client) -> Program:
    return Program(openid, http)

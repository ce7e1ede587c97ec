"""A running imitation, and a program that signs in there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.demo.chatgpt.provider import ChatGptProvider

from .support import Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


@pytest.fixture
def provider() -> Iterator[ChatGptProvider]:
    with ChatGptProvider() as running:
        yield running


@pytest.fixture
def program(provider: ChatGptProvider, http: httpx.Client) -> Program:
    return Program(provider, http)

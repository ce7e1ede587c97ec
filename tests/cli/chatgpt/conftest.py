"""A computer, and the rules that hold in every test: the program violates nothing and shows no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.demo.chatgpt.provider import ChatGptProvider

from .support import Computer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def provider() -> Iterator[ChatGptProvider]:
    with ChatGptProvider() as running:
        running.switches.refresh_pause = -1.0
        yield running


@pytest.fixture(params=["threaded", "trio"])
def computer(request: pytest.FixtureRequest, provider: ChatGptProvider, tmp_path: Path) -> Iterator[Computer]:
    found = Computer(tmp_path / "home", provider, request.param)
    yield found
    check_violations(provider)
    check_secrets(found)


@pytest.fixture
def other_computer(computer: Computer, tmp_path: Path) -> Iterator[Computer]:
    found = Computer(tmp_path / "other", computer.provider, computer.driver)
    yield found
    check_secrets(found)


def check_violations(provider: ChatGptProvider) -> None:
    assert provider.violations == ()
    for request in provider.requests_to("token"):
        assert not request.contains("dynamic_agent_client")


def check_secrets(computer: Computer) -> None:
    """Check that no secret is on the screen, and that nothing but the accounts holds one."""
    secrets = [dict(request.form) for request in computer.provider.requests]
    names = ("code", "code_verifier", "refresh_token", "token")
    found = {form[name] for form in secrets for name in names if form.get(name)} | set(computer.provider.tokens)
    shown = "".join([*computer.screen, computer.logs()])
    assert [secret[:6] for secret in found if secret in shown] == []
    assert not (computer.home / ".codex").exists()

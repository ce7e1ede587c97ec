"""Reasons why a local browser probably cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.cli import environment
from loginmachine.cli.environment import is_automatic, why_no_browser
from loginmachine.drivers.system import wsl

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("variables", "platform", "reason"),
    [
        ({"DISPLAY": ":0"}, "linux", None),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", None),
        ({"BROWSER": "/usr/bin/code-browser"}, "linux", None),
        ({"BROWSER": "none"}, "linux", "a machine without a display"),
        ({"BROWSER": "none", "DISPLAY": ":0"}, "linux", None),
        ({"WSL_DISTRO_NAME": "Debian"}, "linux", None),
        ({}, "linux", "a machine without a display"),
        ({}, "freebsd14", "a machine without a display"),
        ({}, "darwin", None),
        ({}, "win32", None),
        ({"DISPLAY": "localhost:10.0", "SSH_CONNECTION": "a b c d"}, "linux", "a session over SSH"),
        ({"SSH_TTY": "/dev/pts/1"}, "darwin", "a session over SSH"),
        ({"container": "podman"}, "linux", "a container"),
    ],
)
def test_why_no_browser(
    variables: dict[str, str], platform: str, reason: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "_CONTAINER_FILES", ("/no/such/file",))
    monkeypatch.setattr(wsl, "OS_RELEASE", "/no/such/file")
    assert why_no_browser(variables, platform) == reason


def test_container_files_are_detected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_CONTAINER_FILES", (str(tmp_path),))
    assert why_no_browser({"DISPLAY": ":0"}, "linux") == "a container"


@pytest.mark.parametrize(
    ("value", "is_job"), [(None, False), ("", False), ("0", False), ("False", False), ("true", True), ("1", True)]
)
def test_continuous_integration(value: str | None, *, is_job: bool) -> None:
    assert is_automatic({} if value is None else {"CI": value}) == is_job

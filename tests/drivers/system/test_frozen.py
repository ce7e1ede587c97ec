"""A program in a bundle (PyInstaller, AppImage) finds its libraries by variables that no browser should get."""

from __future__ import annotations

import os
import shlex
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from loginmachine.drivers.system.browser import open_url

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows opens URLs without a launcher")

BUNDLE = "/tmp/_MEIa1b2c3"
NAMES = ["LD_LIBRARY_PATH", "LIBPATH", "SHLIB_PATH", "DYLD_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH"]


def environment_of_a_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, str]:
    seen, script = tmp_path / "seen", tmp_path / "browser"
    script.write_text(f"#!/bin/sh\n/usr/bin/env -0 > {shlex.quote(str(seen))}\n")
    script.chmod(0o755)
    for name in [key for key in os.environ if key.startswith(("LD_", "DYLD_", "LIBPATH", "SHLIB", "APPDIR"))]:
        monkeypatch.delenv(name)
    for name, value in {"BROWSER": str(script), **variables}.items():
        monkeypatch.setenv(name, value)
    assert open_url("http://127.0.0.1/", threading.Event()) is None
    return dict(line.split("=", 1) for line in seen.read_text().split("\0") if line)


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", BUNDLE, raising=False)


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize("name", NAMES)
def test_the_original_path_is_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    variables = {name: f"{BUNDLE}:/opt/lib", f"{name}_ORIG": "/opt/lib"}
    got = environment_of_a_browser(tmp_path, monkeypatch, **variables)
    assert got[name] == "/opt/lib"
    assert f"{name}_ORIG" not in got
    assert os.environ[name] == f"{BUNDLE}:/opt/lib"


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize("name", NAMES)
def test_a_path_that_was_not_set_before_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert name not in environment_of_a_browser(tmp_path, monkeypatch, **{name: BUNDLE})


@pytest.mark.usefixtures("frozen")
def test_an_empty_original_stays_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    got = environment_of_a_browser(tmp_path, monkeypatch, LD_LIBRARY_PATH=BUNDLE, LD_LIBRARY_PATH_ORIG="")
    assert got.get("LD_LIBRARY_PATH", "") == ""


@pytest.mark.usefixtures("frozen")
def test_entries_of_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    got = environment_of_a_browser(
        tmp_path, monkeypatch, LD_LIBRARY_PATH=f"{BUNDLE}/lib:/opt/a:{BUNDLE}", OTHER=f"{BUNDLE}/x"
    )
    assert (got["LD_LIBRARY_PATH"], got["OTHER"]) == ("/opt/a", f"{BUNDLE}/x")


def test_frozen_by_another_tool_that_names_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    got = environment_of_a_browser(tmp_path, monkeypatch, LD_LIBRARY_PATH="/bundle", LIBPATH_ORIG="/usr/lib")
    assert (got.get("LD_LIBRARY_PATH"), got["LIBPATH"]) == (None, "/usr/lib")


def test_a_program_that_is_not_frozen_passes_its_environment_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {"LD_LIBRARY_PATH": "/opt/lib:", "LD_LIBRARY_PATH_ORIG": "/mine", "OTHER": "x"}
    got = environment_of_a_browser(tmp_path, monkeypatch, **variables)
    assert {name: got[name] for name in variables} == variables


def test_the_folder_of_an_appimage_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = "/tmp/.mount_mine"
    got = environment_of_a_browser(
        tmp_path,
        monkeypatch,
        APPDIR=at,
        LD_LIBRARY_PATH=f"{at}/usr/lib:{at}/lib/:/opt/lib:{at}-other",
        LD_PRELOAD=f"{at}/exec.so",
        PYTHONHOME=f"{at}/usr",
        PYTHONPATH=f"{at}/usr/share:/home/ada/lib",
    )
    assert got["LD_LIBRARY_PATH"] == f"/opt/lib:{at}-other"
    assert got["PYTHONPATH"] == "/home/ada/lib"
    assert not {"LD_PRELOAD", "PYTHONHOME"} & set(got)


@pytest.mark.parametrize("folder", ["/", "", "relative"])
def test_a_folder_that_is_none_removes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    got = environment_of_a_browser(tmp_path, monkeypatch, APPDIR=folder, LD_LIBRARY_PATH="/opt/lib:relative/lib")
    assert got["LD_LIBRARY_PATH"] == "/opt/lib:relative/lib"

"""The manual page is that of today's command, and is installed where `man` finds it."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from loginmachine.cli.arguments import make_parsers
from loginmachine.cli.doctor.variables import VARIABLES
from tools.man_page import PAGE, page


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make man"


def test_every_command_and_option_is_on_the_page() -> None:
    text = page().replace("\\-", "-")
    _, commands = make_parsers()
    for name, command in commands.items():
        body = text.partition(f".SS loginmachine {name}\n")[2].partition("\n.S")[0]
        for option in command.option_names():
            assert f"\\fB{option}\\fR" in body or option in {"-h", "--help"}, (name, option)
    for variable in VARIABLES:
        assert f"\\fB{variable}\\fR" in text


def test_it_is_installed() -> None:
    installed = Path(sysconfig.get_path("data")) / "share" / "man" / "man1" / PAGE.name
    assert installed.read_bytes() == PAGE.read_bytes()


@pytest.mark.skipif(not shutil.which("man"), reason="there is no man")
def test_it_is_a_manual_page_without_errors() -> None:
    done = subprocess.run(
        ["man", "--warnings", "-l", str(PAGE)], capture_output=True, text=True, timeout=50, check=True
    )
    assert done.stderr == ""
    assert "--with-token [refresh|access]" in " ".join(done.stdout.replace("\x08", "").split())

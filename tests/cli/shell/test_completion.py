"""`loginmachine completion`, with the real shells."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from loginmachine.cli.shell.completion import script_for

from ..conftest import called, environment, started

if TYPE_CHECKING:
    from pathlib import Path

BASH = """
source "$1"
read -ra COMP_WORDS <<< "$2"
[[ "$2" = *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
compopt() { :; }
_shtab_loginmachine
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = 'source $argv[1]; complete -C "$argv[2]"'
ZSH = """
autoload -U compinit; compinit -u -d "$2/dump"
eval "$(cat "$1")"
print -r -- $_comps[loginmachine]
"""


def output(shell: str, code: str, tmp_path: Path, *arguments: str) -> list[str]:
    """Run some code in a shell, and return the lines that it prints."""
    options = {
        "bash": ["--norc", "-c", code, "bash"],
        "fish": ["--no-config", "-c", code],
        "zsh": ["-f", "-c", code, "zsh"],
    }
    command = [shell, *options[shell], *arguments]
    env = environment(HOME=str(tmp_path))
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path, timeout=50, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def script(shell: str, folder: Path) -> str:
    """Write the script for a shell, beside a file and a folder, and return its path."""
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    (folder / "some-file").touch()
    (folder / "some-folder").mkdir()
    path = folder / "script"
    path.write_text(script_for(shell))
    return str(path)


LINES = [
    ("loginmachine who", ["whoami"]),
    ("loginmachine tok", ["token"]),
    ("loginmachine token --format ", ["token", "header", "env", "json", "kubernetes"]),
    ("loginmachine token --format j", ["json"]),
    ("loginmachine logout --keep", ["--keep-tokens"]),
    ("loginmachine status --j", ["--json"]),
    ("loginmachine completion ", ["bash", "zsh", "fish"]),
]


@pytest.mark.parametrize(("line", "words"), [*LINES, ("loginmachine login --home some", ["some-folder"])])
def test_bash(tmp_path: Path, line: str, words: list[str]) -> None:
    assert output("bash", BASH, tmp_path, script("bash", tmp_path), line) == words


def test_bash_completes_files(tmp_path: Path) -> None:
    assert set(output("bash", BASH, tmp_path, script("bash", tmp_path), "loginmachine replay some")) == {
        "some-file",
        "some-folder",
    }


@pytest.mark.parametrize(("line", "words"), LINES)
def test_fish(tmp_path: Path, line: str, words: list[str]) -> None:
    found = [shown.partition("\t")[0] for shown in output("fish", FISH, tmp_path, script("fish", tmp_path), line)]
    assert sorted(found) == sorted(words)


def test_zsh(tmp_path: Path) -> None:
    # What zsh completes is seen on a terminal only. It knows the function, and can read it.
    assert output("zsh", ZSH, tmp_path, script("zsh", tmp_path), str(tmp_path)) == ["_shtab_loginmachine"]
    assert '"--keep-tokens[' in script_for("zsh")


def test_the_command_prints_the_script() -> None:
    assert started("completion", "bash") == (0, f"{script_for('bash')}\n", "")
    for shell in ("zsh", "fish"):
        assert called("completion", shell) == (0, f"{script_for(shell)}\n", "")


def test_an_unknown_shell() -> None:
    code, out, err = called("completion", "tcsh")
    assert (code, out) == (2, "")
    assert "argument shell: invalid choice: 'tcsh'" in err

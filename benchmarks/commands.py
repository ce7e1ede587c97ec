"""(l) Short commands, from the start of the process to its end, against an interpreter that does nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING

from loginmachine import Credentials, FileStore, Secret, Tokens

from .children import Program, environment
from .logins import WARM_UP, in_turn
from .measuring import Table

if TYPE_CHECKING:
    from .measuring import Results

NOTHING = "python -c pass"
VERSION, TOKEN = "loginmachine --version", "loginmachine token"


def measure(results: Results, rounds: int) -> None:
    """Let the commands take turns. The access token is valid for a day."""
    with tempfile.TemporaryDirectory() as home:
        _sign_in(home)
        installed = str(Path(sys.executable).with_name("loginmachine"))
        programs = [
            Program(NOTHING, [sys.executable, "-c", "pass"]),
            Program(VERSION, [installed, "--version"]),
            Program(TOKEN, [installed, "token", "--home", home]),
        ]
        rows: dict[str, list[float]] = {program.name: [] for program in programs}
        in_turn(programs, rounds, lambda program: rows[program.name].append(_milliseconds(program)))
    counted = {name: values[WARM_UP:] for name, values in rows.items()}
    table = results.add(Table(key="l", title="(l) a short command", unit="ms", rows=counted, compared_with=(NOTHING,)))
    results.aim("l", "loginmachine --version, times `python -c pass`", 3.0, table.ratio(VERSION, NOTHING))
    results.aim("l", "loginmachine token, times `python -c pass`", 5.0, table.ratio(TOKEN, NOTHING))


def _milliseconds(program: Program) -> float:
    begin = time.perf_counter()
    subprocess.run(program.command, stdout=subprocess.DEVNULL, env=environment(), check=True)
    return (time.perf_counter() - begin) * 1e3


def _sign_in(home: str) -> None:
    claims = json.dumps({"exp": int(time.time()) + 86400}).encode("ascii")
    token = ".".join(urlsafe_b64encode(part).rstrip(b"=").decode("ascii") for part in (b'{"alg":"none"}', claims, b"-"))
    tokens = Tokens(id_token=Secret(token), access_token=Secret(token), refresh_token=Secret("unused"))
    FileStore(home).save(Credentials(tokens=tokens, last_refresh="2026-01-01T00:00:00Z"))

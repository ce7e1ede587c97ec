"""(h) Junk at the listener while a login waits: how much of it is turned away, and how long the good callback takes."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from .children import Child, Program, script
from .logins import SETTLE, WARM_UP, command, in_turn
from .measuring import Table

if TYPE_CHECKING:
    from .measuring import Results

_NOISE_BEFORE = 0.5
"""Seconds of junk before the good callback comes."""


def measure(results: Results, rounds: int, issuer: str, home: str) -> None:
    """Let quiet and noisy logins take turns."""
    program = command(issuer, home)
    quiet, noisy = (Program(name, program.command, program.environment) for name in ("quiet", "with junk"))
    callback: dict[str, list[float]] = {quiet.name: [], noisy.name: []}
    rates: list[float] = []

    def one(program: Program) -> None:
        with Child(program) as child:
            child.wait_for_url()
            time.sleep(SETTLE)
            if program is quiet:
                callback[program.name].append(child.call_back())
                return
            noise = script("", "noise", str(child.port))
            with subprocess.Popen(
                noise.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=noise.environment
            ) as process:
                assert process.stdout is not None
                process.stdout.readline()
                time.sleep(_NOISE_BEFORE)
                callback[program.name].append(child.call_back())
                rates.append(float(process.communicate()[0]))

    in_turn([quiet, noisy], rounds, one)
    rows = {name: values[WARM_UP:] for name, values in callback.items()}
    table = results.add(
        Table(key="h", title="(h) good callback to 302, plain HTTP", unit="ms", rows=rows, compared_with=(quiet.name,))
    )
    results.add(
        Table(
            key="h", title="(h) junk turned away", unit="/s", rows={"one client, 64 idle connections": rates[WARM_UP:]}
        )
    )
    results.aim("h", "the good callback under junk, times quiet", 2.0, table.ratio(noisy.name, quiet.name))

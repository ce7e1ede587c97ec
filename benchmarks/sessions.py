"""(i) Calls of a session with a valid token; (j) many callers while a token becomes due and is refreshed."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING

from .children import HERE, Program, script
from .measuring import Table

if TYPE_CHECKING:
    from .measuring import Results

CALLS = 5000
RUNS = 3
GOOGLE = "google-auth before_request"
MSAL, REQUESTS = "msal acquire_token_silent", "requests-oauth2client"
PEERS = {
    GOOGLE: ("google-auth-oauthlib", "calls_of_google"),
    MSAL: ("msal", "calls_of_msal"),
    REQUESTS: ("requests-oauth2client", "calls_of_requests_oauth2client"),
}
"""The environment and the program of each library to compare with."""
THREADS, TRIO, ASYNCIO = "Session.access_token", "TrioSession.access_token", "AsyncioSession.access_token"
PLAIN, OURS = "httpx over a mock transport", "the same with Session.auth"
CROWDS = (("threads", 200), ("trio", 2000), ("asyncio", 2000))


def calls(results: Results, rounds: int) -> None:
    """Let the programs take turns."""
    ours = (THREADS, TRIO, ASYNCIO, PLAIN, OURS)
    programs = {"ours": script("", "calls_of_sessions")}
    names: dict[str, tuple[str, ...]] = {"ours": ours}
    missing = []
    for peer, (environment, program) in PEERS.items():
        python = HERE / ".envs" / environment / "bin" / "python"
        if python.exists():
            programs[peer], names[peer] = script("", program, python=str(python)), (peer,)
        else:
            missing.append(environment)
    rows: dict[str, list[float]] = {name: [] for name in (*PEERS, *ours)}
    with ExitStack() as stack:
        running = {name: stack.enter_context(_started(program)) for name, program in programs.items()}
        for number in range(rounds + 1):
            for name, process in running.items():
                for row, value in zip(names[name], _asked(process, CALLS), strict=True):
                    # The first round warms up.
                    rows[row] += [value] if number else []
        for process in running.values():
            assert process.stdin is not None
            process.stdin.close()
    notes = [f"{name} is not installed: `make bench` tries to, in benchmarks/.envs" for name in missing]
    table = results.add(
        Table(key="i", title="(i) a call", unit="us", rows=rows, compared_with=(GOOGLE, PLAIN), notes=tuple(notes))
    )
    results.aim("i", "Session.access_token, times google-auth", 1.0, table.ratio(THREADS, GOOGLE))
    results.aim("i", "TrioSession.access_token, times google-auth", 1.0, table.ratio(TRIO, GOOGLE))
    results.aim("i", "AsyncioSession.access_token, times google-auth", 1.0, table.ratio(ASYNCIO, GOOGLE))
    results.aim("i", "a request of httpx with Session.auth, times without", 1.15, table.ratio(OURS, PLAIN))


def crossing(results: Results, issuer: str) -> None:
    """Let a crowd ask while the token becomes due. Its token endpoint takes 300 ms."""
    rows: dict[str, list[float]] = {}
    requests = 0
    for driver, callers in CROWDS:
        slowest = rows.setdefault(f"slowest call, {callers} callers, {driver}", [])
        for _ in range(RUNS):
            program = script("", "crossing", issuer, driver, str(callers))
            done = subprocess.run(program.command, stdout=subprocess.PIPE, env=program.environment, check=True)
            milliseconds, _, told = map(float, done.stdout.split())
            slowest.append(milliseconds)
            requests = int(told)
    table = results.add(Table(key="j", title="(j) 10,000 calls a second", unit="ms", rows=rows))
    for name in rows:
        results.aim("j", f"ms of the {name}", 5.0, table.median(name))
    results.aim("j", "token requests for each refresh", 1.0, requests / (RUNS * len(CROWDS)))


def _started(program: Program) -> subprocess.Popen[str]:
    return subprocess.Popen(
        program.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=program.environment
    )


def _asked(process: subprocess.Popen[str], count: int) -> list[float]:
    assert process.stdin is not None
    assert process.stdout is not None
    print(count, file=process.stdin, flush=True)
    return [float(value) for value in process.stdout.readline().split()]

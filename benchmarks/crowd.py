"""(g) Many logins that wait in one program, of trio or asyncio: memory of each, and the time until all are over."""

from __future__ import annotations

import http.client
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from .children import script
from .measuring import Table

if TYPE_CHECKING:
    from .measuring import Results

LOGINS = 500
RUNS = 3
DRIVERS = ("trio", "asyncio")
_BROWSERS = 8


def _browse(url: str) -> None:
    query = parse_qs(urlsplit(url).query)
    target = urlsplit(query["redirect_uri"][0])
    path: str | None = f"{target.path}?code=code-1&state={query['state'][0]}"
    while path is not None:
        browser = http.client.HTTPConnection("127.0.0.1", target.port or 0, timeout=60)
        browser.request("GET", path)
        answer = browser.getresponse()
        if answer.status not in (200, 302):
            raise RuntimeError(f"a login answered {answer.status}")
        path = answer.headers["Location"]
        browser.close()


def measure(results: Results, issuer: str) -> None:
    """Open them, bring every code from a few threads, and wait for the end of the program."""
    if not Path("/proc/self/statm").exists():
        results.add(Table(key="g", title="(g)", unit="", rows={}, notes=("measured on Linux only",)))
        return
    memory: dict[str, list[float]] = {f"memory of each, {driver}": [] for driver in DRIVERS}
    seconds: dict[str, list[float]] = {f"until all are finished, {driver}": [] for driver in DRIVERS}
    for driver, of_each, until_end in zip(DRIVERS, memory.values(), seconds.values(), strict=True):
        for _ in range(RUNS):
            each, end = _run(issuer, driver)
            of_each.append(each)
            until_end.append(end)
    table = results.add(Table(key="g", title=f"(g) {LOGINS} logins in one program", unit="KB", rows=memory))
    results.add(Table(key="g", title=f"(g) {LOGINS} logins in one program", unit="s", rows=seconds))
    for driver, name in zip(DRIVERS, memory, strict=True):
        results.aim("g", f"KB for each waiting login, {driver}", 100, table.median(name))


def _run(issuer: str, driver: str) -> tuple[float, float]:
    """Return the KB of each login, and the seconds until all are finished."""
    program = script("", "waiting_logins", issuer, str(LOGINS), driver)
    with (
        subprocess.Popen(program.command, stdout=subprocess.PIPE, text=True, env=program.environment) as process,
        ThreadPoolExecutor(_BROWSERS) as browsers,
    ):
        assert process.stdout is not None
        memory = int(process.stdout.readline()) / (LOGINS - 1) / 1024
        urls = [process.stdout.readline().strip() for _ in range(LOGINS)]
        begin = time.perf_counter()
        list(browsers.map(_browse, urls))
        if process.wait() != os.EX_OK:
            raise RuntimeError("the program with many logins failed")
        return memory, time.perf_counter() - begin

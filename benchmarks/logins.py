"""(a) to (d): whole logins, watched from outside."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .children import HERE, Child, Program, environment, script
from .measuring import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from .measuring import Results

OURS = "loginmachine login"
LIBRARY = "loginmachine in a program"
BY_HAND = "by hand, http.server"
FLOOR = "bare sockets"
INTERPRETER = "interpreter alone"
MSAL = "msal"
GOOGLE = "google-auth-oauthlib"

WARM_UP = 2
SETTLE = 1.5
"""Seconds that the person is in the browser."""


def command(issuer: str, home: str, **extra: str) -> Program:
    """Return the installed command. It requests tokens and an API key."""
    executable = str(Path(sys.executable).with_name("loginmachine"))
    arguments = ["login", "--no-browser", "--port", "0", "--home", home, "--provider", "codex", "--issuer", issuer]
    return Program(OURS, [executable, *arguments], environment(**extra))


def peer(name: str, module: str, issuer: str, **extra: str) -> Program | None:
    """Return a program with another library, in its own environment; None if `make bench` could not make that."""
    python = _python(name)
    return script(name, module, issuer, python=str(python), says="tokens", **extra) if python.exists() else None


def in_turn(programs: list[Program], rounds: int, measure: Callable[[Program], None]) -> None:
    """Let the programs take turns, each round beginning with another one, so that noise hits all alike.

    The first rounds warm the disk cache up, and are measured like the others: `measure` forgets them by `WARM_UP`.
    """
    for turn in range(rounds + WARM_UP):
        first = turn % len(programs)
        for program in programs[first:] + programs[:first]:
            measure(program)


@dataclass(frozen=True)
class Scene:
    """What the programs meet."""

    plain: str
    """The issuer over HTTP."""
    tls: str
    """The issuer over TLS."""
    bundle: str
    """A bundle with as many authorities as people have, and the issuer's."""
    home: str
    """Where they keep their tokens."""


def start(results: Results, rounds: int, scene: Scene) -> None:
    """(a) From the start of a process to its URL, with the callback port accepting."""
    plain, tls, home, bundle = scene.plain, scene.tls, scene.home, scene.bundle
    trust = {"REQUESTS_CA_BUNDLE": bundle, "SSL_CERT_FILE": bundle}
    interpreter = Program(INTERPRETER, [sys.executable, "-c", "import sys; print('http', file=sys.stderr, flush=True)"])
    others = [
        peer(MSAL, "with_msal", tls, **trust),
        peer(GOOGLE, "with_google", plain, OAUTHLIB_INSECURE_TRANSPORT="1"),
    ]
    programs = [
        interpreter,
        script(FLOOR, "bare_sockets", plain, home, "1"),
        script(BY_HAND, "by_hand", "--issuer", plain, "--home", home),
        command(plain, home),
        script(LIBRARY, "library", plain, home),
        *(program for program in others if program is not None),
    ]
    rows: dict[str, list[float]] = {program.name: [] for program in programs}

    def measure(program: Program) -> None:
        with Child(program) as child:
            elapsed = child.wait_for_url()
            rows[program.name].append(child.wait_for_port() if child.port else elapsed)

    in_turn(programs, rounds, measure)
    table = results.add(
        Table(
            key="a",
            title="(a) start to URL, port accepting",
            unit="ms",
            rows={name: values[WARM_UP:] for name, values in rows.items()},
            compared_with=(INTERPRETER, BY_HAND, MSAL),
            notes=_absent(MSAL, GOOGLE),
        )
    )
    results.aim("a", "start to URL, times by hand", 0.9, table.ratio(OURS, BY_HAND))
    results.aim("a", "start to URL, times msal", 0.4, table.ratio(OURS, MSAL))


def whole(results: Results, rounds: int, scene: Scene, *, is_tls: bool) -> None:
    """(b), (c) and (d): callback to tokens, the end of the process, and memory, for one kind of issuer."""
    issuer, home, bundle = scene.tls if is_tls else scene.plain, scene.home, scene.bundle
    over = "TLS" if is_tls else "plain HTTP"
    trust = {"SSL_CERT_FILE": bundle, "REQUESTS_CA_BUNDLE": bundle} if is_tls else {"OAUTHLIB_INSECURE_TRANSPORT": "1"}
    # The number of token requests: the command also asks for an API key.
    two, one = " (2)", " (1)"
    ours = command(issuer, home, **trust)
    by_hand = ("by_hand", "--issuer", issuer, "--home", home, "--requests")
    programs = [
        Program(ours.name + two, ours.command, ours.environment),
        script(LIBRARY + one, "library", issuer, home, **trust),
        script(BY_HAND + two, *by_hand, "2", **trust),
        script(BY_HAND + one, *by_hand, "1", **trust),
    ]
    if not is_tls:
        programs += [script(FLOOR + two, "bare_sockets", issuer, home, "2")]
    others = [peer(GOOGLE, "with_google", issuer, **trust)]
    programs += [program for program in others if program is not None]
    names = [program.name for program in programs]
    callback: dict[str, list[float]] = {name: [] for name in names}
    exit_: dict[str, list[float]] = {name: [] for name in names}
    waiting: dict[str, list[float]] = {name: [] for name in names}
    peak: dict[str, list[float]] = {name: [] for name in names}

    def measure(program: Program) -> None:
        with Child(program) as child:
            child.wait_for_url()
            time.sleep(SETTLE)
            before = child.memory()
            callback[program.name].append(child.call_back())
            after = child.memory()
            exit_[program.name].append(child.end())
        if before is not None and after is not None:
            waiting[program.name].append(before[0])
            peak[program.name].append(after[1])

    in_turn(programs, rounds, measure)
    base = (BY_HAND + two, BY_HAND + one)
    tables = [
        results.add(
            Table(
                key=key,
                title=f"({key}) {title}, {over}",
                unit=unit,
                rows={name: values[WARM_UP:] for name, values in rows.items()},
                compared_with=base,
                notes=_absent(GOOGLE),
            )
        )
        for key, title, unit, rows in (
            ("b", "callback to 302 (token requests)", "ms", callback),
            ("c", "last page to end of process", "ms", exit_),
            ("d", "memory waiting", "MB", waiting),
            ("d", "memory at its peak", "MB", peak),
        )
    ]
    limit = 0.4 if is_tls else 1.5
    results.aim(
        "b", f"callback to 302, 2 requests, {over}, times by hand", limit, tables[0].ratio(ours.name + two, base[0])
    )
    results.aim(
        "b", f"callback to 302, 1 request, {over}, times by hand", limit, tables[0].ratio(LIBRARY + one, base[1])
    )
    results.aim("d", f"MB waiting, {over}", 26, tables[2].median(ours.name + two))


def _absent(*wanted: str) -> tuple[str, ...]:
    return tuple(
        f"{name} is not installed: `make bench` tries to, in benchmarks/.envs"
        for name in wanted
        if not _python(name).exists()
    )


def _python(name: str) -> Path:
    return HERE / ".envs" / name / "bin" / "python"

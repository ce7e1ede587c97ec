"""``python -m interop``: sign in at real authorization servers. README.md describes it."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from . import report
from .cache import Unavailable
from .processes import ServerFailed
from .servers import SERVERS
from .trials import Result, Skipped, Wanted, trials_at

if TYPE_CHECKING:
    from .sites import Server
    from .trials import Trial

WAYS = ("threads", "trio", "command")


def main() -> None:
    """Try the servers that are named, and print the table."""
    names = [server.name for server in SERVERS]
    parser = argparse.ArgumentParser(prog="python -m interop", description="Sign in at real authorization servers.")
    parser.add_argument("servers", nargs="*", metavar="SERVER", help=f"which (default: all): {', '.join(names)}")
    parser.add_argument("--way", action="append", choices=WAYS, help="try only this way to sign in; can be repeated")
    parser.add_argument("--command", default="", metavar="FILE", help="another `loginmachine` command to try")
    parser.add_argument("--write", action="store_true", help="write the table into docs/providers.md")
    parser.add_argument("--log", action="store_true", help="show the log of a server at which something failed")
    options = parser.parse_args()
    if unknown := set(options.servers) - set(names):
        parser.error(f"no such server: {', '.join(sorted(unknown))}")
    # So that every server is ended, as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wanted = Wanted(tuple(options.way or WAYS), options.command)
    trials: list[Trial] = []
    skipped: list[Skipped] = []
    for server in SERVERS:
        if not options.servers or server.name in options.servers:
            found = try_server(server, wanted, shows_log=options.log)
            trials += found if isinstance(found, list) else []
            skipped += [found] if isinstance(found, Skipped) else []
    print(report.plain(trials, skipped))
    if options.write:
        report.write(trials, skipped)
    if any(Result.FAILED in trial.results.values() for trial in trials):
        sys.exit(1)


def try_server(server: Server, wanted: Wanted, *, shows_log: bool) -> list[Trial] | Skipped:
    """Install a server, run it, and try everything."""
    print(f"{server.name} ...", file=sys.stderr, flush=True)
    try:
        folder = server.install()
        version = server.version(folder)
    except Unavailable as problem:
        return Skipped(server.name, str(problem))
    with tempfile.TemporaryDirectory(prefix="interop-") as state:
        try:
            with server.start(folder, Path(state)) as site:
                trials = list(trials_at(server, version, site, wanted, Path(state)))
        except ServerFailed as problem:
            return Skipped(server.name, f"it did not start: {problem}")
        finally:
            log = Path(state, "server.log")
            if shows_log and log.exists():
                print(log.read_text(encoding="utf-8", errors="replace"), file=sys.stderr)
    return trials


if __name__ == "__main__":
    main()

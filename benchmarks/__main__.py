"""``python -m benchmarks``: all measurements, or those with the given letters. README.md describes them."""

from __future__ import annotations

import argparse
import compileall
import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import trustme

from . import commands, core, crowd, junk, logins, many, replaying, sessions
from .children import PROGRAMS, environment
from .measuring import Results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def provider(*arguments: str) -> Iterator[str]:
    """Run the local provider, and yield its issuer."""
    command = [sys.executable, "-m", "benchmarks.provider", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def make_certificates(folder: Path) -> tuple[str, str]:
    """Make a certificate for the provider, and a bundle of the usual size that contains its authority."""
    authority = trustme.CA()
    certificate, bundle = folder / "provider.pem", folder / "bundle.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    bundle.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
    return str(certificate), str(bundle)


def _measure(results: Results, wanted: str, rounds: int, scene: logins.Scene) -> None:
    """Measure what is wanted."""

    def whole() -> None:
        logins.whole(results, rounds, scene, is_tls=False)
        logins.whole(results, rounds, scene, is_tls=True)

    def crossing() -> None:
        with provider("--delay", "0.3") as slow:
            sessions.crossing(results, slow)

    works: dict[str, Callable[[], None]] = {
        "a": lambda: logins.start(results, rounds, scene),
        "bcd": whole,
        "e": lambda: core.measure(results, rounds),
        "f": lambda: replaying.measure(results, rounds),
        "g": lambda: crowd.measure(results, scene.plain),
        "h": lambda: junk.measure(results, rounds, scene.plain, scene.home),
        "i": lambda: sessions.calls(results, rounds),
        "j": crossing,
        "k": lambda: many.measure(results),
        "l": lambda: commands.measure(results, rounds),
    }
    for letters, work in works.items():
        if set(letters) & set(wanted):
            work()


def main() -> None:
    """Measure, print the tables, and write them to a file if one is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("letters", nargs="?", default="abcdefghijkl", help="which (default: all, %(default)s)")
    parser.add_argument("--rounds", type=int, default=15, help="counted rounds (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write every value there")
    options = parser.parse_args()
    rounds: int = options.rounds
    compileall.compile_dir(PROGRAMS, quiet=1)
    results = Results()
    load = [os.getloadavg()[0]] if hasattr(os, "getloadavg") else []
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        certificate, bundle = make_certificates(Path(folder))
        plain = stack.enter_context(provider())
        tls = stack.enter_context(provider("--certificate", certificate))
        scene = logins.Scene(plain=plain, tls=tls, bundle=bundle, home=folder)
        _measure(results, options.letters, options.rounds, scene)
    load += [os.getloadavg()[0]] if load else []
    print("\nTargets")
    for target in results.targets:
        print(target.text())
    about = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": load,
        "rounds": rounds,
    }
    print("\n" + ", ".join(f"{name} {value}" for name, value in about.items()))
    if options.json:
        targets = [
            {"key": target.key, "words": target.words, "limit": target.limit, "value": target.value}
            for target in results.targets
        ]
        found = {"about": about, "tables": [table.data() for table in results.tables], "targets": targets}
        Path(options.json).write_text(json.dumps(found, indent=1), encoding="ascii")


if __name__ == "__main__":
    main()

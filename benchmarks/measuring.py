"""How soon is the URL there, and the port open? Against the same thing written by hand, in one run.

Programs take turns, so that noise hits all alike; what counts is the ratio of the medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent


def start_to_url(command: list[str]) -> float:
    """Milliseconds from the start of a process to its URL on standard error."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    begin = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(b"http"):
                break
        else:
            raise RuntimeError(f"{command} printed no URL")
        elapsed = time.perf_counter() - begin
        process.kill()
    return elapsed * 1000


def main() -> None:
    """Print a table of medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    rounds: int = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as home:
        programs = {
            "interpreter alone": [sys.executable, "-c", "import sys; print('http', file=sys.stderr, flush=True)"],
            "by hand, http.server": [sys.executable, str(HERE / "by_hand.py")],
            "loginmachine login": [
                str(Path(sys.executable).with_name("loginmachine")),
                *("login", "--no-browser", "--port", "0", "--home", home),
            ],
        }
        times: dict[str, list[float]] = {name: [] for name in programs}
        for turn in range(rounds + 2):
            for name, command in programs.items():
                elapsed = start_to_url(command)
                # The first two turns warm the disk cache up.
                if turn >= 2:
                    times[name].append(elapsed)
    by_hand = statistics.median(times["by hand, http.server"])
    print(f"{'program':<24} {'median':>9} {'quartiles':>19} {'ratio to by hand':>18}")
    for name, values in times.items():
        low, median, high = statistics.quantiles(values, n=4)
        print(f"{name:<24} {median:>6.1f} ms {low:>8.1f}-{high:.1f} ms {median / by_hand:>16.2f}")


if __name__ == "__main__":
    main()

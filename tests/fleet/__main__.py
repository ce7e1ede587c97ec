"""Try many random schedules of a fleet of 1,000 workers: ``python -m tests.fleet [NUMBER]``, by default 100,000.

A tenth as many more have faults without bounds. A broken rule is an error that names the seed.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

from .worker import schedule
from .world import WORKERS

CHUNK = 50
PROGRESS = 5000


def run_chunk(first: int, is_bounded: bool) -> Counter[str]:  # noqa: FBT001 - an argument of `map`
    """Run schedules, and count what happened."""
    found: Counter[str] = Counter()
    for seed in range(first, first + CHUNK):
        world = schedule(seed, is_bounded=is_bounded)
        found["schedules"] += 1
        found += Counter({f"  worker: {result}": count for result, count in world.results.items()})
        found["refresh tokens sent"] += len(world.sent)
        found["refresh tokens sent twice"] += sum(len(uses) > 1 for uses in world.sent.values())
        found["refresh tokens replaced in the store"] += len(world.replaced)
    return found


def run_all(pool: ProcessPoolExecutor, number: int, *, is_bounded: bool) -> None:
    began, found = time.monotonic(), Counter[str]()
    print("with bounded faults:" if is_bounded else "with faults of any length, and deaths at any moment:")
    for part in pool.map(run_chunk, range(0, number, CHUNK), repeat(is_bounded)):
        found.update(part)
        if found["schedules"] % PROGRESS == 0:
            print(f"{found['schedules']:13,}  schedules so far, {time.monotonic() - began:.0f} s", flush=True)
    for name, count in sorted(found.items()):
        print(f"{count:13,}  {name}")
    print(f"no rule was broken ({time.monotonic() - began:.0f} s)", flush=True)


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(f"{WORKERS:,} workers in each schedule", flush=True)
    with ProcessPoolExecutor() as pool:
        run_all(pool, number, is_bounded=True)
        run_all(pool, number // 10, is_bounded=False)


if __name__ == "__main__":
    main()

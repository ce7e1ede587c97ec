"""(k) Many traces: how many a second `loginmachine replay` replays, and that memory does not grow with their number."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .children import environment
from .measuring import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .measuring import Results

_GOLDEN = Path(__file__).parents[1] / "tests" / "traces"
_COUNTS = (2_000, 20_000)
_PROCESSES = 2
_IN_A_FILE = 500
_PERIOD = 0.1
"""Seconds between two looks at the memory."""


def _copies() -> Iterator[str]:
    """Yield the golden traces again and again, each time with other times."""
    traces = [path.read_text(encoding="ascii").splitlines() for path in sorted(_GOLDEN.rglob("*.jsonl"))]
    for turn in itertools.count(1):
        for first, *steps in traces:
            lines = [first]
            for line in steps:
                content = json.loads(line)
                content["at"] *= 1 + turn % 97 / 50
                lines.append(json.dumps(content, separators=(",", ":")))
            yield "".join(f"{line}\n" for line in lines)


def _write(folder: Path, count: int) -> None:
    """Write half of the traces into files of their own, and half into larger ones."""
    copies = _copies()
    for number in range(count // 2):
        (folder / f"{number:06}.jsonl").write_text(next(copies), encoding="ascii")
    for number in range(count // 2 // _IN_A_FILE):
        with (folder / f"many-{number:04}.jsonl").open("w", encoding="ascii") as file:
            file.writelines(itertools.islice(copies, _IN_A_FILE))


def _family(process: int) -> list[int]:
    """Return a process and those that it started."""
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    except OSError:
        return [process]
    return [process, *(member for child in text.split() for member in _family(int(child)))]


def _highest(process: int) -> float:
    """Return the most memory that a process has ever had, in MB; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _replay(folder: Path) -> tuple[float, float, float]:
    """Replay a folder. Return traces a second, and the memory of the first process and of the largest other one."""
    command = [sys.executable, "-m", "loginmachine", "replay", str(folder), "--processes", str(_PROCESSES), "--json"]
    first = others = 0.0
    with tempfile.TemporaryFile("w+") as output:
        with subprocess.Popen(command, stdout=output, env=environment()) as process:
            while process.poll() is None:
                parent, *children = map(_highest, _family(process.pid))
                first, others = max(first, parent), max([others, *children])
                time.sleep(_PERIOD)
        output.seek(0)
        summary = json.loads(output.readlines()[-1])
    if process.returncode or summary["different"]:
        raise RuntimeError("the replay of copies of the golden traces failed")
    return summary["traces"] / summary["seconds"], first, others


def measure(results: Results) -> None:
    """Replay few and many traces."""
    if not Path("/proc/self/statm").exists():
        results.add(Table(key="k", title="(k)", unit="", rows={}, notes=("measured on Linux only",)))
        return
    rates: list[float] = []
    rows: dict[str, list[float]] = {}
    for count in _COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            _write(Path(folder), count)
            rate, first, others = _replay(Path(folder))
        rates.append(rate)
        rows[f"first process, {count:,} traces"] = [first]
        rows[f"other processes, {count:,} traces"] = [others]
    few, many = (f"{count:,} traces" for count in _COUNTS)
    table = results.add(
        Table(
            key="k",
            title=f"(k) replaying many traces in {_PROCESSES} processes",
            unit="MB",
            rows=rows,
            notes=tuple(f"{count:,} traces: {rate:.0f} a second" for count, rate in zip(_COUNTS, rates, strict=True)),
        )
    )
    for name in ("first process", "other processes"):
        ratio = table.ratio(f"{name}, {many}", f"{name}, {few}")
        results.aim("k", f"memory of the {name}, times that for a tenth of the traces", 1.1, ratio)

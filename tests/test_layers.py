"""The layers of the package: imports point down only, and the core loads nothing that does I/O.

Imports for types are included. docs/design/README.md draws the layers.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import loginmachine.sansio

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(loginmachine.__file__).parent
MOST_MODULES = 14
MOST_LINES = 300
MOST_LINES_OF_A_FUNCTION = 40

LAYERS = (
    ("sansio.base",),
    ("sansio.server",),
    ("sansio.lease", "sansio.model"),
    ("sansio.accounts",),
    ("sansio.oauth",),
    ("sansio.callback",),
    ("sansio.login",),
    ("sansio.refresh",),
    ("sansio.sign_out",),
    ("sansio.suspended",),
    ("sansio.trace",),
    ("sansio.diagram",),
    ("drivers.error_report",),
    ("drivers.errors", "drivers.files", "drivers.forks", "drivers.logging", "drivers.waiting"),
    ("drivers.callback", "drivers.http", "drivers.stores", "drivers.suspended", "drivers.system", "drivers.traces"),
    ("drivers.accounts", "drivers.fleet", "drivers.shared"),
    ("drivers.threaded", "drivers.trio", "drivers.asyncio"),
    ("demo", "mcp"),
    ("testing",),
    ("cli",),
)
"""From the bottom up. Parts of one layer do not import each other."""
FACADES = (
    *("", "__main__", "sansio", "drivers", "sansio.suspended", "sansio.trace", "drivers.traces", "testing"),
    *("drivers.threaded", "drivers.trio", "drivers.asyncio", "mcp"),
)
"""Packages with an ``__init__`` that only exports names of their modules."""


class Import(NamedTuple):
    """A module imports another, or a name from it."""

    importer: str
    imported: str


def name_of(path: Path) -> str:
    parts = path.relative_to(FOLDER).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {name_of(path): path for path in sorted(FOLDER.rglob("*.py"))}
SANSIO = [module for module in PATHS if module.startswith("sansio.")]


def imports_of(module: str) -> Iterator[str]:
    """Return the modules of this package that a module imports, in functions too."""
    path = PATHS[module]
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            parts = package.split(".") if package else []
            base = [*parts[: len(parts) - node.level + 1], *((node.module or "").split(".") if node.module else [])]
            for alias in node.names:
                inner = ".".join([*base, alias.name])
                yield inner if inner in PATHS else ".".join(base)


IMPORTS = [Import(module, imported) for module in PATHS for imported in set(imports_of(module)) if imported != module]


def part_of(module: str) -> str:
    parts = [part for layer in LAYERS for part in layer if module == part or module.startswith(f"{part}.")]
    assert parts, f"{module} is in no part: add it to LAYERS"
    return parts[0]


def rank_of(part: str) -> int:
    return next(rank for rank, layer in enumerate(LAYERS) if part in layer)


def test_imports_point_down_only() -> None:
    wrong = []
    for importer, imported in IMPORTS:
        if importer in FACADES or (imported == "" and importer.startswith("cli.")):
            # (The command reads the version.)
            continue
        upper, lower = part_of(importer), part_of(imported)
        if upper != lower and rank_of(lower) >= rank_of(upper):
            wrong.append(f"{importer} imports {imported}")
    assert wrong == []


def test_no_circle() -> None:
    below = defaultdict(set)
    for importer, imported in IMPORTS:
        below[importer].add(imported)
    done: set[str] = set()

    def follow(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path, module])
        if module not in done:
            for imported in sorted(below[module]):
                follow(imported, (*path, module))
            done.add(module)

    for module in PATHS:
        follow(module, ())


def test_no_folder_is_crowded() -> None:
    modules = defaultdict(list)
    for path in PATHS.values():
        if path.stem != "__init__":
            modules[path.parent].append(path.stem)
    assert {str(folder): found for folder, found in modules.items() if len(found) > MOST_MODULES} == {}


@pytest.mark.parametrize("module", PATHS)
def test_no_module_or_function_is_long(module: str) -> None:
    text = PATHS[module].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < MOST_LINES_OF_A_FUNCTION, node.name


# The core does no I/O

FORBIDDEN = {
    *("socket", "ssl", "threading", "trio", "h11", "httpx", "asyncio", "subprocess"),
    *("webbrowser", "tempfile", "email", "http", "selectors", "multiprocessing", "concurrent"),
}
THIRD_PARTY = {"transitions", "six"}
LOADED = """
import sys
before = set(sys.modules)
import transitions
baseline = set(sys.modules)
{code}
import json
print(json.dumps(sorted(set(sys.modules) - baseline)), json.dumps(sorted(baseline - before)))
"""
WHOLE_LOGIN = """
import sys
sys.path.insert(0, {folder!r})
from tests.sansio import samples
login = samples.machine_in("succeeded")
login.handle(samples.get(samples.SUCCESS, 2))
samples.machine_in("failed"), samples.machine_in("cancelled")
late = samples.answer(received_at=2e9, headers=((b"Date", b"Wed, 18 Nov 2026 11:06:40 GMT"),))
samples.machine_in("exchanging_code").handle(late)
"""


def loaded_by(code: str) -> set[str]:
    """Return the modules that some code loads, without those that `import transitions` loads."""
    run = subprocess.run(
        [sys.executable, "-c", LOADED.format(code=code)], capture_output=True, text=True, check=False, timeout=50
    )
    assert run.returncode == 0, run.stderr
    first, _, _ = run.stdout.partition("] [")
    return set(json.loads(f"{first}]"))


def check(loaded: set[str]) -> None:
    roots = {name.partition(".")[0] for name in loaded}
    assert roots & FORBIDDEN == set()
    assert roots - set(sys.stdlib_module_names) - THIRD_PARTY - {"tests"} == {"loginmachine"}
    ours = {name for name in loaded if name.startswith("loginmachine.")}
    assert {name for name in ours if not name.startswith("loginmachine.sansio")} == set()


def test_the_core_loads_nothing_that_does_io() -> None:
    check(loaded_by("from loginmachine.sansio import *"))


def test_a_whole_login_loads_nothing_that_does_io() -> None:
    check(loaded_by(WHOLE_LOGIN.format(folder=str(Path(__file__).parents[1]))))


@pytest.mark.parametrize("package", ["refresh", "lease", "trace", "diagram"])
def test_each_part_loads_nothing_that_does_io(package: str) -> None:
    check(loaded_by(f"import loginmachine.sansio.{package}"))


def test_every_module_of_the_core_loads_nothing_that_does_io() -> None:
    check(loaded_by("\n".join(f"import loginmachine.{module}" for module in SANSIO)))


@pytest.mark.parametrize("module", SANSIO)
def test_the_core_names_nothing_that_does_io(module: str) -> None:
    named = {
        alias.name if isinstance(node, ast.Import) else node.module or ""
        for node in ast.walk(ast.parse(PATHS[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not node.level)
        for alias in node.names
    }
    assert not {name.partition(".")[0] for name in named} & (FORBIDDEN | {"loginmachine"})
    assert module == "sansio.base.engine" or not any(name.startswith("transitions") for name in named)


def test_no_name_of_the_engine_is_public() -> None:
    assert not any("transitions" in name for name in loginmachine.sansio.__all__)
    assert not hasattr(loginmachine.sansio, "transitions")

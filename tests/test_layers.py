"""The core loads nothing that does I/O: looked at in a fresh interpreter, where nothing else has."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import loginmachine.sansio

FOLDER = Path(loginmachine.sansio.__file__).parent
MODULES = sorted(
    path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.py") if path.stem != "__init__"
)
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
login.handle(samples.get("/success", 2))
samples.machine_in("failed"), samples.machine_in("cancelled")
late = samples.answer(received_at=2e9, headers=((b"Date", b"Wed, 18 Nov 2026 11:06:40 GMT"),))
samples.machine_in("exchanging_code").handle(late)
"""


def loaded_by(code: str) -> set[str]:
    """The modules that some code loads, beyond those that `import transitions` does."""
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


def test_the_package_loads_nothing_that_does_io() -> None:
    check(loaded_by("import loginmachine.sansio"))


def test_a_whole_login_loads_nothing_that_does_io() -> None:
    check(loaded_by(WHOLE_LOGIN.format(folder=str(Path(__file__).parents[1]))))


@pytest.mark.parametrize("package", ["refresh", "trace"])
def test_each_room_loads_nothing_that_does_io(package: str) -> None:
    check(loaded_by(f"import loginmachine.sansio.{package}"))


def test_every_module_together_loads_nothing_that_does_io() -> None:
    # (One alone would load most of the others too: they share their package.)
    check(loaded_by("\n".join(f"import loginmachine.sansio.{module.replace('/', '.')}" for module in MODULES)))


def imports(path: Path) -> set[str]:
    """What a module imports, wherever in it: relative names with their dots."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


@pytest.mark.parametrize("module", MODULES)
def test_nothing_here_names_the_other_layers(module: str) -> None:
    names = imports(FOLDER / f"{module}.py")
    above = "." * (2 + module.count("/"))
    assert not any(name.startswith((above, "loginmachine")) for name in names), "relative imports, of this layer"
    assert not {name.partition(".")[0] for name in names} & FORBIDDEN


@pytest.mark.parametrize("module", [module for module in MODULES if module != "base/engine"])
def test_the_engine_stays_in_its_module(module: str) -> None:
    assert not any(name.startswith("transitions") for name in imports(FOLDER / f"{module}.py"))


def test_no_name_of_the_engine_is_public() -> None:
    assert not any("transitions" in name for name in loginmachine.sansio.__all__)
    assert not hasattr(loginmachine.sansio, "transitions")

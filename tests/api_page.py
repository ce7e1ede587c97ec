"""The public names of the package, and `docs/api.md`, which lists them: `make api` writes it."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
from pathlib import Path
from types import ModuleType, UnionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = (
    "loginmachine",
    "loginmachine.sansio",
    "loginmachine.sansio.trace",
    "loginmachine.drivers",
    "loginmachine.drivers.threaded",
    "loginmachine.drivers.trio",
    "loginmachine.drivers.asyncio",
    "loginmachine.drivers.traces",
    "loginmachine.mcp",
    "loginmachine.testing",
    "loginmachine.testing.strategies",
)
"""The public modules. A name is described in the first module that has it."""
STABLE = ("loginmachine", "loginmachine.progress")
PROVISIONAL = {
    *("loginmachine.RefreshMachine", "loginmachine.WebLogins", "loginmachine.TrioWebLogins"),
    "loginmachine.AsyncioWebLogins",
    *("loginmachine.MemoryMarks", "loginmachine.PendingLogin", "loginmachine.ResumptionMarks"),
    *("loginmachine.SealingKeys", "loginmachine.SuspendedLoginRefused", "loginmachine.SuspensionProblem"),
}
"""Names of stable modules that are provisional all the same. In all other modules every name is provisional."""

HEAD = """\
# The public interface

Generated from the package by `make api`; a test compares.

The names on this page are public, with the documented methods, properties and fields of these classes. Nothing else is:
names that begin with an underscore, and the modules that a name happens to be defined in, may change in any release.
`help(loginmachine)`, or `help` of any name below, has the details: the fields of a class with type, unit and default.

## Stability

- **stable**: the name, its parameters and its meaning stay the same within a major version; until version 1.0, within
  a minor version. Before it is renamed or removed it is deprecated.
- **provisional**: it may change in a minor release, and the changelog says how. Before it is renamed or removed it is
  deprecated where that is possible.

Deprecation: a public name that is renamed or removed stays for one minor release. In that release each use of the old
name emits a `DeprecationWarning` with the new name and the version in which the old name is removed, and the changelog
lists it. To find such uses in your program, run its tests with `python -W error::DeprecationWarning`. (In the package,
the old name moves from `__all__` to `_DEPRECATED` in the `__init__.py` that has it.)
"""


def names_of(module: ModuleType) -> list[str]:
    """Return the public names of a module: its ``__all__``, or else the names that it defines."""
    listed: list[str] | None = getattr(module, "__all__", None)
    if listed is not None:
        return sorted(listed, key=str.lower)
    own = [
        name for name, value in vars(module).items() if isinstance(value, type) and value.__module__ == module.__name__
    ]
    return sorted(
        [*own, *(name for name in documented(module) if isinstance(vars(module)[name], UnionType))], key=str.lower
    )


def public_names() -> Iterator[tuple[str, str, Any]]:
    """Yield each public name once: the module, the name and the value. Public modules in a module follow it."""
    seen: set[tuple[str, int]] = set()
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        modules = [(module_name, module)]
        modules += [
            (f"{module_name}.{name}", value) for name, value in members(module) if isinstance(value, ModuleType)
        ]
        for place, each in modules:
            for name, value in members(each):
                if (name, id(value)) not in seen:
                    seen.add((name, id(value)))
                    yield place, name, value


def members(module: ModuleType) -> list[tuple[str, Any]]:
    """Return the public names of a module with their values."""
    return [(name, getattr(module, name)) for name in names_of(module)]


def stability(place: str, name: str) -> str:
    """Return the stability of a name: ``stable`` or ``provisional``."""
    return "stable" if place in STABLE and f"{place}.{name}" not in PROVISIONAL else "provisional"


def documented(module: ModuleType) -> dict[str, str]:
    """Return the docstrings below the constants and type aliases of a module."""
    found = {}
    for statement, below in itertools.pairwise([*ast.parse(inspect.getsource(module)).body, None]):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            text = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
            found[statement.target.id] = str(text)
    return found


def description(module: ModuleType, name: str, value: Any) -> str:
    """Return the first sentence of the documentation of a name; empty if there is none."""
    if inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value):
        text = (vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__) or ""
    else:
        homes = getattr(module, "_HOMES", {})
        home = next((home for home, names in homes.items() if name in names), None)
        text = documented(importlib.import_module(f"{module.__name__}.{home}") if home else module).get(name, "")
        if not text and isinstance(value, UnionType):
            text = "The union of these classes."
    paragraph = " ".join(inspect.cleandoc(text).partition("\n\n")[0].split())
    sentence, dot, _ = paragraph.partition(". ")
    return (f"{sentence}." if dot else paragraph).replace("``", "`")


def kind(value: Any) -> str:
    """Return the kind of a name, as the page shows it."""
    if inspect.ismodule(value):
        return "module"
    if inspect.isclass(value):
        return "exception" if issubclass(value, Exception) else "class"
    if inspect.isroutine(value):
        return "function"
    return "constant" if isinstance(value, (int, float)) else "type"


def page() -> str:
    """Return the text of `docs/api.md`."""
    lines = [HEAD]
    for place, rows in itertools.groupby(public_names(), key=lambda row: row[0]):
        module = module_at(place)
        also = set(names_of(module))
        lines += [f"## `{place}`", "", f"{description(module, place, module)}", ""]
        lines += ["| name | kind | stability | |", "|---|---|---|---|"]
        for _, name, value in rows:
            also.discard(name)
            lines.append(
                f"| `{name}` | {kind(value)} | {stability(place, name)} | {description(module, name, value)} |"
            )
        lines.append("")
        if also:
            listed = ", ".join(f"`{name}`" for name in sorted(also, key=str.lower))
            lines += [f"Also here, and described above: {listed}.", ""]
    return "\n".join(lines)


def module_at(place: str) -> ModuleType:
    """Import a public module by its public name."""
    parent, _, name = place.rpartition(".")
    value = getattr(importlib.import_module(parent), name) if parent else None
    return value if isinstance(value, ModuleType) else importlib.import_module(place)


PAGE = Path(__file__).parents[1] / "docs" / "api.md"

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

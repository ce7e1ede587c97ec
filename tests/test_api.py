"""The public names are those that `docs/api.md` lists, and tools understand them."""

from __future__ import annotations

import ast
import importlib
import inspect
import pydoc
import re
import subprocess
import sys
import tomllib
import typing
import warnings
from importlib import metadata
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

import loginmachine
import loginmachine.sansio
from loginmachine.sansio.base.records import Record

from .api_page import MODULES, PAGE, description, module_at, names_of, page, public_names

ROOT = Path(__file__).parents[1]
NAMES = {f"{place}.{name}": (place, name, value) for place, name, value in public_names()}
MADE_UP = {"OldName": ("Secret", "9.9")}
ADDED_BY_ENUM = {"_generate_next_value_", "__new__"}


def test_the_page_lists_the_public_names() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make api`"


@pytest.mark.parametrize("name", MODULES)
def test_each_package_has_the_names_that_it_says(name: str) -> None:
    module = importlib.import_module(name)
    homes = getattr(module, "_HOMES", None)
    if homes is not None:
        assert sorted(each for names in homes.values() for each in names) == sorted(module.__all__)
        assert dir(module) == sorted(module.__all__)
    for each in module.__all__:
        assert getattr(module, each) is not None
    with pytest.raises(AttributeError, match=f"^module '{name}' has no attribute 'nothing'$"):
        _ = module.nothing


def functions_of(value: Any) -> list[FunctionType]:
    """Return a function itself, or the functions of a class that are defined in this package."""
    if isinstance(value, FunctionType):
        return [value]
    if not isinstance(value, type):
        return []
    found = []
    for cls in value.__mro__:
        if cls.__module__.startswith("loginmachine"):
            members = [each.fget if isinstance(each, property) else each for each in vars(cls).values()]
            found += [getattr(each, "__func__", each) for each in members]
    return [each for each in found if isinstance(each, FunctionType) and each.__module__.startswith("loginmachine")]


@pytest.mark.parametrize("full", NAMES)
def test_a_public_name_is_documented(full: str) -> None:
    place, name, value = NAMES[full]
    assert description(module_at(place), name, value)
    if isinstance(value, type):
        public = [f for f in functions_of(value) if not f.__name__.startswith("_")]
        assert [f.__qualname__ for f in public if not inspect.getdoc(getattr(value, f.__name__))] == []


@pytest.mark.parametrize("full", NAMES)
def test_a_public_name_has_type_hints_and_a_signature(full: str) -> None:
    _, _, value = NAMES[full]
    if isinstance(value, type) and issubclass(value, Record):
        assert {name for name in typing.get_type_hints(value) if name.startswith("_")} <= set(vars(value))
    for function in functions_of(value):
        assert typing.get_type_hints(function).keys() == inspect.get_annotations(function).keys()
        inspect.signature(function, eval_str=True)


def test_type_hints_work_in_a_program_that_has_loaded_nothing_else() -> None:
    code = (
        "import typing, loginmachine\n"
        "hints = typing.get_type_hints(loginmachine.start_login)\n"
        "print(hints['store'].__name__, hints['return'].__name__)\n"
        "print(typing.get_type_hints(loginmachine.LoginOptions)['provider'].__name__)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert run.stdout.split() == ["CredentialStore", "ThreadedLogin", "Provider"]


def test_a_public_name_is_loaded_without_the_tools_for_its_types() -> None:
    code = (
        "import sys, loginmachine\n"
        "loginmachine.start_login, loginmachine.LoginOptions\n"
        "print([name for name in sys.modules if name.endswith(('.inspection', '.trace', '.replaying'))])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert run.stdout == "[]\n"


def test_help_of_the_package_shows_its_parts_and_its_names() -> None:
    text = pydoc.render_doc(loginmachine, renderer=pydoc.plaintext)  # type: ignore[attr-defined]
    assert "Sign out:\n        `sign_out` with threads" in text
    assert "LoginOptions(*, provider: 'Provider', port: 'int | None' = None" in text
    assert "start_login(options: 'LoginOptions', *, store: 'CredentialStore'" in text
    assert "The callback port, 0 to 65535; None for the provider's own, 0 for any free port." in text


# What documentation, examples and the typing examples use is public


def sources() -> dict[str, str]:
    """Python text by its place: examples, and the code blocks of the documentation."""
    found = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py")}
    found["typing/api.py"] = (ROOT / "tests" / "typing" / "api.py").read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        blocks = re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        for number, block in enumerate(blocks):
            if "import loginmachine" in block or "from loginmachine" in block:
                found[f"{path.name}, block {number}"] = block
    return found


@pytest.mark.parametrize("source", sources())
def test_what_the_documentation_imports_is_public(source: str) -> None:
    for node in ast.walk(ast.parse(sources()[source])):
        if isinstance(node, ast.Import):
            assert {each.name for each in node.names if each.name.startswith("loginmachine")} <= set(MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("loginmachine"):
            assert node.module in MODULES
            packages = {module.rpartition(".")[2] for module in MODULES if module.startswith(f"{node.module}.")}
            assert {each.name for each in node.names} <= packages | {*names_of(importlib.import_module(node.module))}


def test_what_the_documentation_names_is_public() -> None:
    known = {*MODULES, *NAMES, *(f"{place}.{name}" for place in MODULES for name in names_of(module_at(place)))}
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        named = set(re.findall(r"(?<=`)loginmachine(?:\.\w+)+(?=[`(])", text))
        assert named <= known, path.name


# Deprecated names


@pytest.mark.parametrize("module", [loginmachine, loginmachine.sansio])
def test_a_deprecated_name_warns_and_works(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DEPRECATED", MADE_UP)
    words = f"^{module.__name__}.OldName is now {module.__name__}.Secret; the old name is removed in version 9.9$"
    with pytest.warns(DeprecationWarning, match=words) as caught:
        assert module.OldName is loginmachine.Secret
    assert caught[0].filename == __file__


def test_a_deprecated_name_warns_where_it_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loginmachine, "_DEPRECATED", MADE_UP)
    with pytest.warns(DeprecationWarning, match="OldName") as caught:
        exec(compile("from loginmachine import OldName", "a program", "exec"), {})
    assert {each.filename for each in caught} == {"a program"}


@pytest.mark.parametrize("module", [loginmachine, loginmachine.sansio])
def test_each_deprecated_name_has_a_public_successor(module: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for old, (new, version) in vars(module)["_DEPRECATED"].items():
            assert old not in module.__all__
            assert new in module.__all__
            assert getattr(module, old) is getattr(module, new)
            assert re.fullmatch(r"\d+\.\d+", version)


def test_the_public_modules_are_modules() -> None:
    assert all(isinstance(module_at(place), ModuleType) for place in MODULES)


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    assert loginmachine.__version__ == project["project"]["version"] == metadata.version("loginmachine")

"""Signatures, types and field documentation for `inspect`, `typing` and `help`. Loaded only for them."""

from __future__ import annotations

import ast
import builtins
import contextlib
import inspect
import itertools
import sys
import textwrap
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


def import_types(module: str, annotations: Iterable[object]) -> None:
    """Import the types that the annotations of a module need.

    If an annotation needs a name that the module imports under ``if TYPE_CHECKING:``, all such imports of that module
    are executed. If the module's source is missing, the function does nothing.

    Args:
        module: The name of the module.
        annotations: The annotations. Those that are not text are ignored.
    """
    texts = [annotation for annotation in annotations if isinstance(annotation, str)]
    namespace = getattr(sys.modules.get(module), "__dict__", None)
    if namespace is not None and any(_names(text) - namespace.keys() - vars(builtins).keys() for text in texts):
        _run_type_checking_blocks(module)


def _names(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)}


@cache
def _run_type_checking_blocks(module: str) -> None:
    namespace = vars(sys.modules[module])
    found = dict(namespace)
    for node in _tree(module).body:
        if not (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            continue
        for statement in node.body:
            code = compile(ast.Module([statement], []), f"<types of {module}>", "exec")
            # A type may come from an extra that is not installed.
            with contextlib.suppress(ImportError):
                exec(code, found)  # noqa: S102 - the module's own source
    for name, value in found.items():
        # A name that the module has already keeps its value.
        namespace.setdefault(name, value)


def signature(record: type, fields: Iterable[str], defaults: Mapping[str, object]) -> inspect.Signature:
    """Return the signature of a record.

    Args:
        record: The class.
        fields: Its fields in the order in which they are declared. They become keyword-only parameters.
        defaults: The default of each field that has one.
    """
    annotations = {field: annotation for cls in reversed(record.__mro__) for field, annotation in _own(cls).items()}
    parameters = [
        inspect.Parameter(
            field,
            inspect.Parameter.KEYWORD_ONLY,
            default=defaults.get(field, inspect.Parameter.empty),
            annotation=annotations[field],
        )
        for field in fields
    ]
    return inspect.Signature(parameters)


def field_doc(record: type, field: str, defaults: Mapping[str, object], hidden: Collection[str]) -> str:
    """Return the documentation of a field: its type, its default, and the docstring below it in the source, if any.

    Args:
        record: The class that declares the field.
        field: Its name.
        defaults: The default of each field that has one.
        hidden: The fields that no repr shows.
    """
    annotation = _own(record)[field]
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    lines = [f"{text} = {defaults[field]!r}" if field in defaults else f"{text}, required"]
    if field in hidden:
        lines.append("Not shown in the repr.")
    docstring = _docstrings(record.__module__, record.__qualname__).get(field)
    return "\n".join([*lines, docstring] if docstring else lines)


def _own(cls: type) -> dict[str, object]:
    """Return the annotations of a class, without those of its bases."""
    return inspect.get_annotations(cls)


@cache
def _docstrings(module: str, qualified_name: str) -> dict[str, str]:
    """Return the docstrings below the fields of a class, by the name of the field."""
    node: ast.AST = _tree(module)
    for name in qualified_name.split("."):
        body = getattr(node, "body", [])
        inner = [each for each in body if isinstance(each, (ast.ClassDef, ast.FunctionDef)) and each.name == name]
        if not inner and name != "<locals>":
            return {}
        node = inner[-1] if inner else node
    body = getattr(node, "body", [])
    found: dict[str, str] = {}
    for field, below in itertools.pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = inspect.cleandoc(text)
    return found


def _tree(module: str) -> ast.Module:
    """Return the syntax tree of a module; an empty one if its source is missing."""
    with contextlib.suppress(OSError, TypeError, KeyError):
        return ast.parse(textwrap.dedent(inspect.getsource(sys.modules[module])))
    return ast.Module([], [])

"""Write the API reference: each public name of the installed package, with its fields, from its docstring."""

from __future__ import annotations

import ast
import enum
import inspect
import itertools
import re
import textwrap
from typing import TYPE_CHECKING, Any, ForwardRef, NamedTuple

from loginmachine.sansio.base.records import Record
from tests.api_page import description, kind, module_at, public_names, stability

from .docstrings import cell, markdown, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROW = re.compile(r"^\| `(?P<name>\w+)` \|", re.MULTILINE)
LONGEST_SIGNATURE = 88
MODULE_NAMES = re.compile(r"\b(?:loginmachine|collections|contextlib|enum|typing)\.(?:[a-z_]+\.)*(?=[A-Z])")
ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class Member(NamedTuple):
    """A method or a property of a class."""

    name: str
    value: Any
    is_property: bool


class Reference:
    """The pages of the reference, which link to each other."""

    def __init__(self) -> None:
        self._pages = {name: (place, _anchor(place, name)) for place, name, _ in reversed(list(public_names()))}
        """The page and the anchor of each name. A name of an outer module comes before the same one of an inner."""

    def link(self, name: str) -> str:
        """Return a name as code, with a link to its description if it is public."""
        first = name.removeprefix("loginmachine.").partition(".")[0].partition("(")[0]
        if first not in self._pages:
            return f"`{name}`"
        place, anchor = self._pages[first]
        return f"[`{name}`]({place}.md#{anchor})"

    def page(self, place: str, names: list[tuple[str, Any]]) -> Iterator[str]:
        """Yield the lines of the page of a module."""
        module = module_at(place)
        yield from ("---", "tocdepth: 2", "---", f"# {place}", "", description(module, place, module), "")
        for name, value in names:
            yield from (f"({_anchor(place, name)})=", "", f"## {name}", "")
            yield from (f"*{kind(value).capitalize()}, {stability(place, name)}*", "")
            if inspect.isclass(value):
                yield from self._class(name, value)
            elif inspect.isroutine(value):
                yield from self._callable(name, value, value)
            else:
                yield from (
                    self._text(description(module, name, value)),
                    "",
                    f"```python\n{_short(str(value))}\n```",
                    "",
                )

    def _class(self, name: str, cls: type) -> Iterator[str]:
        yield from self._described(name, cls, cls.__doc__, None if issubclass(cls, enum.Enum) else cls)
        documented = _documented_fields(cls)
        if issubclass(cls, enum.Enum):
            rows = [[f"`{member.name}`", f"`{member.value!r}`", documented.get(member.name, "")] for member in cls]
            yield from self._table(("member", "value", ""), rows)
        elif issubclass(cls, Record):
            parameters = inspect.signature(cls).parameters.values()
            rows = [[*_field_cells(parameter), documented.get(parameter.name, "")] for parameter in parameters]
            yield from self._table(("field", "type", "default", ""), rows)
        else:
            rows = [[f"`{field}`", text] for field, text in documented.items() if text]
            yield from self._table(("attribute", ""), rows)
        for member in _members(cls):
            yield from self._member(member)

    def _member(self, member: Member) -> Iterator[str]:
        if member.is_property:
            hint = inspect.signature(member.value.fget).return_annotation
            yield from (f"### `{member.name}`", "", f"```python\n{member.name}: {_short(_words(hint))}\n```", "")
            yield from (self._text(parse(member.value.__doc__).text), "")
            return
        yield from (f"### `{member.name}()`", "")
        function = member.value.__func__ if isinstance(member.value, (classmethod, staticmethod)) else member.value
        yield from self._callable(member.name, function, function)

    def _callable(self, name: str, function: Any, signed: Any) -> Iterator[str]:  # noqa: ANN401 - any function
        yield from self._described(name, function, function.__doc__, signed)

    def _described(self, name: str, value: Any, docstring: str | None, signed: Any) -> Iterator[str]:  # noqa: ANN401
        if signed is not None and not (inspect.isclass(value) and issubclass(value, (Exception, Record))):
            yield from (f"```python\n{_signature(name, signed)}\n```", "")
        parsed = parse(docstring)
        yield from (self._text(parsed.text), "")
        for title, items in parsed.sections.items():
            if items:
                yield from (f"**{title}**", "")
                yield from (f"- {self._item(name, text)}" for name, text in items)
                yield ""

    def _item(self, name: str, text: str) -> str:
        return f"{self.link(name)}: {self._text(text)}" if name else self._text(text)

    def _table(self, head: tuple[str, ...], rows: list[list[str]]) -> Iterator[str]:
        if rows:
            yield from (f"| {' | '.join(head)} |", f"|{'---|' * len(head)}")
            yield from (f"| {' | '.join([*row[:-1], cell(row[-1], self.link)])} |" for row in rows)
            yield ""

    def _text(self, text: str) -> str:
        return markdown(text, self.link)


def _documented_fields(cls: type) -> dict[str, str]:
    """Return the docstrings below the fields of a class and of its bases; empty for a field without one."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not base.__module__.startswith("loginmachine") or base is Record:
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(body, ast.ClassDef)
        for statement, below in itertools.pairwise([*body.body, None]):
            targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
            is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            text = inspect.cleandoc(str(below.value.value)) if is_text else ""  # type: ignore[union-attr]
            found |= {target.id: text for target in targets if isinstance(target, ast.Name) and target.id[0] != "_"}
    return found


def _field_cells(parameter: inspect.Parameter) -> list[str]:
    default = "" if parameter.default is parameter.empty else f"`{_short(repr(_shown_default(parameter.default)))}`"
    return [f"`{parameter.name}`", _code(_short(_words(parameter.annotation))), _piped(default)]


def _members(cls: type) -> Iterator[Member]:
    """Yield the public methods and properties of a class, with those of its bases in this package."""
    seen: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith("loginmachine") and base is not Record:
            seen |= vars(base)
    for name, value in seen.items():
        function = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
        if not name.startswith("_") and (isinstance(value, property) or inspect.isfunction(function)):
            yield Member(name, value, isinstance(value, property))


def _signature(name: str, value: Callable[..., Any]) -> str:
    signature = inspect.signature(value)
    parameters = [
        parameter.replace(annotation=_shown_type(parameter.annotation), default=_shown_default(parameter.default))
        for parameter in signature.parameters.values()
        if parameter.name not in ("self", "cls")
    ]
    result = signature.empty if inspect.isclass(value) else signature.return_annotation
    signature = signature.replace(
        parameters=parameters,
        return_annotation=result if result is signature.empty else _Words(_short(_words(result))),
    )
    line = f"{name}{signature}"
    return ADDRESS.sub("", line if len(line) <= LONGEST_SIGNATURE else _in_lines(name, signature))


def _shown_type(annotation: Any) -> Any:  # noqa: ANN401 - a type, or its name
    return annotation if annotation is inspect.Parameter.empty else _Words(_short(_words(annotation)))


def _shown_default(value: Any) -> Any:  # noqa: ANN401 - any default
    return _Words(f"{type(value).__name__}.{value.name}") if isinstance(value, enum.Enum) else value


def _in_lines(name: str, signature: inspect.Signature) -> str:
    """Return a long signature with a line for each parameter."""
    lines, has_star = [], False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not has_star:
            lines.append("    *,")
        has_star = has_star or parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL)
        lines.append(f"    {parameter},")
    hint = signature.return_annotation
    end = "" if hint is signature.empty else f" -> {hint!r}"
    return "\n".join([f"{name}(", *lines, f"){end}"])


class _Words(str):
    """An annotation that is shown as it is, without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _words(annotation: Any) -> str:  # noqa: ANN401 - a type, or its name
    if isinstance(annotation, ForwardRef):
        # Of a named tuple.
        return annotation.__forward_arg__
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _short(words: str) -> str:
    return MODULE_NAMES.sub("", words)


def _code(words: str) -> str:
    return f"`{_piped(words)}`"


def _piped(words: str) -> str:
    return words.replace("|", "\\|")


def write_reference(folder: Path) -> None:
    """Write a page for each public module, and let the page ``api`` link to each name.

    Args:
        folder: The folder of the pages.
    """
    (folder / "reference").mkdir()
    reference, places = Reference(), []
    for place, rows in itertools.groupby(public_names(), key=lambda row: row[0]):
        places.append(place)
        text = "\n".join(reference.page(place, [(name, value) for _, name, value in rows]))
        (folder / "reference" / f"{place}.md").write_text(f"{text}\n", encoding="utf-8")
    overview = folder / "api.md"
    parts = re.split(r"^(?=## `)", overview.read_text(encoding="utf-8"), flags=re.MULTILINE)
    linked = [parts[0], *map(_with_links, parts[1:])]
    listed = "\n".join(f"{place} <reference/{place}>" for place in places)
    overview.write_text("".join([*linked, f"\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"]), encoding="utf-8")


def _with_links(part: str) -> str:
    """Let the names of a module's table lead to their descriptions."""
    place = part.partition("`")[2].partition("`")[0]

    def linked(match: re.Match[str]) -> str:
        name = match["name"]
        return f"| [`{name}`](reference/{place}.md#{_anchor(place, name)}) |"

    return ROW.sub(linked, part)


def _anchor(place: str, name: str) -> str:
    # Anchors have no capitals: `Replay` and `replay` would have the same.
    return f"{place}.{name}".lower() + ("-function" if name[0].islower() else "")

"""Records show their fields to `inspect`, `typing` and `help`."""

from __future__ import annotations

import inspect
import pydoc
import typing
from typing import TYPE_CHECKING, Any, ClassVar

from loginmachine.sansio.base import inspection
from loginmachine.sansio.base.records import Annotations, Record, hidden

if TYPE_CHECKING:
    from fractions import Fraction

    from a_package_that_is_not_installed import Nothing  # type: ignore[import-not-found]  # noqa: F401


class Point(Record):
    kind: ClassVar[str] = "point"
    x: int
    y: int = 0
    secret: str = hidden(default="hush")


class Point3(Point):
    z: int
    key: str = hidden()


class Distance(Record):
    """How far it is."""

    metres: Fraction
    """Metres, 0 or more.

    Never negative.
    """
    label: str = "way"
    route: str = hidden()
    """Where it goes."""


def test_the_signature_shows_the_fields() -> None:
    assert str(inspect.signature(Point)) == "(*, x: 'int', y: 'int' = 0, secret: 'str' = 'hush')"
    assert list(inspect.signature(Point3).parameters) == ["x", "y", "secret", "z", "key"]
    assert inspect.signature(Distance).parameters["label"].default == "way"
    assert str(inspect.signature(Record)) == "()"


def test_type_hints_find_what_is_imported_for_type_checkers_only() -> None:
    from fractions import Fraction

    assert typing.get_type_hints(Distance) == {"metres": Fraction, "label": str, "route": str}
    assert "Nothing" not in globals(), "what is not installed is left out"
    assert typing.get_type_hints(Point3)["z"] is int


def test_listing_annotations_without_their_module_imports_nothing() -> None:
    annotations = Annotations({"x": "Unknown"}, "a_module_that_is_not_there")
    assert list(annotations) == ["x"]
    assert dict(annotations) == {"x": "Unknown"}


def test_help_shows_each_field() -> None:
    text = pydoc.render_doc(Distance, renderer=pydoc.plaintext)  # type: ignore[attr-defined]
    fields = text.partition("Data descriptors defined here:")[2].partition("-----")[0].replace(" |", "").split("\n")
    assert [line.strip() for line in fields if line.strip()] == [
        *("metres", "Fraction, required", "Metres, 0 or more.", "Never negative."),
        *("label", "str = 'way'"),
        *("route", "str, required", "Not shown in the repr.", "Where it goes."),
    ]


def test_help_without_the_source() -> None:
    namespace: dict[str, Any] = {"Record": Record, "__name__": "a_module_that_is_not_there"}
    exec("class Made(Record):\n    x: int = 1\n    'Not found.'", namespace)
    assert namespace["Made"].__slots__["x"] == "int = 1"


def made(**body: Any) -> Any:
    """A record out of the namespace of a class body."""
    kind: Any = type(Record)
    return kind("Made", (Record,), {"__module__": __name__, "__qualname__": "Made", **body})


def test_help_on_a_class_that_is_not_in_the_source_of_its_module() -> None:
    assert made(__annotations__={"x": "int"}).__slots__["x"] == "int, required"


def test_help_on_a_class_in_a_function() -> None:
    class Local(Record):
        x: int
        """Of this function."""

    assert inspection.field_doc(Local, "x", {}, ()) == "int, required\nOf this function."

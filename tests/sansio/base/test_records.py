"""Records behave as frozen, slotted, keyword-only dataclasses do."""

from __future__ import annotations

import copy
import inspect
import pickle
import sys
import typing
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from loginmachine import Credentials, Secret
from loginmachine.sansio.base.records import Record, hidden
from loginmachine.sansio.login.events import Bound, BrowserOpened, ClientGone, RequestReceived, ResponseSent, Started

if TYPE_CHECKING:
    from a_package_that_is_not_installed import Nothing  # type: ignore[import-not-found]  # noqa: F401


class Point(Record):
    kind: ClassVar[str] = "point"
    x: int
    y: int = 0
    secret: str = hidden(default="hush")


class Point3(Point):
    z: int
    key: str = hidden()


def untyped(record: type[Record]) -> Any:
    """For calls that a type checker refuses."""
    return record


def test_fields_defaults_and_inheritance() -> None:
    point = Point3(x=1, z=3, key="k")
    assert point.values() == {"x": 1, "y": 0, "secret": "hush", "z": 3, "key": "k"}
    assert list(point.values()) == ["x", "y", "secret", "z", "key"]
    assert (point.x, point.y, point.z, point.kind) == (1, 0, 3, "point")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "Point() needs the keyword argument 'x'"),
        ({"y": 1}, "Point() needs the keyword argument 'x'"),
        ({"x": 1, "w": 2}, "Point() got an unexpected keyword argument 'w'"),
        ({"x": 1, "kind": "k"}, "Point() got an unexpected keyword argument 'kind'"),
    ],
)
def test_wrong_arguments(values: dict[str, int], message: str) -> None:
    with pytest.raises(TypeError) as caught:
        untyped(Point)(**values)
    assert str(caught.value) == message


def test_a_missing_field_has_its_default() -> None:
    assert Point(x=1).secret == "hush"
    assert hash(Point(x=1)) == hash(Point(x=1, y=0, secret="hush"))
    assert Point(x=1).__replace__(x=2) == Point(x=2, y=0)
    assert copy.deepcopy(Point(x=1)).y == 0
    assert pickle.loads(pickle.dumps(ResponseSent(request_id=1))) == ResponseSent(request_id=1)


@pytest.mark.parametrize("name", ["z", "__wrapped__"])
def test_no_other_attribute(name: str) -> None:
    with pytest.raises(AttributeError, match=f"^'Point' object has no attribute '{name}'$"):
        getattr(Point(x=1), name)


def test_wrong_arguments_show_no_value_in_a_traceback() -> None:
    with pytest.raises(TypeError) as caught:
        untyped(Point3)(x=1, z=2, key="canary", secret="canary", w=3)
    frame = caught.traceback[-1].frame
    assert frame.f_locals["values"] == {}
    assert caught.value.__context__ is None


def test_keywords_only() -> None:
    with pytest.raises(TypeError, match="positional"):
        untyped(Point)(1)


@pytest.mark.parametrize("name", ["x", "secret", "new", "kind"])
def test_frozen(name: str) -> None:
    point = Point(x=1)
    with pytest.raises(AttributeError, match=f"^Point is immutable: cannot set '{name}'$"):
        setattr(point, name, 5)
    with pytest.raises(AttributeError, match=f"^Point is immutable: cannot delete '{name}'$"):
        delattr(point, name)
    assert point == Point(x=1)


def test_slotted() -> None:
    assert not hasattr(Point3(x=1, z=2, key="k"), "__dict__")


def test_hidden_fields_are_not_in_the_repr() -> None:
    assert repr(Point(x=1)) == "Point(x=1, y=0)"
    assert repr(Point3(x=1, y=2, z=3, key="k", secret="s")) == "Point3(x=1, y=2, z=3)"
    assert repr(BrowserOpened()) == "BrowserOpened()"
    request = RequestReceived(request_id=1, method=b"GET", target=b"/?code=canary", headers=((b"Cookie", b"canary"),))
    assert repr(request) == "RequestReceived(request_id=1, method=b'GET', from_other_user=False)"


def test_equal_by_type_and_value() -> None:
    assert Point(x=1) == Point(x=1, y=0)
    assert Point(x=1) != Point(x=2)
    assert Point(x=1) != Point(x=1, secret="other"), "hidden fields count"
    assert ResponseSent(request_id=1) != ClientGone(request_id=1)
    assert Started() == Started()
    assert Started() != BrowserOpened()
    assert Point(x=1) != {"x": 1}
    assert Point(x=1) != Point3(x=1, z=0, key="")


def test_hashed_by_type_and_value() -> None:
    assert hash(Point(x=1)) == hash(Point(x=1))
    assert len({Point(x=1), Point(x=1, y=0), Point(x=2), ResponseSent(request_id=1), ClientGone(request_id=1)}) == 4


def test_replaced() -> None:
    point = Point3(x=1, z=3, key="k")
    assert point.__replace__(z=4) == Point3(x=1, z=4, key="k")
    assert point == Point3(x=1, z=3, key="k")
    with pytest.raises(TypeError, match="unexpected keyword argument 'w'"):
        point.__replace__(w=1)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickled(protocol: int) -> None:
    event = Bound(port=1455)
    assert pickle.loads(pickle.dumps(event, protocol)) == event


def test_copied() -> None:
    point = Point(x=1)
    assert copy.copy(point) is point
    assert copy.deepcopy([point])[0] is point


def test_matched() -> None:
    match Point(x=1, y=2):
        case Point(x=1, y=y):
            assert y == 2
        case _:
            pytest.fail("a record is matched by its fields")


def made(**body: Any) -> Any:
    """A record out of the namespace of a class body."""
    kind: Any = type(Record)
    return kind("Made", (Record,), {"__module__": __name__, "__qualname__": "Made", **body})


EAGER = """
from typing import ClassVar
from loginmachine.sansio.base.records import Record, hidden

class Eager(Record):
    kind: ClassVar[str] = "eager"
    x: int
    y: "int | None" = None
    ClassVariable: str = hidden(default="hush")
"""


def test_a_record_in_a_module_without_the_future_import() -> None:
    namespace: dict[str, Any] = {"__name__": "a_module_that_is_not_there"}
    exec(compile(EAGER, "eager", "exec", dont_inherit=True), namespace)
    eager = namespace["Eager"]
    assert eager(x=1).values() == {"x": 1, "y": None, "ClassVariable": "hush"}
    assert eager.kind == "eager"
    assert typing.get_type_hints(eager)["x"] is int
    assert str(inspect.signature(eager)).startswith("(*, x: int, y: 'int | None' = None")
    assert eager.__slots__["x"] == "int, required"


def test_a_record_with_the_annotations_of_python_3_14(monkeypatch: pytest.MonkeyPatch) -> None:
    library = ModuleType("annotationlib")
    vars(library).update(Format=SimpleNamespace(FORWARDREF=3), call_annotate_function=lambda annotate, _: annotate(1))
    monkeypatch.setitem(sys.modules, "annotationlib", library)
    new = made(__annotate_func__=lambda _: {"x": int})
    assert new(x=1).values() == {"x": 1}


def test_pickling_refuses_a_secret_and_names_its_field() -> None:
    credentials = Credentials.from_api_key(Secret("canary"))
    with pytest.raises(TypeError, match=r"^Credentials cannot be pickled: its field 'api_key' is a Secret$"):
        pickle.dumps(credentials)
    assert copy.deepcopy(credentials) is credentials

"""Immutable value classes that cost little at start-up.

Events, actions, phases and failures behave like classes with ``@dataclass(frozen=True, slots=True, kw_only=True)``.
That decorator compiles six methods for each class, which takes 0.7 ms at each start of the program, and about fifty
such classes are loaded before the person sees the URL. `Record` has the methods once. Type checkers see an ordinary
frozen dataclass (PEP 681).

For the same reason, modules that are loaded before the URL is shown do not import `typing`, which takes 5 ms. They set
``TYPE_CHECKING = False`` instead, an idiom that type checkers and ruff know.

`loginmachine.sansio.base.inspection` computes what `inspect.signature`, `typing.get_type_hints` and `help` need, when
one of them is used.
"""

from __future__ import annotations

from .secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterator, KeysView
    from inspect import Signature
    from typing import Any, ClassVar, Final, Self, dataclass_transform
else:

    def dataclass_transform(**_: object) -> object:
        """Do nothing. Only type checkers use the arguments."""
        return lambda cls: cls


_REQUIRED: Final = object()
_put: Final = object.__setattr__


class _Hidden:
    """A field that is kept out of the repr, because it holds or may hold a secret."""

    __slots__ = ("default",)

    def __init__(self, default: object) -> None:
        self.default = default


def hidden(*, default: Any = _REQUIRED) -> Any:  # noqa: ANN401 - as dataclasses.field
    """Declare a field that is not shown in the repr.

    Args:
        default: The default of the field. Without it, the field is required.
    """
    return _Hidden(default)


class Annotations(dict[str, object]):
    """The annotations of a class or function. Listing them imports the types that they name.

    Python evaluates an annotation in its module. Names that are imported under ``if TYPE_CHECKING:`` are missing there
    until `typing.get_type_hints` or another reader lists the annotations.

    Args:
        annotations: The annotations, by the name of the field or parameter.
        module: The name of their module.
    """

    __slots__ = ("_module",)

    def __init__(self, annotations: dict[str, object], module: str) -> None:
        super().__init__(annotations)
        self._module = module

    def _import_types(self) -> None:
        from .inspection import import_types  # noqa: PLC0415 - only tools need it

        import_types(self._module, dict.values(self))

    def __iter__(self) -> Iterator[str]:
        self._import_types()
        return super().__iter__()

    def keys(self) -> KeysView[str]:  # type: ignore[override]  # the type of a dict's view has no public name
        """Import the types, and return the names."""
        self._import_types()
        return super().keys()

    def items(self) -> ItemsView[str, object]:  # type: ignore[override]  # as above
        """Import the types, and return the names with the annotations."""
        self._import_types()
        return super().items()


class _Slots(dict[str, object]):
    """The ``__slots__`` of a record. Python reads a field's documentation from them, because they are a dictionary."""

    __slots__ = ("record",)
    record: _RecordMeta

    def __getitem__(self, field: str) -> str:
        from .inspection import field_doc  # noqa: PLC0415 - only tools need it

        return field_doc(self.record, field, self.record._defaults, self.record._hidden)  # noqa: SLF001


def _annotations(namespace: dict[str, Any]) -> dict[str, object]:
    """Return the annotations of a class body."""
    found: dict[str, object] = namespace.get("__annotations__", {})
    annotate = namespace.get("__annotate_func__")
    if annotate is not None:
        # Python 3.14 without ``from __future__ import annotations`` (PEP 649).
        from annotationlib import Format, call_annotate_function  # type: ignore[import-not-found]  # noqa: PLC0415

        found = call_annotate_function(annotate, Format.FORWARDREF)
    return found


def _is_class_variable(annotation: object) -> bool:
    words = annotation if isinstance(annotation, str) else repr(annotation)
    return "ClassVar" in words and words.partition("[")[0].rpartition(".")[2] == "ClassVar"


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(hidden,))
class _RecordMeta(type):
    """Turns the annotations of a class body into slots, defaults and hidden fields."""

    _defaults: dict[str, object]
    _hidden: frozenset[str]
    _fields: tuple[str, ...]
    _required: tuple[str, ...]

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> _RecordMeta:
        annotations = _annotations(namespace)
        own = [key for key, annotation in annotations.items() if not _is_class_variable(annotation)]
        given = {key: namespace.pop(key) for key in own if key in namespace}
        if "__annotations__" in namespace:
            namespace["__annotations__"] = Annotations(annotations, namespace["__module__"])
        slots = namespace["__slots__"] = _Slots(dict.fromkeys(own))
        cls = super().__new__(mcs, name, bases, namespace)
        slots.record = cls
        inherited = [base for base in bases if isinstance(base, _RecordMeta)]
        defaults: dict[str, object] = {}
        secret: set[str] = set()
        for base in inherited:
            defaults |= base._defaults  # noqa: SLF001 - its own kind
            secret |= base._hidden  # noqa: SLF001 - its own kind
        for key, value in given.items():
            if isinstance(value, _Hidden):
                secret.add(key)
            default = value.default if isinstance(value, _Hidden) else value
            if default is not _REQUIRED:
                defaults[key] = default
        cls._defaults = defaults
        cls._hidden = frozenset(secret)
        cls._fields = (*(field for base in inherited for field in base._fields), *own)
        cls._required = tuple(field for field in cls._fields if field not in defaults)
        return cls

    @property
    def __signature__(cls) -> Signature:
        """The keyword-only fields, for `inspect.signature` and `help`."""
        from .inspection import signature  # noqa: PLC0415 - only tools need it

        return signature(cls, cls._fields, cls._defaults)


class Record(metaclass=_RecordMeta):
    """Base of all events, actions, phases and outcomes: frozen, slotted, keyword-only, compared by type and value."""

    if TYPE_CHECKING:
        # (At run time these annotations would become fields of every record.)
        _defaults: ClassVar[dict[str, object]]
        _hidden: ClassVar[frozenset[str]]
        _fields: ClassVar[tuple[str, ...]]
        _required: ClassVar[tuple[str, ...]]

    def __init__(self, **values: object) -> None:
        # A login makes about fifty records. Defaults are not stored here, but by `__getattr__` when they are read.
        field = problem = ""
        try:
            for field in values:  # noqa: PLC0206 - a variable for the value would be one of those locals
                _put(self, field, values[field])
            if len(values) < len(self._fields):
                for field in self._required:
                    values.pop(field)
        except AttributeError:
            problem = "got an unexpected"
        except KeyError:
            problem = "needs the"
        # An exception below must not show the values in a traceback with locals.
        values.clear()
        if problem:
            raise TypeError(f"{type(self).__name__}() {problem} keyword argument {field!r}")
        self._check()

    def _check(self) -> None:
        """Check the values, and raise `ValueError` if one is wrong.

        Subclasses override this method and not `__init__`, which tells type checkers the fields.
        """

    # If type checkers saw these methods, they would accept the assignment of any attribute.
    if not TYPE_CHECKING:  # pragma: no branch

        def __getattr__(self, name: str) -> object:
            # The slot of a field that was not given stays empty until the field is read.
            if name not in self._defaults:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            _put(self, name, self._defaults[name])
            return self._defaults[name]

        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(f"{type(self).__name__} is immutable: cannot set {name!r}")

        def __delattr__(self, name: str) -> None:
            raise AttributeError(f"{type(self).__name__} is immutable: cannot delete {name!r}")

    def __repr__(self) -> str:
        cls = type(self)
        shown = ", ".join(f"{field}={getattr(self, field)!r}" for field in cls._fields if field not in cls._hidden)
        return f"{cls.__name__}({shown})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, field) == getattr(other, field) for field in self._fields)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, field) for field in self._fields)))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        values = self.values()
        secret = next((field for field in values if isinstance(values[field], Secret)), None)
        if secret is not None:
            del values
            raise TypeError(f"{type(self).__name__} cannot be pickled: its field {secret!r} is a Secret")
        return _rebuild, (type(self), values)

    def values(self) -> dict[str, Any]:
        """Return the fields and their values, in the order in which they are declared."""
        return {field: getattr(self, field) for field in self._fields}

    def __replace__(self, **changes: Any) -> Self:  # noqa: ANN401 - as dataclasses.replace
        return type(self)(**{**self.values(), **changes})


def _rebuild(cls: type[Record], values: dict[str, object]) -> Record:
    return cls(**values)

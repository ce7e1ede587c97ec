"""Immutable value classes that cost nothing at start-up.

Events, actions, phases and failures are what ``@dataclass(frozen=True, slots=True, kw_only=True)`` would make them.
That decorator compiles six methods for each class, 0.7 ms every time the program starts, and there are about fifty such
classes between the start of the process and the moment the person sees the URL. `Record` writes the methods once. Type
checkers see an ordinary frozen dataclass (PEP 681).

For the same reason the modules that are loaded before the URL is shown import nothing from `typing` when they run: it
takes 5 ms. ``TYPE_CHECKING = False`` is the idiom for that, which type checkers and ruff know.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Final, Self, dataclass_transform
else:

    def dataclass_transform(**_: object) -> object:
        """For type checkers only."""
        return lambda cls: cls


_REQUIRED: Final = object()
_put: Final = object.__setattr__


class _Hidden:
    """A field that is kept out of the repr, because it holds or may hold a secret."""

    __slots__ = ("default",)

    def __init__(self, default: object) -> None:
        self.default = default


def hidden(*, default: Any = _REQUIRED) -> Any:  # noqa: ANN401 - as dataclasses.field
    """Declare a field that no repr shows. Give its default, if it has one."""
    return _Hidden(default)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(hidden,))
class _RecordMeta(type):
    """Turns the annotations of a class body into slots, defaults and hidden fields."""

    _defaults: dict[str, object]
    _hidden: frozenset[str]
    _fields: tuple[str, ...]
    _required: tuple[str, ...]

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> _RecordMeta:
        own = [key for key, kind in namespace.get("__annotations__", {}).items() if not kind.startswith("ClassVar")]
        given = {key: namespace.pop(key) for key in own if key in namespace}
        namespace["__slots__"] = tuple(own)
        cls = super().__new__(mcs, name, bases, namespace)
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


class Record(metaclass=_RecordMeta):
    """Base of all events, actions, phases and outcomes: frozen, slotted, keyword-only, compared by type and value."""

    _defaults: ClassVar[dict[str, object]]
    _hidden: ClassVar[frozenset[str]]
    _fields: ClassVar[tuple[str, ...]]
    _required: ClassVar[tuple[str, ...]]

    def __init__(self, **values: object) -> None:
        # A login makes some fifty records: what is not given is not put into them here.
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
        # What is wrong below must not show them, in a traceback with locals.
        values.clear()
        if problem:
            raise TypeError(f"{type(self).__name__}() {problem} keyword argument {field!r}")
        self._check()

    def _check(self) -> None:
        """Refuse values that make no sense: in an ``__init__`` of its own, type checkers would lose the fields."""

    # A type checker that saw these would take every attribute for one that can be set.
    if not TYPE_CHECKING:  # pragma: no branch

        def __getattr__(self, name: str) -> object:
            # The slot of a field that was not given is empty, until somebody wants to know.
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
        return _rebuild, (type(self), self.values())

    def values(self) -> dict[str, Any]:
        """The fields and their values, in the order they are declared."""
        return {field: getattr(self, field) for field in self._fields}

    def __replace__(self, **changes: Any) -> Self:  # noqa: ANN401 - as dataclasses.replace
        return type(self)(**{**self.values(), **changes})


def _rebuild(cls: type[Record], values: dict[str, object]) -> Record:
    return cls(**values)

"""Load the public names of a package when they are first used (PEP 562), and deprecate old ones."""

from __future__ import annotations

import sys
from importlib import import_module
from types import FunctionType, MappingProxyType, ModuleType
from typing import TYPE_CHECKING

from .deprecation import warn_deprecated
from .records import Annotations

if TYPE_CHECKING:
    from collections.abc import Mapping


def load(
    package: str,
    homes: Mapping[str, tuple[str, ...]],
    name: str,
    deprecated: Mapping[str, tuple[str, str]] = MappingProxyType({}),
) -> object:
    """Load a public name of a package. The package's ``__getattr__`` calls this.

    Args:
        package: The name of the package. The value becomes an attribute of it.
        homes: The public names of the package, by the module or package that each is in, relative to this package.
        name: The name to load.
        deprecated: For each old name, the name to use instead and the version in which the old name is removed.

    Returns:
        The value of the name.

    Raises:
        AttributeError: The package has no such public name.
    """
    if name in deprecated:
        new, version = deprecated[name]
        warn_deprecated(f"{package}.{name}", f"{package}.{new}", version, stacklevel=4)
        return getattr(sys.modules[package], new)
    home = next((home for home, names in homes.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    place = import_module(f"{package}.{home}")
    # A name may be that of a module, which is no attribute before it is imported.
    value = getattr(place, name) if hasattr(place, name) else import_module(f"{place.__name__}.{name}")
    make_hints_work(value)
    setattr(sys.modules[package], name, value)
    return value


def make_hints_work(value: object) -> None:
    """Make `typing.get_type_hints` work for a public function, class or module."""
    if isinstance(value, FunctionType):
        _make_function_work(value)
    elif isinstance(value, ModuleType):
        for each in vars(value).values():
            if isinstance(each, (FunctionType, type)) and each.__module__ == value.__name__:
                make_hints_work(each)
    elif isinstance(value, type):
        ours = __name__.partition(".")[0]
        for cls in value.__mro__:
            if cls.__module__.partition(".")[0] == ours:
                _make_class_work(cls)


def _make_class_work(cls: type) -> None:
    for member in list(vars(cls).values()):
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if isinstance(function, FunctionType):
            _make_function_work(function)
    annotations = vars(cls).get("__annotations__")
    if annotations and not isinstance(annotations, Annotations):
        cls.__annotations__ = Annotations(annotations, cls.__module__)


def _make_function_work(function: FunctionType) -> None:
    annotations = function.__annotations__
    if annotations and not isinstance(annotations, Annotations):
        function.__annotations__ = Annotations(annotations, function.__module__)

"""The drivers that have played logins."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

    from .login import Casting, PlayedLogin

    Make = Callable[..., Any]
    """Makes a login from the arguments of `start_login`."""

Driver: TypeAlias = Literal["threaded", "trio", "asyncio"]


def _threaded() -> ModuleType:
    from ...drivers.threaded import login  # noqa: PLC0415 - each driver when it is used

    return login


def _trio() -> ModuleType:
    from ...drivers.trio import login  # noqa: PLC0415 - as above

    return login


def _asyncio() -> ModuleType:
    from ...drivers.asyncio import login  # noqa: PLC0415 - as above

    return login


def _played_threaded(casting: Casting) -> PlayedLogin:
    from .threaded import PlayedThreadedLogin  # noqa: PLC0415 - as above

    return PlayedThreadedLogin(casting)


def _played_trio(casting: Casting) -> PlayedLogin:
    from .trio import PlayedTrioLogin  # noqa: PLC0415 - as above

    return PlayedTrioLogin(casting)


def _played_asyncio(casting: Casting) -> PlayedLogin:
    from .asyncio import PlayedAsyncioLogin  # noqa: PLC0415 - as above

    return PlayedAsyncioLogin(casting)


DRIVERS: Final[Mapping[Driver, tuple[Callable[[], ModuleType], Callable[[Casting], PlayedLogin]]]] = {
    "threaded": (_threaded, _played_threaded),
    "trio": (_trio, _played_trio),
    "asyncio": (_asyncio, _played_asyncio),
}
"""For each driver, its module with the login object, and what makes the played one."""


def login_of(driver: Driver) -> Callable[[Casting], PlayedLogin]:
    """Return what makes the played logins of a driver.

    Raises:
        ValueError: There is no such driver.
    """
    if driver not in DRIVERS:
        raise ValueError(f"the driver is one of {', '.join(DRIVERS)}, not {driver!r}")
    return DRIVERS[driver][1]


@contextlib.contextmanager
def replaced_makers(replace: Callable[[Driver, Make], Make]) -> Iterator[None]:
    """Replace in a block what makes the logins of all drivers.

    Args:
        replace: Returns the new function for a driver, given the old one.
    """
    with contextlib.ExitStack() as stack:
        for driver, (module_of, _) in DRIVERS.items():
            module: Any = module_of()
            stack.callback(setattr, module, "make_login", module.make_login)
            module.make_login = replace(driver, module.make_login)
        yield

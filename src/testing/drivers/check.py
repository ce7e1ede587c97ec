"""The test of a driver: every property, one after the other."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from ...demo.browser import BrowsingError
from ..provider import FakeProvider
from .properties import PROPERTIES
from .trial import NotHeldError, SignIn, Trial

if TYPE_CHECKING:
    from collections.abc import Callable


class DriverCheckFailed(AssertionError):  # noqa: N818 - it reads like `StoreCheckFailed`
    """A driver lacks a property. The text names the property, and says what was found."""

    def __init__(self, name: str, rule: str, found: str) -> None:
        super().__init__(f"{name}: {rule} Found: {found}")
        self.property = name
        """The name of the property. docs/writing-a-driver.md lists them."""

    def __reduce__(self) -> tuple[type[AssertionError], tuple[str]]:
        return AssertionError, (str(self),)


def check_driver(sign_in: SignIn, *, patience: float = 30.0) -> None:
    """Test a driver over real sockets of this machine: every property that docs/writing-a-driver.md lists.

        def sign_in(options, *, store, on_progress, on_start):
            with start_login(options, store=store, on_progress=on_progress) as login:
                on_start(login.cancel)
                return login.wait()

        check_driver(sign_in)

    It takes some seconds, and needs the extra ``loginmachine[demo]``.

    Args:
        sign_in: Signs in with the driver. `SignIn` describes its arguments.
        patience: Seconds, above 0, after which the driver counts as one that hangs.

    Raises:
        DriverCheckFailed: A property does not hold. This is an `AssertionError`; the properties after it are not
            tested.
    """
    for check in PROPERTIES:
        with FakeProvider() as provider:
            found, cause = _found(check, Trial(sign_in, provider, patience))
        if found:
            raise DriverCheckFailed(check.__name__, inspect.getdoc(check) or "", found) from cause


def _found(check: Callable[[Trial], None], trial: Trial) -> tuple[str, BaseException | None]:
    """Test one property, and return what was found and what raised it; nothing if the property holds."""
    try:
        check(trial)
    except NotHeldError as error:
        return str(error), None
    except BrowsingError as error:
        return f"the browser could not go on: {error}", error
    except Exception as error:  # noqa: BLE001 - whatever a driver raises
        return f"{type(error).__name__} was raised", error
    finally:
        trial.give_up()
    return "", None

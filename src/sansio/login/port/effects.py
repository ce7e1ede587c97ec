"""The guards and effects for the callback port. See `login.effects`."""

from __future__ import annotations

from .. import actions
from ..actions import Timer
from . import progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..interpretation import Interpretation
    from ..state import LoginData

MAX_BIND_ATTEMPTS: Final = 10
"""Attempts to bind a port that its holder has agreed to free."""
BIND_RETRY_DELAY: Final = 0.2
"""Seconds between two attempts to bind a port."""


def may_cancel_previous(login: LoginData, _: Interpretation) -> bool:
    """The port's holder was not asked to stop yet. It may be an older login server."""
    return not login.asked_previous and login.port != 0 and not login.is_on_fallback_port


def may_bind_again(login: LoginData, _: Interpretation) -> bool:
    """The port's holder agreed to stop, which may take a moment."""
    return login.asked_previous and not login.is_on_fallback_port and login.attempt < MAX_BIND_ATTEMPTS


def has_fallback(login: LoginData, _: Interpretation) -> bool:
    """There is a second registered port, which was not tried yet."""
    return login.options.fallback_port is not None and not login.is_on_fallback_port


def bind_first_port(login: LoginData, _: Interpretation) -> None:
    """Bind the port that the caller chose, or the provider's own."""
    _bind(login, login.options.first_port, 1)


def bind_again(login: LoginData, _: Interpretation) -> None:
    """Try the same port once more."""
    _bind(login, login.port, login.attempt + 1)


def bind_fallback(login: LoginData, _: Interpretation) -> None:
    """Try the second registered port."""
    assert login.options.fallback_port is not None
    login.drop_registration()
    login.report(progress.UsingFallbackPort(port=login.options.fallback_port))
    _bind(login, login.options.fallback_port, 1)


def _bind(login: LoginData, port: int, attempt: int) -> None:
    """Append an attempt to bind a port."""
    login.port, login.attempt = port, attempt
    login.report(progress.Binding(port=port, attempt=attempt))
    login.out.append(actions.Bind(port=port, attempt=attempt))


def cancel_previous(login: LoginData, _: Interpretation) -> None:
    """Ask the port's holder to stop."""
    login.asked_previous = True
    login.report(progress.CancellingPrevious(port=login.port))
    login.out.append(actions.CancelPrevious(port=login.port))


def back_off(login: LoginData, _: Interpretation) -> None:
    """Start the pause before the next attempt to bind."""
    login.start_timer(Timer.BIND_RETRY, BIND_RETRY_DELAY)

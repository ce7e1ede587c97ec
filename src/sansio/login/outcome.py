"""How a login ended."""

from __future__ import annotations

from ..base.records import Record
from .failures import LoginFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from ..model.account import Account
    from ..model.credentials import Credentials


class LoginSuccess(Record):
    """The credentials are stored."""

    credentials: Credentials
    account: Account


class LoginCancellation(Record):
    """The login was cancelled before anything was stored."""

    failure: LoginFailure
    """The step and the reason. The category is ``login_cancelled``."""


LoginOutcome: TypeAlias = LoginSuccess | LoginFailure | LoginCancellation
"""How a login ended. `wait` returns the credentials of a `LoginSuccess`, and raises `LoginFailed` otherwise."""

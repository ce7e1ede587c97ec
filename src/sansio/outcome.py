"""How a login ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from .failures import LoginFailure
from .records import Record

if TYPE_CHECKING:
    from .claims import Account
    from .credentials import Credentials


class LoginSuccess(Record):
    """The credentials are stored."""

    credentials: Credentials
    account: Account


class LoginCancellation(Record):
    """The login was ended before anything was stored."""

    failure: LoginFailure
    """Where it was, and who ended it; the category is ``login_cancelled``."""


LoginOutcome: TypeAlias = LoginSuccess | LoginFailure | LoginCancellation

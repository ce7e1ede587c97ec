"""The machines that there are. A new machine is explored, and its wrong tables are tried, once it is in this list.

Its own folder holds its worlds, letters and honest host; `login` and `refresh` are examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .lease.subject import LEASE
from .login.subject import LOGIN
from .refresh.subject import REFRESH

if TYPE_CHECKING:
    from .subject import Subject

SUBJECTS: Final[tuple[Subject, ...]] = (LOGIN, REFRESH, LEASE)

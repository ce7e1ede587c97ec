"""A login as a plain structure, to be continued in another process.

`to_plain` returns everything that a login knows as JSON values, secrets included. `from_plain` makes a login of them
that goes on from there. The structure must be encrypted before it is stored: `loginmachine.drivers.suspended` does so.
"""

from __future__ import annotations

from .plain import VERSION, from_plain, origin_of, to_plain
from .values import PlainError

__all__ = ["VERSION", "PlainError", "from_plain", "origin_of", "to_plain"]

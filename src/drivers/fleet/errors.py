"""The error of a server that may answer later."""

from __future__ import annotations

from ..errors import StoreError


class Unreachable(StoreError):  # noqa: N818 - as other errors of stores
    """The server did not answer. It may have done what it was asked to do."""

"""Moments that a provider writes in one of several ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .claims import expiry

if TYPE_CHECKING:
    from typing import Final

_LONGEST: Final = 64


def read_moment(value: object) -> float | None:
    """Return a moment in seconds since 1970; None if the value is not one.

    Args:
        value: A number of seconds, also written as text, or a time of ISO 8601. A time without a zone is in UTC.
    """
    if not isinstance(value, str):
        return expiry({"exp": value})
    if len(value) > _LONGEST or not value.isascii():
        return None
    if value.isdigit():
        return expiry({"exp": int(value)})
    from datetime import UTC, datetime  # noqa: PLC0415 - few token responses have such a time

    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None

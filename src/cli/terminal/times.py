"""Moments, as the commands print them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as a moment in UTC; None if they are unknown, or beyond all calendars."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        # A token may say anything.
        return None


def rfc3339(when: datetime | None) -> str | None:
    """A moment in UTC as programs read it, to the second; None if it is unknown."""
    return None if when is None else f"{when:%Y-%m-%dT%H:%M:%SZ}"

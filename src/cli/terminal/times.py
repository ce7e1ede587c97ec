"""Times, as the commands print them."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_time(seconds: float | None) -> datetime | None:
    """Return seconds since 1970 as a time in UTC; None if they are None or out of range."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        # A token may contain any number.
        return None


def rfc3339(when: datetime | None) -> str | None:
    """Format a time in UTC as RFC 3339, to the second; None stays None."""
    return None if when is None else f"{when:%Y-%m-%dT%H:%M:%SZ}"

"""Names that stay for one minor release after they were renamed (docs/api.md)."""

from __future__ import annotations


def warn_deprecated(old: str, new: str, *, stacklevel: int = 3) -> None:
    """Warn the caller's caller that a name is deprecated.

    Args:
        old: The name that was used.
        new: The name to use instead.
        stacklevel: As for `warnings.warn`: 3 is the caller of the function that calls this one.
    """
    import warnings  # noqa: PLC0415 - for programs that use an old name

    warnings.warn(f"{old} is deprecated: use {new}", DeprecationWarning, stacklevel=stacklevel)

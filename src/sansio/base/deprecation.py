"""Warn about old names, which stay for one minor release after a rename (docs/api.md)."""

from __future__ import annotations


def warn_deprecated(old: str, new: str, version: str = "0.3", *, stacklevel: int = 3) -> None:
    """Warn that a name is deprecated.

    Args:
        old: The name that was used.
        new: The name to use instead.
        version: The version in which the old name is removed.
        stacklevel: As for `warnings.warn`. 3 is the caller of the function that calls this one.
    """
    import warnings  # noqa: PLC0415 - for programs that use an old name

    words = f"{old} is now {new}; the old name is removed in version {version}"
    warnings.warn(words, DeprecationWarning, stacklevel=stacklevel)

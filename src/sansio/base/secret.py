"""Strings that must not be shown."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class Secret:
    """A string that shows itself only when asked by name.

    ``repr``, ``str``, ``format`` and pickling never give the value; `reveal` does. Two secrets are compared in constant
    time.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one place that has to send or store it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('...')"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return same_secret(self._value, other._value)

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")


def same_secret(one: str, other: str) -> bool:
    """Compare in constant time. On bytes, because `hmac.compare_digest` raises on non-ASCII strings."""
    import hmac  # noqa: PLC0415 - not needed before the login URL is shown

    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))

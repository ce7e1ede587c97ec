"""What a file of a store contains, and how its name begins. The files are written and locked in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from ...sansio.model.auth_json import CredentialsError
from ...sansio.model.credentials import Credentials, parse, serialise
from .protocols import check_replaceable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .protocols import StoreVersion

Value = TypeVar("Value")


class Serialise(Protocol[Value]):  # type: ignore[misc]  # the parameter is only read, and the class is not public
    """Returns the bytes of a file."""

    def __call__(self, value: Value, /, *, previous: Mapping[str, object] | None = None) -> bytes:
        """Return the bytes.

        Args:
            value: What the file holds.
            previous: The members of the file that is replaced.
        """


class FileFormat(Generic[Value]):
    """The format of a file that holds a JSON object.

    Args:
        stem: What the name of the file begins with, and those of its locks. The file's name ends with ``.json``.
        parse: Reads the bytes. It raises `CredentialsError`.
        serialise: Returns the bytes.
        empty: What `parse` returns for a file that holds nothing.
        check: Called with the location, what is stored (None if nothing is, or if it cannot be read) and what is to
            replace it. It raises `StoreError` if that must not be done.
    """

    def __init__(
        self,
        stem: str,
        parse: Callable[[bytes], Value],
        serialise: Serialise[Value],
        *,
        empty: Value | None = None,
        check: Callable[[str, Value | None, Value], None] = lambda _where, _stored, _new: None,
    ) -> None:
        self.stem = stem
        self.parse = parse
        self.serialise = serialise
        self.empty = empty
        self.check = check

    def parse_or_none(self, data: bytes) -> Value | None:
        """Return what is in the bytes of a file, or None if they cannot be parsed."""
        try:
            return self.parse(data)
        except CredentialsError:
            return None


EMPTY: Final = Credentials(auth_mode=None)
"""The credentials of a file that holds none."""
AUTH_JSON: Final = FileFormat("auth", parse, serialise, empty=EMPTY, check=check_replaceable)
"""``auth.json``, which is shared with the Codex CLI."""


class Storage(Protocol[Value]):
    """Where a store keeps credentials, without locking. The caller of `replace` and `remove` holds the locks.

    Every method may raise `OSError`, `CredentialsError` or `StoreError`, and then has changed nothing.
    """

    @property
    def where(self) -> str:
        """The location as text for people. The messages of errors begin with it."""

    def version(self) -> StoreVersion:
        """Return the version of the credentials. It takes no time, and never fails."""

    def load(self) -> Value | None:
        """Return the credentials, or None if there are none."""

    def check(self, *, follow: bool = False) -> None:
        """Test whether `replace` can work, as far as that can be found out without it."""

    def replace(self, value: Value, /, *, follow: bool = False) -> Value | None:
        """Replace the credentials, and return the old ones if they could be read.

        Args:
            value: The new credentials.
            follow: Whether to replace the file that a link leads to, and not the link.
        """

    def remove(self) -> Value | None:
        """Remove the credentials, and return them. Empty ones if they could not be read, None if there were none."""

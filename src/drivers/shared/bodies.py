"""The body of a request of httpx: whether it can be sent a second time, without a copy of it in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# httpx._multipart has the only stream with fields, and its streams around iterables have no public name. A stream that
# is not recognised counts as one that can be sent once.
_FIELDS, _INNER, _IS_STARTED = "fields", "_stream", "_is_stream_consumed"


class _Seekable(Protocol):
    def seekable(self) -> bool: ...

    def tell(self) -> int: ...

    def seek(self, offset: int, /) -> object: ...


class RequestBody:
    """The body of one request, from before it is sent.

    Args:
        request: The request. Nothing of its body has been sent yet.
    """

    def __init__(self, request: httpx.Request) -> None:
        self._stream = request.stream
        inner = self._inner
        is_file = hasattr(inner, "read") and isinstance(self._stream, httpx.SyncByteStream)
        self._start = _position(inner) if is_file else None
        """Where a file begins: httpx sends it from its position."""

    @property
    def _inner(self) -> object:
        return getattr(self._stream, _INNER, None)

    def rewind(self) -> bool:
        """Prepare the body to be sent again from its beginning.

        Returns:
            False if that is impossible: it was read from a generator or a connection, for example.
        """
        if isinstance(self._stream, httpx.ByteStream):
            # Bytes, a form, JSON, or no body.
            return True
        if getattr(self._stream, _IS_STARTED, None) is False:
            return True
        if hasattr(self._stream, _FIELDS):
            return all(map(_is_repeatable_part, _contents(getattr(self._stream, _FIELDS))))
        if self._start is not None:
            return _seek(self._inner, self._start)
        return _is_repeatable(self._inner)


def _contents(fields: Iterable[object]) -> Iterator[object]:
    """Return the contents of the file fields of a form."""
    return (field.file for field in fields if hasattr(field, "file"))


def _is_repeatable_part(content: object) -> bool:
    """Return whether httpx can read a file of a form again. It begins at 0 each time, where it can."""
    return isinstance(content, (bytes, str)) or _position(content) is not None


def _is_repeatable(content: object) -> bool:
    """Return whether an iterable can be read again, as a list can. An iterator, a file among them, cannot."""
    for method in ("__iter__", "__aiter__"):
        iterate = getattr(content, method, None)
        if iterate is not None and not hasattr(content, "read") and not hasattr(content, "aread"):
            # An iterator returns itself. A wrapper around one returns that one, both times.
            return iterate() is not iterate()
    return False


def _position(file: object) -> int | None:
    """Return the position of a file; None if it has none, as a pipe."""
    try:
        seekable: _Seekable = file  # type: ignore[assignment]  # the exceptions are the check
        position = seekable.tell() if seekable.seekable() else None
    except (AttributeError, OSError, ValueError):
        return None
    return position if isinstance(position, int) else None


def _seek(file: object, position: int) -> bool:
    try:
        seekable: _Seekable = file  # type: ignore[assignment]  # as above
        seekable.seek(position)
    except (OSError, ValueError):
        # It was closed meanwhile, for example.
        return False
    return True

"""JSON from outside, read strictly.

`json.loads` takes UTF-16, duplicate members, NaN and any top-level value, and raises `RecursionError` on deep nesting.
A token endpoint that sends such things is broken or hostile; RFC 8259 sections 4 and 8.1 allow none of it.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import json
    from typing import Any, Final, NoReturn, TypeAlias

    JsonObject: TypeAlias = dict[str, Any]
else:
    JsonObject = dict

_BOM: Final = b"\xef\xbb\xbf"
_LARGEST: Final = sys.float_info.max
_LONGEST: Final = 4000
"""Digits of an integer."""


class JsonError(ValueError):
    """The bytes are not one strict JSON object. The message names the rule, never the content."""


def loads_object(data: bytes) -> JsonObject:
    """Read one JSON object.

    Args:
        data: UTF-8; a byte order mark is skipped.

    Returns:
        The object.

    Raises:
        JsonError: It is not UTF-8, not JSON, has a duplicate member or NaN, is nested too deeply, or is no object.
    """
    value: object = None
    problem = ""
    # The library's exceptions hold the whole body (`doc`, `object`), so ours is raised after they are gone.
    try:
        text = data.removeprefix(_BOM).decode("utf-8")
        value = _decoder().decode(text)
    except UnicodeDecodeError:
        problem = "not UTF-8"
    except JsonError as error:
        problem = str(error)
    except RecursionError:
        problem = "nested too deeply"
    except ValueError:
        problem = "not JSON"
    if problem:
        raise JsonError(problem)
    if not isinstance(value, dict):
        raise JsonError("not a JSON object")
    return value


@functools.cache
def _decoder() -> json.JSONDecoder:
    # Imported here: the URL is shown to the person long before the first JSON arrives.
    import json  # noqa: PLC0415

    return json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_float, parse_int=_int)


def _object(pairs: list[tuple[str, object]]) -> JsonObject:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise JsonError("a duplicate member")
    return result


def _no_constant(_name: str) -> NoReturn:
    raise JsonError("a number that JSON does not know")


def _float(digits: str) -> float:
    # An infinity could not be written back; RFC 8259 section 6 lets a reader limit the range.
    return max(-_LARGEST, min(float(digits), _LARGEST))


def _int(digits: str) -> float:
    # Python refuses to read more; nobody means such a number, and it must not cost anybody their login.
    return int(digits) if len(digits) <= _LONGEST else _float(digits)

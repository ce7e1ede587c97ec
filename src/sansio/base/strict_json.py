"""Read JSON from outside strictly.

`json.loads` accepts UTF-16, duplicate members, NaN and any top-level value, and raises `RecursionError` on deep
nesting. A token endpoint that sends such a body is broken or hostile. RFC 8259 sections 4, 6 and 8.1 do not allow them.
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
"""The most digits of an integer that is read exactly."""


class JsonError(ValueError):
    """The bytes are not a strict JSON object. The message names the rule, never the content."""


def loads_object(data: bytes) -> JsonObject:
    """Read one JSON object.

    Args:
        data: The text in UTF-8. A byte order mark at the beginning is skipped.

    Returns:
        The object.

    Raises:
        JsonError: The data is not UTF-8, not JSON or not an object, has a duplicate member or NaN, or is nested too
            deeply.
    """
    value: object = None
    problem = ""
    # The library's exceptions hold the whole body (`doc`, `object`). Ours is raised outside, so that it has no context.
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
    # Imported here, because the URL is shown to the person long before the first JSON arrives.
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
    # JSON has no infinity. RFC 8259 section 6 lets a reader limit the range.
    return max(-_LARGEST, min(float(digits), _LARGEST))


def _int(digits: str) -> float:
    # Python refuses to read longer integers. Such a number matters to no login, so it must not end one.
    return int(digits) if len(digits) <= _LONGEST else _float(digits)

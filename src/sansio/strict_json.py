"""JSON from outside, read strictly.

`json.loads` takes UTF-16, duplicate members, NaN and any top-level value, and raises `RecursionError` on deep nesting.
A token endpoint that sends such things is broken or hostile; RFC 8259 sections 4 and 8.1 allow none of it.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeAlias

JsonObject: TypeAlias = dict[str, Any]

_BOM = b"\xef\xbb\xbf"


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
    # Imported here: the URL is shown to the person long before the first JSON arrives.
    import json  # noqa: PLC0415

    value: object = None
    problem = ""
    # The library's exceptions hold the whole body (`doc`, `object`), so ours is raised after they are gone.
    try:
        text = data.removeprefix(_BOM).decode("utf-8")
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_finite)
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


def _object(pairs: list[tuple[str, object]]) -> JsonObject:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise JsonError("a duplicate member")
    return result


def _no_constant(_name: str) -> NoReturn:
    raise JsonError("a number that JSON does not know")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise JsonError("a number out of range")
    return number

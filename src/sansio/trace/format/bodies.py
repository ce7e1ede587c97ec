"""Rebuild the bodies of responses from members that were reviewed. No body is copied as a whole.

A body that cannot be read becomes another one that cannot be read for the same reason.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode

from ...base.http import header_values
from ...base.strict_json import JsonError, loads_object
from ...model.claims import LAST_MOMENT
from ...oauth.responses import MAX_TOKEN_RESPONSE, is_web_page, plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...base.http import Headers
    from ...base.strict_json import JsonObject
    from ..placeholders import Placeholders

TOO_LARGE: Final = b" " * (MAX_TOKEN_RESPONSE + 1)
TOO_DEEP: Final = b"[" * 200_000
NOT_JSON: Final = b"{"
WEB_PAGE: Final = b"<"
UNREADABLE: Final[Mapping[str, bytes]] = {
    "not UTF-8": b"\xff",
    "nested too deeply": TOO_DEEP,
    "a duplicate member": b'{"a":0,"a":0}',
    "a number that JSON does not know": b'{"a":NaN}',
    "not a JSON object": b"[]",
}
"""The body for each message of `strict_json`. For all other messages it is `NOT_JSON`."""
_FORM: Final = b"application/x-www-form-urlencoded"


class Members:
    """Rebuilds the bodies of one kind of response. Members that are not named here are dropped.

    Args:
        placeholders: The placeholders of the login.
        texts: The function that redacts each text, by the name of the member. The members of an error are added.
        numbers: The members in which numbers are kept.
        whole: The function that redacts each member of any type.
    """

    def __init__(
        self,
        placeholders: Placeholders,
        texts: Mapping[str, Callable[[str], str]],
        *,
        numbers: tuple[str, ...] = (),
        whole: Mapping[str, Callable[[object], object]] | None = None,
    ) -> None:
        self._placeholders = placeholders
        self._texts: dict[str, Callable[[str], str]] = {
            **dict.fromkeys(("error", "code"), lambda code: placeholders.word("error", code)),
            **dict.fromkeys(("error_description", "message"), placeholders.text),
            **texts,
        }
        self.keeps_web_pages = False
        """A web page means something else than another text."""
        self._numbers = numbers
        self._whole = whole or {}

    def body(self, headers: Headers, body: bytes) -> bytes:
        """Return a body that means the same for the machine, without secrets and persons."""
        if len(body) > MAX_TOKEN_RESPONSE:
            return TOO_LARGE
        problem = ""
        try:
            content = loads_object(body)
        except JsonError as error:
            problem = str(error)
        if problem == "not JSON" and _is_form(headers):
            members = parse_qsl(body.decode("latin-1"), keep_blank_values=True)
            return urlencode(self.rebuilt(dict(members))).encode("ascii")
        if problem == "not JSON" and self.keeps_web_pages and is_web_page(body):
            return WEB_PAGE
        if problem == "not JSON":
            return self._placeholders.text(plain_text(headers, body)).encode("utf-8") or NOT_JSON
        if problem:
            return UNREADABLE[problem]
        return json.dumps(self.rebuilt(content)).encode("ascii")

    def rebuilt(self, content: JsonObject) -> JsonObject:
        """Return an object with the members that were reviewed."""
        known = (*self._texts, *self._numbers, *self._whole)
        return {name: self._member(name, value) for name, value in content.items() if name in known}

    def _member(self, name: str, value: object) -> object:
        if name in self._whole:
            return self._whole[name](value)
        if isinstance(value, str) and name in self._texts:
            return self._texts[name](value) if value else ""
        if name in self._numbers and isinstance(value, (int, float)):
            return value
        if name == "error" and isinstance(value, dict):
            return {inner: self._member(inner, value[inner]) for inner in ("code", "message") if inner in value}
        return of_its_kind(value)


def moment_of(value: object) -> object:
    """Return a time in seconds since 1970, and an empty value in place of another one."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # (Values beyond are no usable times.)
        return value if abs(value) < LAST_MOMENT else LAST_MOMENT
    return of_its_kind(value)


def of_its_kind(value: object) -> object:
    """Return an empty value of the same JSON type."""
    for kind, empty in ((bool, value), ((int, float), 0), (str, value and "other"), (list, []), (dict, {})):
        if isinstance(value, kind):
            return empty
    return None


def _is_form(headers: Headers) -> bool:
    kinds = [value.partition(b";")[0].strip().lower() for value in header_values(headers, b"content-type")]
    return kinds == [_FORM]

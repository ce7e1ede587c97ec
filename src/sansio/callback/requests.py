"""Classify a request to the callback listener.

The checks are made on the raw bytes, in the order of docs/design/listener.md. An origin-form target is not parsed as a
URL, because ``urlsplit("//auth/callback")`` would find a host in it. Paths are compared without decoding them and
without removing dots and slashes.
"""

from __future__ import annotations

import functools
from urllib.parse import unquote_to_bytes

from ..base.records import Record
from ..base.secret import same_secret
from ..oauth.authorization import is_code
from . import responses
from .judgement import Callback, is_incomplete, judge_callback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeAlias

    from ..base.http import Headers
    from .judgement import CallbackRules
    from .responses import Response

MAX_TARGET: Final = 8192
"""The most bytes of a request target, and the most characters of a pasted address."""
MAX_PARAMETERS: Final = 50
"""The most parameters of a query."""
PREFETCH_HEADERS: Final = (b"sec-purpose", b"purpose", b"x-moz")
PREFETCH_WORDS: Final = (b"prefetch", b"prerender", b"preview")
"""One of these words in one of the prefetch headers means that the person has not opened the page yet."""
PASTE_HEADER: Final = b"loginmachine-paste"
"""The header field of a request for a pasted address, which may be cut off. Then the login goes on."""

_SINGLE: Final = frozenset({"code", "state", "error", "error_description", "error_uri", "iss", "client_id"})
"""Parameters that must not be repeated (RFC 6749 section 3.1)."""
_NAMES: Final = (b"127.0.0.1", b"localhost", b"[::1]")
"""The names of this machine."""
_BROWSER_HEADERS: Final = (b"origin", b"referer", b"cookie")
_HEX: Final = frozenset(b"0123456789ABCDEFabcdef")


class Refused(Record):
    """The request breaks a rule, or asks for an unknown path."""

    response: Response


class SuccessPageRequested(Record):
    """The request asks for this login's success page."""


class StartPageRequested(Record):
    """The request asks for this login's start page, from which the browser is sent to the provider."""


class CancelAsked(Record):
    """Another login server asks this one to stop."""


class Mismatched(Record):
    """A callback without this login's ``state``."""


Classified: TypeAlias = Refused | SuccessPageRequested | StartPageRequested | CancelAsked | Mismatched | Callback
"""The classes of a request."""


def classify_request(method: bytes, target: bytes, headers: Headers, rules: CallbackRules) -> Classified:
    """Classify a request.

    Args:
        method: The method of a complete, well-formed HTTP/1.x request without a body.
        target: The raw request target.
        headers: The header fields.
        rules: The rules of the login.
    """
    authority, origin_form = split_target(target)
    path, _, query = origin_form.partition(b"?")
    refused = _refused(method, headers, rules, authority)
    if refused is not None:
        return Refused(response=refused)
    if path == rules.provider.request_path.encode():
        return classify_callback(query, rules, is_pasted=any(name.lower() == PASTE_HEADER for name, _ in headers))
    if is_success_path(path, rules.success_path):
        return SuccessPageRequested()
    if is_start_path(path, rules.start_path):
        return StartPageRequested()
    if path == responses.CANCEL_PATH.encode():
        # Only another login server may cancel this login, and it sends no header of a browser.
        return _refuse(403) if any(is_of_browser(name, value) for name, value in headers) else CancelAsked()
    return _refuse(404)


def is_success_path(path: bytes, success_path: str) -> bool:
    """Return whether a path is that of a login's success page, in constant time.

    Args:
        path: The path of a request.
        success_path: The path of the success page.
    """
    is_like_it = path.startswith(responses.SUCCESS_PATH.encode())
    return is_like_it and same_secret(path.decode("latin-1"), success_path)


def is_start_path(path: bytes, start_path: str) -> bool:
    """Return whether a path is that of a login's start page, in constant time.

    Args:
        path: The path of a request.
        start_path: The path of the start page; empty if there is none.
    """
    return path.startswith(responses.START_PATH.encode()) and same_secret(path.decode("latin-1"), start_path)


def split_target(target: bytes) -> tuple[bytes | None, bytes]:
    """Split a request target into authority and origin form.

    Returns:
        The authority of a target in absolute form (RFC 9112 section 3.2.2); None in origin form. Then the path with the
        query.
    """
    if target[:7].lower() != b"http://":
        return None, target
    rest = target[7:]
    end = min(position for position in (rest.find(b"/"), rest.find(b"?"), len(rest)) if position >= 0)
    return rest[:end], rest[end:] or b"/"


def _refused(method: bytes, headers: Headers, rules: CallbackRules, authority: bytes | None) -> Response | None:
    """Return the response to a request that is refused whatever its path is; None if it is not refused."""
    hosts: list[bytes] = []
    purposes = b""
    for name, value in headers:
        key = name.lower()
        if key == b"host":
            hosts.append(value)
        elif key in PREFETCH_HEADERS:
            purposes += b" " + value.lower()
    # The authority of a target in absolute form replaces the value of the Host field (RFC 9112 section 3.2.2).
    if len(hosts) != 1 or (authority is None and not hosts[0].strip()):
        return responses.refusal(400)
    named = (hosts[0] if authority is None else authority).strip().lower()
    if named not in own_authorities(rules.port):
        # DNS rebinding: the name of another host resolves to loopback.
        return responses.other_port(rules.port) if _is_other_port(named) else responses.refusal(403)
    if purposes and any(word in purposes for word in PREFETCH_WORDS):
        # A prefetch would use up the code. After a 204 or 200 the browser would not send the real request.
        return responses.refusal(503)
    return None if method == b"GET" else responses.refusal(405)


def _is_other_port(authority: bytes) -> bool:
    """Return whether an authority is one that a browser sends for a port of this machine.

    A browser leaves out the default port.
    """
    host, _, port = authority.rpartition(b":")
    is_port = port.isdigit() and len(port) <= 5 and port != b"80"
    return authority in _NAMES or (host in _NAMES and is_port)


def classify_callback(
    query: bytes, rules: CallbackRules, *, is_pasted: bool = False
) -> Refused | Mismatched | Callback:
    """Classify a callback by its raw query.

    Args:
        query: The query.
        rules: The rules of the login.
        is_pasted: Whether a person has pasted it. Then it may be cut off.
    """
    parameters = read_query(query)
    if parameters is None:
        return Refused(response=responses.malformed_callback())
    # The state is checked before all other parameters, `error` included, because any web page can send a browser here
    # (CVE-2026-42073).
    if not same_secret(parameters.get("state", ""), rules.state):
        return Mismatched()
    if is_pasted and is_incomplete(parameters, rules):
        return Refused(response=responses.malformed_callback())
    return judge_callback(parameters, rules)


def has_state(target: bytes, state: str) -> bool:
    """Return whether the query of a request target has this ``state``."""
    _, origin_form = split_target(target)
    parameters = read_query(origin_form.partition(b"?")[2])
    return parameters is not None and same_secret(parameters.get("state", ""), state)


def is_of_browser(name: bytes, value: bytes) -> bool:
    """Return whether a header field shows that a browser sent the request. Login servers do not send such fields."""
    key = name.lower()
    if key == b"user-agent":
        return b"mozilla/" in value.lower()
    return key in _BROWSER_HEADERS or key.startswith(b"sec-fetch-")


def read_query(query: bytes) -> dict[str, str] | None:
    """Read form-encoded parameters.

    Returns:
        The parameters that have a value: one without is as absent (RFC 6749 section 3.1). None if they cannot be
        decoded, are more than 50, repeat one that must be single, or have a code that cannot be one.
    """
    fields = query.split(b"&") if query else []
    if len(fields) > MAX_PARAMETERS:
        return None
    parameters: dict[str, str] = {}
    for field in fields:
        encoded_name, _, encoded_value = field.partition(b"=")
        name, value = _decode(encoded_name), _decode(encoded_value)
        if name is None or value is None or (name in _SINGLE and name in parameters):
            return None
        parameters[name] = value
    given = {name: value for name, value in parameters.items() if value}
    return given if "code" not in given or is_code(given["code"]) else None


def _decode(text: bytes) -> str | None:
    # urllib leaves a broken escape as it is. Here it makes the parameter unreadable.
    if b"%" in text and any(len(rest) < 2 or not _HEX.issuperset(rest[:2]) for rest in text.split(b"%")[1:]):
        return None
    try:
        return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        return None


@functools.lru_cache(maxsize=16)
def own_authorities(port: int) -> frozenset[bytes]:
    """Return the host names with port under which the callback listener is reached, in lower case."""
    with_port = frozenset(b"%b:%d" % (name, port) for name in _NAMES)
    # Browsers leave out the default port.
    return with_port | frozenset(_NAMES) if port == 80 else with_port


def _refuse(status: int) -> Refused:
    return Refused(response=responses.refusal(status))

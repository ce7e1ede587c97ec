"""A request to the callback listener -> what it means.

The checks are made in the order of DESIGN section 3, on the raw bytes: an origin-form target is never parsed as a URL
(``urlsplit("//auth/callback")`` would read a host), nothing is decoded, and no dot or slash is folded.
"""

from __future__ import annotations

import functools
from urllib.parse import unquote_to_bytes

from ..base.records import Record, hidden
from ..base.secret import same_secret
from ..base.text import clean_text, is_visible_ascii
from ..login.interpretation import Interpretation
from ..login.states import Trigger
from . import responses as answers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..login.events import RequestReceived
    from ..model.provider import Provider

MAX_TARGET: Final = 8192
"""Bytes of a request target, and so characters of an address that somebody pastes instead."""
MAX_PARAMETERS: Final = 50
MAX_CODE: Final = 4096
PREFETCH_HEADERS: Final = (b"sec-purpose", b"purpose", b"x-moz")
PREFETCH_WORDS: Final = (b"prefetch", b"prerender", b"preview")
"""In one of these header fields, one of these words says that nobody has asked for the page yet."""

_SINGLE: Final = frozenset({"code", "state", "error", "error_description", "error_uri", "iss"})
"""Parameters that must not be repeated (RFC 6749 section 3.1)."""
_BROWSER_HEADERS: Final = (b"origin", b"referer", b"cookie")
_HEX: Final = frozenset(b"0123456789ABCDEFabcdef")


class CallbackRules(Record):
    """What the listener needs to know of the login to read a request."""

    provider: Provider
    port: int
    state: str = hidden()
    accepted_code: str = hidden(default="")
    """The code of the callback that was accepted, if there was one."""
    hide: tuple[str, ...] = hidden(default=())
    """Secrets that the other side may echo."""


def route(request: RequestReceived, rules: CallbackRules) -> Interpretation:
    """Say what a request means.

    Args:
        request: A whole, well-formed HTTP/1.x request without a body.
        rules: The login it came to.
    """
    authority, origin_form = split_target(request.target)
    path, _, query = origin_form.partition(b"?")
    refused = _refused(request, rules, authority)
    if refused:
        return _refuse(request, refused)
    if path == rules.provider.callback_path.encode():
        return _callback(request, query, rules)
    if path == answers.SUCCESS_PATH.encode():
        return Interpretation(trigger=Trigger.SUCCESS_PAGE_REQUESTED, request_id=request.request_id)
    if path == answers.CANCEL_PATH.encode():
        return _cancel(request)
    return _refuse(request, 404)


def split_target(target: bytes) -> tuple[bytes | None, bytes]:
    """The authority of an absolute-form target (RFC 9112 section 3.2.2), if it is one, and what follows it."""
    if target[:7].lower() != b"http://":
        return None, target
    rest = target[7:]
    end = min(position for position in (rest.find(b"/"), rest.find(b"?"), len(rest)) if position >= 0)
    return rest[:end], rest[end:] or b"/"


def _refused(request: RequestReceived, rules: CallbackRules, authority: bytes | None) -> int:
    """The status with which a request is turned away before its path is looked at; 0 if it is not."""
    hosts: list[bytes] = []
    purposes = b""
    for name, value in request.headers:
        key = name.lower()
        if key == b"host":
            hosts.append(value)
        elif key in PREFETCH_HEADERS:
            purposes += b" " + value.lower()
    if len(hosts) != 1 or not hosts[0].strip():
        return 400
    allowed = own_authorities(rules.port)
    named = [hosts[0]] if authority is None else [hosts[0], authority]
    if any(name.strip().lower() not in allowed for name in named):
        # DNS rebinding: a foreign name that resolves to loopback.
        return 403
    if purposes and any(word in purposes for word in PREFETCH_WORDS):
        # A prefetch would spend the code. After a 204 or 200 the real navigation would not come.
        return 503
    return 0 if request.method == b"GET" else 405


def _callback(request: RequestReceived, query: bytes, rules: CallbackRules) -> Interpretation:
    parameters = read_query(query)
    if parameters is None:
        return Interpretation(
            trigger=Trigger.REQUEST_REFUSED, request_id=request.request_id, answer=answers.malformed_callback()
        )
    # Before anything else is believed, `error` included: any web page can send a browser here (CVE-2026-42073).
    if not same_secret(parameters.get("state", ""), rules.state):
        message = "the callback does not carry this sign-in's state"
        return Interpretation(
            trigger=Trigger.CALLBACK_MISMATCHED,
            request_id=request.request_id,
            message=message,
            answer=answers.mismatch(message, rules.provider.help_url),
        )
    return judge_callback(parameters, rules, request.request_id)


def judge_callback(parameters: dict[str, str], rules: CallbackRules, request_id: int | None) -> Interpretation:
    """Say what a callback with the right state means, however it came.

    Args:
        parameters: Its query.
        rules: The login it came to.
        request_id: That of the request that brought it; None if nobody waits for an answer.
    """
    trigger, message = _read_callback(parameters, rules.provider)
    code = parameters.get("code", "")
    if rules.accepted_code:
        same = trigger is Trigger.CALLBACK_ACCEPTED and same_secret(code, rules.accepted_code)
        trigger = Trigger.CALLBACK_REPEATED if same else Trigger.CALLBACK_CONFLICTED
    return Interpretation(
        trigger=trigger,
        request_id=request_id,
        message=clean_text(message, hide=(rules.state, *rules.hide, code)),
        code=code if trigger is Trigger.CALLBACK_ACCEPTED else "",
    )


def _read_callback(parameters: dict[str, str], provider: Provider) -> tuple[Trigger, str]:
    """What a callback with the right state says."""
    issuer = parameters.get("iss")
    if issuer is None and provider.promises_iss:
        return Trigger.CALLBACK_ISSUER_MISMATCHED, "the callback names no issuer, and this provider always does"
    if issuer is not None and issuer != provider.issuer:
        return Trigger.CALLBACK_ISSUER_MISMATCHED, f"the callback names the issuer {issuer or '(empty)'}"
    error = parameters.get("error")
    if error is not None:
        return Trigger.CALLBACK_DENIED, _denial(error, parameters.get("error_description", ""), provider)
    code = parameters.get("code", "")
    if not code:
        return Trigger.CALLBACK_WITHOUT_CODE, "the callback has neither a code nor an error"
    if len(code) > MAX_CODE or not is_visible_ascii(code):
        return Trigger.CALLBACK_WITHOUT_CODE, "the callback's code is too long or holds characters that no code has"
    return Trigger.CALLBACK_ACCEPTED, ""


def _denial(error: str, description: str, provider: Provider) -> str:
    marker = provider.no_entitlement_marker
    if error == "access_denied" and marker and marker in description:
        return "this workspace has no access; ask the workspace administrator to grant it"
    return f"{error}: {description}" if description else error or "(empty)"


def _cancel(request: RequestReceived) -> Interpretation:
    """``/cancel`` acts only for another login server."""
    if any(is_of_browser(name, value) for name, value in request.headers):
        return _refuse(request, 403)
    return Interpretation(
        trigger=Trigger.CANCEL_REQUESTED,
        request_id=request.request_id,
        message="another sign-in on this machine took over",
    )


def is_of_browser(name: bytes, value: bytes) -> bool:
    """Whether a header field tells of a browser, each of which sends some such field; a login server sends none."""
    key = name.lower()
    if key == b"user-agent":
        return b"mozilla/" in value.lower()
    return key in _BROWSER_HEADERS or key.startswith(b"sec-fetch-")


def read_query(query: bytes) -> dict[str, str] | None:
    """The form-encoded parameters; None if they are undecodable, too many, or one that must be single is repeated."""
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
    return parameters


def _decode(text: bytes) -> str | None:
    # urllib leaves a broken escape as it is; here it means that nobody knows what was meant.
    if b"%" in text and any(len(rest) < 2 or not _HEX.issuperset(rest[:2]) for rest in text.split(b"%")[1:]):
        return None
    try:
        return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        return None


@functools.lru_cache(maxsize=16)
def own_authorities(port: int) -> frozenset[bytes]:
    """Under what names the callback listener is reached."""
    names = (b"127.0.0.1", b"localhost", b"[::1]")
    with_port = frozenset(b"%b:%d" % (name, port) for name in names)
    # Browsers leave out the default port.
    return with_port | frozenset(names) if port == 80 else with_port


def _refuse(request: RequestReceived, status: int) -> Interpretation:
    return Interpretation(
        trigger=Trigger.REQUEST_REFUSED, request_id=request.request_id, answer=answers.refusal(status)
    )

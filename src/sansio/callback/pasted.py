"""Classify a pasted address.

If the browser is on another machine, no listener answers the callback there. The person copies the address on which the
browser ended, and pastes it here. The rules for a callback request apply to its query, with two exceptions: host, port
and path may be others, and an address that is cut off does not end the login, because the person can paste it again.
"""

from __future__ import annotations

from enum import StrEnum

from ..base.records import Record, hidden
from ..base.secret import same_secret
from .judgement import is_incomplete, judge_callback
from .requests import MAX_TARGET, own_authorities, read_query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Final

    from .addresses import Address
    from .judgement import Callback, CallbackRules


class PasteProblem(StrEnum):
    """What is wrong with a pasted address."""

    NOT_AN_ADDRESS = "not_an_address"
    AUTHORIZATION_REQUEST = "authorization_request"
    """It is the authorization request, with which the sign-in begins."""
    OTHER_ADDRESS = "other_address"
    """It is the address of another page."""
    OTHER_SIGN_IN = "other_sign_in"
    """It does not carry this login's ``state``."""
    INCOMPLETE = "incomplete"
    """Its end is missing, or it is damaged."""
    ALREADY_ANSWERED = "already_answered"
    """Another callback was accepted before."""


PASTE_ADVICE: Final[Mapping[PasteProblem, str]] = {
    PasteProblem.NOT_AN_ADDRESS: "That is not an address. Copy all of your browser's address bar.",
    PasteProblem.AUTHORIZATION_REQUEST: (
        "That is the address to begin with. Sign in there, then paste the address on which your browser ends."
    ),
    PasteProblem.OTHER_ADDRESS: "That is the address of another page. The right one begins with",
    PasteProblem.OTHER_SIGN_IN: (
        "That address belongs to another sign-in, perhaps an older one. Use the address shown above, then paste again."
    ),
    PasteProblem.INCOMPLETE: "That address is cut off or damaged. Copy all of your browser's address bar.",
    PasteProblem.ALREADY_ANSWERED: "This sign-in is already being completed; nothing more needs to be pasted.",
}
"""The text for the person. After the text for `OTHER_ADDRESS` comes the redirect URI."""


def classify_paste(text: str, rules: CallbackRules) -> Callback | PasteProblem:
    """Classify a pasted text.

    Args:
        text: The text. It may hold more than the address, and white space in the address.
        rules: The rules of the login.

    Returns:
        The callback, or why the text is none.
    """
    query = pasted_query(text, rules)
    if isinstance(query, PasteProblem):
        return query
    parameters = read_query(query)
    if parameters is None:
        return PasteProblem.INCOMPLETE
    return _judge_state(parameters, rules) or judge_callback(parameters, rules)


def _judge_state(parameters: dict[str, str], rules: CallbackRules) -> PasteProblem | None:
    """Return why parameters are not those of this login, or not all of them; None if they are."""
    state = parameters.get("state", "")
    if not same_secret(state, rules.state):
        # Only the length decides: the state of another sign-in is as long as ours.
        return PasteProblem.OTHER_SIGN_IN if len(state) >= len(rules.state) else PasteProblem.INCOMPLETE
    return PasteProblem.INCOMPLETE if is_incomplete(parameters, rules) else None


def pasted_query(text: str, rules: CallbackRules) -> bytes | PasteProblem:
    """Return the query of the callback address in a text, or why there is none.

    The query of any address with this login's ``state`` is taken: with a tunnel, or where a web page shows the address,
    the host and the port are others.

    Args:
        text: The pasted text.
        rules: The rules of the login.

    Returns:
        The query. If none finishes the login, the one that looks most like a callback.
    """
    from .addresses import readings, words_of  # noqa: PLC0415 - not needed before the login URL is shown

    problem: bytes | PasteProblem | None = None
    for addresses in readings(text):
        wrong = [_wrong_query(address, rules) for address in addresses]
        if None in wrong:
            return addresses[wrong.index(None)].query.encode("ascii")
        if problem is None:
            problem = _best(found for found in wrong if found is not None)
    if problem is None:
        problem = _best(_wrong_word(word, rules) for word in words_of(text))
    return PasteProblem.NOT_AN_ADDRESS if problem is None else problem


def _wrong_query(address: Address, rules: CallbackRules) -> bytes | PasteProblem | None:
    """Return None for an address that finishes the login, and otherwise its query, or what it is instead."""
    own = own_authorities(rules.port)
    raw = address.query.encode("ascii")
    is_known = not address.authority or address.authority.encode("ascii") in own
    url = f"://{address.authority}{address.path}"
    parameters = read_query(raw) or {}
    if _judge_state(parameters, rules) is None:
        return None
    if "response_type" in parameters or rules.provider.authorization_endpoint.lower().endswith(url.lower()):
        return PasteProblem.AUTHORIZATION_REQUEST
    if not parameters.get("state") and not is_known:
        return PasteProblem.OTHER_ADDRESS if address.has_scheme else PasteProblem.NOT_AN_ADDRESS
    if is_known and address.path not in ("", rules.provider.request_path) and not parameters.get("state"):
        return PasteProblem.OTHER_ADDRESS
    return raw


def _wrong_word(word: str, rules: CallbackRules) -> PasteProblem:
    """Return what a word without a query is: an address of another page, the start of the right one, or none."""
    if rules.provider.authorization_endpoint in word:
        return PasteProblem.AUTHORIZATION_REQUEST
    _, scheme, rest = word.rpartition("://")
    authority, slash, path = rest.strip("'()*").partition("/")
    if len(word) > MAX_TARGET:
        return PasteProblem.NOT_AN_ADDRESS
    if authority.lower().encode("ascii") not in own_authorities(rules.port):
        return PasteProblem.OTHER_ADDRESS if scheme else PasteProblem.NOT_AN_ADDRESS
    is_start = rules.provider.request_path.startswith((slash + path).partition("#")[0])
    return PasteProblem.INCOMPLETE if is_start else PasteProblem.OTHER_ADDRESS


def _best(found: Iterable[bytes | PasteProblem]) -> bytes | PasteProblem | None:
    """Return what says most about a text: a query, or else a problem; None if there is nothing but words."""
    every = list(found)
    queries = [each for each in every if isinstance(each, bytes)]
    problems = (PasteProblem.AUTHORIZATION_REQUEST, PasteProblem.INCOMPLETE, PasteProblem.OTHER_ADDRESS)
    return queries[0] if queries else next((problem for problem in problems if problem in every), None)


class LoopbackCallback(Record):
    """The callback of a login that waits on this machine."""

    hosts: tuple[str, ...]
    """The addresses to try, in this order."""
    port: int
    target: str = hidden()
    """The request target. It carries the authorization code."""


_LOOPBACK_HOSTS: Final[Mapping[str, tuple[str, ...]]] = {
    "127.0.0.1": ("127.0.0.1",),
    "localhost": ("127.0.0.1", "::1"),
    "[::1]": ("::1",),
}
_USUAL_PATH: Final = "/auth/callback"


def read_loopback_callback(text: str, *, port: int | None = None) -> LoopbackCallback | None:
    """Find the listener that a pasted address belongs to, without knowing the login.

    Args:
        text: The pasted text. It may hold more than the address.
        port: The port of the listener, 1 to 65535. None for that of the address, which then has a host of this machine.

    Returns:
        The callback. None if the text holds no address with a state, and a code or an error, or if the port is unknown.
    """
    from .addresses import readings  # noqa: PLC0415 - as above

    for addresses in readings(text):
        for address in addresses:
            parameters = read_query(address.query.encode("ascii")) or {}
            is_callback = "state" in parameters and ("code" in parameters or "error" in parameters)
            host, _, digits = address.authority.rpartition(":")
            is_port = digits.isdigit() and len(digits) <= 5 and 0 < int(digits) <= 65535
            is_ours = host in _LOOPBACK_HOSTS and is_port
            if not is_callback or "response_type" in parameters or (port is None and not is_ours):
                continue
            return LoopbackCallback(
                hosts=_LOOPBACK_HOSTS[host if port is None else "localhost"],
                port=int(digits) if port is None else port,
                target=f"{address.path or _USUAL_PATH}?{address.query}",
            )
    return None

"""Classify a pasted address.

If the browser is on another machine, no listener answers the callback there. The person copies the address on which the
browser ended, and pastes it here. The rules for a callback request apply to it too, with one exception: an address that
is cut off does not end the login, because the person can paste it again.
"""

from __future__ import annotations

from enum import StrEnum

from ..base.records import Record, hidden
from ..base.secret import same_secret
from ..base.text import is_visible_ascii
from .requests import MAX_TARGET, judge_callback, own_authorities, read_query, split_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from .requests import Callback, CallbackRules

_WRAPPERS: Final = "<>\"'`"
"""Characters that mail programs, chats and people put around an address. They are no part of it."""


class PasteProblem(StrEnum):
    """What is wrong with a pasted address."""

    NOT_AN_ADDRESS = "not_an_address"
    AUTHORIZATION_REQUEST = "authorization_request"
    """It is the authorization request, with which the sign-in begins."""
    OTHER_ADDRESS = "other_address"
    """It does not begin with this login's redirect URI: the port, the path or the machine is another one."""
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
        text: The text. White space in it is ignored, because terminals and mail programs break long lines.
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
    state = parameters.get("state", "")
    if not same_secret(state, rules.state):
        # Only the length decides: the state of another sign-in is as long as ours.
        return PasteProblem.OTHER_SIGN_IN if len(state) >= len(rules.state) else PasteProblem.INCOMPLETE
    if _is_cut_off(parameters, rules):
        return PasteProblem.INCOMPLETE
    return judge_callback(parameters, rules)


def pasted_query(text: str, rules: CallbackRules) -> bytes | PasteProblem:
    """Return the query of the callback address in a text, or why there is none.

    Args:
        text: The pasted text.
        rules: The rules of the login.
    """
    address = _address_in(text)
    if address is None:
        return PasteProblem.NOT_AN_ADDRESS
    if address.startswith(rules.provider.authorization_endpoint):
        return PasteProblem.AUTHORIZATION_REQUEST
    raw = address.encode("ascii")
    own = own_authorities(rules.port)
    path = rules.provider.callback_path.encode()
    if raw.startswith((b"?", b"code=", b"state=", b"error=")):
        return raw.removeprefix(b"?")
    if raw.partition(b"/")[0].lower() in own:
        # Browsers show addresses without the scheme.
        raw = b"http://" + raw
    authority, origin_form = split_target(raw)
    if authority is None:
        return PasteProblem.OTHER_ADDRESS if b"://" in raw else PasteProblem.NOT_AN_ADDRESS
    found, _, query = origin_form.partition(b"?")
    if authority.lower() not in own or (found != path and not path.startswith(found)):
        return PasteProblem.OTHER_ADDRESS
    return query if found == path else PasteProblem.INCOMPLETE


def _address_in(text: str) -> str | None:
    """Return the pasted address without white space and quotes; None if the text cannot be an address."""
    address = "".join(text.split()).strip(_WRAPPERS)
    if not is_visible_ascii(address) or len(address) > MAX_TARGET:
        return None
    # A browser sends no fragment, but some pages add an empty one to the address.
    return address.partition("#")[0]


def _is_cut_off(parameters: dict[str, str], rules: CallbackRules) -> bool:
    """Return whether a callback with the right state lacks a parameter, or the end of one."""
    if "error" in parameters:
        return False
    if not parameters.get("code"):
        return True
    issuer = parameters.get("iss")
    if issuer is None:
        return rules.provider.promises_iss
    return issuer != rules.provider.issuer and rules.provider.issuer.startswith(issuer)


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


def read_loopback_callback(text: str) -> LoopbackCallback | None:
    """Find the listener that a pasted address belongs to, without knowing the login.

    Returns:
        The callback. None if the address has another host or no port, or lacks a state, or lacks a code and an error.
    """
    address = _address_in(text)
    if address is None:
        return None
    if address[:7].lower() != "http://":
        address = f"http://{address}"
    authority, origin_form = split_target(address.encode("ascii"))
    parameters = read_query(origin_form.partition(b"?")[2])
    host, _, port = (authority or b"").decode("ascii").lower().rpartition(":")
    is_port = port.isdigit() and len(port) <= 5 and 0 < int(port) <= 65535
    if host not in _LOOPBACK_HOSTS or not is_port or not origin_form.startswith(b"/"):
        return None
    if parameters is None or not parameters.get("state") or not ("code" in parameters or "error" in parameters):
        return None
    return LoopbackCallback(hosts=_LOOPBACK_HOSTS[host], port=int(port), target=origin_form.decode("ascii"))

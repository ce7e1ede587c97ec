"""Decide what a callback with the right ``state`` means, from a request or from a pasted address."""

from __future__ import annotations

from enum import StrEnum

from ..base.records import Record, hidden
from ..base.secret import same_secret
from ..base.text import clean_text
from .issued_client import is_cut_off, why_not_issued

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model.provider import Provider


class CallbackRules(Record):
    """The values of a login that decide what a request means."""

    provider: Provider
    port: int
    state: str = hidden()
    accepted_code: str = hidden(default="")
    """The code of the accepted callback; empty if none was accepted."""
    success_path: str = hidden(default="")
    """The path of this login's success page; empty if it has none."""
    start_path: str = hidden(default="")
    """The path of this login's start page; empty if it has none, or if a browser was there."""
    hide: tuple[str, ...] = hidden(default=())
    """Secrets that the other side may echo."""


class CallbackVerdict(StrEnum):
    """What a callback with the right ``state`` means."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    """The callback was accepted before."""
    CONFLICTED = "conflicted"
    """Another callback was accepted before."""
    DENIED = "denied"
    """The provider sent an error (RFC 6749 section 4.1.2.1)."""
    WITHOUT_CODE = "without_code"
    """It has neither an error nor a code."""
    ISSUER_MISMATCHED = "issuer_mismatched"
    """It does not name the right issuer (RFC 9207)."""
    CLIENT_REFUSED = "client_refused"
    """It does not name a client that can exchange the code (`callback.issued_client`)."""


class Callback(Record):
    """A callback with this login's ``state``."""

    verdict: CallbackVerdict
    code: str = hidden(default="")
    """The authorization code of an accepted callback."""
    client_id: str = ""
    """The client that the callback names; empty if it names none, or if it was not accepted."""
    message: str = ""
    """What is wrong with the callback, as clean text; empty if it was accepted."""


def judge_callback(parameters: dict[str, str], rules: CallbackRules) -> Callback:
    """Decide what a callback with the right state means, from a request or from a pasted address.

    Args:
        parameters: The parameters of its query.
        rules: The rules of the login.
    """
    verdict, message = _read_callback(parameters, rules.provider)
    code = parameters.get("code", "")
    if rules.accepted_code:
        same = verdict is CallbackVerdict.ACCEPTED and same_secret(code, rules.accepted_code)
        verdict = CallbackVerdict.REPEATED if same else CallbackVerdict.CONFLICTED
    return Callback(
        verdict=verdict,
        code=code if verdict is CallbackVerdict.ACCEPTED else "",
        client_id=parameters.get("client_id", "") if verdict is CallbackVerdict.ACCEPTED else "",
        message=clean_text(message, hide=(rules.state, *rules.hide, code)),
    )


def is_incomplete(parameters: dict[str, str], rules: CallbackRules) -> bool:
    """Return whether a pasted address with the right state lacks a parameter, or the end of one.

    Args:
        parameters: The parameters of its query.
        rules: The rules of the login.
    """
    if "error" in parameters:
        return False
    if "code" not in parameters or is_cut_off(parameters.get("client_id", ""), rules.provider):
        return True
    issuer, ours = parameters.get("iss"), rules.provider.issuer or ""
    if issuer is None:
        return rules.provider.promises_iss
    return issuer != ours and ours.startswith(issuer)


def _read_callback(parameters: dict[str, str], provider: Provider) -> tuple[CallbackVerdict, str]:
    issuer = parameters.get("iss")
    if issuer is None and provider.promises_iss:
        message = "the callback names no issuer, and this provider always does"
        return CallbackVerdict.ISSUER_MISMATCHED, message
    if None not in (issuer, provider.issuer) and issuer != provider.issuer:
        return CallbackVerdict.ISSUER_MISMATCHED, f"the callback names the issuer {issuer}"
    error = parameters.get("error")
    if error is not None:
        return CallbackVerdict.DENIED, _denial(error, parameters.get("error_description", ""), provider)
    code = parameters.get("code", "")
    if not code:
        return CallbackVerdict.WITHOUT_CODE, "the callback has neither a code nor an error"
    problem = why_not_issued(parameters.get("client_id", ""), provider)
    return (CallbackVerdict.CLIENT_REFUSED, problem) if problem else (CallbackVerdict.ACCEPTED, "")


def _denial(error: str, description: str, provider: Provider) -> str:
    marker = provider.dialect.no_entitlement_marker
    if error == "access_denied" and marker and marker in description:
        return "this workspace has no access; ask the workspace administrator to grant it"
    return f"{error}: {description}" if description else error

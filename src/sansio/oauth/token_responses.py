"""Read the responses of the token endpoint (RFC 6749 section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from ..base.http import header_values
from ..base.secret import Secret
from ..base.text import is_printable_ascii
from ..model.auth_json import others_of
from ..model.claims import LAST_MOMENT
from ..model.tokens import RefreshedTokens, TokenSet
from .responses import MAX_TOKEN_RESPONSE, TOO_LARGE, Malformed, Rejected, error_code, is_overloaded, judge, read_object

if TYPE_CHECKING:
    from typing import Any, Final, TypeGuard

    from ..base.http import HttpResponse
    from ..base.strict_json import JsonObject
    from ..model.provider import Provider


class GrantRefused(Rejected):
    """The token endpoint refused the refresh token for good."""


class ClientRefused(Rejected):
    """The token endpoint refused the client: its configuration is wrong, the tokens may be good."""


_NOT_BEARER: Final = Malformed(message="the answer's token_type is not bearer")
_GRANT_REFUSED: Final = frozenset(
    # RFC 6749 section 5.2, and the provider's own codes.
    (
        *("invalid_grant", "invalid_refresh_token", "token_expired"),
        *("refresh_token_expired", "refresh_token_reused", "refresh_token_invalidated"),
    )
)
_CLIENT_REFUSED: Final = frozenset(("invalid_client", "unauthorized_client"))
_TOKEN_NAMES: Final = ("id_token", "access_token", "refresh_token")
_KNOWN_MEMBERS: Final = (*_TOKEN_NAMES, "token_type", "expires_in", "scope")
_LONGEST_NUMBER: Final = 12
_MOST_MEMBERS: Final = 100


def read_tokens(response: HttpResponse, provider: Provider, hide: tuple[str, ...]) -> TokenSet | Rejected | Malformed:
    """Read the response to a code exchange (RFC 6749 section 5).

    Args:
        response: With any status.
        provider: Says which tokens must come, and of which type they are.
        hide: Secrets that were sent. An error description may echo them.

    Returns:
        The tokens, not checked yet, or why there are none.
    """
    body = _read_members(response, provider)
    answer = judge(response, body, hide)
    if isinstance(answer, Rejected) and error_code(body) in _CLIENT_REFUSED and not is_overloaded(response.status):
        return ClientRefused(message=answer.message)
    return token_set(answer, provider) if isinstance(answer, dict) else answer


def token_set(answer: JsonObject, provider: Provider) -> TokenSet | Malformed:
    """Return the tokens in the members of a response (RFC 6749 section 5.1).

    Args:
        answer: The members.
        provider: Says which tokens must come, and of which type they are.
    """
    dialect = provider.dialect
    required = (
        _TOKEN_NAMES if dialect.gives_all_tokens else () if dialect.has_optional_access_token else ("access_token",)
    )
    read = _received(answer, provider, required)
    return read if isinstance(read, Malformed) else TokenSet(**{"access_token": Secret(""), **read})


def read_refresh(
    response: HttpResponse, provider: Provider, hide: tuple[str, ...]
) -> RefreshedTokens | Rejected | Malformed:
    """Read the response to a refresh (RFC 6749 section 6). In contrast to a code exchange, each token may be missing.

    Only an error code says that a token or the client is refused. A gateway answers with 401 too. An endpoint that is
    overloaded or in trouble has decided nothing, whatever code its answer has.

    Args:
        response: With any status.
        provider: Says of which type the tokens are.
        hide: Secrets that were sent. An error description may echo them.

    Returns:
        The tokens that were renewed, not checked yet, or why there are none.
    """
    body = _read_members(response, provider)
    answer = judge(response, body, hide)
    if isinstance(answer, Rejected):
        return answer if is_overloaded(response.status) else _refusal(error_code(body), answer)
    if isinstance(answer, Malformed):
        return answer
    read = _received(answer, provider)
    return read if isinstance(read, Malformed) else RefreshedTokens(**read)


def _received(answer: JsonObject, provider: Provider, required: tuple[str, ...] = ()) -> dict[str, Any] | Malformed:
    """Return what a response brings: the tokens that came, with their lifetime and scopes."""
    token_type = answer.get("token_type")
    if token_type is not None and not (isinstance(token_type, str) and token_type.lower() in provider.token_types):
        return _NOT_BEARER
    came = {name: answer[name] for name in _TOKEN_NAMES if not _is_absent(name, answer.get(name))}
    for name in (*came, *required):
        if not _is_token(came.get(name)):
            return Malformed(message=f"no usable {name} in the answer")
    read: dict[str, Any] = {name: Secret(token) for name, token in came.items()}
    if provider.dialect.stores_in_auth_json:
        return {**read, "expires_in": _lifetime(answer.get("expires_in"))}
    return {
        **read,
        "expires_in": _lifetime(answer.get("expires_in")),
        "scope": _scopes(answer.get("scope"), provider),
        "extra": others_of(answer, _KNOWN_MEMBERS),
    }


def _lifetime(value: object) -> float | None:
    """Return the lifetime of an access token, in seconds. Some servers write it as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_NUMBER:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < LAST_MOMENT:
        return None
    return float(value)


def _scopes(value: object, provider: Provider) -> tuple[str, ...] | None:
    """Return the granted scopes (RFC 6749 section 3.3); None if they are those that were asked for."""
    if not isinstance(value, str) or not is_printable_ascii(value):
        return None
    return tuple(dict.fromkeys(scope for scope in value.replace(provider.scope_separator, " ").split(" ") if scope))


def read_api_key(response: HttpResponse, hide: tuple[str, ...]) -> Secret | Rejected | Malformed:
    """Read the response to an API-key exchange. The key is its ``access_token`` (RFC 8693 section 2.2.1).

    Args:
        response: With any status.
        hide: Secrets that were sent. An error description may echo them.

    Returns:
        The key, or why there is none.
    """
    answer = _read_answer(response, hide)
    if not isinstance(answer, dict):
        return answer
    key = answer.get("access_token")
    if not _is_token(key):
        return Malformed(message="no usable access_token in the answer")
    return Secret(key)


def _refusal(code: str, answer: Rejected) -> Rejected:
    if code in _GRANT_REFUSED:
        return GrantRefused(message=answer.message)
    return ClientRefused(message=answer.message) if code in _CLIENT_REFUSED else answer


def _is_absent(name: str, token: object) -> bool:
    """Return whether a token was not renewed. An empty one says so too, unless it is the access token, which must come.

    Otherwise the other new tokens would be lost.
    """
    return token is None or (token == "" and name != "access_token")


def _read_members(response: HttpResponse, provider: Provider) -> JsonObject | Malformed:
    """Read the body of a response as JSON, or as a form if the provider sends those."""
    types = [value.partition(b";")[0].strip().lower() for value in header_values(response.headers, b"content-type")]
    if not provider.has_form_answers or types != [b"application/x-www-form-urlencoded"]:
        return read_object(response)
    if len(response.body) > MAX_TOKEN_RESPONSE:
        return TOO_LARGE
    try:
        pairs = parse_qsl(response.body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_MEMBERS)
    except ValueError:
        return Malformed(message="the answer cannot be read: not a form")
    members: JsonObject = dict(pairs)
    return members if len(members) == len(pairs) else Malformed(message="the answer cannot be read: a name twice")


def _read_answer(response: HttpResponse, hide: tuple[str, ...]) -> JsonObject | Rejected | Malformed:
    return judge(response, read_object(response), hide)


def _is_token(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and is_printable_ascii(value) and value != ""

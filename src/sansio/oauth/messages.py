"""The OAuth 2.0 messages of a login: authorization request, token requests, and what the token endpoint answers."""

from __future__ import annotations

import functools
import hashlib
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

from ..base.records import Record
from ..base.strict_json import JsonError, JsonObject, loads_object
from ..base.text import Secret, clean_text, is_printable_ascii
from ..login.events import header_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeGuard

    from ..login.actions import Form
    from ..login.events import TokenResponseReceived
    from ..model.provider import LoginOptions, LoginSecrets, Provider

TOKEN_EXCHANGE_TIMEOUT: Final = 30.0
API_KEY_EXCHANGE_TIMEOUT: Final = 10.0
REFRESH_TIMEOUT: Final = 60.0
MAX_TOKEN_RESPONSE: Final = 1024 * 1024


class TokenSet(Record):
    """What a code is exchanged for."""

    id_token: Secret
    access_token: Secret
    refresh_token: Secret


class RefreshedTokens(Record):
    """What a refresh brought: only what the provider has renewed."""

    id_token: Secret | None = None
    access_token: Secret | None = None
    refresh_token: Secret | None = None


class Rejected(Record):
    """The token endpoint said no."""

    message: str


class GrantRefused(Rejected):
    """The token endpoint said that a refresh token is of no use any more."""


class Malformed(Record):
    """What the token endpoint sent cannot be used."""

    message: str


_NOT_BEARER: Final = Malformed(message="the answer's token_type is not bearer")
_GRANT_REFUSED: Final = frozenset(
    # RFC 6749 section 5.2, and the provider's own words.
    ("invalid_grant", "refresh_token_expired", "refresh_token_reused", "refresh_token_invalidated")
)
_TOKEN_NAMES: Final = ("id_token", "access_token", "refresh_token")


def code_challenge(code_verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def redirect_uri(options: LoginOptions, port: int) -> str:
    """The address of the callback listener; the same string in both requests (RFC 6749 section 4.1.3)."""
    return f"http://{options.redirect_host}:{port}{options.provider.callback_path}"


def authorization_url(options: LoginOptions, secrets: LoginSecrets, port: int) -> str:
    """The authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3)."""
    provider = options.provider
    query = [
        _encoded("response_type", "code"),
        _encoded("client_id", provider.client_id),
        _encoded("redirect_uri", redirect_uri(options, port)),
        # These two are made of characters that need no encoding (RFC 7636 section 4.1).
        f"code_challenge={code_challenge(secrets.code_verifier)}",
        "code_challenge_method=S256",
        f"state={secrets.state}",
        _encoded("scope", " ".join(provider.scopes)),
    ]
    if provider.uses_nonce:
        query.append(urlencode({"nonce": secrets.nonce}))
    query.extend(_encoded(name, value) for name, value in provider.authorization_parameters)
    if provider.workspace_parameter and options.allowed_workspaces:
        query.append(_encoded(provider.workspace_parameter, ",".join(options.allowed_workspaces)))
    return f"{provider.authorization_endpoint}?{'&'.join(query)}"


@functools.lru_cache(maxsize=64)
def _encoded(name: str, value: str) -> str:
    """A parameter that is the same in every login, as a query has it. It is remembered: never give it a secret."""
    return urlencode({name: value})


def code_exchange(options: LoginOptions, secrets: LoginSecrets, port: int, code: str) -> Form:
    """The token request for an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""
    return (
        ("grant_type", "authorization_code"),
        ("client_id", options.provider.client_id),
        ("code", code),
        ("redirect_uri", redirect_uri(options, port)),
        ("code_verifier", secrets.code_verifier),
    )


def api_key_exchange(provider: Provider, id_token: Secret) -> Form:
    """The token exchange of an id token for an API key (RFC 8693 section 2.1)."""
    return (
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("client_id", provider.client_id),
        ("requested_token", "openai-api-key"),
        ("subject_token", id_token.reveal()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
    )


def refresh_request(provider: Provider, refresh_token: Secret) -> Form:
    """The token request for new tokens (RFC 6749 section 6)."""
    return (
        ("client_id", provider.client_id),
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token.reveal()),
    )


def read_tokens(response: TokenResponseReceived, hide: tuple[str, ...]) -> TokenSet | Rejected | Malformed:
    """Read the answer to a code exchange (RFC 6749 section 5).

    Args:
        response: As received.
        hide: Secrets that were sent, which an error description might echo.
    """
    answer = _read_answer(response, hide)
    return token_set(answer) if isinstance(answer, dict) else answer


def token_set(answer: JsonObject) -> TokenSet | Malformed:
    """Take the tokens out of an answer (RFC 6749 section 5.1)."""
    if not _is_bearer(answer):
        return _NOT_BEARER
    for name in _TOKEN_NAMES:
        if not _is_token(answer.get(name)):
            return Malformed(message=f"no usable {name} in the answer")
    return TokenSet(
        id_token=Secret(answer["id_token"]),
        access_token=Secret(answer["access_token"]),
        refresh_token=Secret(answer["refresh_token"]),
    )


def read_refresh(response: TokenResponseReceived, hide: tuple[str, ...]) -> RefreshedTokens | Rejected | Malformed:
    """Read the answer to a refresh: as that to a code exchange, but every token may be missing (or null).

    Args:
        response: As received.
        hide: Secrets that were sent, which an error description might echo.
    """
    body = read_object(response)
    answer = judge(response, body, hide)
    if isinstance(answer, Rejected) and (response.status == 401 or error_code(body) in _GRANT_REFUSED):
        return GrantRefused(message=answer.message)
    if not isinstance(answer, dict):
        return answer
    if not _is_bearer(answer):
        return _NOT_BEARER
    came = {name: answer[name] for name in _TOKEN_NAMES if answer.get(name) is not None}
    for name, token in came.items():
        if not _is_token(token):
            return Malformed(message=f"no usable {name} in the answer")
    return RefreshedTokens(**{name: Secret(token) for name, token in came.items()})


def read_api_key(response: TokenResponseReceived, hide: tuple[str, ...]) -> Secret | Rejected | Malformed:
    """Read the answer to an API-key exchange: the key is its ``access_token``, of any type (RFC 8693 section 2.2.1)."""
    answer = _read_answer(response, hide)
    if not isinstance(answer, dict):
        return answer
    key = answer.get("access_token")
    if not _is_token(key):
        return Malformed(message="no usable access_token in the answer")
    return Secret(key)


def _read_answer(response: TokenResponseReceived, hide: tuple[str, ...]) -> JsonObject | Rejected | Malformed:
    return judge(response, read_object(response), hide)


def judge(
    response: TokenResponseReceived, body: JsonObject | Malformed, hide: tuple[str, ...]
) -> JsonObject | Rejected | Malformed:
    """Say whether an endpoint gave what was asked for, refused, or sent what cannot be used.

    Args:
        response: As received.
        body: What `read_object` makes of it.
        hide: Secrets that were sent, which an error description might echo.
    """
    status = response.status
    if 300 <= status < 400:
        # Following it would hand code and verifier to a stranger. The location may hold secrets: it is not shown.
        return Malformed(message=f"the endpoint answered with a redirect ({status}), which is never followed")
    readable = {} if isinstance(body, Malformed) else body
    if not 200 <= status < 300 or readable.get("error") is not None:
        return _rejection(response, readable, hide)
    return body


def read_object(response: TokenResponseReceived) -> JsonObject | Malformed:
    """Read the body of an answer, whatever its status."""
    if len(response.body) > MAX_TOKEN_RESPONSE:
        return Malformed(message="the answer is larger than 1 MiB")
    codings = {value.strip().lower() for value in header_values(response.headers, b"content-encoding")}
    if codings - {b"", b"identity"}:
        return Malformed(message="the answer has a content coding that was not asked for")
    try:
        return loads_object(response.body)
    except JsonError as error:
        return Malformed(message=f"the answer cannot be read: {error}")


def _rejection(response: TokenResponseReceived, answer: JsonObject, hide: tuple[str, ...]) -> Rejected:
    """Say in clean words how an endpoint refused: its status, its error, and when to come again."""
    words = f"status {response.status}"
    reason = _error_text(answer)
    if reason:
        words = f"{words}: {clean_text(reason, hide=hide)}"
    retry_after = header_values(response.headers, b"retry-after")
    if retry_after and (response.status == 429 or response.status >= 500):
        words = f"{words} (retry after: {clean_text(retry_after[0].decode('latin-1'), hide=hide, limit=40)})"
    return Rejected(message=words)


def _error_text(answer: JsonObject) -> str:
    """RFC 6749 section 5.2, then ``{"error": {"code", "message"}}``, then a bare code. Other bodies are not shown."""
    error = answer.get("error")
    if isinstance(error, dict):
        parts = [error.get("code"), error.get("message")]
    elif error is not None:
        parts = [error, answer.get("error_description")]
    else:
        parts = [answer.get("code")]
    return ": ".join(part for part in parts if isinstance(part, str) and part)


def _is_bearer(answer: JsonObject) -> bool:
    token_type = answer.get("token_type")
    return token_type is None or (isinstance(token_type, str) and token_type.lower() == "bearer")


def error_code(answer: JsonObject | Malformed) -> str:
    """The code of an error alone, in any of the shapes of `_error_text`; empty if there is none.

    It is to be compared, and never shown.
    """
    if isinstance(answer, Malformed):
        return ""
    error = answer.get("error")
    code = error.get("code") if isinstance(error, dict) else answer.get("code") if error is None else error
    return code if isinstance(code, str) else ""


def _is_token(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and is_printable_ascii(value) and value != ""

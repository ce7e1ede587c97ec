"""Make credentials from a token that another program has obtained: a refresh token, or an access token."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ....drivers.threaded.http_client import send
from ....sansio.base.http import HttpRequestFailed, HttpResponse, TransportProblem
from ....sansio.base.text import clean_text, safe_url
from ....sansio.login.failures import LoginFailureCategory
from ....sansio.model.account import read_account, workspace_allowed
from ....sansio.model.claims import ClaimError, claims_of, expiry, read_claims
from ....sansio.model.credentials import Credentials
from ....sansio.model.tokens import RefreshedTokens, TokenSet
from ....sansio.oauth.id_token import check_id_token, expected_issuer
from ....sansio.oauth.token_requests import refresh_request
from ....sansio.oauth.token_responses import GrantRefused, read_refresh
from ...providers.metadata import fetch_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from ....sansio.base.http import HttpRequest
    from ....sansio.base.secret import Secret
    from ....sansio.model.options import LoginOptions
    from ....sansio.model.provider import Provider
    from ....sansio.oauth.keys import KeySet

C = LoginFailureCategory
_TRANSPORT: Final[Mapping[TransportProblem, LoginFailureCategory]] = {
    TransportProblem.TIMEOUT: C.TOKEN_EXCHANGE_TIMEOUT,
    TransportProblem.CONNECT: C.TOKEN_EXCHANGE_CONNECT,
    TransportProblem.REQUEST: C.TOKEN_EXCHANGE_REQUEST,
}


class AdoptionError(Exception):
    """A token cannot be used. The message holds no secret, and is a sentence without a full stop.

    Args:
        category: The kind of failure.
        message: What is wrong.
    """

    def __init__(self, category: LoginFailureCategory, message: str) -> None:
        super().__init__(message)
        self.category = category


def completed(options: LoginOptions) -> LoginOptions:
    """Return the options with the endpoints of the provider's metadata, if it needs them.

    Raises:
        AdoptionError: There is no usable metadata.
    """
    provider = options.provider
    if not provider.needs_discovery:
        return options
    found = fetch_metadata(provider)
    if found.problem:
        raise AdoptionError(C.DISCOVERY_FAILED, f"{found.url}: {clean_text(found.problem)}")
    return options.__replace__(provider=found.provider)


def from_refresh_token(token: Secret, options: LoginOptions) -> Credentials:
    """Exchange a refresh token for new tokens (RFC 6749 section 6), and check them as those of a login.

    The keys that verify an id token are fetched first: afterwards the old refresh token may be used up.

    Args:
        token: The refresh token.
        options: The options of the login; the provider has all its endpoints.

    Raises:
        AdoptionError: There are no tokens, or they are not what was asked for.
    """
    provider = options.provider
    keys = None if provider.jwks_uri is None else _keys(provider.jwks_uri)
    url = safe_url(provider.token_endpoint)
    response = _sent(refresh_request(provider, token, options.resource))
    answer = read_refresh(response, provider, (token.reveal(),))
    if not isinstance(answer, RefreshedTokens):
        is_refused = isinstance(answer, GrantRefused)
        words = f"the provider does not accept this refresh token: {answer.message}" if is_refused else answer.message
        raise AdoptionError(C.TOKEN_ENDPOINT_REJECTED, f"{url}: {words}")
    if answer.access_token is None:
        raise AdoptionError(C.TOKEN_RESPONSE_MALFORMED, f"{url}: no access_token in the answer")
    if answer.id_token is not None:
        _check_id_token(answer.id_token, provider, keys, response)
    tokens = TokenSet(**{**answer.values(), "refresh_token": answer.refresh_token or token})
    return _credentials(tokens, options, response.received_at)


def from_access_token(token: Secret, options: LoginOptions) -> Credentials:
    """Return credentials with an access token only. Nothing is sent.

    Args:
        token: The access token.
        options: The options of the login.

    Raises:
        AdoptionError: The token says that it has expired, or that another provider has issued it.
    """
    claims, now = claims_of(token), time.time()
    ends = expiry(claims)
    if ends is not None and ends <= now:
        raise AdoptionError(C.TOKEN_ENDPOINT_REJECTED, "the access token has expired")
    named, wanted = claims.get("iss"), expected_issuer(claims, options.provider)
    if isinstance(named, str) and wanted is not None and named.rstrip("/") != wanted.rstrip("/"):
        words = f"the access token was issued by {clean_text(named)}, not by {wanted}"
        raise AdoptionError(C.ISSUER_MISMATCH, words)
    return _credentials(TokenSet(access_token=token), options, now)


def _sent(request: HttpRequest) -> HttpResponse:
    answer = send(request)
    if isinstance(answer, HttpRequestFailed):
        raise AdoptionError(_TRANSPORT[answer.kind], f"{safe_url(request.url)}: {answer.message}")
    return answer


def _keys(url: str) -> KeySet:
    from ....sansio.oauth.keys import KeysProblem, keys_request, read_keys  # noqa: PLC0415 - loads joserfc

    found = read_keys(_sent(keys_request(url)))
    if isinstance(found, KeysProblem):
        raise AdoptionError(C.KEYS_UNAVAILABLE, f"{safe_url(url)}: {found.message}")
    return found


def _check_id_token(id_token: Secret, provider: Provider, keys: KeySet | None, response: HttpResponse) -> None:
    """Check the claims and the signature. A refresh has no nonce (OpenID Connect Core section 12.2)."""
    problem = ""
    try:
        claims = read_claims(id_token)
        check_id_token(claims, provider, nonce=None, headers=response.headers, received_at=response.received_at)
    except ClaimError as error:
        problem = str(error)
    if not problem and keys is not None:
        from ....sansio.oauth.keys import KeyUnknown, SignatureRefused, verify_signature  # noqa: PLC0415 - as above

        try:
            verify_signature(id_token, keys, provider.id_token_signing_alg_values_supported)
        except (KeyUnknown, SignatureRefused) as error:
            problem = str(error)
    if problem:
        raise AdoptionError(C.ID_TOKEN_INVALID, f"the id token was refused: {problem}")


def _credentials(tokens: TokenSet, options: LoginOptions, received_at: float) -> Credentials:
    """Check the granted scopes and the workspace, as a login does."""
    lacking = clean_text(", ".join(options.missing_scopes(tokens, options.required_scopes)))
    if tokens.scope is None and options.required_scopes:
        raise AdoptionError(C.SCOPE_INSUFFICIENT, "the provider does not say which scopes the token has")
    if lacking:
        raise AdoptionError(C.SCOPE_INSUFFICIENT, f"the token is not for: {lacking}")
    account = read_account(claims_of(tokens.id_token), claims_of(tokens.access_token), options.provider)
    if not workspace_allowed(account, options.allowed_workspaces):
        raise AdoptionError(C.WORKSPACE_RESTRICTION, "the token is of a workspace that is not allowed")
    made = Credentials.from_login(tokens, account_id=account.account_id, received_at=received_at, options=options)
    assert made.tokens is not None
    if options.provider.dialect.stores_in_auth_json and made.tokens.id_token is None:
        raise AdoptionError(C.TOKEN_RESPONSE_MALFORMED, "no id_token in the answer, which Codex's credentials need")
    # A login without a scope in its answer has those that it asked for. Here it is not known what was asked for.
    return made.__replace__(tokens=made.tokens.__replace__(scope=tokens.scope))

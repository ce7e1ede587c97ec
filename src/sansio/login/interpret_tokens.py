"""Interpret the responses of the token endpoint, and check their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.http import TransportProblem
from ..base.text import DRIVER_TEXT_LIMIT, clean_text, safe_url
from ..model.account import read_account, workspace_allowed
from ..model.claims import ClaimError, claims_of, read_claims
from ..model.credentials import Credentials
from ..oauth.id_token import check_age, check_id_token
from ..oauth.responses import Malformed, Rejected
from ..oauth.token_responses import ClientRefused, read_api_key, read_tokens
from .interpretation import CheckedTokens, Problem, ReceivedApiKey, UnverifiedTokens
from .states import LoginState, Trigger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from ..base.secret import Secret
    from ..base.strict_json import JsonObject
    from ..model.tokens import TokenSet
    from ..oauth.keys import KeySet
    from .events import TokenRequestFailed, TokenResponseReceived
    from .interpretation import Interpretation
    from .state import LoginData

TRANSPORT_PROBLEMS: Final[Mapping[TransportProblem, Trigger]] = {
    TransportProblem.TIMEOUT: Trigger.TOKEN_REQUEST_TIMED_OUT,
    TransportProblem.CONNECT: Trigger.TOKEN_ENDPOINT_UNREACHABLE,
    TransportProblem.REQUEST: Trigger.TOKEN_REQUEST_BROKEN,
}


def interpret_token_failure(event: TokenRequestFailed, login: LoginData) -> Problem:
    """Interpret a token request that got no response."""
    in_api_key_exchange = login.state is LoginState.EXCHANGING_API_KEY
    trigger = Trigger.API_KEY_UNAVAILABLE if in_api_key_exchange else TRANSPORT_PROBLEMS[event.kind]
    message = clean_text(event.message, hide=login.known_secrets(), limit=DRIVER_TEXT_LIMIT)
    return _problem(trigger, message, login)


def interpret_token_response(event: TokenResponseReceived, login: LoginData) -> Interpretation:
    """Interpret the response to a token request."""
    if login.state is LoginState.EXCHANGING_API_KEY:
        key = read_api_key(event, login.known_secrets())
        if isinstance(key, (Rejected, Malformed)):
            return _problem(Trigger.API_KEY_UNAVAILABLE, key.message, login)
        return ReceivedApiKey(trigger=Trigger.API_KEY_RECEIVED, api_key=key)
    tokens = read_tokens(event, login.options.provider, login.known_secrets())
    if isinstance(tokens, ClientRefused) and login.options.provider.dialect.issues_clients:
        return _problem(Trigger.CLIENT_REFUSED, tokens.message, login)
    if isinstance(tokens, Rejected):
        return _problem(Trigger.TOKEN_ENDPOINT_REJECTED, tokens.message, login)
    if isinstance(tokens, Malformed):
        return _problem(Trigger.TOKEN_RESPONSE_MALFORMED, tokens.message, login)
    return check_tokens(tokens, event, login)


def check_tokens(
    tokens: TokenSet, event: TokenResponseReceived, login: LoginData, *, fetched: KeySet | None = None
) -> CheckedTokens | UnverifiedTokens | Problem:
    """Check the id token, the workspace and the granted scopes.

    Args:
        tokens: The tokens of the response.
        event: The response.
        login: The login, which is not changed.
        fetched: The provider's keys, if they were fetched because of these tokens.

    Returns:
        The credentials, or what is wrong with the tokens; or the tokens, if the provider's keys must be fetched first.
    """
    provider = login.options.provider
    claims: JsonObject = {}
    problem: str | None = ""
    try:
        claims = _checked_claims(tokens.id_token, event, login)
    except ClaimError as error:
        problem = str(error)
    if not problem and tokens.id_token is not None and provider.jwks_uri is not None:
        from .server.keys import signature_problem  # noqa: PLC0415 - not for the default provider

        problem = signature_problem(tokens.id_token, login, fetched or login.keys, is_last=fetched is not None)
    if problem is None:
        return UnverifiedTokens(trigger=Trigger.KEYS_NEEDED, tokens=tokens, response=event)
    if problem:
        return Problem(trigger=Trigger.ID_TOKEN_REFUSED, message=f"the id token was refused: {problem}")
    return _check_account(tokens, claims, event, login)


def _checked_claims(id_token: Secret | None, event: TokenResponseReceived, login: LoginData) -> JsonObject:
    """Return the claims of the id token; empty if none came and none was asked for.

    Raises:
        ClaimError: A claim is wrong or missing, or the token is.
    """
    options = login.options
    if id_token is None:
        if options.wants_id_token:
            raise ClaimError("none came, although it was asked for")
        return {}
    # Only the authorization request carries a nonce and a maximum age: a login with a device code has none.
    has_request = login.device_code is None
    nonce = login.secrets.nonce if options.provider.uses_nonce and has_request else None
    claims = read_claims(id_token)
    check_id_token(claims, options.provider, nonce=nonce, headers=event.headers, received_at=event.received_at)
    if login.known_account is not None and claims.get("sub") != login.known_account.subject:
        raise ClaimError("it is of another person (sub) than the account that this sign-in was to renew")
    if options.max_age is not None and has_request:
        check_age(claims, event.received_at, options.max_age)
    return claims


def _check_account(
    tokens: TokenSet, claims: JsonObject, event: TokenResponseReceived, login: LoginData
) -> CheckedTokens | Problem:
    """Check the granted scopes and the workspace."""
    options = login.options
    lacking = clean_text(", ".join(options.missing_scopes(tokens, options.required_scopes)))
    if lacking:
        return Problem(trigger=Trigger.SCOPE_MISSING, message=f"the provider did not grant: {lacking}")
    account = read_account(claims, claims_of(tokens.access_token), options.provider)
    if not workspace_allowed(account, options.allowed_workspaces):
        workspace = f"the workspace {account.account_id}" if account.account_id else "an account without a workspace"
        return Problem(trigger=Trigger.WORKSPACE_REFUSED, message=f"the sign-in was for {workspace}")
    credentials = Credentials.from_login(
        tokens, account_id=account.account_id, received_at=event.received_at, options=options
    )
    return CheckedTokens(trigger=Trigger.TOKENS_RECEIVED, credentials=credentials, account=account)


def _problem(trigger: Trigger, message: str, login: LoginData) -> Problem:
    """Return a problem that names the token endpoint."""
    return Problem(trigger=trigger, message=f"{safe_url(login.options.provider.token_endpoint)}: {message}")

"""Interpret the responses of the token endpoint, and check their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.http import TransportProblem
from ..base.text import DRIVER_TEXT_LIMIT, clean_text, safe_url
from ..model.account import read_account, workspace_allowed
from ..model.claims import ClaimError, claims_of, read_claims
from ..model.credentials import Credentials
from ..oauth.id_token import check_id_token
from ..oauth.responses import Malformed, Rejected
from ..oauth.token_responses import read_api_key, read_tokens
from .interpretation import CheckedTokens, Problem, ReceivedApiKey
from .states import LoginState, Trigger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from ..base.strict_json import JsonObject
    from ..model.tokens import TokenSet
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
    if isinstance(tokens, Rejected):
        return _problem(Trigger.TOKEN_ENDPOINT_REJECTED, tokens.message, login)
    if isinstance(tokens, Malformed):
        return _problem(Trigger.TOKEN_RESPONSE_MALFORMED, tokens.message, login)
    return check_tokens(tokens, event, login)


def check_tokens(tokens: TokenSet, event: TokenResponseReceived, login: LoginData) -> CheckedTokens | Problem:
    """Check the id token and the workspace.

    Args:
        tokens: The tokens of the response.
        event: The response.
        login: The login, which is not changed.
    """
    provider = login.options.provider
    # Only the authorization request carries a nonce: a login with a device code has none.
    nonce = login.secrets.nonce if provider.uses_nonce and login.device_code is None else None
    problem = ""
    id_claims: JsonObject = {}
    try:
        if tokens.id_token is not None:
            id_claims = read_claims(tokens.id_token)
            check_id_token(id_claims, provider, nonce=nonce, headers=event.headers, received_at=event.received_at)
        elif login.options.wants_id_token:
            problem = "none came, although it was asked for"
    except ClaimError as error:
        problem = str(error)
    if problem:
        return Problem(trigger=Trigger.ID_TOKEN_REFUSED, message=f"the id token was refused: {problem}")
    account = read_account(id_claims, claims_of(tokens.access_token), provider)
    if not workspace_allowed(account, login.options.allowed_workspaces):
        workspace = f"the workspace {account.account_id}" if account.account_id else "an account without a workspace"
        return Problem(trigger=Trigger.WORKSPACE_REFUSED, message=f"the sign-in was for {workspace}")
    credentials = Credentials.from_login(
        tokens,
        account_id=account.account_id,
        received_at=event.received_at,
        options=login.options,
    )
    return CheckedTokens(trigger=Trigger.TOKENS_RECEIVED, credentials=credentials, account=account)


def _problem(trigger: Trigger, message: str, login: LoginData) -> Problem:
    """Return a problem that names the token endpoint."""
    return Problem(trigger=trigger, message=f"{safe_url(login.options.provider.token_endpoint)}: {message}")

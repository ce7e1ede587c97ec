"""What an answer of the token endpoint means, and whether its tokens may be kept."""

from __future__ import annotations

from ..base.http import TransportProblem
from ..base.text import clean_text, safe_url
from ..model import claims
from ..model.account import read_account, workspace_allowed
from ..model.credentials import Credentials
from ..oauth import token_responses as oauth
from ..oauth.id_token import check_id_token
from .interpretation import Interpretation
from .states import LoginState, Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from ..model.options import LoginOptions
    from ..model.tokens import TokenSet
    from .events import TokenRequestFailed, TokenResponseReceived
    from .state import LoginData

TRANSPORT_PROBLEMS: Final[Mapping[TransportProblem, Trigger]] = {
    TransportProblem.TIMEOUT: Trigger.TOKEN_REQUEST_TIMED_OUT,
    TransportProblem.CONNECT: Trigger.TOKEN_ENDPOINT_UNREACHABLE,
    TransportProblem.REQUEST: Trigger.TOKEN_REQUEST_BROKEN,
}


def token_failure(event: TokenRequestFailed, login: LoginData) -> Interpretation:
    """Say what it means that a token request got no answer."""
    message = _endpoint(login, clean_text(event.message, hide=login.known_secrets()))
    if login.state is LoginState.EXCHANGING_API_KEY:
        return Interpretation(trigger=Trigger.API_KEY_UNAVAILABLE, message=message)
    return Interpretation(trigger=TRANSPORT_PROBLEMS[event.kind], message=message)


def token_response(event: TokenResponseReceived, login: LoginData) -> Interpretation:
    """Say what an answer to a token request means."""
    if login.state is LoginState.EXCHANGING_API_KEY:
        key = oauth.read_api_key(event, login.known_secrets())
        if isinstance(key, (oauth.Rejected, oauth.Malformed)):
            return Interpretation(trigger=Trigger.API_KEY_UNAVAILABLE, message=_endpoint(login, key.message))
        return Interpretation(trigger=Trigger.API_KEY_RECEIVED, api_key=key)
    tokens = oauth.read_tokens(event, login.known_secrets())
    if isinstance(tokens, oauth.Rejected):
        return Interpretation(trigger=Trigger.TOKEN_ENDPOINT_REJECTED, message=_endpoint(login, tokens.message))
    if isinstance(tokens, oauth.Malformed):
        return Interpretation(trigger=Trigger.TOKEN_RESPONSE_MALFORMED, message=_endpoint(login, tokens.message))
    return check_tokens(tokens, event, login)


def check_tokens(tokens: TokenSet, event: TokenResponseReceived, login: LoginData) -> Interpretation:
    """Check the id token and the workspace, before anything is kept."""
    options = _checked_options(login)
    problem = ""
    try:
        id_claims = claims.read_claims(tokens.id_token)
        check_id_token(id_claims, options, login.secrets, event.headers, event.received_at)
    except claims.ClaimError as error:
        problem = str(error)
        id_claims = {}
    if problem:
        return Interpretation(trigger=Trigger.ID_TOKEN_REFUSED, message=f"the id token was refused: {problem}")
    account = read_account(id_claims, _access_claims(tokens), options.provider)
    if not workspace_allowed(account, options.allowed_workspaces):
        whose = f"the workspace {account.account_id}" if account.account_id else "an account without a workspace"
        return Interpretation(trigger=Trigger.WORKSPACE_REFUSED, message=f"the sign-in was for {whose}")
    credentials = Credentials.from_login(tokens, account_id=account.account_id, received_at=event.received_at)
    return Interpretation(trigger=Trigger.TOKENS_RECEIVED, credentials=credentials, account=account)


def _checked_options(login: LoginData) -> LoginOptions:
    """A nonce was sent in the authorization request only: there is none in a login with a device code."""
    options = login.options
    if login.device_code is None:
        return options
    return options.__replace__(provider=options.provider.__replace__(uses_nonce=False))


def _access_claims(tokens: TokenSet) -> dict[str, object]:
    """An access token is opaque to a client (RFC 6749 section 1.4): one that is no JWT is as good."""
    try:
        return claims.read_claims(tokens.access_token)
    except claims.ClaimError:
        return {}


def _endpoint(login: LoginData, words: str) -> str:
    return f"{safe_url(login.options.provider.token_endpoint)}: {words}"

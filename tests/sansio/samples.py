"""Events and values for the tests of the sans-IO core, all literal: nothing is taken from the code under test.

`request` and `get` make the requests to the callback listener, `answer` and `no_answer` the results of token requests.
In a story, `playbook.reply` calls these two with the number of the last request.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from loginmachine.sansio import Credentials, LoginMachine, LoginOptions, LoginSecrets, Provider, Secret, Tokens
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.actions import Timer
from loginmachine.sansio.login.events import (
    BindFailed,
    BindProblem,
    Bound,
    CallbackPasted,
    CancelRequested,
    CredentialsSaved,
    PreviousCancelled,
    RequestReceived,
    Started,
    TimerFired,
    TokenRequestFailed,
    TokenResponseReceived,
)
from loginmachine.sansio.model.options import LoginMethod
from loginmachine.sansio.model.provenance import Provenance
from loginmachine.sansio.server.dialect import Dialect

if TYPE_CHECKING:
    from loginmachine.sansio.login.actions import Action
    from loginmachine.sansio.login.events import Event

NOW = 1_795_000_000.0
"""Wed, 18 Nov 2026 11:06:40 GMT."""
STATE = "canary-state-Xk3vQ9"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
"""RFC 7636 appendix B."""
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
NONCE = "canary-nonce-7Zp2"
SUCCESS_KEY = "canary-success-key"
SUCCESS = "/success/canary-success-key"
CODE = "canary-code-4/0AbC.d~e"
REFRESH_TOKEN = "canary-refresh-token"
OLD_REFRESH_TOKEN = "canary-old-refresh"
API_KEY = "sk-canary-api-key"
CLIENT_SECRET = "canary-client-secret"
REGISTRATION_TOKEN = "canary-registration-token"
REQUEST_URI = "urn:ietf:params:oauth:request_uri:canary-reference"
CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"
NAMESPACE = "https://api.openai.com/auth"
TOKEN_ENDPOINT = "https://auth.openai.com/oauth/token"
AUTH_URL = (
    "https://auth.openai.com/oauth/authorize?response_type=code&client_id=app_EMoamEEZ73f0CkXaXp7hrann"
    "&redirect_uri=http%3A%2F%2F127.0.0.1%3A1455%2Fauth%2Fcallback"
    "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    "&state=canary-state-Xk3vQ9"
    "&scope=openid+profile+email+offline_access+api.connectors.read+api.connectors.invoke"
    "&id_token_add_organizations=true&codex_cli_simplified_flow=true&originator=codex_cli_rs"
)

SECRETS = LoginSecrets(state=STATE, code_verifier=VERIFIER, nonce=NONCE, success_key=SUCCESS_KEY)
OPTIONS = LoginOptions(provider=Provider.codex())
OTHER_PROVIDER = Provider(
    issuer="https://id.example",
    authorization_endpoint="https://id.example/authorize",
    token_endpoint="https://id.example/token",
    client_id="client-1",
    scopes=("openid",),
    dialect=Dialect(gives_all_tokens=True, stores_in_auth_json=True),
)
"""An OpenID provider as the first versions had it, with all tokens in `auth.json`: strict, any port, no API key."""

ACCOUNT_CLAIMS: dict[str, Any] = {"chatgpt_account_id": "acc-1", "chatgpt_plan_type": "pro"}
ID_CLAIMS: dict[str, Any] = {
    "iss": "https://auth.openai.com",
    "sub": "user-1",
    "aud": [CLIENT_ID],
    "exp": 1_795_003_600,
    "iat": 1_794_999_999,
    "email": "ada@example.org",
    NAMESPACE: ACCOUNT_CLAIMS,
}


def jwt(claims: dict[str, Any] | bytes, signature: str = "c2lnbmF0dXJl") -> str:
    """Return a JWT with this payload. Its signature is not checked."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return f"eyJhbGciOiJSUzI1NiJ9.{urlsafe_b64encode(payload).rstrip(b'=').decode()}.{signature}"


ID_TOKEN = jwt(ID_CLAIMS, "canary-id-token")
ACCESS_TOKEN = jwt({NAMESPACE: {"chatgpt_plan_type": "plus"}}, "canary-access-token")
ID_TOKEN_HINT = "canary-hint.of-the-last.login"
DEVICE_AUTH_ID = "canary-device-auth-id"
USER_CODE = "CNRY-12345"
DEVICE_AUTHORIZATION_CODE = "canary-device-authorization-code"
DEVICE_VERIFIER = "canary-device-verifier"
CODE_ENDPOINT = "https://auth.openai.com/api/accounts/deviceauth/usercode"
POLL_ENDPOINT = "https://auth.openai.com/api/accounts/deviceauth/token"
DEVICE_URL = "https://auth.openai.com/codex/device"
CANARIES = (
    DEVICE_AUTH_ID,
    USER_CODE,
    DEVICE_AUTHORIZATION_CODE,
    DEVICE_VERIFIER,
    STATE,
    VERIFIER,
    NONCE,
    SUCCESS_KEY,
    CODE,
    "canary-code-4%2F0AbC.d~e",
    "canary-id-token",
    "canary-access-token",
    REFRESH_TOKEN,
    OLD_REFRESH_TOKEN,
    API_KEY,
    CLIENT_SECRET,
    REGISTRATION_TOKEN,
    "canary-reference",
    ID_TOKEN_HINT,
)
PROVENANCE = Provenance(issuer="https://auth.openai.com", client_id="app_EMoamEEZ73f0CkXaXp7hrann")
"""The provider and client of `OPTIONS`."""
OLD = Credentials(
    tokens=Tokens(
        id_token=Secret("canary-old-id"),
        access_token=Secret("canary-old-access"),
        refresh_token=Secret(OLD_REFRESH_TOKEN),
        account_id="acc-0",
    )
)
"""The credentials of the previous login."""


def machine(options: LoginOptions = OPTIONS, secrets: LoginSecrets = SECRETS) -> LoginMachine:
    return LoginMachine(options, secrets)


def get(
    target: str | bytes, request_id: int = 1, *, port: int = 1455, headers: dict[str, str] | None = None
) -> RequestReceived:
    """Return a GET request of a browser, with these headers besides Host."""
    fields = {"Host": f"127.0.0.1:{port}", **(headers or {})}
    return request(target, request_id, headers=tuple((key.encode(), value.encode()) for key, value in fields.items()))


def request(
    target: str | bytes,
    request_id: int = 1,
    *,
    method: bytes = b"GET",
    headers: tuple[tuple[bytes, bytes], ...] = ((b"Host", b"127.0.0.1:1455"),),
) -> RequestReceived:
    raw = target.encode() if isinstance(target, str) else target
    return RequestReceived(request_id=request_id, method=method, target=raw, headers=headers)


def callback(query: str = f"code={CODE}&state={STATE}", request_id: int = 1, *, port: int = 1455) -> RequestReceived:
    return get(f"/auth/callback?{query}", request_id, port=port)


def by_other_user(request: Event) -> RequestReceived:
    """The same request, sent by a process of another user."""
    assert isinstance(request, RequestReceived)
    return request.__replace__(from_other_user=True)


def token_json(**changes: Any) -> bytes:
    tokens = {"id_token": ID_TOKEN, "access_token": ACCESS_TOKEN, "refresh_token": REFRESH_TOKEN}
    return json.dumps({**tokens, **changes}).encode()


def answer(
    exchange_id: int = 1,
    status: int = 200,
    body: bytes | None = None,
    headers: tuple[tuple[bytes, bytes], ...] = ((b"Content-Type", b"application/json"),),
    received_at: float = NOW,
) -> TokenResponseReceived:
    """Return the response to a token request, with good tokens unless a body is given."""
    return TokenResponseReceived(
        exchange_id=exchange_id,
        status=status,
        headers=headers,
        body=token_json() if body is None else body,
        received_at=received_at,
    )


def api_key_answer(exchange_id: int = 2) -> TokenResponseReceived:
    """Return the response with an API key."""
    return answer(exchange_id, body=b'{"access_token": "sk-canary-api-key"}')


def device_code_answer(exchange_id: int = 1, **changes: Any) -> TokenResponseReceived:
    """Return the response with a device code, in Codex's dialect."""
    body = {"device_auth_id": DEVICE_AUTH_ID, "user_code": USER_CODE, "interval": "5", **changes}
    return answer(exchange_id, body=json.dumps(body).encode())


def grant_answer(exchange_id: int = 2, **changes: Any) -> TokenResponseReceived:
    """Return the response to the last poll, in Codex's dialect."""
    body = {
        "authorization_code": DEVICE_AUTHORIZATION_CODE,
        "code_challenge": "canary-challenge",
        "code_verifier": DEVICE_VERIFIER,
        **changes,
    }
    return answer(exchange_id, body=json.dumps(body).encode())


def pending(exchange_id: int = 2) -> TokenResponseReceived:
    """Return the response to a poll before the person has entered the code, in Codex's dialect."""
    return answer(exchange_id, 403, b"{}")


def pasted(query: str = f"code={CODE}&state={STATE}", *, port: int = 1455) -> Event:
    """Return a pasted callback URL."""
    return CallbackPasted(text=f"http://127.0.0.1:{port}/auth/callback?{query}")


def no_answer(
    kind: TransportProblem = TransportProblem.TIMEOUT, exchange_id: int = 1, message: str = "gone"
) -> TokenRequestFailed:
    """Return the event for a token request without a response."""
    return TokenRequestFailed(exchange_id=exchange_id, kind=kind, message=message)


def bind_failed(kind: BindProblem, message: str = "no") -> Event:
    return BindFailed(kind=kind, message=message)


IN_USE = bind_failed(BindProblem.IN_USE, "address already in use")
FORBIDDEN = bind_failed(BindProblem.FORBIDDEN, "permission denied")
RETRY = TimerFired(timer=Timer.BIND_RETRY)
DEADLINE = TimerFired(timer=Timer.DEADLINE)
LINGER = TimerFired(timer=Timer.LINGER)
POLL_DUE = TimerFired(timer=Timer.POLL)
EXPIRY = TimerFired(timer=Timer.DEVICE_CODE_EXPIRY)
STARTED_WITH_DEVICE_CODE = Started(method=LoginMethod.DEVICE_CODE)

_TO_CALLBACK: tuple[Event, ...] = (Started(), Bound(port=1455))
_TO_CODE = (*_TO_CALLBACK, callback())
_TO_API_KEY = (*_TO_CODE, answer())
_TO_SAVING = (*_TO_API_KEY, api_key_answer())
PATHS: dict[str, tuple[Event, ...]] = {
    "idle": (),
    "requesting_device_code": (STARTED_WITH_DEVICE_CODE,),
    "polling_device_code": (STARTED_WITH_DEVICE_CODE, device_code_answer()),
    "binding": (Started(),),
    "cancelling_previous": (Started(), IN_USE),
    "backing_off": (Started(), IN_USE, PreviousCancelled(accepted=True)),
    "awaiting_callback": _TO_CALLBACK,
    "exchanging_code": _TO_CODE,
    "exchanging_api_key": _TO_API_KEY,
    "saving_credentials": _TO_SAVING,
    "succeeded": (*_TO_SAVING, CredentialsSaved()),
    "failed": (*_TO_CODE, no_answer()),
    "cancelled": (*_TO_CODE, CancelRequested()),
}
"""The events that lead to each state. Where a browser waits for the outcome, it is request 1; in the final states its
last page is being sent."""


def drive(login: LoginMachine, *events: Event) -> list[Action]:
    """Give events to a login, and return all actions."""
    return [action for event in events for action in login.handle(event)]


def machine_in(state: str, options: LoginOptions = OPTIONS) -> LoginMachine:
    """Return a login in this state."""
    login = machine(options)
    drive(login, *PATHS[state])
    assert login.state == state
    return login


def everything_in(value: object) -> str:
    """Return all that a value holds as text, with hidden fields and secrets."""
    if hasattr(value, "reveal"):
        return str(value.reveal())
    if hasattr(value, "values") and not isinstance(value, dict):
        return " ".join(map(everything_in, value.values().values()))
    if isinstance(value, tuple):
        return " ".join(map(everything_in, value))
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def with_dialect(provider: Provider, **changes: Any) -> Provider:
    """Return a provider with another dialect."""
    return provider.__replace__(dialect=provider.dialect.__replace__(**changes))

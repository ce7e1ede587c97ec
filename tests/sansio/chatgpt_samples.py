"""Events and values for logins at a provider that issues a client in the callback of the first login.

They are literal, as in `samples`. The provider is that of `Provider.chatgpt` at another issuer, with the keys of
`server_samples`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loginmachine.sansio import LoginMachine, LoginOptions, Provider, Secret
from loginmachine.sansio.login.events import RegistrationSaved, Started
from loginmachine.sansio.model.account import KnownAccount
from loginmachine.sansio.server.registration import Registration

from .samples import CODE, ID_TOKEN_HINT, SECRETS, STATE, callback, drive
from .server_samples import BOUND, ISSUER, REDIRECT_URI, metadata, signed
from .server_samples import tokens as standard_tokens

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import RequestReceived, TokenResponseReceived

BOOTSTRAP = "dynamic_agent_client"
ISSUED = "oaiapp_7Qd2Lm0x"
HOST_ID = "urn:uuid:5f0c2f9e-3c1b-4d8e-9a57-0d3b6f2e8c11"
RESOURCE = "https://api.openai.com/v1"
PLAN = "openid profile email offline_access resource.invoke chatgpt.tokens.use.direct"
PROVIDER = Provider.chatgpt(app_name="A program", issuer=ISSUER).__replace__(
    id_token_signing_alg_values_supported=("ES256",)
)
OPTIONS = LoginOptions(provider=PROVIDER)
REGISTRATION = Registration(issuer=ISSUER, client_id=ISSUED, redirect_uri=REDIRECT_URI)
ACCOUNT = KnownAccount(subject="user-1", email="ada@example.org", id_token=Secret(ID_TOKEN_HINT))
FIRST = Started(host_id=HOST_ID)
LATER = Started(host_id=HOST_ID, registration=REGISTRATION, account=ACCOUNT)
METADATA: dict[str, Any] = {"registration_endpoint": None, "device_authorization_endpoint": None}


def found(**changes: Any) -> TokenResponseReceived:
    """Return the response with the provider's metadata."""
    return metadata(1, **{**METADATA, **changes})


def came_back(client_id: str | None = ISSUED, more: str = "", request_id: int = 1) -> RequestReceived:
    """Return the documented callback; without a client id for None."""
    client = "" if client_id is None else f"&client_id={client_id}"
    scope = f"&scope={PLAN.replace(' ', '+')}"
    return callback(f"code={CODE}{scope}&state={STATE}{client}{more}", request_id, port=BOUND.port)


def tokens(
    exchange_id: int = 3, claims: dict[str, Any] | None = None, id_token: str | None = None, **changes: Any
) -> TokenResponseReceived:
    """Return the documented token response: the audience of its id token, if no other is given, is a list of one."""
    good = id_token or signed(**{"aud": [ISSUED], **(claims or {})})
    return standard_tokens(exchange_id, good, **{"scope": PLAN, **changes})


def machine(options: LoginOptions = OPTIONS) -> LoginMachine:
    return LoginMachine(options, SECRETS)


def in_browser(started: Started = FIRST, **changes: Any) -> LoginMachine:
    """Return a login that waits for the browser."""
    login = machine(OPTIONS.__replace__(**changes))
    drive(login, started, found(), BOUND)
    assert login.state == "awaiting_callback"
    return login


def exchanging(started: Started = FIRST) -> LoginMachine:
    """Return a login that has sent its code."""
    login = in_browser(started)
    drive(login, came_back(), RegistrationSaved())
    assert login.state == "exchanging_code"
    return login

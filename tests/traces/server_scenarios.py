"""The logins of the golden traces at a standard provider: metadata, registrations, pushed requests and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from loginmachine.sansio import LoginOptions, Provider, Secret
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.callback.responses import start_path
from loginmachine.sansio.login.events import (
    Bound,
    BrowserOpened,
    CallbackArrived,
    CancelRequested,
    CredentialsSaved,
    RegistrationSaved,
    RegistrationSaveFailed,
    ResponseSent,
    Started,
)
from loginmachine.sansio.model.account import KnownAccount
from loginmachine.sansio.model.options import LoginMethod
from loginmachine.sansio.server.endpoints import ClientAuthentication
from loginmachine.sansio.server.registration import Registration

from ..sansio.samples import CODE, POLL_DUE, SECRETS, STATE, SUCCESS, answer, get, no_answer, token_json
from .server_samples import (
    BASIC,
    CLIENT_ID,
    CLIENT_SECRET,
    DEVICE_CODE,
    ISSUER,
    OPENID,
    PORT,
    PUSHING,
    REGISTERING,
    REGISTRATION,
    RESOURCE,
    came_back,
    id_token,
    json_answer,
    keys,
    metadata,
    pushed,
    registered,
    resource_metadata,
    tokens,
)

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import Event


class ServerScenario(NamedTuple):
    """A login to be recorded."""

    name: str
    """The name of the scenario, and of its file."""
    events: tuple[Event, ...]
    options: LoginOptions


def at(provider: Provider, **options: object) -> LoginOptions:
    return LoginOptions(provider=provider).__replace__(**options)


APP = "https://app.example/auth/callback"
ARRIVAL = CallbackArrived(query=f"code={CODE}&state={STATE}".encode())
STRANGE_ARRIVAL = CallbackArrived(query=b"code=canary-strange-code&state=canary-strange-state")
BOUND = Bound(port=PORT)
CANCEL = CancelRequested()
BY_CODE = Started(method=LoginMethod.DEVICE_CODE)
SHOWN = (ResponseSent(request_id=1),)
LAST_PAGES = (*SHOWN, get(SUCCESS, 9, port=PORT), ResponseSent(request_id=9))
SAVED = (CredentialsSaved(), *LAST_PAGES)
FOUND = (Started(), metadata(), BOUND)
LISTENING = (*FOUND, BrowserOpened())
WITH_KEYS = (*LISTENING, keys(2), came_back())
"""The keys come while the person is in the browser."""
WITHOUT_KEYS = (*LISTENING, came_back(), tokens(3))
"""The tokens come first. Their request has aborted the one for the keys."""
OWN_TOKEN = id_token(aud=CLIENT_ID)
REGISTERED = (Started(), metadata(), BOUND, registered(2), RegistrationSaved(), BrowserOpened())
PUSHED = (Started(), metadata(), BOUND, pushed(2), BrowserOpened())
ASKING = at(
    OPENID,
    scopes=("openid", "files"),
    login_hint="ada@example.org",
    audience="canary-audience",
    resource=("https://api.example/", "urn:canary"),
    prompt="login consent",
    max_age=600,
    parameters=(("acr_values", "canary"), ("access_type", "offline")),
)
POST = OPENID.__replace__(
    client_secret=Secret(CLIENT_SECRET), token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_POST
)
NO_REFRESH_TOKEN = answer(
    3, body=token_json(id_token=id_token(), access_token="canary-access-token", refresh_token=None)
)
TENANT = "canary-tenant"
MICROSOFT = Provider.microsoft("client-1", callback_path="/auth/callback")
TEMPLATE = "https://login.microsoftonline.com/{tenantid}/v2.0"
FROM_TENANT = id_token(iss=TEMPLATE.replace("{tenantid}", TENANT), tid=TENANT)

CHATGPT = at(
    Provider.chatgpt(app_name="canary name", issuer=ISSUER).__replace__(
        id_token_signing_alg_values_supported=("ES256",)
    )
)
FIRST = Started(host_id="urn:uuid:canary-host")
LATER = Started(
    host_id="urn:uuid:canary-host",
    registration=Registration(issuer=ISSUER, client_id="oaiapp_canary", redirect_uri=REGISTRATION.redirect_uri),
    account=KnownAccount(subject="canary-sub", email="ada@example.org", id_token=Secret(id_token(aud="oaiapp_canary"))),
)
ISSUED = came_back(client_id="oaiapp_canary")
ISSUED_TOKENS = tokens(3, id_token(aud=["oaiapp_canary"]), earliest_refresh_at=1_795_001_800)

SERVER_SCENARIOS = (
    # Successes
    ServerScenario("succeeded_with_discovery", (*WITH_KEYS, tokens(3), *SAVED), at(OPENID)),
    ServerScenario(
        "succeeded_with_discovery_at_the_second_address",
        (
            *(Started(), answer(1, 404, b"not found"), metadata(2), BOUND, BrowserOpened(), keys(3), came_back()),
            *(tokens(4), *SAVED),
        ),
        at(OPENID),
    ),
    ServerScenario(
        "succeeded_with_an_issued_client",
        (*(FIRST, metadata(), BOUND, keys(2), ISSUED, RegistrationSaved(), ISSUED_TOKENS), *SAVED),
        CHATGPT,
    ),
    ServerScenario(
        "succeeded_with_an_account_to_renew",
        (
            *(LATER, metadata(), BOUND, get(start_path(SECRETS), 4, port=PORT), keys(2)),
            *(came_back(), RegistrationSaved(), ISSUED_TOKENS, *SAVED),
        ),
        CHATGPT,
    ),
    ServerScenario(
        "registration_failed_in_the_callback",
        (FIRST, metadata(), BOUND, keys(2), came_back(client_id="dynamic_agent_client"), *LAST_PAGES),
        CHATGPT,
    ),
    ServerScenario("succeeded_with_keys_after_the_tokens", (*WITHOUT_KEYS, keys(4), *SAVED), at(OPENID)),
    ServerScenario(
        "succeeded_with_keys_fetched_again",
        (*WITH_KEYS, tokens(3, id_token("key-2")), keys(4, "key-1", "key-2"), *SAVED),
        at(OPENID),
    ),
    ServerScenario(
        "succeeded_with_keys_delayed",
        (*LISTENING, no_answer(TransportProblem.CONNECT, 2), came_back(), tokens(3), keys(4), *SAVED),
        at(OPENID),
    ),
    ServerScenario(
        "succeeded_with_late_keys",
        (*LISTENING, came_back(), keys(2, "key-2"), tokens(3), keys(4), *SAVED),
        at(OPENID),
    ),
    ServerScenario(
        "succeeded_with_registration",
        (*REGISTERED, keys(3), came_back(), tokens(4, OWN_TOKEN), *SAVED),
        at(REGISTERING),
    ),
    ServerScenario(
        "succeeded_with_registration_reused",
        (
            *(Started(registration=REGISTRATION), metadata(), BOUND, BrowserOpened(), keys(2), came_back()),
            *(tokens(3, OWN_TOKEN), *SAVED),
        ),
        at(REGISTERING),
    ),
    ServerScenario("succeeded_with_pushed_request", (*PUSHED, keys(3), came_back(), tokens(4), *SAVED), at(PUSHING)),
    ServerScenario("succeeded_with_client_secret_basic", (*WITH_KEYS, tokens(3), *SAVED), at(BASIC)),
    ServerScenario("succeeded_with_client_secret_post", (*WITH_KEYS, tokens(3), *SAVED), at(POST)),
    ServerScenario("succeeded_without_refresh_token", (*WITH_KEYS, NO_REFRESH_TOKEN, *SAVED), at(OPENID)),
    ServerScenario(
        "succeeded_with_missing_scopes",
        (
            *(*WITH_KEYS, tokens(3, id_token(auth_time=1_795_000_000), scope="openid canary-scope", instance="canary")),
            *SAVED,
        ),
        ASKING,
    ),
    ServerScenario(
        "succeeded_in_a_tenant",
        (
            *(Started(), metadata(issuer=TEMPLATE), BOUND, BrowserOpened(), keys(2), came_back()),
            *(tokens(3, FROM_TENANT), *SAVED),
        ),
        at(MICROSOFT),
    ),
    ServerScenario(
        "succeeded_for_a_resource",
        (
            *(Started(), resource_metadata(), metadata(2, scopes_supported=["files:read", "offline_access", "canary"])),
            *(BOUND, registered(3), RegistrationSaved(), BrowserOpened(), keys(4), came_back()),
            *(tokens(5, OWN_TOKEN), *SAVED),
        ),
        at(RESOURCE),
    ),
    ServerScenario(
        "succeeded_for_a_resource_without_metadata",
        (
            Started(registration=REGISTRATION.__replace__(issuer="https://api.example")),
            *(answer(1, 401, b'{"error": "canary"}'), answer(2, 404, b"canary"), answer(3, 404, b"canary")),
            *(metadata(4, issuer="https://api.example"), BOUND, BrowserOpened(), keys(5), came_back()),
            *(tokens(6, id_token(iss="https://api.example", aud=CLIENT_ID)), *SAVED),
        ),
        at(RESOURCE),
    ),
    ServerScenario(
        "succeeded_with_device_code_after_discovery",
        (
            *(BY_CODE, metadata(), json_answer(2, DEVICE_CODE), POLL_DUE, tokens(3)),
            *(keys(4), CredentialsSaved()),
        ),
        at(OPENID),
    ),
    ServerScenario(
        "succeeded_with_device_code_after_registration",
        (
            *(BY_CODE, metadata(), registered(2, redirect_uris=None), RegistrationSaved(), json_answer(3, DEVICE_CODE)),
            *(POLL_DUE, tokens(4, OWN_TOKEN), keys(5), CredentialsSaved()),
        ),
        at(REGISTERING),
    ),
    # Failures
    ServerScenario(
        "discovery_failed", (Started(), answer(1, 404, b"not found"), answer(2, 404, b"canary")), at(OPENID)
    ),
    ServerScenario(
        "discovery_failed_other_resource",
        (Started(), resource_metadata(resource="https://canary.example/mcp")),
        at(RESOURCE),
    ),
    ServerScenario(
        "discovery_failed_resource_without_servers",
        (Started(), answer(1, 404), resource_metadata(2, authorization_servers=["canary"])),
        at(RESOURCE),
    ),
    ServerScenario("discovery_failed_other_issuer", (Started(), metadata(issuer="https://canary.example")), at(OPENID)),
    ServerScenario("discovery_failed_slash", (Started(), metadata(issuer=f"{ISSUER}/")), at(OPENID)),
    ServerScenario(
        "discovery_failed_algorithms",
        (Started(), metadata(id_token_signing_alg_values_supported=["HS256", "canary"])),
        at(OPENID),
    ),
    ServerScenario("discovery_failed_timeout", (Started(), no_answer(message="no answer in time")), at(OPENID)),
    ServerScenario(
        "registration_failed",
        (
            *(Started(), metadata(), BOUND),
            json_answer(2, {"error": "invalid_redirect_uri", "error_description": "no ada"}, 400),
        ),
        at(REGISTERING),
    ),
    ServerScenario(
        "registration_failed_other_redirect_uri",
        (Started(), metadata(), BOUND, registered(2, redirect_uris=["https://canary.example/cb"])),
        at(REGISTERING),
    ),
    ServerScenario(
        "persist_failed_registration",
        (Started(), metadata(), BOUND, registered(2), RegistrationSaveFailed(message="/home/ada: No space left")),
        at(REGISTERING),
    ),
    ServerScenario(
        "provider_callback_error_pushed_request",
        (Started(), metadata(), BOUND, json_answer(2, {"error": "invalid_request", "error_description": "ada"}, 400)),
        at(PUSHING),
    ),
    ServerScenario("keys_unavailable", (*WITHOUT_KEYS, answer(4, 503, b""), *SHOWN), at(OPENID)),
    ServerScenario(
        "scope_insufficient", (*WITH_KEYS, tokens(3, scope="openid"), *SHOWN), at(OPENID, required_scopes=("files",))
    ),
    ServerScenario(
        "id_token_invalid_signature",
        (*WITH_KEYS, tokens(3, f"{id_token('key-2', {'kid': 'canary-key-1'})}"), *SHOWN),
        at(OPENID),
    ),
    ServerScenario(
        "id_token_invalid_signature_found_later",
        (*LISTENING, came_back(), tokens(3, id_token("key-2", {"kid": "canary-key-1"})), keys(4), *SHOWN),
        at(OPENID),
    ),
    ServerScenario(
        "id_token_invalid_unknown_key", (*WITH_KEYS, tokens(3, id_token("key-2")), keys(4), *SHOWN), at(OPENID)
    ),
    ServerScenario(
        "id_token_invalid_unsigned",
        (*WITH_KEYS, tokens(3, f"eyJhbGciOiJub25lIn0.{id_token().split('.')[1]}."), *SHOWN),
        at(OPENID),
    ),
    ServerScenario("id_token_invalid_max_age", (*WITH_KEYS, tokens(3), *SHOWN), at(OPENID, max_age=60)),
    # A web host receives the callback itself
    ServerScenario(
        "succeeded_at_a_web_host",
        (Started(), metadata(), STRANGE_ARRIVAL, ARRIVAL, tokens(2), keys(3), CredentialsSaved()),
        at(OPENID, redirect_uri=APP),
    ),
    ServerScenario(
        "provider_callback_error_at_a_web_host",
        (Started(), metadata(), pushed(2), CallbackArrived(query=f"error=access_denied&state={STATE}".encode())),
        at(PUSHING, redirect_uri=APP),
    ),
    # Cancelled
    ServerScenario(
        "login_cancelled_while_discovering_resource", (Started(), CANCEL, resource_metadata()), at(RESOURCE)
    ),
    ServerScenario("login_cancelled_while_discovering", (Started(), CANCEL, metadata()), at(OPENID)),
    ServerScenario("login_cancelled_while_registering", (*FOUND, CANCEL, registered(2)), at(REGISTERING)),
    ServerScenario("login_cancelled_while_saving_registration", (*FOUND, registered(2), CANCEL), at(REGISTERING)),
    ServerScenario("login_cancelled_while_pushing_request", (*FOUND, CANCEL, pushed(2)), at(PUSHING)),
    ServerScenario("login_cancelled_while_fetching_keys", (*WITHOUT_KEYS, CANCEL, keys(4), *SHOWN), at(OPENID)),
)

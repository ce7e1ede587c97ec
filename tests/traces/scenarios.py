"""The logins of the golden traces: what happens in each, event by event."""

from __future__ import annotations

from typing import NamedTuple

from loginmachine.sansio import LoginOptions, Provider
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.actions import Timer
from loginmachine.sansio.login.events import (
    BindProblem,
    Bound,
    BrowserFailed,
    BrowserOpened,
    CallbackPasted,
    CancelRequested,
    ClientGone,
    CredentialsSaved,
    Event,
    HttpsAttempted,
    PreviousCancelled,
    ResponseSent,
    SaveFailed,
    Started,
    TimerFired,
)
from loginmachine.sansio.model.options import LoginMethod
from loginmachine.sansio.server.dialect import Dialect
from loginmachine.sansio.server.endpoints import DeviceCodeEndpoints

from ..sansio.samples import (
    CODE,
    DEADLINE,
    EXPIRY,
    ID_CLAIMS,
    IN_USE,
    LINGER,
    NAMESPACE,
    NONCE,
    NOW,
    OLD,
    OPTIONS,
    POLL_DUE,
    RETRY,
    STATE,
    SUCCESS,
    answer,
    api_key_answer,
    bind_failed,
    by_other_user,
    callback,
    device_code_answer,
    get,
    grant_answer,
    jwt,
    no_answer,
    pasted,
    pending,
    token_json,
)

OPENID = Provider(
    issuer="https://id.example",
    authorization_endpoint="https://id.example/authorize",
    token_endpoint="https://id.example/token",
    client_id="client-1",
    scopes=("openid", "email"),
    uses_nonce=True,
    promises_iss=True,
    dialect=Dialect(gives_all_tokens=True, stores_in_auth_json=True),
)
OPENID_CLAIMS = {
    "iss": "https://id.example",
    "aud": "client-1",
    "sub": "ada",
    "exp": NOW + 3600,
    "iat": NOW,
    "nonce": NONCE,
    "email": "ada@example.org",
}


class Scenario(NamedTuple):
    """A login to be recorded."""

    name: str
    """The name of the scenario, and of its file."""
    events: tuple[Event, ...]
    options: LoginOptions = OPTIONS


LISTENING = (Started(), Bound(port=1455), BrowserOpened())
CALLBACK = (*LISTENING, callback())
TOKENS = (*CALLBACK, answer())
SAVING = (*TOKENS, api_key_answer())
LAST_PAGES = (ResponseSent(request_id=1), get(SUCCESS, 9), ResponseSent(request_id=9))
SHOWN = (ResponseSent(request_id=1),)
"""The events after a failure: the page has reached the browser."""
CANCEL = CancelRequested()
BY_CODE = Started(method=LoginMethod.DEVICE_CODE)
POLLING = (BY_CODE, device_code_answer(), POLL_DUE)
RFC8628 = DeviceCodeEndpoints(code_endpoint="https://id.example/device_authorization")
RFC8628_CODE = (
    b'{"device_code": "canary-device-code", "user_code": "CNRY-12345", "expires_in": 600, "interval": 7,'
    b' "verification_uri": "https://id.example/device",'
    b' "verification_uri_complete": "https://id.example/device?user_code=CNRY-12345"}'
)


def paste(text: str) -> CallbackPasted:
    return CallbackPasted(text=text)


SCENARIOS = (
    # Successes
    Scenario("succeeded", (*SAVING, CredentialsSaved(), *LAST_PAGES)),
    Scenario(
        "succeeded_with_nonce",
        (
            *(Started(), Bound(port=50000), BrowserOpened()),
            callback(f"code={CODE}&state={STATE}&iss=https://id.example", port=50000),
            answer(body=token_json(id_token=jwt(OPENID_CLAIMS), access_token="canary-access-token")),
            *(CredentialsSaved(), ResponseSent(request_id=1), get(SUCCESS, 9, port=50000)),
            ResponseSent(request_id=9),
        ),
        LoginOptions(provider=OPENID),
    ),
    Scenario(
        "succeeded_without_api_key",
        (*TOKENS, answer(2, 403, b'{"error": {"code": "access_denied"}}'), CredentialsSaved(), *LAST_PAGES),
    ),
    Scenario(
        "succeeded_with_two_tabs",
        (
            *CALLBACK,
            callback(request_id=2),
            callback(f"code=other&state={STATE}", 3),
            ResponseSent(request_id=3),
            answer(),
            api_key_answer(),
            CredentialsSaved(),
            ResponseSent(request_id=1),
            ResponseSent(request_id=2),
            get(SUCCESS, 9),
            ResponseSent(request_id=9),
            get(SUCCESS, 10),
            ResponseSent(request_id=10),
        ),
    ),
    Scenario(
        "succeeded_on_the_fallback_port",
        (
            *(Started(), IN_USE, PreviousCancelled(accepted=False), Bound(port=1457), BrowserOpened()),
            *(callback(port=1457), answer(), api_key_answer(), CredentialsSaved(), ResponseSent(request_id=1)),
            *(get(SUCCESS, 9, port=1457), ResponseSent(request_id=9)),
        ),
    ),
    Scenario(
        "succeeded_after_an_earlier_login_stopped",
        (
            *(Started(), IN_USE, PreviousCancelled(accepted=True), RETRY, IN_USE, RETRY, Bound(port=1455)),
            *(BrowserOpened(), callback(), answer(), api_key_answer(), CredentialsSaved(), *LAST_PAGES),
        ),
    ),
    Scenario(
        "succeeded_among_strangers",
        (
            *LISTENING,
            get("/favicon.ico", 2),
            get("/auth/callback?code=a&code=b", 3),
            get("/auth/callback?code=a", 4, headers={"Sec-Purpose": "prefetch"}),
            get("/cancel", 5, headers={"Origin": "https://evil.example", "Cookie": "canary-cookie"}),
            get(SUCCESS, 6),
            get(f"/auth/callback?code={CODE}&state={STATE}", 7, port=80),
            *(callback(), answer(), api_key_answer(), CredentialsSaved(), *LAST_PAGES),
        ),
    ),
    Scenario(
        "succeeded_with_pasted_callback",
        (
            *(Started(), Bound(port=1455), BrowserFailed(message="no browser")),
            *map(
                paste,
                ("canary-words", "https://auth.openai.com/oauth/authorize?state=x", "https://evil.example/canary"),
            ),
            *map(pasted, ("code=old&state=" + "o" * 43, f"code={CODE}&state={STATE[:9]}")),
            *(pasted(), pasted(f"code=other&state={STATE}"), answer(), api_key_answer(), CredentialsSaved(), LINGER),
        ),
    ),
    Scenario(
        "succeeded_with_device_code",
        (
            *POLLING,
            *(pending(), POLL_DUE, answer(3, 429, b'{"error": "slow_down"}'), POLL_DUE),
            *(no_answer(TransportProblem.CONNECT, 4), POLL_DUE, grant_answer(5), answer(6), CredentialsSaved()),
        ),
    ),
    Scenario(
        "succeeded_with_device_code_of_rfc8628",
        (
            *(BY_CODE, answer(1, body=RFC8628_CODE), POLL_DUE, answer(2, 400, b'{"error": "authorization_pending"}')),
            *(POLL_DUE, answer(3, body=token_json(id_token=jwt(OPENID_CLAIMS))), CredentialsSaved()),
        ),
        LoginOptions(provider=OPENID.__replace__(uses_nonce=False, device_code=RFC8628)),
    ),
    Scenario(
        "succeeded_with_postponed_device_code",
        (
            *(BY_CODE, answer(1, 429, b"", ((b"Retry-After", b"30"),)), TimerFired(timer=Timer.CODE_REQUEST)),
            *(device_code_answer(2, user_code="CNRY 12345"), POLL_DUE, answer(3, 200, b"<html>"), POLL_DUE),
            *(grant_answer(4), answer(5), CredentialsSaved()),
        ),
    ),
    Scenario(
        "succeeded_without_device_code",
        (
            *(BY_CODE, answer(1, 404, b""), Bound(port=1455), BrowserOpened(), callback(), answer(2)),
            *(api_key_answer(3), CredentialsSaved(), *LAST_PAGES),
        ),
        OPTIONS.__replace__(device_code_fallback=True),
    ),
    Scenario("succeeded_over_older_credentials", (*SAVING, CredentialsSaved(replaced=OLD), *LAST_PAGES)),
    # Troubles that a login survives
    Scenario(
        "browser_launch_failed",
        (
            Started(),
            Bound(port=1455),
            BrowserFailed(message="no browser was found"),
            callback(),
            answer(),
            api_key_answer(),
            CredentialsSaved(),
            *LAST_PAGES,
        ),
    ),
    Scenario(
        "callback_state_mismatch",
        (
            *LISTENING,
            callback("code=old&state=old", 2),
            callback("code=old&state=old", 3),
            callback(),
            answer(),
            api_key_answer(),
            CredentialsSaved(),
            *LAST_PAGES,
        ),
    ),
    Scenario(
        "callback_from_other_user",
        (
            *LISTENING,
            by_other_user(callback("code=theirs&state=" + STATE, 2)),
            by_other_user(callback("code=theirs&state=" + STATE, 3)),
            callback(),
            answer(),
            api_key_answer(),
            CredentialsSaved(),
            *LAST_PAGES,
        ),
    ),
    Scenario(
        "succeeded_for_any_user",
        (
            *LISTENING,
            by_other_user(callback()),
            answer(),
            api_key_answer(),
            CredentialsSaved(),
            *LAST_PAGES,
        ),
        OPTIONS.__replace__(any_user=True),
    ),
    Scenario(
        "succeeded_after_https",
        (
            *LISTENING,
            HttpsAttempted(),
            HttpsAttempted(),
            callback(),
            answer(),
            api_key_answer(),
            CredentialsSaved(),
            *LAST_PAGES,
        ),
    ),
    Scenario(
        "redirect_failed", (*CALLBACK, ClientGone(request_id=1), answer(), api_key_answer(), CredentialsSaved(), LINGER)
    ),
    # Failures
    Scenario("local_server_unavailable", (Started(), bind_failed(BindProblem.OTHER, "No buffer space available"))),
    Scenario("login_timed_out", (*LISTENING, DEADLINE)),
    Scenario("issuer_mismatch", (*LISTENING, callback(f"code=c&state={STATE}&iss=https://evil.example"), *SHOWN)),
    Scenario(
        "provider_callback_error",
        (*LISTENING, callback(f"error=access_denied&error_description=refused+for+ada&state={STATE}"), *SHOWN),
    ),
    Scenario(
        "provider_callback_error_without_entitlement",
        (
            *LISTENING,
            callback(f"error=access_denied&error_description=missing_codex_entitlement&state={STATE}"),
            *SHOWN,
        ),
    ),
    Scenario("missing_authorization_code", (*LISTENING, callback(f"state={STATE}"), *SHOWN)),
    Scenario("token_exchange_timeout", (*CALLBACK, no_answer(message="no answer in time"), *SHOWN)),
    Scenario(
        "token_exchange_connect",
        (*CALLBACK, no_answer(TransportProblem.CONNECT, message="the proxy refused the connection"), *SHOWN),
    ),
    Scenario(
        "token_exchange_request",
        (*CALLBACK, no_answer(TransportProblem.REQUEST, message="the connection broke"), *SHOWN),
    ),
    Scenario(
        "token_endpoint_rejected",
        (*CALLBACK, answer(1, 400, b'{"error": "invalid_grant", "error_description": "the code has expired"}'), *SHOWN),
    ),
    Scenario(
        "token_endpoint_rejected_for_a_while",
        (*CALLBACK, answer(1, 429, b"", headers=((b"Retry-After", b"120"),)), *SHOWN),
    ),
    Scenario("token_response_malformed", (*CALLBACK, answer(body=b"<html>"), *SHOWN)),
    Scenario(
        "id_token_invalid",
        (*CALLBACK, answer(body=token_json(id_token=jwt({**ID_CLAIMS, "aud": "another client"}))), *SHOWN),
    ),
    Scenario(
        "workspace_restriction",
        (*CALLBACK, answer(body=token_json(id_token=jwt({NAMESPACE: {"chatgpt_account_id": "acc-2"}}))), *SHOWN),
        OPTIONS.__replace__(allowed_workspaces=("acc-1", "acc-3")),
    ),
    Scenario("persist_failed", (*SAVING, SaveFailed(message="/home/ada/.codex: No space left on device"), *SHOWN)),
    Scenario("device_code_unavailable", (BY_CODE, answer(1, 404, b""))),
    Scenario("device_code_denied", (*POLLING, answer(2, 400, b'{"error": "access_denied"}'))),
    Scenario("device_code_expired", (*POLLING, pending(), EXPIRY)),
    # Cancelled by the caller, or by another login
    Scenario("login_cancelled_while_binding", (Started(), CANCEL)),
    Scenario("login_cancelled_while_waiting", (*LISTENING, CANCEL)),
    Scenario("login_cancelled_while_exchanging_code", (*CALLBACK, CANCEL, *SHOWN)),
    Scenario("login_cancelled_while_exchanging_api_key", (*TOKENS, CANCEL, answer(2), *SHOWN)),
    Scenario("login_cancelled_while_polling", (*POLLING, CANCEL, pending())),
    Scenario("login_cancelled_by_another_login", (*LISTENING, get("/cancel"), *SHOWN)),
    Scenario("cancelled_too_late", (*SAVING, CANCEL, CredentialsSaved(), *LAST_PAGES)),
    # A host's mistake, and a trace that stops
    Scenario("unexpected", (Started(), CredentialsSaved(), CANCEL)),
    Scenario("unfinished", CALLBACK),
)

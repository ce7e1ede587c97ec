"""A login reads the provider's metadata before it opens a port."""

from __future__ import annotations

from typing import Any

import pytest

from loginmachine.sansio import LoginFailure, LoginOptions, LoginState, Provider, Secret
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.actions import (
    Bind,
    CloseListener,
    Finish,
    OpenBrowser,
    SendTokenRequest,
    StartTimer,
    Timer,
)
from loginmachine.sansio.login.events import Started
from loginmachine.sansio.login.failures import LoginFailureCategory, LoginFailureStep
from loginmachine.sansio.login.progress import (
    Binding,
    Listening,
    OpeningBrowser,
    RequestingDeviceCode,
    UsingBrowserInstead,
)
from loginmachine.sansio.login.server.progress import Discovering
from loginmachine.sansio.login.states import Trigger
from loginmachine.sansio.server.registration import ClientMetadata

from ...playbook import AnyAction, AnyProblem, Playbook, reply, reported
from ...samples import STARTED_WITH_DEVICE_CODE, answer, drive, no_answer
from ...server_samples import (
    ADDRESS,
    BOUND,
    CALLBACK,
    ISSUER,
    KEYS_URL,
    METADATA_URL,
    OPENID,
    OTHER_METADATA_URL,
    TOKEN_URL,
    keys,
    metadata,
    server_machine,
    signed,
    tokens,
)

FIRST = SendTokenRequest(exchange_id=1, url=METADATA_URL, method="GET", timeout=15.0)
SECOND = SendTokenRequest(exchange_id=2, url=OTHER_METADATA_URL, method="GET", timeout=15.0)


def failed(message: str, trigger: Trigger = Trigger.DISCOVERY_FAILED) -> LoginFailure:
    return LoginFailure(
        step=LoginFailureStep.READ_METADATA,
        category=LoginFailureCategory.DISCOVERY_FAILED,
        message=message,
        trigger=trigger,
    )


def test_from_the_metadata_to_the_browser() -> None:
    assert (
        Playbook(server_machine())
        >> Started()
        << reported(Discovering(url=METADATA_URL))
        << FIRST
        >> reply(metadata)
        << reported(Binding(port=0, attempt=1))
        << Bind(port=0, attempt=1)
        >> BOUND
        << reported(Listening(url=ADDRESS, port=50000))
        << StartTimer(timer=Timer.DEADLINE, seconds=600.0)
        << reported(OpeningBrowser())
        << OpenBrowser(url=ADDRESS)
        << SendTokenRequest(exchange_id=2, url=KEYS_URL, method="GET", timeout=15.0)
    )


def test_after_a_404_the_other_address_is_tried_once() -> None:
    message = f"{OTHER_METADATA_URL}: status 404"
    assert (
        Playbook(server_machine())
        >> Started()
        << reported(Discovering(url=METADATA_URL))
        << FIRST
        >> reply(answer, status=404, body=b"not here")
        << reported(Discovering(url=OTHER_METADATA_URL))
        << SECOND
        >> reply(answer, status=404, body=b"")
        << AnyProblem("read_metadata", "discovery_failed", fatal=True)
        << Finish(outcome=failed(message, Trigger.METADATA_NOT_FOUND))
        << CloseListener()
    )


def test_the_metadata_at_the_other_address_is_as_good() -> None:
    login = server_machine()
    drive(login, Started(), answer(1, 404), metadata(2), BOUND)
    assert login.auth_url == ADDRESS


def test_the_addresses_of_an_issuer_with_a_path() -> None:
    login = server_machine(LoginOptions(provider=Provider.openid("https://id.example/realms/a", client_id="native")))
    actions = drive(login, Started(), answer(1, 404), answer(2, 404), answer(3, 404))
    assert [action.url for action in actions if isinstance(action, SendTokenRequest)] == [
        "https://id.example/realms/a/.well-known/openid-configuration",
        "https://id.example/.well-known/oauth-authorization-server/realms/a",
        "https://id.example/.well-known/openid-configuration/realms/a",
    ]
    assert login.state is LoginState.FAILED


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (answer(1, 302, b""), "redirect (302), which is never followed"),
        (answer(1, 200, b"<html>", ((b"Content-Type", b"text/html"),)), "a sign-in page of the network?"),
        (answer(1, 200, b"{" + b" " * 2 * 1024 * 1024 + b"}"), "larger than 1 MiB"),
        (answer(1, 200, b"[]"), "the answer cannot be read: not a JSON object"),
        (answer(1, 204, b""), "status 204, and a document comes with 200"),
        (answer(1, 503, b""), "status 503"),
        (answer(1, 401, b""), "status 401"),
        (answer(1, 400, b'{"error": "nothing here"}'), "status 400: nothing here"),
        (metadata(issuer="https://evil.example"), "issuer is https://evil.example, and https://id.example was asked"),
        (metadata(issuer="https://id.example/"), "a slash at the end included"),
        (metadata(issuer=None), "issuer is missing"),
        (metadata(token_endpoint=None), "token_endpoint is missing"),
        (metadata(token_endpoint="http://id.example/token"), "token_endpoint: the provider's URL must be https"),
        (metadata(authorization_endpoint="http://127.0.0.1/a"), "it must be https, because the issuer is"),
        (metadata(jwks_uri="javascript:alert(1)"), "jwks_uri: "),
        (metadata(code_challenge_methods_supported=["plain"]), "has no S256"),
        (metadata(id_token_signing_alg_values_supported=["HS256", "none"]), "no algorithm for signatures"),
    ],
)
def test_metadata_that_cannot_be_used_ends_the_login(response: object, words: str) -> None:
    login = server_machine()
    drive(login, Started(), response)  # type: ignore[arg-type]
    assert isinstance(login.outcome, LoginFailure)
    assert login.outcome == failed(login.outcome.message)
    assert login.outcome.message.startswith(f"{METADATA_URL}: ")
    assert words in login.outcome.message


@pytest.mark.parametrize("kind", TransportProblem)
def test_a_provider_that_does_not_answer_ends_the_login(kind: TransportProblem) -> None:
    login = server_machine()
    drive(login, Started(), no_answer(kind, message="no route"))
    assert login.outcome == failed(f"{METADATA_URL}: no route")


def test_the_second_address_is_named_when_it_does_not_answer() -> None:
    login = server_machine()
    drive(login, Started(), answer(1, 404), no_answer(exchange_id=2, message="30 s passed"))
    assert login.outcome == failed(f"{OTHER_METADATA_URL}: 30 s passed")


def test_an_endpoint_that_is_known_is_not_replaced() -> None:
    provider = Provider.openid(ISSUER, client_id="native", jwks_uri="https://keys.example/keys")
    login = server_machine(LoginOptions(provider=provider))
    actions = drive(login, Started(), metadata(), BOUND)
    assert [action.url for action in actions if isinstance(action, SendTokenRequest)] == [
        METADATA_URL,
        "https://keys.example/keys",
    ]


def test_without_an_algorithm_only_a_login_without_id_tokens_goes_on() -> None:
    login = server_machine(OPENID.__replace__(scopes=("repo",)))
    drive(login, Started(), metadata(id_token_signing_alg_values_supported=["HS256"]), BOUND)
    assert login.state == "awaiting_callback"


def test_a_provider_without_keys_needs_no_algorithm() -> None:
    """Then no signature is verified (OpenID Connect Core section 3.1.3.7, point 6)."""
    login = server_machine()
    drive(login, Started(), metadata(id_token_signing_alg_values_supported=["HS256"], jwks_uri=None), BOUND, CALLBACK)
    drive(login, tokens(2))
    assert login.state == "saving_credentials"


def test_metadata_that_requires_what_it_does_not_have() -> None:
    login = server_machine()
    drive(
        login,
        Started(),
        metadata(require_pushed_authorization_requests=True, pushed_authorization_request_endpoint=None),
    )
    message = f"{METADATA_URL}: the provider's metadata has no pushed_authorization_request_endpoint"
    assert login.outcome == failed(message)


def test_the_promise_of_an_issuer_in_the_callback_is_kept() -> None:
    """RFC 9207 section 3: a callback without ``iss`` is refused then."""
    login = server_machine()
    drive(login, Started(), metadata(authorization_response_iss_parameter_supported=True), BOUND, CALLBACK)
    assert isinstance(login.outcome, LoginFailure)
    assert login.outcome.category == "issuer_mismatch"


# With a device code


def test_a_device_code_at_the_endpoint_of_the_metadata() -> None:
    assert (
        Playbook(server_machine())
        >> STARTED_WITH_DEVICE_CODE
        << reported(Discovering(url=METADATA_URL))
        << FIRST
        >> reply(metadata)
        << reported(RequestingDeviceCode())
        << SendTokenRequest(
            exchange_id=2,
            url="https://id.example/device",
            form=(("client_id", "native"), ("scope", "openid profile email offline_access")),
            timeout=30.0,
        )
    )


def test_a_device_code_after_a_404() -> None:
    login = server_machine()
    actions = drive(login, STARTED_WITH_DEVICE_CODE, answer(1, 404), metadata(2))
    assert SECOND in actions
    assert login.state == "requesting_device_code"


NO_CODES = f"{METADATA_URL}: the provider's metadata has no device_authorization_endpoint"


def test_a_provider_without_device_codes() -> None:
    login = server_machine()
    drive(login, STARTED_WITH_DEVICE_CODE, metadata(device_authorization_endpoint=None))
    assert login.outcome == LoginFailure(
        step=LoginFailureStep.REQUEST_DEVICE_CODE,
        category=LoginFailureCategory.DEVICE_CODE_UNAVAILABLE,
        message=NO_CODES,
        trigger=Trigger.DEVICE_CODE_NOT_ENABLED,
    )


def test_the_browser_instead_of_a_device_code() -> None:
    """The endpoints of the metadata are used all the same."""
    assert (
        Playbook(server_machine(OPENID.__replace__(device_code_fallback=True)))
        >> STARTED_WITH_DEVICE_CODE
        << reported(Discovering(url=METADATA_URL))
        << FIRST
        >> reply(metadata, device_authorization_endpoint=None)
        << reported(UsingBrowserInstead(message=NO_CODES))
        << reported(Binding(port=0, attempt=1))
        << Bind(port=0, attempt=1)
        >> BOUND
        << reported(Listening(url=ADDRESS, port=50000))
        << AnyAction(StartTimer)
        << reported(OpeningBrowser())
        << OpenBrowser(url=ADDRESS)
        << SendTokenRequest(exchange_id=2, url=KEYS_URL, method="GET", timeout=15.0)
    )


def test_no_fallback_hides_a_provider_that_is_not_there() -> None:
    login = server_machine(OPENID.__replace__(device_code_fallback=True))
    drive(login, STARTED_WITH_DEVICE_CODE, answer(1, 404), answer(2, 404))
    assert isinstance(login.outcome, LoginFailure)
    assert login.outcome.category == "discovery_failed"


# Microsoft

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
MICROSOFT = "https://login.microsoftonline.com/common/v2.0"
TEMPLATE = "https://login.microsoftonline.com/{tenantid}/v2.0"


@pytest.mark.parametrize(
    ("claims", "state"),
    [
        ({"tid": TENANT, "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0"}, "saving_credentials"),
        ({"tid": TENANT, "iss": "https://login.microsoftonline.com/another/v2.0"}, "failed"),
        ({"tid": "another", "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0"}, "failed"),
        ({"iss": TEMPLATE.replace("{tenantid}", TENANT)}, "failed"),
        ({"tid": TENANT, "iss": MICROSOFT}, "failed"),
    ],
)
def test_the_issuer_of_a_microsoft_token_has_its_tenant(claims: dict[str, Any], state: str) -> None:
    login = server_machine(LoginOptions(provider=Provider.microsoft("native")))
    drive(login, Started(), metadata(issuer=TEMPLATE), BOUND)
    drive(login, keys(2), CALLBACK_OF_MICROSOFT, tokens(3, signed(**claims)))
    assert login.state == state


CALLBACK_OF_MICROSOFT = CALLBACK.__replace__(target=CALLBACK.target.replace(b"/auth/callback", b"/"))


def test_no_other_provider_may_have_a_tenant_in_its_issuer() -> None:
    login = server_machine(LoginOptions(provider=Provider.openid(MICROSOFT, client_id="native")))
    drive(login, Started(), metadata(issuer=TEMPLATE))
    assert isinstance(login.outcome, LoginFailure)
    assert login.outcome.category == "discovery_failed"


# What the caller must say


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"require_pushed_authorization_requests": True}, "the provider has no pushed_authorization_request_endpoint"),
        (
            {"client_id": "", "registration": ClientMetadata(client_name="A program")},
            "the provider has no registration_endpoint",
        ),
    ],
)
def test_without_discovery_the_caller_names_the_endpoints(fields: dict[str, object], words: str) -> None:
    known = {"authorization_endpoint": "https://id.example/authorize", "token_endpoint": TOKEN_URL}
    provider = Provider.openid(ISSUER, **{"client_id": "native", **known, **fields})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=words):
        LoginOptions(provider=provider)


def test_the_authentication_that_the_metadata_lists_is_used() -> None:
    provider = Provider.openid(ISSUER, client_id="native", client_secret=Secret("canary-client-secret"))
    login = server_machine(LoginOptions(provider=provider))
    drive(login, Started(), metadata(token_endpoint_auth_methods_supported=["client_secret_post"]), BOUND)
    sent = [action for action in login.handle(CALLBACK) if isinstance(action, SendTokenRequest)]
    assert sent[0].authorization is None
    assert sent[0].form[-1] == ("client_secret", "canary-client-secret")

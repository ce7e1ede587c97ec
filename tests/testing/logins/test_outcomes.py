"""Each outcome with a name ends as it says, with both drivers, and with a program's own provider."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import trio

from loginmachine import LoginFailed, LoginFailureCategory, LoginMethod, LoginOptions, Provider, progress
from loginmachine.sansio.login.failures import FAILURES
from loginmachine.testing import OUTCOMES, played, possible_outcomes, steps
from loginmachine.testing.logins.login import PlayedStore

if TYPE_CHECKING:
    from loginmachine.testing import PlayedLogin

SURVIVED = {"browser_launch_failed", "callback_state_mismatch", "callback_from_other_user", "redirect_failed"}
"""Troubles in a login that succeeds."""
NOTED = {*SURVIVED, "succeeded", "succeeded_with_device_code"}
WAITING = {"waiting", "waiting_with_device_code"}
STEPS = {
    "discovery_failed": "read_metadata",
    "registration_failed": "register_client",
    "local_server_unavailable": "bind_local_server",
    "login_timed_out": "wait_for_callback",
    "login_cancelled": "wait_for_callback",
    "login_cancelled_by_another_login": "wait_for_callback",
    "issuer_mismatch": "validate_callback",
    "provider_callback_error": "validate_callback",
    "missing_authorization_code": "validate_callback",
    "scope_insufficient": "validate_callback",
    "workspace_restriction": "validate_callback",
    "token_exchange_timeout": "exchange_token",
    "token_exchange_connect": "exchange_token",
    "token_exchange_request": "exchange_token",
    "token_endpoint_rejected": "exchange_token",
    "token_response_malformed": "exchange_token",
    "id_token_invalid": "exchange_token",
    "keys_unavailable": "fetch_keys",
    "persist_failed": "persist_credentials",
    "device_code_unavailable": "request_device_code",
    "device_code_denied": "wait_for_device_code",
    "device_code_expired": "wait_for_device_code",
    "browser_launch_failed": "open_browser",
    "callback_state_mismatch": "validate_callback",
    "callback_from_other_user": "validate_callback",
    "redirect_failed": "redirect_back",
}
"""The step of each outcome that does not name one."""


def expected(name: str) -> tuple[str, str]:
    """The category and the step of an outcome."""
    category, _, step = name.partition(":")
    category = "login_cancelled" if category in ("login_cancelled_by_another_login", *WAITING) else category
    return category, step or STEPS.get(name, "")


def in_threads(name: str, **arguments: Any) -> tuple[PlayedLogin, LoginFailed | None]:
    login = played(name, **arguments)
    try:
        with login:
            if name in WAITING:
                login.cancel()
            credentials = login.wait()
    except LoginFailed as failed:
        return login, failed
    assert credentials.tokens is not None
    return login, None


def in_trio(name: str, **arguments: Any) -> tuple[PlayedLogin, LoginFailed | None]:
    login = played(name, driver="trio", **arguments)

    async def main() -> LoginFailed | None:
        try:
            async with login:
                if name in WAITING:
                    login.cancel()
                await login.wait()
        except LoginFailed as failed:
            return failed
        return None

    return login, trio.run(main)


def in_asyncio(name: str, **arguments: Any) -> tuple[PlayedLogin, LoginFailed | None]:
    login = played(name, driver="asyncio", **arguments)

    async def main() -> LoginFailed | None:
        try:
            async with login:
                if name in WAITING:
                    login.cancel()
                await login.wait()
        except LoginFailed as failed:
            return failed
        return None

    return login, asyncio.run(main())


DRIVERS = {"threaded": in_threads, "trio": in_trio, "asyncio": in_asyncio}


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("name", OUTCOMES)
def test_an_outcome(name: str, driver: str) -> None:
    login, failed = DRIVERS[driver](name)
    troubles = [phase for phase in login.progress if isinstance(phase, progress.Failed)]
    category, step = expected(name)
    if name in NOTED:
        assert failed is None
        assert any(isinstance(phase, progress.Succeeded) for phase in login.progress)
        assert [(each.category, each.step) for each in troubles] == ([(category, step)] if name in SURVIVED else [])
    elif name in WAITING:
        assert failed is not None
        assert failed.category == "login_cancelled"
    else:
        assert failed is not None
        assert (failed.category, failed.step) == (category, step)


def test_each_category_has_an_outcome() -> None:
    assert {expected(name)[0] for name in OUTCOMES} - NOTED | SURVIVED == set(LoginFailureCategory)


def test_each_failure_of_the_table_has_an_outcome() -> None:
    named = {expected(name) for name in OUTCOMES}
    assert {(category.value, step.value) for step, category in FAILURES.values()} - named == set()


CODEX = LoginOptions(provider=Provider.codex())
GOOGLE_LIKE = LoginOptions(
    provider=Provider.openid("https://id.example", client_id="client-1").__replace__(
        id_token_signing_alg_values_supported=("RS256",)
    )
)
MICROSOFT = LoginOptions(provider=Provider.microsoft("client-1", tenant="organizations"))
CHATGPT = LoginOptions(provider=Provider.chatgpt(app_name="My program"))
GITHUB = LoginOptions(provider=Provider.github("client-1"))
RESOURCE = LoginOptions(provider=Provider.for_resource("https://api.example/mcp"))
RESOURCE_WITH_CLIENT = LoginOptions(
    provider=Provider.for_resource("https://api.example/mcp", client_id="client-1", scopes=["openid", "read"])
)


@pytest.mark.parametrize(
    "options", [CODEX, GOOGLE_LIKE, MICROSOFT, GITHUB, CHATGPT, RESOURCE], ids=lambda each: each.provider.name
)
@pytest.mark.parametrize("name", ["succeeded", "token_endpoint_rejected", "persist_failed", "login_timed_out"])
def test_the_provider_of_a_program(name: str, options: LoginOptions) -> None:
    store = PlayedStore()
    login, failed = in_threads(name, options=options, store=store)
    assert (failed is None) == (name == "succeeded") == (store.credentials is not None)
    assert failed is None or failed.category == name
    provider = options.provider
    assert all(request.url.startswith(("https://", "http://127")) for request in login.requests)
    if provider.name == "codex":
        assert login.progress[1].text == "Waiting for the browser on port 1455."


def test_a_device_code_of_codex() -> None:
    with played("succeeded_with_device_code", options=CODEX) as login:
        assert login.device_code.user_code == "PLAY-1234"
        assert login.wait().api_key is None


@pytest.mark.parametrize(
    ("name", "method", "message"),
    [
        ("keys_unavailable", LoginMethod.BROWSER, "keys_unavailable needs options with a provider with keys"),
        ("discovery_failed", LoginMethod.BROWSER, "discovery_failed needs options with a provider that is found by"),
        ("device_code_denied", LoginMethod.BROWSER, "device_code_denied needs the method DEVICE_CODE"),
        ("succeeded", LoginMethod.DEVICE_CODE, "succeeded needs the method BROWSER"),
        ("workspace_restriction", LoginMethod.BROWSER, "workspace_restriction needs options with allowed_workspaces"),
    ],
)
def test_an_outcome_that_cannot_happen(name: str, method: LoginMethod, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        played(name, options=CODEX, method=method)


@pytest.mark.parametrize(
    "options", [CODEX, GITHUB, CHATGPT, RESOURCE, RESOURCE_WITH_CLIENT], ids=lambda each: each.provider.name
)
def test_each_possible_outcome_happens(options: LoginOptions) -> None:
    names = [name for name in possible_outcomes(options) if name not in WAITING]
    assert len(names) > 15
    for name in names:
        _, failed = in_threads(name, options=options)
        if name in NOTED:
            assert failed is None
        else:
            assert failed is not None
            assert (failed.category, failed.step) == expected(name)


def test_the_outcomes_of_a_resource() -> None:
    at_its_provider = {"discovery_failed", "issuer_mismatch", "login_cancelled:read_metadata", "login_timed_out"}
    with_a_registration = {"registration_failed", "login_cancelled:register_client", "persist_failed:register_client"}
    with_an_id_token = {"id_token_invalid", "keys_unavailable"}
    names = set(possible_outcomes(RESOURCE))
    assert names >= at_its_provider | with_a_registration
    assert not names & with_an_id_token
    names = set(possible_outcomes(RESOURCE_WITH_CLIENT))
    assert names >= at_its_provider | with_an_id_token
    assert not names & with_a_registration


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_resource_names_the_provider(driver: str) -> None:
    login, failed = DRIVERS[driver]("succeeded", options=RESOURCE)
    assert failed is None
    assert [(request.method, request.url) for request in login.requests] == [
        ("GET", "https://api.example/.well-known/oauth-protected-resource/mcp"),
        ("GET", "https://id.example/.well-known/openid-configuration"),
        ("POST", "https://id.example/register"),
        ("GET", "https://id.example/keys"),
        ("POST", "https://id.example/token"),
    ]
    assert dict(login.requests[-1].form)["resource"] == "https://api.example/mcp"


def test_a_resource_that_names_another_one() -> None:
    metadata = {"resource": "https://other.example", "authorization_servers": ["https://id.example"]}
    script = [steps.answer(metadata, to="resource_metadata")]
    with pytest.raises(LoginFailed, match=r"https://other\.example") as caught, played(script, options=RESOURCE):
        pass
    assert (caught.value.category, caught.value.step) == ("discovery_failed", "read_metadata")


def test_a_resource_without_metadata_is_its_own_provider() -> None:
    script = [*[steps.answer(status=404, to="resource_metadata")] * 2, steps.callback()]
    with played(script, options=RESOURCE) as login:
        assert login.wait().tokens is not None
    assert login.requests[2].url == "https://api.example/.well-known/openid-configuration"


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="no outcome is called 'success': "):
        played("success")

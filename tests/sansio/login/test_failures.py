"""Slugs, advice, and the text of a failure."""

from __future__ import annotations

import pytest

from loginmachine.sansio import LoginFailure, LoginFailureCategory, LoginFailureStep
from loginmachine.sansio.login.failures import CATALOGUE, DOING, FAILURES
from loginmachine.sansio.login.progress import Failed

PHASES = (
    "read_metadata register_client push_request bind_local_server open_browser request_device_code "
    "wait_for_device_code wait_for_callback validate_callback exchange_token fetch_keys persist_credentials "
    "redirect_back"
)
CATEGORIES = (
    "discovery_failed registration_failed local_server_unavailable browser_launch_failed device_code_unavailable "
    "device_code_denied device_code_expired login_cancelled login_timed_out callback_state_mismatch "
    "callback_from_other_user issuer_mismatch provider_callback_error missing_authorization_code "
    "token_exchange_timeout token_exchange_connect token_exchange_request token_endpoint_rejected "
    "token_response_malformed id_token_invalid keys_unavailable scope_insufficient workspace_restriction "
    "persist_failed redirect_failed"
)


def test_the_identifiers_do_not_change() -> None:
    assert " ".join(LoginFailureStep) == PHASES
    assert " ".join(LoginFailureCategory) == CATEGORIES


def test_the_table_from_trigger_to_step_and_category() -> None:
    assert {str(trigger): (str(phase), str(category)) for trigger, (phase, category) in FAILURES.items()} == {
        "discovery_failed": ("read_metadata", "discovery_failed"),
        "metadata_not_found": ("read_metadata", "discovery_failed"),
        "registration_failed": ("register_client", "registration_failed"),
        "registration_save_failed": ("register_client", "persist_failed"),
        "push_failed": ("push_request", "provider_callback_error"),
        "keys_unavailable": ("fetch_keys", "keys_unavailable"),
        "scope_missing": ("validate_callback", "scope_insufficient"),
        "port_taken": ("bind_local_server", "local_server_unavailable"),
        "port_forbidden": ("bind_local_server", "local_server_unavailable"),
        "bind_failed": ("bind_local_server", "local_server_unavailable"),
        "previous_refused": ("bind_local_server", "local_server_unavailable"),
        "browser_failed": ("open_browser", "browser_launch_failed"),
        "device_code_not_enabled": ("request_device_code", "device_code_unavailable"),
        "device_code_refused": ("request_device_code", "device_code_unavailable"),
        "device_code_denied": ("wait_for_device_code", "device_code_denied"),
        "device_code_expired": ("wait_for_device_code", "device_code_expired"),
        "deadline_passed": ("wait_for_callback", "login_timed_out"),
        "callback_mismatched": ("validate_callback", "callback_state_mismatch"),
        "callback_from_other_user": ("validate_callback", "callback_from_other_user"),
        "callback_issuer_mismatched": ("validate_callback", "issuer_mismatch"),
        "callback_denied": ("validate_callback", "provider_callback_error"),
        "callback_client_refused": ("validate_callback", "registration_failed"),
        "client_refused": ("exchange_token", "token_endpoint_rejected"),
        "callback_without_code": ("validate_callback", "missing_authorization_code"),
        "token_request_timed_out": ("exchange_token", "token_exchange_timeout"),
        "token_endpoint_unreachable": ("exchange_token", "token_exchange_connect"),
        "token_request_broken": ("exchange_token", "token_exchange_request"),
        "token_endpoint_rejected": ("exchange_token", "token_endpoint_rejected"),
        "token_response_malformed": ("exchange_token", "token_response_malformed"),
        "id_token_refused": ("exchange_token", "id_token_invalid"),
        "workspace_refused": ("validate_callback", "workspace_restriction"),
        "save_failed": ("persist_credentials", "persist_failed"),
        "client_gone": ("redirect_back", "redirect_failed"),
    }


@pytest.mark.parametrize("category", LoginFailureCategory)
def test_every_category_has_a_title_and_one_piece_of_advice(category: LoginFailureCategory) -> None:
    advice = CATALOGUE[category]
    assert 10 < len(advice.title) < 60
    assert not advice.title.endswith(".")
    assert advice.hint.endswith(".")
    assert [*CATALOGUE.values()].count(advice) == 1


def test_every_category_but_cancelled_has_a_cause() -> None:
    caused = {category for _, category in FAILURES.values()}
    assert set(LoginFailureCategory) - caused == {LoginFailureCategory.LOGIN_CANCELLED}


@pytest.mark.parametrize("phase", LoginFailureStep)
def test_every_step_has_a_description(phase: LoginFailureStep) -> None:
    assert DOING[phase]


FAILURE = LoginFailure(
    step=LoginFailureStep.EXCHANGE_TOKEN,
    category=LoginFailureCategory.TOKEN_EXCHANGE_TIMEOUT,
    message="https://auth.openai.com/oauth/token: 30 s passed",
    help_url="https://help.example",
)


def test_the_text_of_a_failure() -> None:
    assert FAILURE.describe() == (
        "The token endpoint did not answer in time.\n"
        "This happened while exchanging the authorization code for tokens. "
        "Check the network connection and any proxy, then start again.\n"
        "Help: https://help.example\n"
        "Details: token_exchange_timeout - https://auth.openai.com/oauth/token: 30 s passed"
    )


def test_the_text_of_a_failure_without_help() -> None:
    assert FAILURE.__replace__(help_url=None).describe().splitlines()[2:] == [
        "Details: token_exchange_timeout - https://auth.openai.com/oauth/token: 30 s passed"
    ]


def test_the_advice_of_a_failure() -> None:
    assert FAILURE.title == "The token endpoint did not answer in time"
    assert FAILURE.hint == "Check the network connection and any proxy, then start again."


@pytest.mark.parametrize("category", ["token_endpoint_rejected", "device_code_unavailable"])
def test_a_problem_of_the_provider_is_not_a_used_code(category: str) -> None:
    refusal = FAILURE.__replace__(category=LoginFailureCategory(category), message="status 400: invalid_grant")
    trouble = refusal.__replace__(message="https://auth.openai.com/oauth/token: status 503, the provider has a problem")
    assert trouble.title == "The provider could not answer"
    assert trouble.hint == "The provider has a problem. Start again in a while."
    assert "code" not in trouble.title + trouble.hint
    assert trouble.response().status == 502
    assert b"Start again in a while" in trouble.response().body
    assert refusal.hint != trouble.hint
    phase = Failed(step=trouble.step, category=trouble.category, message=trouble.message, fatal=True)
    assert phase.text == f"{trouble.title}. {trouble.hint}"

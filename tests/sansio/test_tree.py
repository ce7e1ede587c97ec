"""The tests of a module are found from its name: ``test_<module>.py``, in the folder of the same name."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SOURCES = TESTS.parents[1] / "src" / "sansio"
ELSEWHERE: dict[str, tuple[str, ...]] = {
    "base/phase": ("login/test_progress", "refresh/test_stories"),
    "callback/addresses": ("callback/test_pasted",),
    "callback/judgement": ("callback/test_requests_callbacks", "callback/test_issued_client"),
    "diagram/login_arrows": ("diagram/test_login", "diagram/test_path"),
    "diagram/login_dot": ("diagram/test_login", "diagram/test_path"),
    "diagram/rendering": ("diagram/test_login", "diagram/test_refresh", "diagram/test_path"),
    "login/actions": ("login/test_stories", "base/test_records"),
    "login/client/effects": ("login/client/test_stories",),
    "login/effects": ("login/test_stories", "login/test_ports", "login/test_cancelling", "login/test_endings"),
    "login/events": ("login/test_machine", "base/test_records"),
    "login/interpretation": ("login/test_interpret", "login/test_interpret_callback", "login/test_interpret_tokens"),
    "login/outcome": ("login/test_stories", "login/test_failures_of_a_login"),
    "login/port/progress": ("login/test_progress",),
    "login/port/effects": ("login/test_ports",),
    "login/server/effects": (
        *("login/server/test_cells", "login/server/test_discovery", "login/server/test_registration"),
        *("login/server/test_pushed_requests", "login/server/test_keys"),
    ),
    "login/server/interpret": (
        *("login/server/test_discovery", "login/server/test_registration"),
        *("login/server/test_pushed_requests", "login/server/test_keys"),
    ),
    "login/server/progress": ("login/test_progress",),
    "login/web/effects": ("login/web/test_hosted",),
    "login/state": ("login/test_snapshot", "login/test_memory", "login/test_endings"),
    "login/states": ("login/test_table",),
    "model/auth_json": ("model/test_credentials",),
    "server/client_secret": ("model/test_entry",),
    "server/dialect": ("model/test_provider", "model/test_account", "callback/test_responses"),
    "server/endpoints": ("model/test_provider", "oauth/test_device_code"),
    "model/known_providers": ("model/test_provider", "server/test_presets", "login/server/test_resources"),
    "model/provenance": ("model/test_issuer",),
    "model/provider_json": ("model/test_entry",),
    "model/tokens": ("oauth/test_token_responses",),
    "oauth/responses": ("oauth/test_token_responses",),
    "refresh/actions": ("refresh/test_stories",),
    "refresh/effects": ("refresh/test_stories", "refresh/test_failures"),
    "refresh/events": ("refresh/test_machine",),
    "refresh/interpret_response": ("refresh/test_failures", "refresh/test_identity", "refresh/test_keys"),
    "refresh/interpret": ("refresh/test_stories", "refresh/test_failures", "refresh/test_machine"),
    "refresh/interpretation": ("refresh/test_table",),
    "refresh/outcome": ("refresh/test_stories",),
    "refresh/state": ("refresh/test_machine",),
    "refresh/states": ("refresh/test_table",),
    "server/metadata": ("oauth/test_metadata",),
    "server/registration": ("oauth/test_registration",),
    "trace/format/values": ("trace/format/test_codec",),
    "trace/format/versions": ("trace/format/test_codec",),
    "lease/actions": ("lease/test_machine",),
    "lease/events": ("lease/test_machine",),
    "lease/interpret": ("lease/test_machine",),
    "lease/state": ("lease/test_machine",),
    "lease/states": ("lease/test_machine",),
    "lease/table": ("lease/test_machine",),
    "suspended/values": ("suspended/test_plain",),
    "sign_out/actions": ("sign_out/test_machine",),
    "sign_out/events": ("sign_out/test_machine",),
    "sign_out/outcome": ("sign_out/test_machine",),
    "sign_out/state": ("sign_out/test_machine",),
    "sign_out/states": ("sign_out/test_machine",),
    "sign_out/table": ("sign_out/test_machine",),
    "trace/known_values": ("trace/test_cost",),
    "trace/claims": ("trace/test_tokens",),
    "trace/server/kinds": ("trace/test_story",),
    "trace/sessions/reader": ("trace/test_sessions",),
    "trace/sessions/recorder": ("trace/test_sessions",),
    "trace/sessions/redaction": ("trace/test_sessions",),
    "trace/sessions/replay": ("trace/test_sessions",),
    "trace/sessions/story": ("trace/test_sessions",),
    "trace/writer": ("trace/test_recorder", "trace/test_sessions"),
    "trace/format/bodies": ("trace/test_tokens",),
}
"""Modules without a test module of their own: records, and effects that are tested by whole stories."""


def modules(folder: Path, pattern: str) -> set[str]:
    """The paths of modules in a folder, without the ending."""
    found = {path.relative_to(folder).with_suffix("") for path in folder.rglob(pattern) if path.stem != "__init__"}
    return {path.as_posix() for path in found}


def own_test(module: str) -> str:
    path = Path(module)
    return (path.parent / f"test_{path.name}").as_posix()


def test_each_module_has_tests() -> None:
    tests = modules(TESTS, "test_*.py")
    without = {module for module in modules(SOURCES, "*.py") if own_test(module) not in tests}
    assert without == set(ELSEWHERE)


@pytest.mark.parametrize("tests", ELSEWHERE.values(), ids=ELSEWHERE)
def test_the_tests_elsewhere_exist(tests: tuple[str, ...]) -> None:
    assert set(tests) <= modules(TESTS, "test_*.py")

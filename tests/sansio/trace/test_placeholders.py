"""Placeholders for secrets."""

from __future__ import annotations

from loginmachine.sansio.trace.placeholders import Placeholders

from ..samples import SECRETS


def test_placeholders_are_stable_and_never_shared() -> None:
    placeholders = Placeholders(SECRETS)
    assert placeholders.of("code", "a") == "redacted-code-1"
    assert placeholders.of("code", "b") == "redacted-code-2"
    assert placeholders.of("user", "a") == "redacted-code-1"
    assert placeholders.of("user", "redacted-code-1") == "redacted-user-1"
    assert placeholders.of("user", SECRETS.state) == "redacted-state"
    assert placeholders.of("user", SECRETS.code_verifier) == "redacted-code-verifier"
    assert placeholders.of("user", SECRETS.nonce) == "redacted-nonce"


def test_one_value_for_state_verifier_and_nonce() -> None:
    """A careless host uses one value. Each is still compared with its own placeholder."""
    placeholders = Placeholders(SECRETS.__replace__(code_verifier="same", nonce="same", state="same"))
    assert placeholders.of("foreign-state", "same") == "redacted-state"
    assert placeholders.nonce("same") == "redacted-nonce"
    assert placeholders.nonce("other") == "redacted-foreign-nonce-1"


def test_a_secret_that_is_a_word() -> None:
    placeholders = Placeholders(SECRETS)
    placeholders.of("code", "denied")
    assert placeholders.text("access denied") == "access [redacted]"
    assert placeholders.word("error", "denied") == "redacted-code-1"


def test_error_codes() -> None:
    placeholders = Placeholders(SECRETS)
    assert placeholders.word("error", "invalid_grant") == "invalid_grant"
    assert placeholders.word("error", "AADSTS50058") == "redacted-error-1"
    assert placeholders.word("error", "the code hunter has expired") == "the code [...] has expired"
    assert placeholders.word("error", "a_" * 5000 + "a") == "redacted-error-2"

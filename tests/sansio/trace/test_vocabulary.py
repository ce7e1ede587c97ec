"""Words from outside: what is told, and what is masked."""

from __future__ import annotations

import pytest

from loginmachine.sansio.trace.placeholders import Placeholders
from loginmachine.sansio.trace.vocabulary import is_listed, mask_unlisted

from ..samples import SECRETS


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("Permission denied", "Permission denied"),
        ("[Errno 28] No space left on device: '/home/ada/x y'", "[Errno 28] No space left on device: [...]"),
        ("[WinError 10013] An attempt was made", "[WinError 10013] An attempt was made"),
        ("/home/ada/.codex/auth.json: Permission denied", "[...]: Permission denied"),
        ("file:///home/ada, ~ada/x and ./ada", "[...] and [...]"),
        ("C:\\Users\\Ada Lovelace\\auth.json", "[...]"),
        ("the user Ada Lovelace <ada@example.org> is not known", "the user [...] is not [...]"),
        ("password hunter for user swordfish", "password [...] for user [...]"),
        ("the code 4711 has expired", "the code [...] has expired"),
        ("status 503, port 1455", "status 503, port 1455"),
        ("status 503000", "status [...]"),
        ("card 4111 1111 1111 1111.", "[...]."),
        ("invalid_grant (invalid-request)", "invalid_grant (invalid-request)"),
        ("could not resolve sk-live-abc!", "could not [...]"),
        ("it ca\u200bn", "it [...]"),
        ("denied\u2028status", "denied status"),
        ("one two one (x) (y), z", "one [...] one [...]"),
    ],
)
def test_a_text(text: str, shown: str) -> None:
    assert mask_unlisted(text) == shown


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("access_denied", True),
        ("INVALID-GRANT", True),
        ("login.required", True),
        ("invalid_hunter", False),
        ("_", False),
        ("", False),
        ("invalid__grant", False),
        ("invalid_grant1", False),
    ],
)
def test_a_word(word: str, *, known: bool) -> None:
    assert is_listed(word) is known


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
    """A careless host's. Each is still compared with its own."""
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

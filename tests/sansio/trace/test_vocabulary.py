"""Words from outside that a trace may hold, and words that it masks."""

from __future__ import annotations

import pytest

from loginmachine.sansio.trace.vocabulary import is_listed, mask_unlisted


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

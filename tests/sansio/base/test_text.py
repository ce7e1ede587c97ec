"""Text and URLs from outside, made safe to show."""

from __future__ import annotations

import sys

import pytest

from loginmachine.sansio.base.text import (
    SECRET_QUERY_KEYS,
    clean_text,
    is_printable_ascii,
    is_visible_ascii,
    printable,
    safe_url,
)

CANARY = "canary-secret"


# Text from outside


UNPRINTABLE = [
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e",
    *"\u2060\u2066\u2067\u2068\u2069\ufeff\ufff9\ufffa\ufffb\ud800\udfff",
]


@pytest.mark.parametrize("character", UNPRINTABLE, ids=lambda character: f"{ord(character):04x}")
def test_what_could_move_hide_or_reverse_text_is_replaced(character: str) -> None:
    assert clean_text(f"a{character}b") == "a\ufffdb"


def test_ordinary_text_is_kept() -> None:
    assert clean_text("  Gr\u00fc\u00dfe, \u4f60\u597d \U0001f642 \u05e9\u05dc\u05d5\u05dd  ") == (
        "Gr\u00fc\u00dfe, \u4f60\u597d \U0001f642 \u05e9\u05dc\u05d5\u05dd"
    )


def test_text_is_cut_to_256_characters() -> None:
    assert clean_text("x" * 256) == "x" * 256
    assert clean_text("x" * 257) == "x" * 255 + "\u2026"
    assert clean_text("x" * 11, limit=10) == "x" * 9 + "\u2026"


@pytest.mark.parametrize("echo", ["a/b+c d", "a%2Fb%2Bc%20d", "a%2fb%2bc%20d"])
def test_an_echoed_secret_is_masked_also_percent_encoded(echo: str) -> None:
    assert clean_text(f"got {echo}!", hide=("", "a/b+c d")) == "got [redacted]!"


def test_a_secret_that_cannot_be_written_is_masked_too() -> None:
    assert clean_text("got a\ud800b", hide=("a\ud800b",)) == "got [redacted]"


def test_a_text_of_ours_keeps_its_line_ends_and_its_length() -> None:
    assert printable("a" * 300) == "a" * 300
    assert printable(" a\x1b[2J\u202e\udcff\r\nb\n") == " a\ufffd[2J\ufffd\ufffd\ufffd\nb\n"


@pytest.mark.parametrize(
    ("text", "in_token", "in_code"),
    [
        ("", True, False),
        ("sk-A~!z9", True, True),
        ("a b", True, False),
        (" ", True, False),
        ("a\n", False, False),
        ("a\x7f", False, False),
        ("gr\u00fcn", False, False),
        ("a\ud800", False, False),
    ],
)
def test_characters_of_a_token_and_of_a_code(text: str, *, in_token: bool, in_code: bool) -> None:
    assert (is_printable_ascii(text), is_visible_ascii(text)) == (in_token, in_code)


def test_a_secret_at_the_cut_does_not_show_its_beginning() -> None:
    assert CANARY[:4] not in clean_text("x" * 250 + CANARY, hide=(CANARY,))


# URLs


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://auth.openai.com/oauth/token", "https://auth.openai.com/oauth/token"),
        ("https://user:password@host.example:8443/p", "https://host.example:8443/p"),
        ("https://host.example/p#access_token=x", "https://host.example/p"),
        ("https://host.example/p?a=1&code=x&b=", "https://host.example/p?a=1&code=[redacted]&b="),
        ("https://host.example/p?CODE=x&%63ode=y", "https://host.example/p?CODE=[redacted]&code=[redacted]"),
        ("https://host.example/?state=a&state=b", "https://host.example/?state=[redacted]&state=[redacted]"),
        ("http://[::1]:1455/p", "http://[::1]:1455/p"),
        ("http://[::1", "[unreadable URL]"),
        ("http://host:99999/", "[unreadable URL]"),
        ("http://host:port/", "[unreadable URL]"),
        ("https://host.example/\u202e", "https://host.example/\ufffd"),
        ("/path?token=x", "/path?token=[redacted]"),
        ("", ""),
    ],
)
def test_a_url_that_may_be_printed(url: str, shown: str) -> None:
    assert safe_url(url) == shown


def test_the_keys_whose_values_are_never_printed() -> None:
    keys = (
        "access_token api_key client_secret code code_verifier id_token id_token_hint key refresh_token "
        "requested_token state subject_token token"
    )
    assert sorted(SECRET_QUERY_KEYS) == keys.split()
    for key in keys.split():
        assert safe_url(f"https://h.example/?{key}=canary") == f"https://h.example/?{key}=[redacted]"


def test_whole_secrets_are_masked_if_the_system_cannot_load_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "loginmachine.sansio.base.echoes", None)
    assert clean_text("no canary-secret here", hide=("", "canary-secret")) == "no [redacted] here"

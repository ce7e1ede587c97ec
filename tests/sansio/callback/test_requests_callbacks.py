"""What the parameters of a callback mean (docs/design/listener.md)."""

from __future__ import annotations

import pytest

from loginmachine.sansio.callback.requests import Mismatched

from ..samples import CODE, STATE, with_dialect
from .asking import CHATGPT, ask, judged, read, rules, status, verdict


def test_an_accepted_callback_carries_its_code() -> None:
    callback = judged(ask())
    assert (callback.verdict, callback.code, callback.message) == ("accepted", CODE, "")
    assert CODE not in repr(callback)


@pytest.mark.parametrize("name", ["code", "state", "error", "error_description", "error_uri", "iss"])
@pytest.mark.parametrize("values", [("a", "a"), ("a", "b"), ("", "")])
def test_a_parameter_must_not_be_repeated_even_if_equal(name: str, values: tuple[str, str]) -> None:
    first, second = values
    assert status(read(f"{name}={first}&x=1&{name}={second}")) == 400


def test_a_parameter_repeated_in_another_spelling_is_repeated() -> None:
    assert status(read(f"code=c&state={STATE}&%63ode=c")) == 400


def test_other_parameters_are_ignored_even_if_repeated() -> None:
    assert verdict(read(f"scope=a&scope=b&code=c&state={STATE}&flag")) == "accepted"


def test_at_most_50_parameters() -> None:
    filler = "&x=1" * 48
    assert verdict(read(f"code=c&state={STATE}{filler}")) == "accepted"
    assert status(read(f"code=c&state={STATE}{filler}&x=1")) == 400
    assert status(read(f"code=c&state={STATE}{'&' * 49}")) == 400


@pytest.mark.parametrize(
    "broken",
    [b"x=%", b"x=%4", b"x=%zz", b"%x=1", b"x=%c3", b"x=%ff", b"x=\xff", b"\xff=1", b"x=%ed%a0%80", b"x=%c0%af"],
)
def test_what_cannot_be_decoded_is_a_bad_request(broken: bytes) -> None:
    assert status(read(f"code=c&state={STATE}&".encode() + broken)) == 400


def test_values_are_form_decoded() -> None:
    assert judged(read("c%6Fde=a%2Fb&state=%63anary-state-Xk3vQ9&x=%F0%9F%99%82")).code == "a/b"
    assert (
        judged(read(f"error=a&error_description=one+two%2Bthree%20four&state={STATE}")).message
        == "a: one two+three four"
    )


@pytest.mark.parametrize(
    "query",
    [
        "",
        "code=c",
        "code=c&state",
        "code=c&state=",
        f"code=c&state={STATE}x",
        f"code=c&state={STATE[:-1]}",
        f"code=c&state={STATE.lower()}",
        f"code=c&state=+{STATE}",
        f"code=c&state={STATE}%00",
        f"code=c&State={STATE}",
        f"code=c;state={STATE}",
        "code=c&state=%C3%A9%F0%9F%99%82",
        f"code=c&state={'%C3%A9' * 1000}",
        "error=access_denied",
        "error=access_denied&state=wrong",
        "code=c&iss=https://evil.example",
    ],
)
def test_a_callback_without_this_logins_state_is_a_mismatch(query: str) -> None:
    assert read(query) == Mismatched()


def test_a_callback_without_query_is_a_mismatch() -> None:
    assert ask("/auth/callback") == Mismatched()
    assert ask("/auth/callback?") == Mismatched()


# Issuer, error, code


def test_our_own_issuer_is_accepted() -> None:
    assert verdict(read(f"code=c&state={STATE}&iss=https%3A%2F%2Fauth.openai.com")) == "accepted"


@pytest.mark.parametrize(
    ("issuer", "shown"),
    [
        ("https://evil.example", "https://evil.example"),
        ("https://auth.openai.com/", "https://auth.openai.com/"),
        ("HTTPS://auth.openai.com", "HTTPS://auth.openai.com"),
        ("+", ""),
        ("%1B%5B2J", "\ufffd[2J"),
    ],
)
def test_another_issuer_is_refused_before_error_and_code(issuer: str, shown: str) -> None:
    callback = judged(read(f"code={CODE}&error=e&state={STATE}&iss={issuer}"))
    assert (callback.verdict, callback.message) == (
        "issuer_mismatched",
        f"the callback names the issuer {shown}".strip(),
    )
    assert callback.code == ""


def test_a_promised_issuer_must_be_there() -> None:
    promising = CHATGPT.__replace__(promises_iss=True)
    callback = judged(read(f"code={CODE}&state={STATE}", promising))
    assert callback.verdict == "issuer_mismatched"
    assert callback.message == "the callback names no issuer, and this provider always does"
    assert verdict(read(f"code={CODE}&state={STATE}&iss=https://auth.openai.com", promising)) == "accepted"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("error=access_denied", "access_denied"),
        ("error=access_denied&error_description=the+user+said+no", "access_denied: the user said no"),
        ("error=e%0Af&error_description=%E2%80%AEevil", "e\ufffdf: \ufffdevil"),
        (f"error=+&code={CODE}", ""),
        (f"error=e&code={CODE}&error_description=echo+{CODE}+{STATE}", "e: echo [redacted] [redacted]"),
    ],
)
def test_an_error_comes_before_a_code(query: str, message: str) -> None:
    callback = judged(read(f"{query}&state={STATE}"))
    assert (callback.verdict, callback.message, callback.code) == ("denied", message, "")


NO_ACCESS = "this workspace has no access; ask the workspace administrator to grant it"


def test_a_missing_entitlement_is_explained_and_the_raw_reason_is_hidden() -> None:
    callback = judged(read(f"error=access_denied&error_description=raw-reason+missing_codex_entitlement&state={STATE}"))
    assert (callback.verdict, callback.message) == ("denied", NO_ACCESS)


def test_only_access_denied_is_about_the_entitlement() -> None:
    callback = judged(read(f"error=server_error&error_description=missing_codex_entitlement&state={STATE}"))
    assert callback.message == "server_error: missing_codex_entitlement"


def test_a_provider_without_that_marker_shows_its_reason() -> None:
    plain = with_dialect(CHATGPT, no_entitlement_marker=None)
    callback = judged(read(f"error=access_denied&error_description=missing_codex_entitlement&state={STATE}", plain))
    assert callback.message == "access_denied: missing_codex_entitlement"


@pytest.mark.parametrize("query", ["", "code=", "code", "Code=c"])
def test_a_callback_without_code(query: str) -> None:
    callback = judged(read(f"{query}&state={STATE}"))
    assert callback.verdict == "without_code"
    assert callback.message == "the callback has neither a code nor an error"


@pytest.mark.parametrize("query", ["error=", "error", "error=&error_description=why", "iss=", "iss", "code_=", "="])
def test_a_parameter_without_a_value_is_as_absent(query: str) -> None:
    """RFC 6749 section 3.1."""
    callback = judged(read(f"{query}&code={CODE}&state={STATE}"))
    assert (callback.verdict, callback.code) == ("accepted", CODE)
    assert verdict(read(f"{query}&state={STATE}")) == "without_code"


def test_an_empty_issuer_is_no_issuer() -> None:
    promising = CHATGPT.__replace__(promises_iss=True)
    message = "the callback names no issuer, and this provider always does"
    assert judged(read(f"code={CODE}&iss=&state={STATE}", promising)).message == message


def test_the_longest_code() -> None:
    longest = "a" * (8192 - len(f"/auth/callback?code=&state={STATE}"))
    assert judged(read(f"code={longest}&state={STATE}")).code == longest
    assert status(read(f"code={'a' * 8193}&state={STATE}")) == 400


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("a+b", "a b"),
        ("a%20b", "a b"),
        ("+a+", " a "),
        ("%20", " "),
        ("a%2Bb", "a+b"),
        ("%21%22%23%7E", '!"#~'),
        ("4/0A%5C", "4/0A\\"),
    ],
)
def test_a_code_may_hold_spaces_and_any_visible_ascii(written: str, code: str) -> None:
    """RFC 6749 appendix A.11."""
    callback = judged(read(f"code={written}&state={STATE}"))
    assert (callback.verdict, callback.code) == ("accepted", code)


@pytest.mark.parametrize(
    "code", ["a%0Ab", "%00", "%FF", "a%09", "%1F", "a%7F", "%C3%A9", "%C2%A0", "%E2%80%8B", "\u00e9"]
)
@pytest.mark.parametrize("more", ["", "&error=e", "&iss=https://evil.example"])
def test_a_code_that_cannot_be_one_is_a_bad_request(code: str, more: str) -> None:
    assert status(read(f"code={code}{more}&state={STATE}")) == 400
    assert status(ask(f"/auth/callback?code={code}&state={STATE}", by=rules(code=CODE))) == 400


# After a code was accepted


def test_the_same_callback_is_a_repetition() -> None:
    assert verdict(ask(by=rules(code=CODE))) == "repeated"


@pytest.mark.parametrize("query", ["code=other", "error=e", "", "code=a+b", f"code={CODE}&iss=https://evil.example"])
def test_anything_else_with_the_right_state_is_a_conflict(query: str) -> None:
    callback = judged(ask(f"/auth/callback?{query}&state={STATE}", by=rules(code=CODE)))
    assert (callback.verdict, callback.code) == ("conflicted", "")

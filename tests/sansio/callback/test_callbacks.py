"""What the parameters of a callback mean (DESIGN section 3)."""

from __future__ import annotations

import pytest

from ..samples import CODE, STATE
from .asking import CHATGPT, ask, read, rules, status


def test_an_accepted_callback_carries_its_code() -> None:
    step = ask()
    assert (step.trigger, step.request_id, step.code, step.message) == ("callback_accepted", 3, CODE, "")


@pytest.mark.parametrize("name", ["code", "state", "error", "error_description", "error_uri", "iss"])
@pytest.mark.parametrize("values", [("a", "a"), ("a", "b"), ("", "")])
def test_a_parameter_must_not_be_repeated_even_if_equal(name: str, values: tuple[str, str]) -> None:
    first, second = values
    assert status(read(f"{name}={first}&x=1&{name}={second}")) == 400


def test_a_parameter_repeated_in_another_spelling_is_repeated() -> None:
    assert status(read(f"code=c&state={STATE}&%63ode=c")) == 400


def test_other_parameters_are_ignored_even_if_repeated() -> None:
    assert read(f"scope=a&scope=b&code=c&state={STATE}&flag").trigger == "callback_accepted"


def test_at_most_50_parameters() -> None:
    filler = "&x=1" * 48
    assert read(f"code=c&state={STATE}{filler}").trigger == "callback_accepted"
    assert status(read(f"code=c&state={STATE}{filler}&x=1")) == 400
    assert status(read(f"code=c&state={STATE}{'&' * 49}")) == 400


@pytest.mark.parametrize(
    "broken",
    [b"x=%", b"x=%4", b"x=%zz", b"%x=1", b"x=%c3", b"x=%ff", b"x=\xff", b"\xff=1", b"x=%ed%a0%80", b"x=%c0%af"],
)
def test_what_cannot_be_decoded_is_a_bad_request(broken: bytes) -> None:
    assert status(read(f"code=c&state={STATE}&".encode() + broken)) == 400


def test_values_are_form_decoded() -> None:
    assert read("c%6Fde=a%2Fb&state=%63anary-state-Xk3vQ9&x=%F0%9F%99%82").code == "a/b"
    assert read(f"error=a&error_description=one+two%2Bthree%20four&state={STATE}").message == "a: one two+three four"


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
def test_nothing_is_believed_without_this_logins_state(query: str) -> None:
    step = read(query)
    assert step.trigger == "callback_mismatched"
    assert (step.message, step.code) == ("the callback does not carry this sign-in's state", "")
    assert step.answer is not None
    assert step.answer.status == 400


def test_a_callback_without_query_is_a_mismatch() -> None:
    assert ask("/auth/callback").trigger == "callback_mismatched"
    assert ask("/auth/callback?").trigger == "callback_mismatched"


# Issuer, error, code


def test_our_own_issuer_is_accepted() -> None:
    assert read(f"code=c&state={STATE}&iss=https%3A%2F%2Fauth.openai.com").trigger == "callback_accepted"


@pytest.mark.parametrize(
    ("issuer", "shown"),
    [
        ("https://evil.example", "https://evil.example"),
        ("https://auth.openai.com/", "https://auth.openai.com/"),
        ("HTTPS://auth.openai.com", "HTTPS://auth.openai.com"),
        ("", "(empty)"),
        ("%1B%5B2J", "\ufffd[2J"),
    ],
)
def test_another_issuer_is_refused_before_error_and_code(issuer: str, shown: str) -> None:
    step = read(f"code={CODE}&error=e&state={STATE}&iss={issuer}")
    assert (step.trigger, step.message) == ("callback_issuer_mismatched", f"the callback names the issuer {shown}")
    assert step.code == ""


def test_a_promised_issuer_must_be_there() -> None:
    promising = CHATGPT.__replace__(promises_iss=True)
    step = read(f"code={CODE}&state={STATE}", promising)
    assert step.trigger == "callback_issuer_mismatched"
    assert step.message == "the callback names no issuer, and this provider always does"
    good = read(f"code={CODE}&state={STATE}&iss=https://auth.openai.com", promising)
    assert good.trigger == "callback_accepted"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("error=access_denied", "access_denied"),
        ("error=access_denied&error_description=the+user+said+no", "access_denied: the user said no"),
        ("error=", "(empty)"),
        ("error=&error_description=why", ": why"),
        ("error=e%0Af&error_description=%E2%80%AEevil", "e\ufffdf: \ufffdevil"),
        (f"error=e&code={CODE}&error_description=echo+{CODE}+{STATE}", "e: echo [redacted] [redacted]"),
    ],
)
def test_an_error_comes_before_a_code(query: str, message: str) -> None:
    step = read(f"{query}&state={STATE}")
    assert (step.trigger, step.message, step.code) == ("callback_denied", message, "")


NO_ACCESS = "this workspace has no access; ask the workspace administrator to grant it"


def test_a_missing_entitlement_is_explained_and_the_raw_reason_is_hidden() -> None:
    step = read(f"error=access_denied&error_description=raw-reason+missing_codex_entitlement&state={STATE}")
    assert (step.trigger, step.message) == ("callback_denied", NO_ACCESS)


def test_only_access_denied_is_about_the_entitlement() -> None:
    step = read(f"error=server_error&error_description=missing_codex_entitlement&state={STATE}")
    assert step.message == "server_error: missing_codex_entitlement"


def test_a_provider_without_that_marker_shows_its_reason() -> None:
    plain = CHATGPT.__replace__(no_entitlement_marker=None)
    step = read(f"error=access_denied&error_description=missing_codex_entitlement&state={STATE}", plain)
    assert step.message == "access_denied: missing_codex_entitlement"


@pytest.mark.parametrize("query", ["", "code=", "code", "Code=c"])
def test_a_callback_without_code(query: str) -> None:
    step = read(f"{query}&state={STATE}")
    assert step.trigger == "callback_without_code"
    assert step.message == "the callback has neither a code nor an error"


def test_the_longest_code() -> None:
    assert read(f"code={'a' * 4096}&state={STATE}").code == "a" * 4096


@pytest.mark.parametrize("code", ["a" * 4097, "a+b", "a%20b", "a%0Ab", "%00", "a%7F", "%C3%A9"])
def test_a_code_that_no_provider_makes(code: str) -> None:
    step = read(f"code={code}&state={STATE}")
    assert step.trigger == "callback_without_code"
    assert step.message == "the callback's code is too long or holds characters that no code has"


# After a code was accepted


def test_the_same_callback_is_a_repetition() -> None:
    assert ask(by=rules(code=CODE)).trigger == "callback_repeated"


@pytest.mark.parametrize("query", ["code=other", "error=e", "", "code=%C3%A9", f"code={CODE}&iss=https://evil.example"])
def test_anything_else_with_the_right_state_is_a_conflict(query: str) -> None:
    step = ask(f"/auth/callback?{query}&state={STATE}", by=rules(code=CODE))
    assert (step.trigger, step.code) == ("callback_conflicted", "")

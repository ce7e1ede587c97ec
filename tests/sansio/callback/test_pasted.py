"""How a pasted address is classified, and what follows in a login."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from loginmachine.sansio import LoginOptions, Provider, UnexpectedEvent
from loginmachine.sansio.callback.pasted import (
    LoopbackCallback,
    PasteProblem,
    classify_paste,
    read_loopback_callback,
)
from loginmachine.sansio.login.actions import CloseListener, Finish, StopTimer, Timer
from loginmachine.sansio.login.events import Bound, CallbackPasted, CredentialsSaved, Started
from loginmachine.sansio.login.progress import ExchangingCode, PasteAccepted, PasteRefused

from .. import samples
from ..login.test_stories import CODE_EXCHANGE, SUCCEEDED
from ..playbook import AnyAction, AnyProblem, AnyResponse, Playbook, reported
from ..samples import CODE, STATE, callback, machine_in, pasted
from .asking import CHATGPT, judged, rules, verdict

if TYPE_CHECKING:
    from loginmachine.sansio.callback.judgement import Callback

URI = "http://127.0.0.1:1455/auth/callback"
QUERY = f"code={CODE}&state={STATE}"
GOOD = f"{URI}?{QUERY}"


WITH_ITS_STATE = [
    GOOD.replace("http://", "https://"),
    GOOD.replace("1455", "1457"),
    GOOD.replace(":1455", ""),
    GOOD.replace("127.0.0.1", "127.0.0.2"),
    GOOD.replace("127.0.0.1:1455", "name-1455.app.example"),
    GOOD.replace("http://", "http://user@"),
    GOOD.replace("/auth/callback", "/user/ada/proxy/1455/auth/callback"),
    GOOD.replace("/auth/callback", ""),
    f"localhost:9999/auth/callback?{QUERY}",
    f"/auth/callback?{QUERY}",
    f"Here it is: {GOOD} - thanks!",
    f"Here it is:\n{GOOD}\nthanks",
    f"Here it is:\n\n    {GOOD}\n\nThanks, Ada",
    f"Is this it? {GOOD}? I hope so?",
    f"{URI}?state={STATE}&code={CODE} and that is all",
    f"{URI}?state={STATE}&code={CODE}\nand that is all",
    f"{URI}?state={STATE}&code={CODE}.",
    f"({URI}?state={STATE}&code={CODE}).",
    f"{GOOD}.",
    f"{GOOD},",
    f"{GOOD};",
    f"{GOOD}:",
    f"{GOOD}!",
    f"{GOOD}?",
    f"({GOOD})",
    f"[{GOOD}]",
    f"{{{GOOD}}}",
    f"{GOOD}...",
    f"{GOOD}\u2026",
    f"{GOOD},thanks",
    f"[the address]({GOOD})",
    f"[the address]({URI}?state={STATE}&code={CODE})",
    f"[{GOOD}]({GOOD})",
    f"<{GOOD}|{GOOD}>",
    f"**{GOOD}**",
    f"*{GOOD}*",
    f"_{GOOD}_",
    f"__{URI}?state={STATE}&code={CODE}__",
    f"~~{URI}?state={STATE}&code={CODE}~~",
    f"`{GOOD}`.",
    f"```\n{GOOD}\n```",
    f'<a href="{GOOD}">the address</a>',
    f"<a href='{GOOD.replace('&', '&amp;')}'>the address</a>",
    f"\u201c{GOOD}\u201d",
    f"\u2018{GOOD}\u2019",
    f"\u201e{GOOD}\u201c.",
    f"\u00ab {GOOD} \u00bb",
    GOOD.replace("&", "&amp;"),
    GOOD.replace("&", "&AMP;"),
    GOOD.replace("&", "&amp;amp;"),
    GOOD.replace("&", "&#38;"),
    GOOD.replace("&", "&#x26;"),
    GOOD.replace("?", "\\?").replace("&", "\\&"),
    GOOD.replace("?", "\\?").replace("&", "\\&").replace("=", "\\="),
    GOOD.replace("_", "\\_").replace("-", "\\-"),
    GOOD.replace("&", "^&"),
    GOOD.replace("/", "\\/").replace("&", "\\u0026"),
    GOOD.replace("&", "\u200b&").replace("state", "st\u200date"),
    f"\ufeff{GOOD}\u200b",
    f"\u2066{GOOD}\u2069",
    "\u00ad".join(GOOD),
    f"\u00a0{GOOD}\u00a0",
    f"{GOOD}\x1b[201~",
    f"{GOOD[:90]} {GOOD[90:]}",
    f"See here: {GOOD[:60]}\n{GOOD[60:]}",
    f"See here: {GOOD[:60]}\n{GOOD[60:]}\n\nThanks, Ada",
    f"curl '{GOOD}'",
    f'127.0.0.1 - - "GET /auth/callback?{QUERY} HTTP/1.1" 404 -',
    f"https://links.example/?url={quote(GOOD, safe='')}&data=1",
    f"https://links.example/?url={GOOD}",
    f"{URI}#{QUERY}",
    f"the query is {QUERY}.",
]
"""Texts with the right query, and something else."""


def read(text: str, provider: Provider = CHATGPT, *, port: int = 1455, code: str = "") -> Callback | PasteProblem:
    return classify_paste(text, rules(provider, port=port, code=code))


def refused(text: str, provider: Provider = CHATGPT) -> str:
    """Return the problem of a pasted text."""
    problem = read(text, provider)
    assert isinstance(problem, PasteProblem)
    return problem


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"  {GOOD}\r\n",
        f"<{GOOD}>",
        f'"{GOOD}"',
        f"'{GOOD}'",
        f"`{GOOD}`",
        f"{GOOD}#",
        f"{GOOD}#_=_",
        f"{GOOD[:60]}\n{GOOD[60:]}",
        f"{GOOD[:60]} \n   {GOOD[60:]}",
        GOOD.replace("http://", "HTTP://"),
        GOOD.removeprefix("http://"),
        GOOD.replace("127.0.0.1", "localhost"),
        GOOD.replace("127.0.0.1", "[::1]"),
        GOOD.removeprefix("http://").replace("127.0.0.1", "LocalHost"),
        QUERY,
        f"?{QUERY}",
        f"state={STATE}&code={CODE}",
        f"{URI}?scope=a+b&{QUERY}&session_state=x",
    ],
)
def test_the_right_address(text: str) -> None:
    callback = judged(read(text))
    assert (callback.verdict, callback.code) == ("accepted", CODE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "hello",
        "yes I signed in",
        "-----BEGIN",
        CODE,
        STATE,
        "\u00e9",
        "is this right? I do not know",
        "GET it?",
        f"{GOOD}&x={'a' * 8192}",
        "/auth/callback",
    ],
)
def test_no_address_at_all(text: str) -> None:
    assert refused(text) == "not_an_address"


def test_the_longest_paste() -> None:
    filler = "a" * (8192 - len(GOOD) - 3)
    assert verdict(read(f"{GOOD}&x={filler}")) == "accepted"
    assert refused(f"{GOOD}&x={filler}a") == "not_an_address"


def test_the_address_to_begin_with() -> None:
    assert refused(samples.AUTH_URL) == "authorization_request"
    assert refused(f"<{samples.AUTH_URL.partition('?')[0]}>") == "authorization_request"
    mirror = Provider.codex(issuer="http://127.0.0.1:9000")
    assert refused(f"http://127.0.0.1:9000/oauth/authorize?state={STATE}", mirror) == "authorization_request"


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:1455/success",
        "http://127.0.0.1:1455/success?x=y",
        "http://127.0.0.1:1457/auth/callback",
        "https://name-1455.app.example/auth/callback",
        "https://evil.example/?q=1",
        "see https://evil.example/?q=1 please",
        "http\u200b://127.0.0.1",
        "https://auth.openai.com/log-in",
        "http://",
        "https://",
    ],
)
def test_the_address_of_another_page(text: str) -> None:
    assert refused(text) == "other_address"


@pytest.mark.parametrize("whole", WITH_ITS_STATE, ids=range(len(WITH_ITS_STATE)))
def test_an_address_with_this_logins_state_is_right_whatever_is_around_it(whole: str) -> None:
    callback = judged(read(whole))
    assert (callback.verdict, callback.code) == ("accepted", CODE)


@pytest.mark.parametrize("whole", WITH_ITS_STATE, ids=range(len(WITH_ITS_STATE)))
def test_an_address_with_another_state_is_wrong_whatever_is_around_it(whole: str) -> None:
    for other in ("another-state-canary"[: len(STATE)], "x"):
        assert classify_paste(whole, rules().__replace__(state=other)) == PasteProblem.OTHER_SIGN_IN
    assert classify_paste(whole, rules().__replace__(state=f"{STATE}-and-a-rest")) == PasteProblem.INCOMPLETE


@pytest.mark.parametrize(
    "text",
    [
        f"{URI}?state={STATE}&code=abc...",
        f"{URI}?state={STATE}&code=abc\u2026",
        f"{URI}?state={STATE}&code=",
        f"{URI}?state={STATE} &code",
    ],
)
def test_an_address_that_is_shown_in_part_does_not_end_the_login(text: str) -> None:
    assert refused(text) == "incomplete"


def test_a_text_with_both_addresses() -> None:
    assert verdict(read(f"Open {samples.AUTH_URL} and then paste {GOOD} here.")) == "accepted"
    assert refused(f"Open {samples.AUTH_URL} and sign in.") == "authorization_request"


def test_text_of_any_size_is_read_in_time() -> None:
    for text in ("?" * 65_000, "?a" * 32_000, "a" * 65_000 + "?", "a " * 32_000, "a\n" * 32_000, "://?" * 16_000):
        assert isinstance(read(text), PasteProblem)
        assert verdict(read(f"{GOOD} {text[:40_000]}")) == "accepted"
    assert refused(f"{GOOD} {' ' * 65_536}") == "not_an_address"


def test_the_default_port_may_be_left_out() -> None:
    assert verdict(read(f"http://127.0.0.1/auth/callback?{QUERY}", port=80)) == "accepted"


@pytest.mark.parametrize(
    "query",
    [f"code=c&state={STATE}x", f"code=c&state={'x' * len(STATE)}", f"error=access_denied&state={STATE.lower()}"],
)
def test_the_address_of_another_sign_in(query: str) -> None:
    assert refused(f"{URI}?{query}") == "other_sign_in"


@pytest.mark.parametrize("length", range(len("http://1"), len(GOOD)))
def test_an_address_that_is_cut_off_never_ends_the_login(length: int) -> None:
    problem = refused(GOOD[:length])
    assert problem == ("incomplete" if length >= len("http://127.0.0.1:1455") else "other_address")


@pytest.mark.parametrize(
    "query",
    [
        f"state={STATE}",
        f"state={STATE}&code=",
        f"state={STATE}&code",
        f"code=a&code=a&state={STATE}",
        f"code=%zz&state={STATE}",
        f"code=a%0Ab&state={STATE}",
        f"error=&state={STATE}",
        "code=c",
        "",
    ],
)
def test_the_right_state_with_something_missing(query: str) -> None:
    assert refused(f"{URI}?{query}") == "incomplete"


def test_an_issuer_that_is_cut_off() -> None:
    promising = CHATGPT.__replace__(promises_iss=True)
    whole = f"{GOOD}&iss=https://auth.openai.com"
    assert verdict(read(whole, promising)) == "accepted"
    for length in range(len(GOOD), len(whole)):
        assert refused(whole[:length], promising) == "incomplete"


def test_what_ends_a_login_by_callback_ends_it_by_paste() -> None:
    assert verdict(read(f"{URI}?error=access_denied&state={STATE}")) == "denied"
    assert verdict(read(f"{GOOD}&iss=https://evil.example")) == "issuer_mismatched"


def test_after_a_code_was_accepted() -> None:
    assert verdict(read(GOOD, code=CODE)) == "repeated"
    assert verdict(read(f"{URI}?code=other&state={STATE}", code=CODE)) == "conflicted"


# In a login


def test_wrong_pastes_are_reported_each_time_and_the_right_one_signs_in() -> None:
    login = machine_in("awaiting_callback")
    other = PasteProblem.OTHER_SIGN_IN
    assert (
        Playbook(login)
        >> CallbackPasted(text="hello")
        << reported(PasteRefused(problem=PasteProblem.NOT_AN_ADDRESS, redirect_uri=URI))
        >> pasted("code=old&state=old-state-of-another-sign-in")
        << reported(PasteRefused(problem=other, redirect_uri=URI))
        >> pasted("code=old&state=old-state-of-another-sign-in")
        << reported(PasteRefused(problem=other, redirect_uri=URI))
        >> pasted()
        << StopTimer(timer=Timer.DEADLINE)
        << reported(PasteAccepted())
        << reported(ExchangingCode())
        << CODE_EXCHANGE
        >> pasted()
        >> pasted(f"code=other&state={STATE}")
        << reported(PasteRefused(problem=PasteProblem.ALREADY_ANSWERED, redirect_uri=URI))
    )
    samples.drive(login, samples.answer(), samples.api_key_answer())
    # No browser waits here, so there is nothing to linger for, and none that could have left too early.
    assert Playbook(login) >> CredentialsSaved() << reported(SUCCEEDED) << AnyAction(Finish) << CloseListener()


def test_a_pasted_mismatch_is_reported_even_after_one_from_the_network() -> None:
    login = machine_in("awaiting_callback")
    wrong = "code=c&state=old-state-of-another-sign-in"
    assert (
        Playbook(login)
        >> callback(wrong, 1)
        << AnyProblem("validate_callback", "callback_state_mismatch", fatal=False)
        << AnyResponse(1, 400)
        >> callback(wrong, 2)
        << AnyResponse(2, 400)
        >> pasted(wrong)
        << reported(PasteRefused(problem=PasteProblem.OTHER_SIGN_IN, redirect_uri=URI))
    )


def test_the_listener_is_first_and_the_paste_changes_nothing() -> None:
    login = machine_in("exchanging_code")
    before = login.snapshot()
    assert Playbook(login) >> pasted()
    assert login.snapshot() == before


def test_the_paste_is_first_and_the_browser_joins_the_wait() -> None:
    login = machine_in("awaiting_callback")
    login.handle(pasted())
    assert Playbook(login) >> callback(request_id=4)
    samples.drive(login, samples.answer(), samples.api_key_answer())
    actions = login.handle(CredentialsSaved())
    assert [type(action).__name__ for action in actions] == ["ReportProgress", "Respond", "Finish", "StartTimer"]


@pytest.mark.parametrize("state", ["awaiting_callback", "exchanging_code", "exchanging_api_key", "saving_credentials"])
def test_a_wrong_paste_is_reported_until_the_outcome(state: str) -> None:
    login = machine_in(state)
    refusal = reported(PasteRefused(problem=PasteProblem.NOT_AN_ADDRESS, redirect_uri=URI))
    assert Playbook(login) >> CallbackPasted(text="hello") << refusal
    assert login.state == state


def test_a_refusal_of_the_provider_can_be_pasted() -> None:
    assert (
        Playbook(machine_in("awaiting_callback"))
        >> pasted(f"error=access_denied&state={STATE}")
        << AnyProblem("validate_callback", "provider_callback_error", fatal=True)
        << StopTimer(timer=Timer.DEADLINE)
        << AnyAction(Finish)
        << CloseListener()
    )


def test_the_redirect_uri_is_named_as_it_is() -> None:
    options = LoginOptions(provider=samples.OTHER_PROVIDER, redirect_host="localhost")
    login = samples.machine(options)
    samples.drive(login, Started(), Bound(port=40000))
    expected = PasteRefused(problem=PasteProblem.OTHER_ADDRESS, redirect_uri="http://localhost:40000/auth/callback")
    assert Playbook(login) >> CallbackPasted(text="https://id.example/") << reported(expected)


@pytest.mark.parametrize("state", ["requesting_device_code", "polling_device_code"])
def test_in_a_login_with_a_device_code_there_is_nothing_to_paste(state: str) -> None:
    with pytest.raises(UnexpectedEvent):
        machine_in(state).handle(pasted())


def test_what_was_pasted_is_shown_nowhere() -> None:
    assert repr(pasted()) == "CallbackPasted()"


# Without knowing the login


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        (GOOD, ("127.0.0.1",)),
        (f" <{GOOD}#>\n", ("127.0.0.1",)),
        (GOOD.removeprefix("http://"), ("127.0.0.1",)),
        (GOOD.replace("127.0.0.1", "LOCALHOST"), ("127.0.0.1", "::1")),
        (GOOD.replace("127.0.0.1", "[::1]"), ("::1",)),
        (GOOD.replace("http:", "https:"), ("127.0.0.1",)),
        (f"Here it is: {GOOD}.", ("127.0.0.1",)),
        (f"[the address]({GOOD.replace('&', '&amp;')})", ("127.0.0.1",)),
        (GOOD.replace("?", "\\?").replace("&", "\\&"), ("127.0.0.1",)),
        (f"{samples.AUTH_URL}\n\u201c{GOOD}\u201d", ("127.0.0.1",)),
    ],
)
def test_the_callback_of_some_login_on_this_machine(text: str, hosts: tuple[str, ...]) -> None:
    found = read_loopback_callback(text)
    assert found == LoopbackCallback(hosts=hosts, port=1455, target=f"/auth/callback?{QUERY}")
    assert CODE not in repr(found)


def test_a_refusal_is_handed_over_too() -> None:
    found = read_loopback_callback(f"{URI}?error=access_denied&state=s")
    assert found is not None
    assert found.target == "/auth/callback?error=access_denied&state=s"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "\u00e9",
        "http://",
        URI,
        f"{URI}?code=c",
        f"{URI}?state=s",
        f"{URI}?code=c&state=",
        f"{URI}?code=c&state=s&state=s",
        GOOD.replace(":1455", ""),
        GOOD.replace(":1455", ":"),
        GOOD.replace("1455", "0"),
        GOOD.replace("1455", "65536"),
        GOOD.replace("1455", "014550"),
        GOOD.replace("1455", "+1455"),
        GOOD.replace("127.0.0.1", "127.0.0.2"),
        GOOD.replace("127.0.0.1", "evil.example"),
        GOOD.replace("127.0.0.1", "user@127.0.0.1"),
        GOOD.replace("127.0.0.1", "::1"),
        samples.AUTH_URL,
        QUERY,
        f"{GOOD}&x={'a' * 8192}",
    ],
)
def test_no_callback_to_this_machine(text: str) -> None:
    assert read_loopback_callback(text) is None


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (GOOD, "/auth/callback"),
        (GOOD.replace("127.0.0.1:1455", "name-1455.app.example"), "/auth/callback"),
        (GOOD.replace("/auth/callback", "/cb"), "/cb"),
        (QUERY, "/auth/callback"),
    ],
)
def test_a_port_that_is_given_replaces_that_of_the_address(text: str, path: str) -> None:
    found = read_loopback_callback(text, port=40000)
    assert found == LoopbackCallback(hosts=("127.0.0.1", "::1"), port=40000, target=f"{path}?{QUERY}")

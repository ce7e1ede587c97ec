"""The work for an event does not grow with what strangers sent before."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import pytest

from loginmachine.sansio.login.events import Bound, ResponseSent, Started
from loginmachine.sansio.trace.placeholders import Placeholders

from ..samples import CODE, SECRETS, STATE, answer, callback, no_answer, pasted, request
from .beside import Beside

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

WORDS = "the code of this login has expired and the provider denied access to it"
FORGERIES = {
    "short": lambda number: {"state": f"foreign{number}", "code": f"code{number}"},
    "long": lambda number: {"state": f"{number}" + "x" * 3000, "code": f"{number}" + "y" * 3000},
    "of words": lambda number: {"state": f"the code {'expired ' * number}", "code": f"denied {number}"},
    "an error": lambda number: {"state": f"foreign{number}", "error": f"error{number}", "iss": f"https://{number}.x"},
    "percent": lambda number: {"state": "/ \u00e9" * 200 + str(number), "code": "code"},
}


def calls_of(work: Callable[[], object]) -> int:
    """The number of function calls, in Python and in C."""
    calls = 0

    def count(_frame: FrameType, kind: str, _argument: object) -> None:
        nonlocal calls
        calls += kind in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("kind", FORGERIES)
def test_the_work_for_a_callback_after_hundreds_of_others(kind: str) -> None:
    login = Beside().tell(Started(), Bound(port=1455))
    last = {**FORGERIES[kind](7), "state": "another", "error_description": WORDS}
    work = []
    for number in range(300):
        query = urlencode({**FORGERIES[kind](number), "error_description": WORDS})
        login.tell(request(f"/auth/callback?{query}", request_id=2 * number + 1))
        login.tell(ResponseSent(request_id=2 * number + 1))
        if number in (9, 299):
            event = request(f"/auth/callback?{urlencode(last)}", request_id=2 * number + 2)
            work.append(calls_of(lambda event=event: login.recorder.handle(event)))  # type: ignore[misc]
            login.machine.handle(event)
            login.tell(ResponseSent(request_id=2 * number + 2))
    login.replays()
    assert abs(work[1] - work[0]) <= work[0] // 10


@pytest.mark.parametrize("kind", FORGERIES)
def test_the_work_for_a_text_after_hundreds_of_callbacks(kind: str) -> None:
    placeholders = Placeholders(SECRETS)
    text = "Canary is not known here, " * 9
    placeholders.text(text)
    work = []
    for number in range(300):
        for value in FORGERIES[kind](number).values():
            placeholders.of("foreign", value)
        if number in (0, 299):
            work.append(calls_of(lambda: placeholders.text(text)))
    assert abs(work[1] - work[0]) <= work[0] // 10


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        ("expired", "the code has Expired.", "the code has [redacted]."),
        ("grant", "invalid_grant: no", "[redacted]: no"),
        ("4711", "status 4711, port 80", "status [redacted], port 80"),
        ("code expired", "the code (expired) is code", "the [redacted] [...] is code"),
        ("Ada", "no ada known", "no [redacted] [...]"),
        ("access denied " * 9, "denied: " + "access denied " * 9, "denied: [redacted] [redacted]"),
        ("\u202e", "no\u202e code", "[...] code"),
        ("...", "no code... yet", "no [...]. yet"),
        ("", "no code", "no code"),
    ],
)
def test_a_foreign_value_is_masked_as_words(value: str, text: str, shown: str) -> None:
    placeholders = Placeholders(SECRETS)
    placeholders.of("foreign-state", value)
    told = placeholders.text(text)
    assert told.startswith(shown)
    assert "access denied" not in told


def test_our_own_secrets_are_masked_inside_words() -> None:
    placeholders = Placeholders(SECRETS.__replace__(state="expire"))
    assert placeholders.text("the code expired") == "the code [...]"
    assert placeholders.text("the code expire") == "the code [redacted]"


def test_what_strangers_echo_is_nowhere() -> None:
    """Foreign states, codes and errors, in descriptions of their own and of the provider."""
    foreign = ["Canary-foreign-state", "canarycode/+", "canary_error"]
    echo = f"{' '.join(foreign)} {quote(foreign[1], safe='')} {STATE} {CODE}"
    parameters = dict(zip(("state", "code", "error"), foreign, strict=True))
    login = Beside().tell(Started(), Bound(port=1455))
    login.tell(request(f"/auth/callback?{urlencode({**parameters, 'error_description': echo})}", request_id=1))
    login.tell(ResponseSent(request_id=1), pasted(urlencode(parameters)), callback(request_id=2))
    login.tell(answer(status=400, body=b'{"error":"invalid_grant","error_description":"%b"}' % echo.encode()))
    login.tell(no_answer(message=echo))
    login.replays().hides([*foreign, STATE, CODE, "anary"])

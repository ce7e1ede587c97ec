"""The other events and the options as a trace shows them, expected by hand."""

from __future__ import annotations

from typing import Any

import pytest

from loginmachine.sansio import LoginOptions, Provider
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.events import (
    BrowserFailed,
    CancelRequested,
    Event,
    HttpsAttempted,
    SaveFailed,
    Started,
    TokenRequestFailed,
)
from loginmachine.sansio.server.dialect import Dialect
from loginmachine.sansio.trace.redaction import Redactor

from ..samples import OPTIONS, OTHER_PROVIDER, SECRETS, STATE, answer


def redacted(event: Event, options: LoginOptions = OPTIONS) -> Any:
    return Redactor(options, SECRETS).event(event)


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ((b"Retry-After", b" 120 "), (b"retry-after", b"120")),
        ((b"Retry-After", b"secret"), (b"retry-after", b"other")),
        ((b"Retry-After", b"471147114711"), (b"retry-after", b"other")),
        ((b"Date", b"Sun, 06 Nov 1994 08:49:37 GMT"), (b"date", b"Sun, 06 Nov 1994 08:49:37 GMT")),
        ((b"Content-Type", b"application/json; secret"), (b"content-type", b"application/json")),
        ((b"Content-Type", b"secret/secret"), (b"content-type", b"other")),
        ((b"Content-Encoding", b"GZIP"), (b"content-encoding", b"GZIP")),
        ((b"Content-Encoding", b"secret"), (b"content-encoding", b"other")),
        ((b"Set-Cookie", b"secret"), None),
        ((b"Location", b"secret"), None),
    ],
)
def test_answer_headers(header: tuple[bytes, bytes], shown: tuple[bytes, bytes] | None) -> None:
    assert redacted(answer(headers=(header,))).headers == (() if shown is None else (shown,))


@pytest.mark.parametrize("moment", [-1.0, float("nan"), float("inf"), 1e12])
def test_times_that_are_not_a_date(moment: float) -> None:
    assert redacted(answer(received_at=moment)).received_at == -1.0


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (BrowserFailed(message="no Ada"), BrowserFailed(message="no [...]")),
        (SaveFailed(message="/home/ada: full"), SaveFailed(message="[...]: full")),
        (
            TokenRequestFailed(exchange_id=1, kind=TransportProblem.CONNECT, message="proxy ada:secret refused"),
            TokenRequestFailed(exchange_id=1, kind=TransportProblem.CONNECT, message="proxy [...] refused"),
        ),
        (CancelRequested(reason=f"secret {STATE}"), CancelRequested(reason="[...] [redacted]")),
        (Started(), Started()),
        (HttpsAttempted(), HttpsAttempted()),
    ],
)
def test_other_events(event: Event, shown: Event) -> None:
    assert redacted(event) == shown


def test_options() -> None:
    provider = OTHER_PROVIDER.__replace__(
        authorization_parameters=(
            ("originator", "codex_exec"),
            ("originator", "4711-secret"),
            ("prompt", "login"),
            ("prompt", "secret"),
            ("secret", "secret"),
        ),
        help_url="https://id.example/help?secret",
        dialect=Dialect(platform_url="https://platform.example/a"),
    )
    told = Redactor(LoginOptions(provider=provider, allowed_workspaces=("acc-1", "acc-2", "acc-1")), SECRETS).options
    assert told.allowed_workspaces == ("redacted-account-1", "redacted-account-2", "redacted-account-1")
    assert told.provider == OTHER_PROVIDER.__replace__(
        authorization_parameters=(
            ("originator", "codex_exec"),
            ("originator", "redacted"),
            ("prompt", "login"),
            ("prompt", "redacted"),
            ("redacted-parameter-5", "redacted"),
        ),
        help_url="https://redacted.invalid/",
        dialect=Dialect(platform_url="https://platform.example/a"),
    )
    assert Redactor(LoginOptions(provider=Provider.codex()), SECRETS).options == OPTIONS

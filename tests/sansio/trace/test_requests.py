"""Requests and pasted addresses as a trace shows them, expected by hand."""

from __future__ import annotations

from typing import Any

import pytest

from loginmachine.sansio import LoginOptions
from loginmachine.sansio.callback.responses import start_path
from loginmachine.sansio.login.events import (
    Bound,
    CallbackArrived,
    CallbackPasted,
    Event,
    RequestReceived,
)
from loginmachine.sansio.trace.redaction import Redactor

from .. import chatgpt_samples as chatgpt
from ..callback.test_pasted import WITH_ITS_STATE
from ..chatgpt_samples import BOOTSTRAP, ISSUED
from ..samples import CODE, OPTIONS, OTHER_PROVIDER, SECRETS, STATE, request

ISSUER = "https://auth.openai.com"


def redacted(event: Event, options: LoginOptions = OPTIONS) -> Any:
    return Redactor(options, SECRETS).event(event)


def target(raw: str, options: LoginOptions = OPTIONS) -> str:
    told = redacted(request(raw), options)
    assert isinstance(told, RequestReceived)
    return told.target.decode()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (f"/auth/callback?code={CODE}&state={STATE}", "code=redacted-code-1&state=redacted-state"),
        ("/auth/callback?state=other&x=secret&y", "state=redacted-foreign-state-1"),
        ("/auth/callback?state=redacted-state", "state=redacted-foreign-state-1"),
        ("/auth/callback?code=a&code=secret", "state=a&state=a"),
        ("/auth/callback?code=%zz", "state=a&state=a"),
        ("/auth/callback?code=s%65cret&error=secret", "code=redacted-code-1&error=redacted-code-1"),
        ("/auth/callback?code=a+b", "code=redacted-code-1"),
        ("/auth/callback?code=a%00b", "state=a&state=a"),
        (f"/auth/callback?code={'a' * 8192}", "code=redacted-code-1"),
        ("/auth/callback?code=&error=", ""),
        (f"/auth/callback?iss={ISSUER}", "iss=https%3A%2F%2Fauth.openai.com"),
        (f"/auth/callback?iss={ISSUER}/", "iss=https%3A%2F%2Fauth.openai.com%2F"),
        (f"/auth/callback?iss=+{ISSUER}", "iss=redacted-issuer-1"),
        (
            "/auth/callback?error=access_denied&error_description=no+Ada",
            "error=access_denied&error_description=no+[...]",
        ),
        (
            "/auth/callback?error_description=Ada+missing_codex_entitlement",
            "error_description=missing_codex_entitlement",
        ),
    ],
)
def test_callbacks(raw: str, shown: str) -> None:
    told = target(raw)
    assert told.startswith("/auth/callback?")
    assert told.replace("%5B...%5D", "[...]") == f"/auth/callback?{shown}"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (f"code={CODE}&state={STATE}&x=secret", "code=redacted-code-1&state=redacted-state"),
        ("state=other&code=secret", "state=redacted-foreign-state-1&code=redacted-code-1"),
        ("code=a&code=secret", "state=a&state=a"),
        (f"code={CODE}&state={STATE}&x={'a' * 8192}", "state=a&state=a"),
        ("", ""),
    ],
)
def test_callbacks_at_a_web_host(raw: str, shown: str) -> None:
    """Without a path. A query that the machine does not read is not read here."""
    told = redacted(CallbackArrived(query=raw.encode()))
    assert told == CallbackArrived(query=shown.encode())


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("/favicon.ico?token=secret", "/favicon.ico"),
        ("/success/canary-success-key?id_token=secret", "/success"),
        ("/success", "/other"),
        ("/success/secret", "/other"),
        ("/secret/path", "/other"),
        ("//auth/callback?code=a", "/other"),
        ("http://127.0.0.1:1455/success/canary-success-key", "http://127.0.0.1:1455/success"),
        ("HTTP://LOCALHOST:1455?secret", "http://localhost:1455/other"),
        ("http://secret.example/success/canary-success-key", "http://other.invalid/success"),
        ("http://user:secret@localhost:1455/success", "http://other.invalid/other"),
        ("http:///cancel", "http:///cancel"),
        (f"{start_path(SECRETS)}?secret", "/start/Rg9B1lawnmWa7TncqjxXi5E6bsZ_VBLkvHePHCGJ00Y"),
        (f"{start_path(SECRETS)}x", "/other"),
    ],
)
def test_other_targets(raw: str, shown: str) -> None:
    assert target(raw) == shown


def test_a_callback_path_that_is_called_other() -> None:
    options = LoginOptions(provider=OTHER_PROVIDER.__replace__(callback_path="/other"))
    assert target("/secret", options) == "/another"
    assert target("/other?code=a", options) == "/other?code=redacted-code-1"


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ((b"Host", b" LocalHost:1455 "), (b"host", b"localhost:1455")),
        ((b"Host", b"[::1]:80"), (b"host", b"[::1]:80")),
        ((b"Host", b"secret:1455"), (b"host", b"other.invalid")),
        ((b"Host", b"127.0.0.1:145500"), (b"host", b"other.invalid")),
        ((b"Host", b""), (b"host", b"")),
        ((b"Cookie", b"secret"), (b"cookie", b"other")),
        ((b"Referer", b"https://secret"), (b"referer", b"other")),
        ((b"Origin", b"null"), (b"origin", b"other")),
        ((b"User-Agent", b"Mozilla/5.0 (secret)"), (b"user-agent", b"Mozilla/5.0")),
        ((b"User-Agent", b"secret"), (b"user-agent", b"other")),
        ((b"Sec-Purpose", b"secret;Prefetch"), (b"sec-purpose", b"prefetch")),
        ((b"X-Moz", b"secret"), (b"x-moz", b"other")),
        ((b"Sec-Fetch-Site", b"secret"), (b"sec-fetch-site", b"other")),
        ((b"Sec-Fetch-Secret", b"secret"), (b"sec-fetch-other", b"other")),
        ((b"Loginmachine-Paste", b"secret"), (b"loginmachine-paste", b"1")),
        ((b"Authorization", b"secret"), None),
        ((b"X-Secret", b"secret"), None),
    ],
)
def test_request_headers(header: tuple[bytes, bytes], shown: tuple[bytes, bytes] | None) -> None:
    assert redacted(request("/", headers=(header,))).headers == (() if shown is None else (shown,))


@pytest.mark.parametrize(("method", "shown"), [(b"POST", b"POST"), (b"secret", b"OTHER"), (b"get", b"OTHER")])
def test_methods(method: bytes, shown: bytes) -> None:
    assert redacted(request("/", method=method)).method == shown


OURS = "http://127.0.0.1:1455/auth/callback"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{OURS}?code={CODE}&state={STATE}", "?code=redacted-code-1&state=redacted-state"),
        (f" <{OURS}?code={CODE}\n&state={STATE}> ", "?code=redacted-code-1&state=redacted-state"),
        (f"code={CODE}&state={STATE[:9]}", "?code=redacted-code-1&state=cut"),
        (f"code={CODE}&state={'o' * 43}", "?code=redacted-code-1&state=redacted-foreign-state-1"),
        (f"code={CODE}&state=", "?code=redacted-code-1"),
        (f"code={CODE}", "?code=redacted-code-1"),
        ("state=secret&state=secret", "?state=a&state=a"),
        (f"{OURS}?state={STATE}&iss=https://auth.op", "?state=redacted-state&iss=https%3A%2F%2Fauth.op"),
        ("http://127.0.0.1:1455/au", "127.0.0.1:1455/"),
        ("https://auth.openai.com/oauth/authorize?state=secret", "https://auth.openai.com/oauth/authorize"),
        ("http://127.0.0.1:9999/auth/callback?code=secret", "https://other.invalid/"),
        ("my secret", "other"),
        ("", "other"),
    ],
)
def test_a_pasted_address(text: str, shown: str) -> None:
    redactor = Redactor(OPTIONS, SECRETS)
    redactor.event(Bound(port=1455))
    assert redactor.event(CallbackPasted(text=text)) == CallbackPasted(text=shown)


@pytest.mark.parametrize("text", WITH_ITS_STATE, ids=range(len(WITH_ITS_STATE)))
def test_a_pasted_address_with_something_around_it(text: str) -> None:
    redactor = Redactor(OPTIONS, SECRETS)
    redactor.event(Bound(port=1455))
    event = redactor.event(CallbackPasted(text=text))
    assert isinstance(event, CallbackPasted)
    assert sorted(event.text.removeprefix("?").split("&")) == ["code=redacted-code-1", "state=redacted-state"]


# A client that the provider issues in a callback

LATER = chatgpt.OPTIONS.__replace__(provider=chatgpt.PROVIDER.__replace__(client_id=ISSUED))


@pytest.mark.parametrize(
    ("client_id", "shown"),
    [
        (ISSUED, "redacted-client-1"),
        # Every installation has this one, and it is refused.
        (BOOTSTRAP, BOOTSTRAP),
        # The end is missing.
        ("oaiapp_", "oaiapp_"),
        ("oaia", "oaia"),
        ("secret", "redacted-client-1"),
        ("x" * 256, "redacted-client-1"),
        ("x" * 257, "redacted-client-1+unusable"),
        ("a%0Ab", "redacted-client-1+unusable"),
    ],
)
def test_the_client_of_a_first_callback(client_id: str, shown: str) -> None:
    told = target(f"/auth/callback?code={CODE}&client_id={client_id}", chatgpt.OPTIONS)
    assert told == f"/auth/callback?code=redacted-code-1&client_id={shown}"


@pytest.mark.parametrize(
    ("client_id", "shown"),
    [
        (ISSUED, "redacted-client-1"),
        # The end is missing.
        (ISSUED[:-1], "redacted-client-"),
        ("o", "redacted-client-"),
        (f"{ISSUED}x", "redacted-client-2"),
        ("oaiapp_other", "redacted-client-2"),
        (BOOTSTRAP, BOOTSTRAP),
    ],
)
def test_the_client_of_a_later_callback(client_id: str, shown: str) -> None:
    told = target(f"/auth/callback?code={CODE}&client_id={client_id}", LATER)
    assert told == f"/auth/callback?code=redacted-code-1&client_id={shown}"

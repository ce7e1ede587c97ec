"""Status, headers and page of every response of the callback listener, literally."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from loginmachine.sansio import (
    LoginFailure,
    LoginFailureCategory,
    LoginFailureStep,
    LoginOptions,
    LoginSecrets,
    Provider,
    Secret,
)
from loginmachine.sansio.callback import responses
from loginmachine.sansio.login.actions import Respond
from loginmachine.sansio.login.events import CredentialsSaved
from loginmachine.sansio.model.account import Account
from tests.sansio.samples import with_dialect

from .. import samples

if TYPE_CHECKING:
    from loginmachine.sansio.callback.responses import Response

HTML = b"text/html; charset=utf-8"
TEXT = b"text/plain; charset=utf-8"
CLEAR = (b"Clear-Site-Data", b'"storage"')
SECRETS = LoginSecrets(state="s", code_verifier="v", success_key="key")
LOCATION = (b"Location", b"/success/key")
ACCOUNT = Account(account_id="acc-1", email="ada@example.org", plan="pro", shown_plan="plus")
CHATGPT = Provider.codex()
FAILURE = LoginFailure(
    step=LoginFailureStep.EXCHANGE_TOKEN,
    category=LoginFailureCategory.TOKEN_EXCHANGE_TIMEOUT,
    message="words",
)


def success(provider: Provider, account: Account, **wording: str) -> Response:
    options = LoginOptions(provider=provider, **wording)  # type: ignore[arg-type] # texts only
    return responses.success(options, account, Secret("id.to.ken"))


def refusal(status: int, text: bytes, *extra: tuple[bytes, bytes]) -> object:
    return pytest.param(responses.refusal(status), status, TEXT, extra, text, id=str(status))


def page(response: Response, status: int, title: bytes, id: str) -> object:  # noqa: A002
    return pytest.param(response, status, HTML, (CLEAR,), b"<h1>" + title + b"</h1>", id=id)


RESPONSES = [
    refusal(400, b"Bad request.\n"),
    refusal(403, b"Forbidden.\n"),
    refusal(404, b"Not found.\n"),
    refusal(405, b"Method not allowed: only GET is answered here.\n", (b"Allow", b"GET")),
    refusal(413, b"No request body is accepted here.\n"),
    refusal(414, b"The address is too long.\n"),
    refusal(431, b"The request head is too large.\n"),
    refusal(503, b"Prefetching is refused: open the page itself.\n"),
    refusal(505, b"Only HTTP/1.0 and HTTP/1.1 are spoken here.\n"),
    pytest.param(responses.redirect_to_success(SECRETS), 302, TEXT, (LOCATION, CLEAR), b"", id="redirect"),
    pytest.param(responses.cancelled(), 200, TEXT, (), b"Login cancelled", id="cancelled"),
    pytest.param(
        responses.too_late(), 409, TEXT, (), b"This login can no longer be cancelled.\n", id="too late to cancel"
    ),
    pytest.param(responses.other_port(1455), 403, HTML, (), b"not the port of the sign-in", id="other port"),
    page(success(CHATGPT, ACCOUNT), 200, b"You are signed in", "success"),
    page(FAILURE.response(), 504, b"The token endpoint did not answer in time", "failure"),
    page(responses.malformed_callback(), 400, b"This address cannot be read", "malformed"),
    page(responses.conflict(), 409, b"This sign-in is already being completed", "conflict"),
    page(responses.over(), 410, b"This sign-in is over", "over"),
]
"""Response, status, content type, headers besides those of every response, and text that is in the body."""


def style_hash() -> bytes:
    """Return the hash as a browser computes it: of the text of the page's only style element."""
    (style,) = re.findall(rb"<style>(.*?)</style>", responses.over().body, re.DOTALL)
    return b64encode(hashlib.sha256(style).digest())


def headers(content_type: bytes, length: int, *extra: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    policy = (
        b"default-src 'none'; style-src 'sha256-%b'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        % style_hash()
    )
    return [
        (b"Content-Type", content_type),
        (b"Content-Length", b"%d" % length),
        (b"Connection", b"close"),
        (b"Cache-Control", b"no-store"),
        (b"Referrer-Policy", b"no-referrer"),
        (b"X-Content-Type-Options", b"nosniff"),
        (b"X-Frame-Options", b"DENY"),
        (b"Cross-Origin-Resource-Policy", b"same-origin"),
        (b"Cross-Origin-Opener-Policy", b"same-origin"),
        (b"Content-Security-Policy", policy),
        *extra,
    ]


@pytest.mark.parametrize(("response", "status", "content_type", "extra", "text"), RESPONSES)
def test_every_response(
    response: Response, status: int, content_type: bytes, extra: tuple[tuple[bytes, bytes], ...], text: bytes
) -> None:
    assert response.status == status
    assert list(response.headers) == headers(content_type, len(response.body), *extra)
    if content_type == TEXT:
        assert response.body == text
    else:
        assert text in response.body


@pytest.mark.parametrize(("response", "status", "content_type", "extra", "text"), RESPONSES)
def test_no_response_sets_a_cookie_or_permits_other_origins(
    response: Response, status: int, content_type: bytes, extra: tuple[tuple[bytes, bytes], ...], text: bytes
) -> None:
    del status, content_type, extra, text
    names = {name.lower() for name, _ in response.headers}
    forbidden = {b"set-cookie", b"server", b"strict-transport-security", b"access-control-allow-origin", b"date"}
    assert not names & forbidden


@pytest.mark.parametrize(
    ("category", "status"),
    [
        ("local_server_unavailable", 500),
        ("browser_launch_failed", 500),
        ("login_cancelled", 500),
        ("login_timed_out", 500),
        ("callback_state_mismatch", 400),
        ("issuer_mismatch", 400),
        ("provider_callback_error", 403),
        ("missing_authorization_code", 400),
        ("token_exchange_timeout", 504),
        ("token_exchange_connect", 502),
        ("token_exchange_request", 502),
        ("token_endpoint_rejected", 502),
        ("token_response_malformed", 502),
        ("id_token_invalid", 502),
        ("workspace_restriction", 403),
        ("persist_failed", 500),
        ("redirect_failed", 500),
    ],
)
def test_the_status_of_each_failure(category: str, status: int) -> None:
    problem = FAILURE.__replace__(category=LoginFailureCategory(category))
    assert problem.response().status == status


def test_the_redirect_does_not_carry_the_code() -> None:
    login = samples.machine_in("saving_credentials")
    (redirect,) = [action for action in login.handle(CredentialsSaved()) if isinstance(action, Respond)]
    assert dict(redirect.headers)[b"Location"] == samples.SUCCESS.encode()


UNFINISHED = ACCOUNT.__replace__(organization_id="org 1", project_id="proj&1", needs_setup=True)


@pytest.mark.parametrize(
    ("issuer", "platform"),
    [
        ("https://auth.openai.com", "https://platform.openai.com"),
        ("https://mirror.example", "https://platform.api.openai.org"),
    ],
)
def test_the_setup_link_is_the_only_one_with_the_id_token(issuer: str, platform: str) -> None:
    body = success(Provider.codex(issuer=issuer), UNFINISHED).body.decode()
    link = f"{platform}/org-setup?p=plus&amp;t=id.to.ken&amp;with_org=org+1&amp;project_id=proj%261"
    assert re.findall(r'href="([^"]*)"', body) == [link]
    assert body.count("id.to.ken") == 1


def test_a_setup_link_with_nothing_known() -> None:
    body = success(CHATGPT, Account(needs_setup=True)).body.decode()
    assert 'href="https://platform.openai.com/org-setup?p=&amp;t=id.to.ken&amp;with_org=&amp;project_id="' in body


@pytest.mark.parametrize(
    ("account", "provider"),
    [(ACCOUNT, CHATGPT), (UNFINISHED, with_dialect(CHATGPT, platform_url=None))],
)
def test_without_setup_there_is_no_link(account: Account, provider: Provider) -> None:
    body = success(provider, account).body
    assert b"href" not in body
    assert b"id.to.ken" not in body


def test_the_page_shows_the_plan_of_the_access_token_else_of_the_id_token() -> None:
    assert b"ada@example.org</strong> (plus)" in success(CHATGPT, ACCOUNT).body
    without = ACCOUNT.__replace__(shown_plan=None)
    assert b"ada@example.org</strong> (pro)" in success(CHATGPT, without).body


OWN = "<style>p{color:red}</style><p>{email} {app_name} {other}</p>"


def test_the_pages_name_the_program() -> None:
    page = success(CHATGPT, ACCOUNT, app_name="Ada & Co").body
    assert b"go back to Ada &amp; Co." in page
    assert b"your program" not in page
    assert b"Start a new one in Ada &amp; Co, and" in responses.over("Ada & Co").body


@pytest.mark.parametrize(
    ("email", "name", "shown"),
    [
        ("a@example.org", "Ada", b"a@example.org Ada {other}"),
        ("<b>{app_name}", "Ada & Co", b"&lt;b&gt;{app_name} Ada &amp; Co {other}"),
        (None, None, b" your program {other}"),
    ],
)
def test_a_page_of_the_program_is_shown_instead(email: str | None, name: str | None, shown: bytes) -> None:
    wording = {} if name is None else {"app_name": name}
    response = success(CHATGPT, Account(email=email), success_page=OWN, **wording)
    assert response.body == b"<style>p{color:red}</style><p>" + shown + b"</p>"
    headers = dict(response.headers)
    assert headers[b"Content-Security-Policy"] == (
        b"default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
        b" base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert headers.keys() == dict(success(CHATGPT, ACCOUNT).headers).keys()


def test_an_account_that_must_be_set_up_gets_the_page_with_the_link() -> None:
    assert success(CHATGPT, UNFINISHED, success_page=OWN).body == success(CHATGPT, UNFINISHED).body


def test_the_machine_sends_these_responses_as_they_are() -> None:
    (sent,) = samples.machine_in("awaiting_callback").handle(samples.get("/favicon.ico"))
    assert isinstance(sent, Respond)
    assert (sent.headers, sent.body) == (responses.refusal(404).headers, b"Not found.\n")

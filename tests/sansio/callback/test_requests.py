"""How a request to the callback listener is classified: host, method, path, `/cancel` (docs/design/listener.md)."""

from __future__ import annotations

import pytest

from loginmachine.sansio.callback.requests import CancelAsked, Mismatched, Refused, SuccessPageRequested

from ..chatgpt_samples import ISSUED, PROVIDER
from ..samples import CODE, STATE, SUCCESS
from .asking import CHATGPT, GOOD, HOST, ask, rules, status, verdict

# Host


@pytest.mark.parametrize(
    "host",
    [b"127.0.0.1:1455", b"localhost:1455", b"[::1]:1455", b"LocalHost:1455", b" 127.0.0.1:1455 "],
)
@pytest.mark.parametrize("name", [b"Host", b"host", b"HOST"])
def test_our_own_hosts_are_served(name: bytes, host: bytes) -> None:
    assert verdict(ask(host=((name, host),))) == "accepted"


@pytest.mark.parametrize(
    "host",
    [
        b"evil.example",
        b"evil.example:1455",
        b"127.0.0.1",
        b"127.0.0.1:80",
        b"127.0.0.1:14550",
        b"127.0.0.1:01455",
        b"127.0.0.1:1455.evil.example",
        b"127.0.0.1.evil.example:1455",
        b"localhost.:1455",
        b"localhost",
        b"0.0.0.0:1455",
        b"127.1:1455",
        b"::1:1455",
        b"[::1%25lo]:1455",
        b"user@127.0.0.1:1455",
        b"127.0.0.1:1455, evil.example",
        b"\xff",
    ],
)
def test_a_foreign_host_is_forbidden(host: bytes) -> None:
    assert status(ask(host=((b"Host", host),))) == 403


@pytest.mark.parametrize(
    ("host", "is_helped"),
    [
        (b"localhost:9999", True),
        (b"127.0.0.1:1456", True),
        (b"LOCALHOST:8443", True),
        (b"[::1]:9999", True),
        # A browser leaves out the default port.
        (b"localhost", True),
        (b"127.0.0.1:80", False),
        (b"evil.example:9999", False),
        (b"127.0.0.1.evil.example:9999", False),
        (b"localhost:9999.evil.example", False),
        (b"localhost:x", False),
        (b"localhost:", False),
        (b"localhost:123456", False),
    ],
)
def test_a_browser_that_comes_to_another_port_gets_a_page(host: bytes, *, is_helped: bool) -> None:
    for target, headers in ((GOOD, ((b"Host", host),)), (f"http://{host.decode()}{GOOD}", (HOST,))):
        refused = ask(target, host=headers)
        assert isinstance(refused, Refused)
        assert refused.response.status == 403
        page = refused.response.body.decode()
        assert ("Copy the whole address" in page and "waits at port 1455" in page) is is_helped
        assert STATE not in page
        assert CODE not in page


@pytest.mark.parametrize(
    "hosts",
    [(), ((b"Host", b""),), ((b"Host", b"  "),), (HOST, HOST), (HOST, (b"host", b"evil.example"))],
)
def test_a_missing_empty_or_double_host_is_a_bad_request(hosts: tuple[tuple[bytes, bytes], ...]) -> None:
    assert status(ask(host=hosts)) == 400


def test_browsers_leave_out_the_default_port() -> None:
    by = rules(port=80)
    assert verdict(ask(host=((b"Host", b"127.0.0.1"),), by=by)) == "accepted"
    assert verdict(ask(host=((b"Host", b"localhost:80"),), by=by)) == "accepted"


@pytest.mark.parametrize("start", ["http://127.0.0.1:1455", "HTTP://LOCALHOST:1455", "http://[::1]:1455"])
def test_absolute_form_with_our_own_authority_is_served(start: str) -> None:
    assert verdict(ask(start + GOOD)) == "accepted"


@pytest.mark.parametrize(
    "start",
    [
        "http://evil.example",
        "http://127.0.0.1",
        "http://",
        "http://127.0.0.1:1455@evil.example",
        "http://user@127.0.0.1:1455",
        "http://127.0.0.1:1455#",
    ],
)
def test_absolute_form_with_a_foreign_authority_is_forbidden(start: str) -> None:
    assert status(ask(start + GOOD)) == 403


@pytest.mark.parametrize("host", [b"evil.example", b"evil.example:1455", b"127.0.0.1", b"", b"  ", b"\xff"])
def test_absolute_form_replaces_any_host(host: bytes) -> None:
    """RFC 9112 section 3.2.2."""
    assert verdict(ask("http://127.0.0.1:1455" + GOOD, host=((b"Host", host),))) == "accepted"
    assert status(ask("http://evil.example" + GOOD, host=((b"Host", host),))) == 403


@pytest.mark.parametrize("hosts", [(), (HOST, HOST)])
def test_absolute_form_needs_a_host_all_the_same(hosts: tuple[tuple[bytes, bytes], ...]) -> None:
    """RFC 9112 section 3.2."""
    assert status(ask("http://127.0.0.1:1455" + GOOD, host=hosts)) == 400


def test_absolute_form_without_path_is_not_the_callback() -> None:
    assert status(ask("http://127.0.0.1:1455")) == 404
    assert status(ask(f"http://127.0.0.1:1455?code=c&state={STATE}")) == 404


@pytest.mark.parametrize("target", ["https://127.0.0.1:1455" + GOOD, "ws://127.0.0.1:1455/auth/callback"])
def test_absolute_form_of_another_scheme_is_not_found(target: str) -> None:
    assert status(ask(target)) == 404


# Prefetch and method


@pytest.mark.parametrize(
    "field",
    [
        (b"Sec-Purpose", b"prefetch"),
        (b"Sec-Purpose", b"prefetch;prerender"),
        (b"sec-purpose", b"Prefetch;anonymous-client-ip"),
        (b"Purpose", b"prefetch"),
        (b"PURPOSE", b"preview"),
        (b"X-Moz", b"prefetch"),
    ],
)
def test_a_prefetch_is_refused(field: tuple[bytes, bytes]) -> None:
    assert status(ask(GOOD, field)) == 503


def test_other_purposes_are_served() -> None:
    assert verdict(ask(GOOD, (b"Sec-Purpose", b"navigate"), (b"X-Moz", b""))) == "accepted"


@pytest.mark.parametrize("method", [b"HEAD", b"POST", b"OPTIONS", b"PUT", b"DELETE", b"CONNECT", b"get", b"GET ", b""])
@pytest.mark.parametrize("target", [GOOD, "/cancel", "/success", "/", "*"])
def test_other_methods_are_not_allowed(method: bytes, target: str) -> None:
    refused = ask(target, method=method)
    assert status(refused) == 405
    assert isinstance(refused, Refused)
    assert (b"Allow", b"GET") in refused.response.headers


def test_the_checks_are_made_in_order() -> None:
    prefetch = (b"Purpose", b"prefetch")
    assert status(ask("/nowhere", prefetch, method=b"POST", host=())) == 400
    assert status(ask("/nowhere", prefetch, method=b"POST", host=((b"Host", b"evil.example"),))) == 403
    assert status(ask("/nowhere", prefetch, method=b"POST")) == 503
    assert status(ask("/nowhere", method=b"POST")) == 405
    assert status(ask("/nowhere")) == 404


# Path


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "*",
        "/favicon.ico",
        "//auth/callback",
        "/auth//callback",
        "/auth/callback/",
        "/auth/./callback",
        "/x/../auth/callback",
        "/auth/%63allback",
        "/auth/callback;x",
        "/auth/callback%3F",
        "/Auth/Callback",
        "/auth/callback#",
        "/auth\\callback",
        "auth/callback",
        "/success",
        "/success/",
        f"{SUCCESS}/",
        f"{SUCCESS}x",
        SUCCESS[:-1],
        f"/{SUCCESS}",
        "/success%20",
        "//success",
        "/cancel/",
        "/CANCEL",
        "/cancel;",
        "/\u00e9",
    ],
)
def test_paths_are_compared_byte_for_byte(path: str) -> None:
    assert status(ask(f"{path}?code={CODE}&state={STATE}")) == 404


def test_a_provider_may_have_another_callback_path() -> None:
    provider = CHATGPT.__replace__(callback_path="/cb")
    assert verdict(ask(f"/cb?code=c&state={STATE}", by=rules(provider))) == "accepted"
    assert status(ask(GOOD, by=rules(provider))) == 404


@pytest.mark.parametrize("target", [SUCCESS, f"{SUCCESS}?x=1", f"http://localhost:1455{SUCCESS}"])
def test_the_success_page(target: str) -> None:
    assert ask(target) == SuccessPageRequested()


# Cancel


def test_a_login_server_may_cancel() -> None:
    assert ask("/cancel", (b"Connection", b"close")) == CancelAsked()


@pytest.mark.parametrize("agent", [b"curl/8.0", b"codex_cli_rs/0.169.0", b""])
def test_other_programs_may_cancel(agent: bytes) -> None:
    assert ask("/cancel", (b"User-Agent", agent)) == CancelAsked()


@pytest.mark.parametrize(
    "field",
    [
        (b"Origin", b"https://evil.example"),
        (b"ORIGIN", b""),
        (b"Referer", b"http://127.0.0.1:1455/"),
        (b"Cookie", b"a=b"),
        (b"Sec-Fetch-Site", b"none"),
        (b"sec-fetch-anything", b"new"),
        (b"User-Agent", b"Mozilla/5.0"),
        (b"user-agent", b"x mozilla/5.0"),
    ],
)
def test_a_browser_may_not_cancel(field: tuple[bytes, bytes]) -> None:
    assert status(ask("/cancel", field)) == 403


# Pasted addresses that another process sends


@pytest.mark.parametrize("name", [b"Loginmachine-Paste", b"LOGINMACHINE-PASTE"])
@pytest.mark.parametrize("end", ["", "&client_id=", "&client_id=oaia", "&client_id=oaiapp_"])
def test_a_pasted_address_that_is_cut_off_is_refused(name: bytes, end: str) -> None:
    address = f"{GOOD}{end}"
    assert status(ask(address, (name, b"1"), by=rules(PROVIDER))) == 400


def test_a_browser_sends_the_whole_address() -> None:
    """Without a client id the provider has issued no client."""
    assert verdict(ask(GOOD, by=rules(PROVIDER))) == "client_refused"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (f"{GOOD}&client_id={ISSUED}", "accepted"),
        (f"{GOOD}&client_id=other%0A", "client_refused"),
        (f"/auth/callback?state={STATE}&error=access_denied", "denied"),
    ],
)
def test_a_whole_pasted_address_is_judged_as_others(address: str, expected: str) -> None:
    assert verdict(ask(address, (b"Loginmachine-Paste", b"1"), by=rules(PROVIDER))) == expected


def test_a_pasted_address_of_another_sign_in_is_mismatched() -> None:
    address = "/auth/callback?code=c&state=other"
    assert isinstance(ask(address, (b"Loginmachine-Paste", b"1"), by=rules(PROVIDER)), Mismatched)

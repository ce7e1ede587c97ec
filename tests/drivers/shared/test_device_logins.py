"""Logins with a device code, over real sockets, with each driver."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from loginmachine import (
    DeviceCodeEndpoints,
    LoginCancelled,
    LoginFailed,
    LoginMethod,
    LoginTimedOut,
    MemoryStore,
    Secret,
    open_login,
    start_login,
)
from loginmachine.sansio.login.device_code import effects
from loginmachine.sansio.login.progress import DeviceCodeShown
from loginmachine.sansio.oauth import device_code, device_code_responses

from ..replies import reply
from ..scripted_server import Peer, ScriptedServer
from ..support import API_KEY, CANARIES, PATIENCE, TOKENS, Browser, Progress, free_port
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all
from . import without_browser_support as given
from .without_browser_support import DRIVERS, DeviceCodes, Ended, Person, sign_in, tokens_only

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from pytest_httpserver import HTTPServer

    from loginmachine import LoginOptions
    from loginmachine.sansio.login.progress import LoginPhase

    from ..conftest import ScriptedProvider

SHOWN = ["requesting_device_code", "device_code_shown"]
ALLOWED = [*SHOWN, "device_code_authorized", "exchanging_code", "saving_credentials", "succeeded"]
IN_POLL = "wait_for_device_code"


@pytest.fixture
def codes(identity_server: HTTPServer, provider: ScriptedProvider) -> DeviceCodes:
    """Run the provider's endpoints for device codes."""
    provider.answers = tokens_only()
    return DeviceCodes(identity_server)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the intervals between polls."""
    for name, seconds in {"SHORTEST_INTERVAL": 0.002, "SLOW_DOWN": 0.01, "LONGEST_BACK_OFF": 0.02}.items():
        for module in (device_code, device_code_responses, effects):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, seconds)


def sign_in_with_code(
    driver: str, options: LoginOptions, progress: Progress, act: Callable[[Person], None] = lambda _: None
) -> Ended:
    return sign_in(driver, options, method=LoginMethod.DEVICE_CODE, on_progress=progress, act=act)


def check_failure(ended: Ended, progress: Progress, step: str, category: str, kind: type = LoginFailed) -> None:
    assert type(ended.trouble) is kind
    assert isinstance(ended.trouble, LoginFailed)
    assert (ended.trouble.step, ended.trouble.category) == (step, category)
    assert ended.store is not None
    assert ended.store.credentials is None
    assert progress.problems == ([] if kind is LoginCancelled else [(step, category, True)])
    message = str(ended.trouble)
    assert not [canary for canary in (*given.DEVICE_CANARIES, given.USER_CODE) if canary in message]


@pytest.mark.parametrize("driver", DRIVERS)
def test_through_pending_and_slow_down(
    driver: str, provider: ScriptedProvider, codes: DeviceCodes, progress: Progress
) -> None:
    codes.polls = [given.PENDING, given.SLOW_DOWN, given.PENDING, given.GRANTED]
    seen: list[Person] = []
    ended = sign_in_with_code(driver, provider.options(), progress, seen.append)
    assert ended.trouble is None
    assert ended.credentials is not None
    assert ended.credentials.tokens is not None
    assert ended.credentials.tokens.refresh_token == Secret(TOKENS["refresh_token"])
    assert ended.credentials.api_key is None
    assert ended.credentials is ended.store.credentials  # type: ignore[union-attr]
    assert progress.names == ALLOWED
    (form,) = [dict(form) for form in provider.forms]
    assert (form["code"], form["code_verifier"]) == ("canary-device-code", "canary-device-verifier")
    assert form["redirect_uri"] == f"{provider.url}/deviceauth/callback"
    assert codes.asked == [{"device_auth_id": given.DEVICE_AUTH_ID, "user_code": given.USER_CODE}] * 4
    # What the person sees, and what this login does not have.
    (person,) = seen
    assert person.device_code is not None
    assert (person.device_code.user_code, person.auth_url, person.port) == (given.USER_CODE, None, None)
    assert person.device_code.verification_url == f"{provider.url}/codex/device"
    assert set(person.refusals) == {"this login has a device code, and no callback address"}


@pytest.mark.parametrize("driver", DRIVERS)
def test_through_an_outage(driver: str, provider: ScriptedProvider, codes: DeviceCodes, progress: Progress) -> None:
    codes.polls = [given.PENDING, *[given.BROKEN] * 6, given.PENDING, given.BROKEN, given.GRANTED]
    ended = sign_in_with_code(driver, provider.options(), progress)
    assert ended.trouble is None
    # It is reported once per outage.
    assert progress.names == [*SHOWN, "polling_delayed", "polling_delayed", *ALLOWED[2:]]


@pytest.mark.parametrize("driver", DRIVERS)
def test_connections_that_break(
    driver: str, provider: ScriptedProvider, codes: DeviceCodes, progress: Progress
) -> None:
    del codes

    def hang_up(peer: Peer) -> None:
        peer.read_request()
        if peer.server.accepted > 3:
            body = b'{"authorization_code": "canary-device-code", "code_verifier": "canary-device-verifier"}'
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    with ScriptedServer(hang_up) as server:
        ended = sign_in_with_code(driver, elsewhere(provider, server.url), progress)
    assert ended.trouble is None
    assert progress.names == [*SHOWN, "polling_delayed", *ALLOWED[2:]]


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_poll_without_an_answer_does_not_stop_the_next(
    driver: str, provider: ScriptedProvider, codes: DeviceCodes, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    del codes
    monkeypatch.setattr(device_code, "POLL_TIMEOUT", 0.1)

    def silent_at_first(peer: Peer) -> None:
        head, _ = peer.read_request()
        if peer.server.accepted < 3:
            peer.wait_for_end()
        elif head:
            body = b'{"authorization_code": "canary-device-code", "code_verifier": "canary-device-verifier"}'
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    with ScriptedServer(silent_at_first) as server:
        ended = sign_in_with_code(driver, elsewhere(provider, server.url), progress)
    assert ended.trouble is None
    assert progress.names == [*SHOWN, "polling_delayed", *ALLOWED[2:]]


def elsewhere(provider: ScriptedProvider, url: str) -> LoginOptions:
    """Return the same provider, with its polls at another server."""
    endpoints = provider.provider().device_code
    assert endpoints is not None
    polls = endpoints.__replace__(poll_endpoint=f"{url}/poll")
    return provider.options(provider=provider.provider(device_code=polls))


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("error", ["access_denied", "expired_token"])
def test_the_provider_says_no(
    driver: str, error: str, provider: ScriptedProvider, codes: DeviceCodes, progress: Progress
) -> None:
    category = {"access_denied": "device_code_denied", "expired_token": "device_code_expired"}[error]
    codes.polls = [given.PENDING, reply({"error": error}, 400)]
    ended = sign_in_with_code(driver, provider.options(), progress)
    check_failure(ended, progress, IN_POLL, category)
    assert provider.forms == []


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_code_is_not_used(
    driver: str, provider: ScriptedProvider, codes: DeviceCodes, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_code_responses, "DEFAULT_LIFETIME", 0.05)
    codes.polls = [given.PENDING]
    check_failure(sign_in_with_code(driver, provider.options(), progress), progress, IN_POLL, "device_code_expired")


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_deadline_of_the_program(
    driver: str, provider: ScriptedProvider, codes: DeviceCodes, progress: Progress
) -> None:
    codes.polls = [given.PENDING]
    ended = sign_in_with_code(driver, provider.options(deadline=0.05), progress)
    check_failure(ended, progress, IN_POLL, "login_timed_out", LoginTimedOut)


@pytest.mark.parametrize("driver", DRIVERS)
def test_cancelled_while_polling(
    driver: str, provider: ScriptedProvider, codes: DeviceCodes, progress: Progress
) -> None:
    codes.polls = [given.PENDING]
    ended = sign_in_with_code(driver, provider.options(), progress, lambda person: person.cancel())
    check_failure(ended, progress, IN_POLL, "login_cancelled", LoginCancelled)


@pytest.mark.parametrize("driver", DRIVERS)
def test_no_device_codes(driver: str, provider: ScriptedProvider, codes: DeviceCodes, progress: Progress) -> None:
    codes.code = given.NOT_ENABLED
    ended = sign_in_with_code(driver, provider.options(), progress)
    check_failure(ended, progress, "request_device_code", "device_code_unavailable")
    assert progress.names == ["requesting_device_code", "failed"]


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_provider_cannot_be_reached(driver: str, provider: ScriptedProvider, progress: Progress) -> None:
    unreachable = DeviceCodeEndpoints(code_endpoint=f"http://127.0.0.1:{free_port()}/device")
    options = provider.options(provider=provider.provider(device_code=unreachable))
    ended = sign_in_with_code(driver, options, progress)
    check_failure(ended, progress, "request_device_code", "token_exchange_connect")


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_browser_in_its_place(
    driver: str, provider: ScriptedProvider, codes: DeviceCodes, progress: Progress
) -> None:
    codes.code = given.NOT_ENABLED
    provider.answers = [reply(TOKENS), reply({"access_token": API_KEY})]

    def act(person: Person) -> None:
        assert person.auth_url is not None
        assert person.refusals == ("this login goes through the browser, and has no device code",)
        Browser(person.auth_url).finish()

    ended = sign_in_with_code(driver, provider.options(device_code_fallback=True), progress, act)
    assert ended.trouble is None
    assert progress.names[:4] == ["requesting_device_code", "using_browser_instead", "binding", "listening"]
    assert ended.credentials is not None
    assert ended.credentials.api_key is not None


@pytest.mark.parametrize("driver", DRIVERS)
def test_rfc_8628(driver: str, provider: ScriptedProvider, identity_server: HTTPServer, progress: Progress) -> None:
    answer = {
        "device_code": "canary-device-auth-id",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://id.example/go",
        "verification_uri_complete": "https://id.example/go?user_code=WDJB-MJHT",
        "expires_in": 300,
        "interval": 0,
    }
    identity_server.expect_request("/device", method="POST").respond_with_handler(lambda _: reply(answer)())
    provider.answers = [reply({"error": "authorization_pending"}, 400), given.SLOW_DOWN, reply(TOKENS)]
    endpoints = DeviceCodeEndpoints(code_endpoint=f"{provider.url}/device")
    options = provider.options(provider=provider.provider(device_code=endpoints))
    ended = sign_in_with_code(driver, options, progress)
    assert ended.trouble is None
    assert progress.names == [*SHOWN, "saving_credentials", "succeeded"]
    assert {dict(form)["device_code"] for form in provider.forms} == {"canary-device-auth-id"}
    shown = next(phase for phase in progress.phases if isinstance(phase, DeviceCodeShown))
    assert (shown.url, shown.user_code) == ("https://id.example/go", "WDJB-MJHT")


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("endpoint", ["code_endpoint", "poll_endpoint"])
def test_certificates_are_verified_beside_an_endpoint_without_tls(  # noqa: PLR0913
    *,
    driver: str,
    endpoint: str,
    provider: ScriptedProvider,
    codes: DeviceCodes,
    progress: Progress,
    server_tls: ssl.SSLContext,
) -> None:
    # A broker on this machine, say, in front of one part of the provider.
    codes.polls = [given.PENDING]
    delayed = threading.Event()

    def observe(phase: LoginPhase) -> None:
        progress(phase)
        if phase.name == "polling_delayed":
            delayed.set()

    def stop(person: Person) -> None:
        delayed.wait(PATIENCE)
        person.cancel()

    def hangs_up(peer: Peer) -> None:
        peer.read_request()

    with ScriptedServer(hangs_up, tls=server_tls) as server:
        theirs = provider.provider().device_code
        assert theirs is not None
        options = provider.options(
            provider=provider.provider(device_code=theirs.__replace__(**{endpoint: f"{server.url}/device"}))
        )
        ended = sign_in(driver, options, method=LoginMethod.DEVICE_CODE, on_progress=observe, act=stop)
        assert (server.accepted > 0, server.requests) == (True, [])
    if endpoint == "code_endpoint":
        check_failure(ended, progress, "request_device_code", "token_exchange_connect")
        assert "the certificate is not trusted" in str(ended.trouble)
    else:
        assert isinstance(ended.trouble, LoginCancelled)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_local_endpoint_beside_a_remote_one_uses_no_proxy(
    driver: str, provider: ScriptedProvider, codes: DeviceCodes, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes.code = reply({}, 403)
    options = provider.options(provider=provider.provider(token_endpoint="https://provider.test/token"))
    with ScriptedServer(lambda _: None) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        ended = sign_in_with_code(driver, options, progress)
        assert proxy.accepted == 0
    check_failure(ended, progress, "request_device_code", "device_code_unavailable")


@pytest.mark.parametrize("driver", DRIVERS)
def test_no_secret_is_logged(
    driver: str,
    provider: ScriptedProvider,
    codes: DeviceCodes,
    progress: Progress,
    all_logs: pytest.LogCaptureFixture,
) -> None:
    codes.polls = [given.PENDING, given.BROKEN, given.GRANTED]
    sign_in_with_code(driver, provider.options(), progress)
    ours = [record for record in all_logs.records if record.name != "werkzeug"]
    said = "\n".join(f"{record.getMessage()} {record.args!r}" for record in ours) + repr(progress.phases)
    assert not [canary for canary in (*given.DEVICE_CANARIES, given.USER_CODE, *CANARIES) if canary in said]


@pytest.mark.parametrize("begin", [start_login, open_login])
def test_a_provider_without_device_codes(begin: Callable[..., object], provider: ScriptedProvider) -> None:
    options = provider.options(provider=provider.provider(device_code=None))
    with pytest.raises(ValueError, match=r"^this provider has no device codes$"):
        begin(options, store=MemoryStore(), method=LoginMethod.DEVICE_CODE)


@pytest.mark.parametrize("name", ["auth_url", "port", "device_code"])
@pytest.mark.parametrize("begin", [start_login, open_login])
def test_no_property_has_a_value_before_the_login_is_entered(
    begin: Callable[..., object], name: str, provider: ScriptedProvider
) -> None:
    login = begin(provider.options(), store=MemoryStore())
    with pytest.raises(RuntimeError, match="is not running"):
        getattr(login, name)

"""Search everything that a login shows or logs for canary secrets: every kind of login, with each driver."""

from __future__ import annotations

import logging
import pickle
import tempfile
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import Credentials, LoginFailed, MemoryStore, Provider, Secret, StoreError

from ..conformance.drivers import DRIVERS, Play
from ..replies import reply
from ..scripted_server import Peer, ScriptedServer
from ..support import API_KEY, CANARIES, CODE, REFRESH_TOKEN, TOKENS, Browser, Progress, Reply, free_port, jwt
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import trustme

    from loginmachine import CredentialStore

    from ..conftest import ScriptedProvider

each_driver = pytest.mark.parametrize("driver", ["threads", "trio", "asyncio"])


class Seen:
    """One login, and everything that can be seen of it."""

    def __init__(self, provider: ScriptedProvider, logs: pytest.LogCaptureFixture) -> None:
        self.provider, self.logs = provider, logs
        self.progress = Progress()
        self.pages: list[Reply] = []
        self.trouble: BaseException | None = None
        self._state = "no state"
        self._shown: list[str] = []

    def play(
        self, driver: str, query: str | None = None, *, store: CredentialStore | None = None, **changes: Any
    ) -> None:
        def visit(play: Play) -> None:
            browser = Browser(play.auth_url)
            self._state = browser.state
            self.pages += [browser.callback("code=canary-foreign&state=canary-wrong"), browser.callback(query)]
            if self.pages[-1].status == 302:
                self.pages.append(browser.follow())

        store = store or MemoryStore()
        play = Play(self.provider.options(**changes), store, self.progress, visit)
        DRIVERS[driver](play)
        self.trouble = play.trouble
        self._shown += [
            repr(play.credentials),
            repr(self.progress.phases),
            *(phase.text for phase in self.progress.phases),
        ]

    def secrets(self) -> list[str]:
        sent = dict(self.provider.forms[0]) if self.provider.forms else {}
        verifier = sent.get("code_verifier", "no verifier")
        return [*CANARIES, self._state, verifier, "canary-foreign", "canary-wrong", "canary-password"]

    def everything(self) -> str:
        ours = [r for r in self.logs.records if not r.name.startswith(("werkzeug", "pytest_httpserver"))]
        logged = [f"{record.__dict__} {logging.Formatter().format(record)}" for record in ours]
        pages = [f"{page.headers} {page.body.decode()}" for page in self.pages]
        return "\n".join([*self._shown, *logged, *pages, *texts_of(self.trouble)])


def texts_of(error: BaseException | None) -> list[str]:
    """Return all texts of an exception and its context: message, arguments, pickle, traceback with locals."""
    if error is None:
        return []
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [f"{frame.name} {frame.locals}" for frame in report.stack if "/loginmachine/" in frame.filename]
    texts = [str(error), repr(error), repr(error.args), repr(vars(error)), *frames, *getattr(error, "__notes__", [])]
    if isinstance(error, LoginFailed):
        texts.append(pickle.dumps(error).decode("latin-1"))
    return [*texts, *texts_of(error.__cause__), *texts_of(error.__context__)]


@pytest.fixture
def seen(
    provider: ScriptedProvider,
    all_logs: pytest.LogCaptureFixture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Seen:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    return Seen(provider, all_logs)


class Spiteful:
    """A store of a host that raises an exception with the credentials in it."""

    def __init__(self, kind: type[Exception]) -> None:
        self._kind = kind

    def save(self, credentials: Credentials) -> None:
        assert credentials.api_key is not None
        raise self._kind(f"cannot store {credentials.api_key.reveal()}")


def echo(provider: ScriptedProvider, status: int, field: str = "error_description") -> None:
    """Let the token endpoint send back what it was sent."""

    def answer() -> Any:
        form = dict(provider.forms[0])
        words = f"{form['code']} {form['code_verifier']} {form['code']}"
        return reply({"error": words, field: words, "message": words}, status, Retry_After=form["code"])()

    provider.answers = [answer]


SCENARIOS: dict[str, Callable[[Seen, str], None]] = {}


def scenario(play: Callable[[Seen, str], None]) -> Callable[[Seen, str], None]:
    SCENARIOS[play.__name__] = play
    return play


@scenario
def a_login(seen: Seen, driver: str) -> None:
    seen.play(driver)


@scenario
def a_login_without_a_key(seen: Seen, driver: str) -> None:
    seen.provider.answers[1] = reply({"error": f"you sent {TOKENS['id_token']}"}, 400)
    seen.play(driver)


@scenario
def an_echo_in_a_refusal(seen: Seen, driver: str) -> None:
    echo(seen.provider, 400)
    seen.play(driver)


@scenario
def an_echo_in_a_later(seen: Seen, driver: str) -> None:
    echo(seen.provider, 503)
    seen.play(driver)


@scenario
def an_echo_in_a_success(seen: Seen, driver: str) -> None:
    echo(seen.provider, 200)
    seen.play(driver)


@scenario
def an_echo_in_a_callback(seen: Seen, driver: str) -> None:
    seen.play(driver, f"error={{state}}&error_description={{state}}+{CODE}&code={CODE}&state={{state}}")


@scenario
def an_echo_in_an_issuer(seen: Seen, driver: str) -> None:
    seen.play(driver, f"iss={{state}}&code={CODE}&state={{state}}")


@scenario
def a_redirect(seen: Seen, driver: str) -> None:
    seen.provider.answers = [reply(b"", 307, Location=f"https://evil.example/{CODE}?{REFRESH_TOKEN}")]
    seen.play(driver)


@scenario
def tokens_in_no_json(seen: Seen, driver: str) -> None:
    seen.provider.answers = [reply(f'{{"refresh_token": "{REFRESH_TOKEN}", "x": \xff}}'.encode("latin-1"))]
    seen.play(driver)


@scenario
def one_token_missing(seen: Seen, driver: str) -> None:
    seen.provider.answers = [reply({**TOKENS, "access_token": 5})]
    seen.play(driver)


@scenario
def a_foreign_id_token(seen: Seen, driver: str) -> None:
    seen.provider.answers = [reply({**TOKENS, "id_token": jwt({"aud": REFRESH_TOKEN}, "canary-id-token")})]
    seen.play(driver)


@scenario
def another_workspace(seen: Seen, driver: str) -> None:
    seen.play(driver, allowed_workspaces=("acc-2",))


@scenario
def a_store_that_fails(seen: Seen, driver: str) -> None:
    seen.play(driver, store=Spiteful(RuntimeError))


@scenario
def nobody_at_the_endpoint(seen: Seen, driver: str) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}/oauth/token"
    seen.play(driver, provider=seen.provider.provider(token_endpoint=endpoint))


@scenario
def garbage_at_the_endpoint(seen: Seen, driver: str) -> None:
    def mirror(peer: Peer) -> None:
        head, body = peer.read_request()
        peer.send(body + head)

    with ScriptedServer(mirror) as server:
        seen.play(driver, provider=seen.provider.provider(token_endpoint=f"{server.url}/oauth/token"))


@scenario
def a_proxy_with_a_password(seen: Seen, driver: str) -> None:
    def refuse(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 407 " + peer.read_head().replace(b"\r\n", b" ") + b"\r\n\r\n")

    with ScriptedServer(refuse) as server, pytest.MonkeyPatch.context() as environment:
        environment.setenv("HTTPS_PROXY", f"http://me:canary-password@127.0.0.1:{server.port}")
        remote = Provider.codex(issuer="https://provider.invalid")
        seen.play(driver, provider=remote.__replace__(port=0, fallback_port=None))


@each_driver
@pytest.mark.parametrize("name", SCENARIOS)
def test_no_secret_is_seen(
    name: str, driver: str, seen: Seen, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    SCENARIOS[name](seen, driver)
    assert (seen.trouble is None) == name.startswith("a_login")
    out, err = capfd.readouterr()
    temporary = "".join(path.name for path in (tmp_path / "scratch").iterdir())
    everything = f"{seen.everything()} {out} {err} {temporary}"
    assert "callback_state_mismatch" in everything
    assert [secret for secret in seen.secrets() if secret in everything] == []


@each_driver
def test_no_secret_is_seen_of_a_certificate_that_is_not_trusted(
    driver: str, seen: Seen, authority: trustme.CA, server_tls: Any
) -> None:
    del authority
    with ScriptedServer(Peer.wait_for_end, tls=server_tls) as server:
        seen.play(driver, provider=seen.provider.provider(token_endpoint=f"{server.url}/oauth/token"))
        assert server.requests == []
    everything = seen.everything()
    assert "the certificate is not trusted" in everything
    assert [secret for secret in seen.secrets() if secret in everything] == []


@each_driver
def test_the_message_of_a_store_error_is_shown(driver: str, seen: Seen) -> None:
    # Its words are for people: `StoreError` promises that no value is in them.
    class Full:
        def save(self, _: Credentials) -> None:
            raise StoreError("the disk is full")

    seen.play(driver, store=Full())
    assert "the disk is full" in str(seen.trouble)


@each_driver
def test_a_launched_browser_gets_the_address_only(
    driver: str, seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = tmp_path / "launcher"
    launcher.write_text(f'#!/bin/sh\nprintf "%s\\n" "$#" "$1" > {tmp_path}/arguments\nenv > {tmp_path}/environment\n')
    launcher.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(launcher))
    urls: list[str] = []

    def visit(play: Play) -> None:
        urls.append(play.auth_url)
        seen.progress.wait_for("browser_launched")
        Browser(play.auth_url).finish()

    DRIVERS[driver](Play(seen.provider.options(open_browser=True), MemoryStore(), seen.progress, visit))
    assert (tmp_path / "arguments").read_text().splitlines() == ["1", urls[0]]
    verifier = dict(seen.provider.forms[0])["code_verifier"]
    given = (tmp_path / "arguments").read_text() + (tmp_path / "environment").read_text()
    assert [secret for secret in (*CANARIES, verifier) if secret in given] == []
    assert Browser(urls[0]).state not in (tmp_path / "environment").read_text()


def test_a_secret_is_not_pickled() -> None:
    for value in (Secret(API_KEY), Credentials(auth_mode="apikey", api_key=Secret(API_KEY))):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(value)


@each_driver
def test_the_tests_find_a_secret_in_a_log(driver: str, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Progress.__call__

    def chatty(progress: Progress, phase: Any) -> None:
        logging.getLogger("anybody").debug("the code is %s", CODE)
        real(progress, phase)

    monkeypatch.setattr(Progress, "__call__", chatty)
    seen.play(driver)
    assert CODE in seen.everything()

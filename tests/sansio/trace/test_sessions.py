"""Traces of refreshes and sign-outs: recording changes nothing, and a trace is read, replayed and told."""

from __future__ import annotations

import contextlib
import json
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from loginmachine import Credentials, Provider, RefreshMachine, Secret, Tokens
from loginmachine.sansio import UnexpectedEvent
from loginmachine.sansio.base.http import HttpResponse
from loginmachine.sansio.login.actions import SendTokenRequest
from loginmachine.sansio.login.events import TokenResponseReceived
from loginmachine.sansio.refresh.events import LockTaken
from loginmachine.sansio.refresh.failures import RefreshFailureCategory
from loginmachine.sansio.refresh.outcome import Refusal
from loginmachine.sansio.sign_out import SignOutMachine
from loginmachine.sansio.sign_out.events import SignOutWanted
from loginmachine.sansio.trace import TraceError, read_trace, read_traces
from loginmachine.sansio.trace.origin import Origin
from loginmachine.sansio.trace.reader import only_trace
from loginmachine.sansio.trace.sessions.reader import SessionTrace, read_all
from loginmachine.sansio.trace.sessions.recorder import RefreshRecorder, SignOutRecorder
from loginmachine.sansio.trace.sessions.redaction import SessionRedactor
from loginmachine.sansio.trace.sessions.replay import SessionReplay, replay_session
from loginmachine.sansio.trace.sessions.story import session_head, tell_session
from loginmachine.sansio.trace.writer import TraceWriter

from ...traces.record import record
from ...traces.scenarios import SCENARIOS
from ...traces.session_scenarios import REFRESHES, SIGN_OUTS
from ..refresh.samples import CANARIES, EVENTS, FORCED, PATHS, PROVIDER, WANTED, answered, loaded, stored
from .beside import everything_told

if TYPE_CHECKING:
    from loginmachine.sansio.refresh.events import RefreshEvent
    from loginmachine.sansio.sign_out.events import SignOutEvent

ORIGIN = Origin(program="loginmachine refresh", version="1", driver="threaded", recorded="2026-11-21T00:00:00Z")
REFRESH = {scenario.name: scenario for scenario in REFRESHES}
SIGN_OUT = {scenario.name: scenario for scenario in SIGN_OUTS}
CHATGPT = "https://auth.openai.com (client app_EMoamEEZ73f0CkXaXp7hrann)"


class Recording:
    """A writer that keeps its lines."""

    def __init__(self, origin: Origin | None = ORIGIN) -> None:
        self.lines: list[str] = []
        self.trouble: list[str] = []
        ticks = count()
        self.writer = TraceWriter(self.lines.append, lambda: next(ticks) / 4, self.trouble.append, origin)

    def trace(self) -> SessionTrace:
        trace = only_trace(read_all(line.encode() for line in self.lines))
        assert isinstance(trace, SessionTrace)
        return trace

    def replayed(self) -> SessionReplay:
        result = replay_session(self.trace())
        assert result.difference is None, result.difference.diff()
        assert result.is_identical
        return result

    def refresh(self, *events: RefreshEvent, provider: Provider | None = PROVIDER, key: str | None = None) -> Recording:
        """Record a refresh, which acts as one that is not recorded."""
        plain = RefreshMachine(provider, environment_key=key)
        recorder = RefreshRecorder(provider, environment_key=key, writer=self.writer)
        for event in events:
            assert recorder.handle(event) == plain.handle(event)
            assert recorder.last_trigger == plain.last_trigger
        assert (recorder.state, recorder.outcome, self.trouble) == (plain.state, plain.outcome, [])
        return self

    def sign_out(self, *events: SignOutEvent, provider: Provider | None = PROVIDER) -> Recording:
        plain = SignOutMachine(provider)
        recorder = SignOutRecorder(provider, writer=self.writer)
        for event in events:
            assert recorder.handle(event) == plain.handle(event)
        assert (recorder.state, recorder.outcome, self.trouble) == (plain.state, plain.outcome, [])
        return self


@pytest.mark.parametrize("name", [name for name in REFRESH if name != "unexpected"])
def test_a_recorded_refresh_acts_as_any_other(name: str) -> None:
    scenario = REFRESH[name]
    Recording().refresh(*scenario.events, provider=scenario.provider, key=scenario.environment_key).replayed()


@pytest.mark.parametrize("name", [name for name in SIGN_OUT if name != "unexpected"])
def test_a_recorded_sign_out_acts_as_any_other(name: str) -> None:
    scenario = SIGN_OUT[name]
    Recording().sign_out(*scenario.events, provider=scenario.provider).replayed()


@pytest.mark.parametrize("state", PATHS)
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("provider", [PROVIDER, None], ids=["named", "recorded"])
def test_every_event_in_every_state(state: str, event: str, provider: Provider | None) -> None:
    """The second machine does as the first, whatever comes."""
    recording = Recording()
    recorder = RefreshRecorder(provider, writer=recording.writer)
    for each in (*PATHS[state], EVENTS[event]):
        with contextlib.suppress(UnexpectedEvent):
            recorder.handle(each)
    assert recording.trouble == []
    assert len(recording.replayed().steps) == len(PATHS[state]) + 1
    told = everything_told("".join(recording.lines))
    assert [secret for secret in CANARIES if secret in told] == []


def test_the_key_of_the_environment() -> None:
    recording = Recording().refresh(WANTED, loaded(None), key=" sk-canary-environment ")
    assert "anary" not in everything_told("".join(recording.lines))
    assert session_head(recording.trace())[2] == f"Refresh: {CHATGPT}, an API key in the environment."
    assert tell_session(recording.replayed())[-1] == "The refresh succeeded."
    assert not Recording().refresh(WANTED, loaded(None), key=" ").trace().has_environment_key
    stored_key = loaded(Credentials.from_api_key(Secret("sk-canary")))
    assert Recording().refresh(WANTED, stored_key, key="sk-canary").replayed().outcome is not None


class Stand(NamedTuple):
    """Stands for a machine."""

    state: str
    last_trigger: str | None = "x"


def test_keys_are_redacted_as_keys() -> None:
    """A refresh fetches keys in the state of this name, with the number that the refresh itself then has."""
    redactor = SessionRedactor(PROVIDER.__replace__(jwks_uri="https://id.example/keys"))
    request = SendTokenRequest(exchange_id=1, url="https://id.example/keys", method="GET", timeout=15.0)
    answer = answered(
        keys=[{"kty": "OKP", "crv": "Ed25519", "x": "canary", "kid": "canary"}], access_token="canary-access"
    )
    machine: Any = Stand("fetching_keys")
    redactor.follow(machine, machine, [request])
    told: Any = redactor.event(answer)
    assert json.loads(told.body) == {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": "6G-mG6oz1KnKaLSv7cPcuUarGmLH2m0nfbMNiyJ8mPE",
                "kid": "redacted-kid-1",
            }
        ]
    }
    machine = Stand("exchanging_refresh_token")
    redactor.follow(machine, machine, [request])
    told = redactor.event(answer)
    assert json.loads(told.body) == {"access_token": "redacted-access-token-1"}


def test_the_story_of_a_refresh() -> None:
    recording = Recording().refresh(*REFRESH["refreshed"].events)
    assert session_head(recording.trace()) == [
        "Recorded by loginmachine refresh 1, threaded driver.",
        "Recorded on 2026-11-21T00:00:00Z.",
        f"Refresh: {CHATGPT}.",
        "",
    ]
    size = len(answered().body)
    result = recording.replayed()
    assert tell_session(result) == [
        "    0.250 s a token is wanted, a new one  [access_token_wanted]",
        "            read the store",
        "            => reading",
        "    0.500 s the store holds tokens (mode chatgpt, of 2026-11-10T00:00:00Z)  [refresh_due]",
        "            take the lock, within 0.25 s",
        "            => locking",
        "    0.750 s the lock is taken  [lock_taken]",
        "            read the store",
        "            => reading_again",
        "    1.000 s the store holds tokens (mode chatgpt, of 2026-11-10T00:00:00Z)  [refresh_due]",
        "            send token request 1 to https://auth.openai.com/oauth/token, within 60 s",
        "            => exchanging_refresh_token",
        f"    1.250 s token request 1 is answered: status 200, application/json, {size} bytes  [tokens_received]",
        "            read the store",
        "            => reading_before_saving",
        "    1.500 s the store holds tokens (mode chatgpt, of 2026-11-10T00:00:00Z)  [credentials_unchanged]",
        "            store the credentials",
        "            => saving_credentials",
        "    1.750 s the credentials are stored  [credentials_saved]",
        "            release the lock",
        "            deliver a token: refreshed",
        "            => succeeded",
        "The refresh succeeded.",
    ]
    assert tell_session(result, until=1)[-1] == "(6 more events)"
    assert tell_session(result, until=6)[-1] == "(1 more event)"


def test_the_story_of_a_sign_out() -> None:
    recording = Recording().sign_out(*SIGN_OUT["confirmed"].events)
    assert session_head(recording.trace())[2] == f"Sign-out: {CHATGPT}."
    assert tell_session(recording.replayed()) == [
        "    0.250 s the person signs out  [sign_out_wanted]",
        "            read the store",
        "            => checking",
        "    0.500 s the store holds tokens (mode chatgpt, of 2026-11-10T00:00:00Z)  [provider_matched]",
        "            remove the credentials",
        "            => removing",
        "    0.750 s removed from the store: tokens (mode chatgpt, of 2026-11-10T00:00:00Z)  [credentials_removed]",
        "            report that the credentials are removed",
        "            revoke the tokens at https://auth.openai.com/oauth/revoke, within 5 s",
        "            => revoking",
        "    1.000 s the tokens are revoked  [revocation_confirmed]",
        "            finish: signed out, and revoked",
        "            => succeeded",
        "The sign-out succeeded.",
    ]


def test_other_words_of_a_story() -> None:
    told = [
        *(
            line
            for name, scenario in REFRESH.items()
            if name != "unexpected"
            for line in tell_session(Recording().refresh(*scenario.events, provider=scenario.provider).replayed())
        ),
        *(
            line
            for name, scenario in SIGN_OUT.items()
            if name != "unexpected"
            for line in tell_session(Recording().sign_out(*scenario.events, provider=scenario.provider).replayed())
        ),
        *tell_session(Recording().refresh().replayed()),
        *session_head(Recording().refresh(provider=None).trace()),
    ]
    words = "\n".join(told)
    for expected in (
        "the store holds nothing",
        "the store cannot be read: [...]: denied",
        "the store holds an API key (mode apikey)",
        "the store holds tokens without a refresh token",
        "; it remembers that a refresh token was refused",
        "another session holds the lock",
        "the store cannot be locked: no [redacted] [...]",
        "a token is wanted, other than a rejected one",
        "warn: the new tokens could not be stored",
        "remember that the refresh token was refused: refresh_token_rejected",
        "deliver a token: kept (https://auth.openai.com/oauth/token: no connection",
        "report not_signed_in: nothing is stored",
        "The refresh failed: not_signed_in - nothing is stored",
        "The refresh succeeded, and the sign-in has ended: refresh_token_rejected.",
        "The trace stops while the refresh is idle.",
        "The trace stops while the sign-out is revoking.",
        "report that nothing was stored",
        "the credentials cannot be removed: [...]: permission denied",
        "finish: removal_failed: [...]: permission denied",
        "finish: signed out, nothing to revoke",
        "finish: signed out, not confirmed: https://auth.openai.com/oauth/revoke: status 503",
        "removed from the store: no token",
        "Refresh: the provider that the stored tokens record.",
    ):
        assert expected in words


def test_what_is_unexpected_is_recorded_too() -> None:
    recording = Recording()
    recorder = RefreshRecorder(PROVIDER, writer=recording.writer)
    with pytest.raises(UnexpectedEvent):
        recorder.handle(LockTaken())
    recorder.handle(WANTED)
    for moment in (float("nan"), float("inf")):
        with pytest.raises(UnexpectedEvent):
            recorder.handle(loaded(None, moment))
    with pytest.raises(UnexpectedEvent):
        recorder.handle(
            TokenResponseReceived(exchange_id=1, status=200, headers=(), body=b"", received_at=float("nan"))
        )
    result = recording.replayed()
    assert [step.unexpected for step in result.steps] == [True, False, True, True, True]
    assert "[unexpected: a mistake of the host]" in tell_session(result)[0]
    assert json.loads(recording.lines[-1])["event"]["received_at"] == -1.0


def test_trouble_ends_the_recording_only() -> None:
    recording = Recording(None)
    recorder = RefreshRecorder(PROVIDER, writer=recording.writer)
    recorder.handle(WANTED)
    unknown: Any = HttpResponse(status=200, headers=(), body=b"", received_at=0.0)
    with pytest.raises(KeyError):
        recorder.handle(unknown)
    recorder.handle(loaded(None))
    assert recorder.outcome is not None
    assert recording.trouble == ["the trace ends before the refresh: an event is of a kind that no trace has"]
    assert len(recording.lines) == 2
    assert "origin" not in json.loads(recording.lines[0])
    assert session_head(recording.trace()) == []


def test_trouble_of_a_sign_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording()
    recorder = SignOutRecorder(PROVIDER, writer=recording.writer)
    monkeypatch.setattr(recording.writer, "_write", None)
    assert [type(action).__name__ for action in recorder.handle(SignOutWanted())] == ["LoadCredentials"]
    assert recording.trouble == ["the trace ends before the sign-out: TypeError"]


def test_an_event_that_would_mean_something_else() -> None:
    recording = Recording()
    recorder = RefreshRecorder(PROVIDER, writer=recording.writer)
    recorder._second._machine.handle(WANTED)
    recorder._second._machine.handle(loaded(None))
    recorder.handle(WANTED)
    assert recording.trouble == [
        "the trace ends before the refresh: without its secrets, an event would mean something else"
    ]


@pytest.mark.parametrize(
    ("last_refresh", "written"),
    [
        (None, None),
        ("2026-11-10T00:00:00.123456789Z", "2026-11-10T00:00:00.123456789Z"),
        ("20261110T000000+0100", "2026-11-09T23:00:00Z"),
        ("canary", "other"),
    ],
)
def test_the_time_of_the_last_refresh(last_refresh: str | None, written: str | None) -> None:
    recording = Recording().refresh(WANTED, loaded(stored(last_refresh=last_refresh)))
    assert json.loads(recording.lines[2])["event"]["credentials"]["last_refresh"] == written


def test_form_bodies_are_redacted_as_json_bodies_are() -> None:
    body = b"access_token=canary-new-access&refresh_token=canary-new-refresh&token_type=bearer&user=ada&expires_in=60"
    header = ((b"Content-Type", b"application/x-www-form-urlencoded; charset=utf-8"),)
    response = answered().__replace__(headers=header, body=body)
    recording = Recording().refresh(FORCED, loaded(stored()), LockTaken(), loaded(stored()), response)
    event = json.loads(recording.lines[-1])["event"]
    assert event["headers"] == [["content-type", "application/x-www-form-urlencoded"]]
    assert event["body"].startswith("access_token=redacted-access-token-2")
    assert "&refresh_token=redacted-refresh-token-2&token_type=Bearer&" in event["body"]
    assert [secret for secret in (*CANARIES, "ada") if secret in everything_told("".join(recording.lines))] == []


def test_a_difference() -> None:
    recording = Recording().refresh(*REFRESH["not_signed_in"].events)
    recording.lines[2] = recording.lines[2].replace("nothing is stored", "nothing was stored")
    difference = replay_session(recording.trace()).difference
    assert difference is not None
    assert difference.line == 3
    assert '-    "message": "nothing was stored"' in difference.diff()


def test_a_trace_that_is_cut_tells_its_story_up_to_there() -> None:
    recording = Recording().sign_out(*SIGN_OUT["confirmed"].events)
    recording.lines[-1] = recording.lines[-1][:30]
    trace = recording.trace()
    assert (trace.cut_line, len(trace.steps)) == (5, 3)
    assert tell_session(replay_session(trace))[-1] == "The trace stops while the sign-out is revoking."


def test_readers_of_logins_refuse_other_traces() -> None:
    lines = [line.encode() for line in Recording().refresh(*REFRESH["not_signed_in"].events).lines]
    for read_them in (read_trace, lambda given: list(read_traces(given))):
        with pytest.raises(TraceError, match=r"^line 1: it is not the trace of a login$"):
            read_them(lines)


@pytest.mark.parametrize(
    ("line", "old", "new", "problem"),
    [
        (0, b'"of":"refresh"', b'"of":"egg"', "it is not the trace of a login or a refresh or a sign-out"),
        (0, b'"of":"refresh"', b'"of":[]', "it is not the trace of a login or a refresh or a sign-out"),
        (0, b'"provider":{', b'"other":{', "it does not say whether a provider was named"),
        (0, b'"provider":{', b'"provider":7,"other":{', "provider is not an object with a type"),
        (0, b'"environment_key":false', b'"environment_key":0', "environment key is neither true nor false"),
        (0, b'"origin":{', b'"origin":7,"other":{', "its origin is not an object of short texts"),
        (1, b'"reading"', b'"revoking"', "its state is not one that is known here"),
        (1, b'"AccessTokenWanted"', b'"SignOutWanted"', "event is of a type that is not known here"),
        (1, b'"forced":false', b'"forced":0', "event.forced is neither true nor false"),
    ],
)
def test_wrong_lines(line: int, old: bytes, new: bytes, problem: str) -> None:
    lines = [line.encode() for line in Recording().refresh(*REFRESH["not_signed_in"].events).lines]
    assert old in lines[line]
    lines[line] = lines[line].replace(old, new)
    with pytest.raises(TraceError, match=problem):
        list(read_all(lines))


def test_traces_of_every_kind_in_one_file() -> None:
    refresh, sign_out = Recording().refresh(*REFRESH["kept"].events), Recording().sign_out(SignOutWanted())
    text = "".join([*refresh.lines, record(SCENARIOS[0]), *sign_out.lines])
    traces = list(read_all(text.encode().splitlines()))
    assert [getattr(trace, "of", "login") for trace in traces] == ["refresh", "login", "sign_out"]


def test_tokens_that_name_no_provider() -> None:
    tokens = Tokens(id_token=Secret(""), access_token=Secret("canary-opaque-access"), refresh_token=Secret("canary"))
    recording = Recording().refresh(FORCED, loaded(Credentials(tokens=tokens)), provider=None)
    assert "provenance" not in json.loads(recording.lines[2])["event"]["credentials"]["tokens"]
    recording.replayed()


def test_a_refusal_without_stored_tokens() -> None:
    refusal = Refusal(digest="canary", category=RefreshFailureCategory.ACCOUNT_CHANGED)
    recording = Recording().refresh(WANTED, loaded(None).__replace__(refusal=refusal))
    assert json.loads(recording.lines[2])["event"]["refusal"] == {
        "type": "Refusal",
        "digest": "other",
        "category": "account_changed",
    }

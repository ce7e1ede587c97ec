"""Problems of the recording do not disturb the login."""

from __future__ import annotations

import json

import pytest

from loginmachine.sansio import LoginOptions, Provider, UnexpectedEvent
from loginmachine.sansio.login.actions import Timer
from loginmachine.sansio.login.events import Bound, CancelRequested, CredentialsSaved, Event, Started, TimerFired
from loginmachine.sansio.login.progress import CallbackReceived
from loginmachine.sansio.model.options import LoginMethod
from loginmachine.sansio.trace import Recorder
from loginmachine.sansio.trace import writer as trace_writer
from loginmachine.sansio.trace.format import codec as trace_codec
from loginmachine.sansio.trace.redaction import Redactor

from ..samples import OPTIONS, SECRETS, answer, callback, device_code_answer


class Disk:
    """Accepts some lines, then fails."""

    def __init__(self, room: int = 1000) -> None:
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self._room = room

    def write(self, line: str) -> None:
        if len(self.lines) == self._room:
            raise OSError("no space left in /home/ada")
        self.lines.append(line)

    def recorder(self) -> Recorder:
        times = iter([100.0, 100.5, 99.0, *[101.0] * 100])
        return Recorder(OPTIONS, SECRETS, write=self.write, clock=times.__next__, on_trouble=self.warnings.append)


def test_what_is_written() -> None:
    disk = Disk()
    recorder = disk.recorder()
    recorder.handle(Started())
    with pytest.raises(UnexpectedEvent):
        recorder.handle(CredentialsSaved())
    assert json.loads(disk.lines[0])["type"] == "trace"
    assert disk.lines[1:] == [
        (
            '{"at":0.5,"event":{"type":"Started","method":"browser"},"state":"binding","actions":['
            '{"type":"ReportProgress","phase":{"type":"Binding","port":1455,"attempt":1}},'
            '{"type":"Bind","port":1455,"attempt":1}]}\n'
        ),
        # (A clock that goes back makes no time negative.)
        '{"at":0.0,"event":{"type":"CredentialsSaved","replaced":null},"unexpected":true}\n',
    ]
    assert disk.warnings == []


@pytest.mark.parametrize("room", [0, 1, 2])
def test_a_full_disk_is_reported_once(room: int) -> None:
    disk = Disk(room)
    recorder = disk.recorder()
    recorder.handle(Started())
    recorder.handle(CancelRequested())
    recorder.handle(CancelRequested())
    assert recorder.machine.state == "cancelled"
    assert len(disk.lines) == room
    assert disk.warnings == ["the trace ends before the login: OSError"]


def test_on_trouble_is_optional() -> None:
    recorder = Recorder(OPTIONS, SECRETS, write=Disk(0).write, clock=lambda: 0.0)
    assert recorder.handle(Started()) != []


def test_a_wrong_redaction_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(_self: Redactor, _event: Event) -> Event:
        return Started()

    monkeypatch.setattr(Redactor, "event", wrong)
    disk = Disk()
    recorder = disk.recorder()
    recorder.handle(Started())
    recorder.handle(CancelRequested())
    assert len(disk.lines) == 2
    assert disk.warnings == ["the trace ends before the login: without its secrets, an event would mean something else"]


@pytest.mark.parametrize(
    ("limit", "value", "written"), [("MAX_STEPS", 2, 3), ("MAX_TRACE", 3000, 9), ("MAX_LINE", 600, 0)]
)
def test_a_flood_does_not_fill_the_disk(monkeypatch: pytest.MonkeyPatch, limit: str, value: int, written: int) -> None:
    assert getattr(trace_codec, limit) > value
    monkeypatch.setattr(trace_writer, limit, value)
    disk = Disk()
    recorder = disk.recorder()
    events: list[Event] = [Started(), *[CancelRequested()] * 20]
    for event in events:
        recorder.handle(event)
    assert len(disk.lines) == written
    assert disk.warnings == ["the trace ends before the login: it would become too large"]


def test_the_recorder_knows_the_real_device_code() -> None:
    recorder = Recorder(LoginOptions(provider=Provider.codex()), SECRETS, write=str, clock=float)
    assert recorder.device_code is None
    recorder.handle(Started(method=LoginMethod.DEVICE_CODE))
    recorder.handle(answer(1, body=b'{"device_auth_id": "d", "user_code": "ABCD-1234"}'))
    assert recorder.device_code is not None
    assert recorder.device_code.user_code == "ABCD-1234"


def test_the_real_login_describes_a_callback() -> None:
    recorder = Disk().recorder()
    recorder.handle(Started())
    recorder.handle(Bound(port=1455))
    assert recorder.describe_callback(callback()) is None
    refused = CallbackReceived(has_code=True, has_state=True, has_error=False, state_valid=False, accepted=False)
    assert recorder.describe_callback(callback("code=c&state=redacted-state")) == refused


@pytest.mark.parametrize(
    ("code", "state"),
    [("WDJB MJHT", "polling_device_code"), ("\u0416\u0429\u042f", "polling_device_code"), ("WDJB\tMJHT", "failed")],
)
def test_a_user_code_is_usable_in_the_trace_if_it_is_in_the_login(code: str, state: str) -> None:
    disk = Disk()
    recorder = disk.recorder()
    recorder.handle(Started(method=LoginMethod.DEVICE_CODE))
    recorder.handle(device_code_answer(user_code=code))
    assert disk.warnings == []
    assert code not in disk.lines[-1]
    assert f'"state":"{state}"' in disk.lines[-1]


def test_a_web_page_in_place_of_the_answer_to_a_poll_stays_one() -> None:
    disk = Disk()
    recorder = disk.recorder()
    for event in (Started(method=LoginMethod.DEVICE_CODE), device_code_answer(), TimerFired(timer=Timer.POLL)):
        recorder.handle(event)
    recorder.handle(answer(2, body=b"<html>canary"))
    assert disk.warnings == []
    assert '"body":"<"' in disk.lines[-1]
    assert '"state":"polling_device_code"' in disk.lines[-1]


def test_the_real_login_says_for_which_requests_the_sender_matters() -> None:
    recorder = Disk().recorder()
    assert recorder.asks_for_sender(f"/auth/callback?state={SECRETS.state}".encode())
    assert not recorder.asks_for_sender(b"/auth/callback?state=redacted-state")

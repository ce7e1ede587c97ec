"""Where a trace comes from, in its first line and in its story."""

from __future__ import annotations

from loginmachine.sansio.login import events
from loginmachine.sansio.trace import Recorder, read_trace, replay
from loginmachine.sansio.trace.origin import Origin
from loginmachine.sansio.trace.story import head, tell

from ...traces.record import FOLDER
from ..samples import OPTIONS, SECRETS, answer, callback, request, token_json


def test_where_a_trace_comes_from() -> None:
    lines: list[str] = []
    origin = Origin(program="loginmachine login", version="1.2", python="CPython 3.13", system="", driver="trio")
    options = OPTIONS.__replace__(allowed_workspaces=("acc-1", "acc-2"), device_code_fallback=True, deadline=None)
    options = options.__replace__(open_browser=False, port=0)
    recorder = Recorder(options, SECRETS, write=lines.append, clock=lambda: 0.0, origin=origin)
    recorder.handle(events.Started())
    recorder.handle(events.Bound(port=1455))
    target = "/auth/callback?state=canary-foreign&error_description=canary"
    recorder.handle(request(target))
    trace = read_trace(line.encode() for line in lines)
    assert trace.origin == origin
    assert head(trace) == [
        "Recorded by loginmachine login 1.2, CPython 3.13, trio driver.",
        (
            "Login: https://auth.openai.com (client app_EMoamEEZ73f0CkXaXp7hrann), any free port, opens "
            "no browser, no deadline, goes on in the browser if there are no device codes, 2 allowed workspace(s)."
        ),
        "",
    ]
    assert any(f"GET /auth/callback, {len(target)} bytes" in line for line in tell(replay(trace)))
    Recorder(OPTIONS, SECRETS, write=lines.append, clock=lambda: 0.0, origin=origin)
    assert head(read_trace([lines[-1].encode()]))[1].endswith(
        ", the provider's ports, opens a browser, deadline 600 s."
    )
    assert head(read_trace((FOLDER / "succeeded.jsonl").read_bytes().splitlines())) == []


def test_an_origin_without_its_values() -> None:
    assert Origin().lines() == []
    assert Origin(version="1").lines() == ["Recorded by loginmachine 1."]
    assert Origin(version="\x1b", driver="x" * 300).content() == {}
    assert Origin(arguments="--json", recorded="today").lines() == [
        "Recorded on today.",
        "Options of the command: --json",
    ]


def test_the_real_size_of_a_response() -> None:
    lines: list[str] = []
    recorder = Recorder(OPTIONS, SECRETS, write=lines.append, clock=lambda: 0.0, origin=Origin(version="1"))
    response = answer(body=token_json())
    for event in (events.Started(), events.Bound(port=1455), events.BrowserOpened(), callback(), response):
        recorder.handle(event)
    story = tell(replay(read_trace(line.encode() for line in lines)))
    assert any(f"is answered: status 200, application/json, {len(response.body)} bytes" in line for line in story)

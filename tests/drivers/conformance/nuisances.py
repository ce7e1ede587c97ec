"""Scenarios with other clients, several tabs, and ports that are taken."""

from __future__ import annotations

from typing import Any

from ..support import PATIENCE, TOKENS
from .scenarios import (
    DENIED,
    DONE,
    KEY,
    LISTENED,
    REJECTED,
    SIGNED_IN,
    THREE,
    Ask,
    Asked,
    Drip,
    Dropped,
    Gets,
    Idle,
    IdleAsks,
    Leave,
    Open,
    Release,
    Says,
    Scenario,
    Seen,
    Send,
    Until,
    failing,
    surviving,
)

_ORIGIN = (("Origin", "https://evil.example"),)
_FOREIGN = (("Host", "evil.example:{port}"),)
_MISMATCH = (*LISTENED, "failed", *DONE[2:])
# The person's own browser must be within this limit too, on a loaded machine.
_SLOW = {"HEAD_TIMEOUT": 1.0}
_PATIENT = {"HEAD_TIMEOUT": 60.0}
_NO_PATIENCE = {"SEND_TIMEOUT": 0.1, "CLOSE_TIMEOUT": 0.1}
_SMUGGLED = (("Content-Length", "0"), ("Transfer-Encoding", "chunked"))
_LATE = "{path}?code=another&state={state}"
_HEAD_OF_CALLBACK = b"GET /auth/callback?code=x HTTP/1.1\r\nHost: "
_EXTRA = b"x" * 100_000
NUISANCES = [
    surviving("favicon", Ask("/favicon.ico", 404, "Not found", times=50)),
    surviving(
        "wrong state", Ask("{path}?code=x&state=y", 400, "callback_state_mismatch", times=50), progress=_MISMATCH
    ),
    surviving("error with a wrong state", Ask("{path}?error=x&state=", 400, "another sign-in"), progress=_MISMATCH),
    surviving("error without state", Ask("{path}?error=access_denied", 400, "", times=50), progress=_MISMATCH),
    surviving("state twice", Ask("{path}?code=x&state={state}&state={state}", 400, "cannot be read")),
    *(
        surviving(f"a code that is {code}", Ask("{path}?state={state}&code=" + code, 400, "cannot be read", times=9))
        for code in ("%00", "%FF", "%0A", "a%7F")
    ),
    surviving("the authority of another host", Ask("http://evil.example{callback}", 403, "Forbidden")),
    Scenario(
        name="our authority, and a foreign Host",
        steps=(Ask("http://localhost:{port}{callback}", headers=(("Host", "evil.example"),)), SIGNED_IN),
    ),
    surviving("OPTIONS", Ask("*", 405, "only GET", "OPTIONS", times=50)),
    surviving("HEAD", Ask(status=405, says="", method="HEAD", times=50)),
    surviving("POST", Ask(status=405, says="only GET", method="POST", headers=(("Content-Length", "0"),), times=50)),
    surviving("a body", Ask(status=413, says="body", headers=(("Content-Length", "3"),), times=50)),
    surviving("prefetch", Ask(status=503, says="Prefetch", headers=(("Sec-Purpose", "prefetch"),), times=50)),
    surviving("prerender", Ask(status=503, says="", headers=(("Sec-Purpose", "prefetch;prerender"),), times=50)),
    surviving("a foreign Host", Ask(status=403, says="Forbidden", headers=(("Host", "evil.example"),))),
    surviving("a foreign Host with our port", Ask(status=403, says="", headers=_FOREIGN, times=50)),
    surviving("a Host without a port", Ask(status=403, says="", headers=(("Host", "127.0.0.1"),), times=50)),
    surviving("another port", Ask(status=403, says="Copy the whole address", headers=(("Host", "localhost:1"),))),
    surviving("an empty Host", Ask(status=400, says="Bad request", headers=(("Host", ""),), times=50)),
    surviving("another path", Ask("/{callback}", 404, "Not found", times=50)),
    surviving("/success too early", Ask("/success", 404, "Not found", times=50)),
    surviving("/cancel by a page", Ask("/cancel", 403, "Forbidden", headers=_ORIGIN, times=50)),
    surviving(
        "https",
        Send(b"\x16\x03\x01", 400),
        *(Send(b"\x16\x03\x01\x02\x00\x01", 400),) * 50,
        progress=(*LISTENED, "https_refused", *DONE[2:]),
    ),
    surviving("not HTTP", Send(b"\x05\x01\x00", 400), *(Send(b"\x80\x2e\x01\x00\x02", 400),) * 50),
    surviving("a long target", Send(b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", 414)),
    surviving("a long head", Send(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 17_000, 431)),
    surviving("HTTP/1.2", Send(b"GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505)),
    surviving("a HEAD that is no HTTP", *(Send(b"HEAD /a b HTTP/1.1\r\n\r\n", 400),) * 50),
    surviving("a HEAD that is too large", Send(b"HEAD / HTTP/1.1\r\nX: " + b"x" * 17_000, 431)),
    surviving("a target without an end", Send(b"GET /" + b"x" * 9000, 414)),
    surviving("a length and a coding", Ask(status=413, says="body", headers=(*_SMUGGLED,))),
    surviving("more than its request", *(Send(b"GET / HTTP/1.1\r\n\r\n" + b"x" * 60_000, 400),) * 20),
    surviving("more than a request for an icon", Ask("/favicon.ico", 404, "Not found", extra=_EXTRA)),
    Scenario(name="more than the callback", steps=(Ask(extra=_EXTRA), SIGNED_IN), exchanges=2),
    surviving("CONNECT", Ask("127.0.0.1:80", 405, "only GET", "CONNECT")),
    surviving("WebSocket", Ask("/", 404, "Not found", headers=(("Connection", "Upgrade"), ("Upgrade", "websocket")))),
    surviving("silent", Idle(1)),
    surviving("silent, and dropped in time", Send(b""), constants=_SLOW),
    surviving("slow, and dropped in time", Send(b"GET /auth/callback?code"), constants=_SLOW),
    *(
        surviving(f"a drip after {len(start)} bytes", Drip(start), constants=_SLOW, drivers=THREE)
        for start in (b"", b"G", _HEAD_OF_CALLBACK)
    ),
    surviving("a client that never reads", Open("a", "/favicon.ico", buffer=1), constants=_NO_PATIENCE, drivers=THREE),
    surviving("resets at once", *(Open("a", ""), Leave("a", "reset")) * 20),
    surviving("resets in the request line", Open("a", start=b"GET /auth"), Leave("a", "reset")),
    surviving("closes at once", *(Open("a", ""), Leave("a", "close")) * 50),
    surviving("half-closes at once", Open("a", ""), Leave("a", "half"), Gets("a", 0, "")),
    Scenario(name="half-closed", steps=(Open("a"), Leave("a", "half"), Gets("a"), SIGNED_IN), exchanges=2),
    surviving("50 idle connections", Idle(50), drivers=THREE),
    surviving("64 idle connections, and a login", Idle(64), drivers=THREE),
    surviving(
        "64 idle connections, and one more",
        Idle(64),
        Open("a", "/x"),
        Dropped(),
        Gets("a", 404, ""),
        constants=_PATIENT,
        drivers=THREE,
    ),
    surviving("65 idle connections", Idle(65), Dropped(), IdleAsks("/favicon.ico", 404), drivers=THREE),
    surviving("64 answered connections that stay open", Idle(64, "/favicon.ico"), drivers=THREE),
    surviving("130 idle connections", Idle(130), Dropped(), constants=_PATIENT, drivers=THREE),
]

_STRANGERS = tuple(
    Ask(target, 404, "Not found", times=5)
    for target in ("/success", "/success?x=y", "/success/", "/success/AAAA", "//success", "/success/%2e%2e")
)
_HELD = (Says(TOKENS, is_held=True), KEY)
TABS = [
    Scenario(name="callback twice", steps=(Ask(times=2), SIGNED_IN, SIGNED_IN), exchanges=2),
    Scenario(name="callback thrice", steps=(Ask(times=3), *(SIGNED_IN,) * 3), exchanges=2),
    Scenario(name="another code afterwards", steps=(Ask(), Ask(_LATE, 409, "already"), SIGNED_IN), exchanges=2),
    Scenario(
        name="strangers ask for the success page",
        steps=(Ask(), *_STRANGERS, SIGNED_IN),
        exchanges=2,
        constants={"LINGER": 60.0},
    ),
    Scenario(
        name="strangers ask for the success page while the browser waits",
        steps=(Open("a"), Asked(1), *_STRANGERS, Release(), Gets("a"), *_STRANGERS, SIGNED_IN),
        answers=_HELD,
        exchanges=2,
        constants={"LINGER": 60.0},
        drivers=THREE,
    ),
    Scenario(
        name="two tabs",
        steps=(Open("a"), Open("b"), Release(), Gets("a"), Gets("b"), SIGNED_IN, SIGNED_IN),
        answers=_HELD,
        exchanges=2,
    ),
    Scenario(
        name="two tabs, and a third with another code",
        steps=(
            *(Open("a"), Asked(1), Open("b"), Seen(2), Ask(_LATE, 409, "already"), Release(), Gets("a"), Gets("b")),
            *(SIGNED_IN, SIGNED_IN),
        ),
        answers=_HELD,
        exchanges=2,
        drivers=THREE,
    ),
    *(
        Scenario(
            name=f"the tab leaves while it waits: {how}",
            # The failure is reported long before the listener is closed, which the next tab for the page does.
            steps=(Open("a"), Asked(1), Leave("a", how), Release(), Until("failed"), Ask(), SIGNED_IN),
            answers=_HELD,
            progress=(*DONE, "failed"),
            problems=(("redirect_back", "redirect_failed", False),),
            constants={"LINGER": 60.0},
            drivers=THREE,
        )
        for how in ("reset", "close")
    ),
    Scenario(
        name="one of two tabs leaves",
        steps=(Open("a"), Asked(1), Open("b"), Seen(2), Leave("a", "reset"), Release(), Gets("b"), SIGNED_IN),
        answers=_HELD,
        progress=(*DONE, "failed"),
        drivers=THREE,
    ),
    Scenario(name="a browser that does not come back for its page", steps=(Ask(),), constants={"LINGER": 0.05}),
    failing(
        "waiting tabs get the page of a failure",
        REJECTED,
        steps=(
            Open("a"),
            Asked(1),
            Open("b"),
            Seen(2),
            Release(),
            Gets("a", 502, REJECTED[1]),
            Gets("b", 502, REJECTED[1]),
        ),
        answers=(Says(DENIED, 400, is_held=True),),
        drivers=THREE,
    ),
]


def _ports(name: str, *holders: str, **rest: Any) -> Scenario:
    # Only for those that never answer is the time limit short.
    timeout = 0.2 if holders[0] in ("silent", "deaf") else 4 * PATIENCE
    # An old login has nine of these delays to leave.
    delay = 0.4 if holders[0] == "ours" else 0.05
    constants = {"BIND_RETRY_DELAY": delay, "CANCEL_TIMEOUT": timeout}
    return Scenario(name=name, holders=holders, drivers=THREE, constants=constants, **rest)


_FALLBACK = ("binding", "cancelling_previous", "using_fallback_port", *DONE)
_NO_PORT = ("bind_local_server", "local_server_unavailable")
_TAKEN = ("binding", "cancelling_previous", "using_fallback_port", "binding", "failed")
_GIVEN_UP = ("bind_local_server", "login_cancelled")
PORTS = [
    Scenario(name="both ports free", holders=("", "")),
    _ports("an old login on the port", "ours", "", progress=("binding", "cancelling_previous", *DONE)),
    _ports("a stranger on the port", "stranger", "", progress=_FALLBACK),
    _ports("a stranger who hangs up", "rude", "", progress=_FALLBACK),
    _ports("a stranger who is silent", "silent", "", progress=_FALLBACK),
    _ports("a holder that is not even listening", "deaf", "", progress=_FALLBACK),
    _ports(
        "a holder that says it goes, and stays",
        "stubborn",
        "",
        progress=("binding", "cancelling_previous", *("binding",) * 9, "using_fallback_port", *DONE),
    ),
    _ports("both ports taken", "stranger", "stranger", steps=(), ends=_NO_PORT, progress=_TAKEN),
    _ports("an old login on the fallback port", "stranger", "ours kept", steps=(), ends=_NO_PORT, progress=_TAKEN),
    _ports(
        "cancelled while the holder is asked",
        "silent",
        "",
        steps=(),
        ends=_GIVEN_UP,
        progress=("binding", "cancelling_previous", "cancelled"),
        cancel_at="cancelling_previous",
    ),
    Scenario(
        name="cancelled while waiting for the port",
        holders=("stubborn", ""),
        steps=(),
        ends=_GIVEN_UP,
        progress=("binding", "cancelling_previous", "cancelled"),
        cancel_at="agreed",
        constants={"BIND_RETRY_DELAY": 60.0},
        drivers=THREE,
    ),
]

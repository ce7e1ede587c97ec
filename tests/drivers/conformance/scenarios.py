"""Scenarios for every driver, as data. `play` runs them over real sockets.

A scenario names the provider, the port and the host, the steps of the person, and how the login ends. In a target,
``{callback}`` is a good callback, ``{path}`` its path, ``{state}`` this login's
state and ``{success}`` the page to which the last response redirected.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ..support import API_KEY, NAMESPACE, TOKENS, jwt

THREE = ("threads", "trio", "asyncio")
EVERY = (*THREE, "blocking")


@dataclass(frozen=True)
class Says:
    """A reply of the token endpoint."""

    content: object = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    is_held: bool = False
    """The reply is sent after `Release`."""


# What the person and their browser do


@dataclass(frozen=True)
class Ask:
    """Send a request, and check its response. ``says`` is in its page or its Location."""

    target: str = "{callback}"
    status: int = 302
    says: str = "/success"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    extra: bytes = b""
    """Bytes that are sent after the request."""
    times: int = 1


@dataclass(frozen=True)
class Open:
    """Send a request in a tab of its own, and do not wait for the answer."""

    tab: str
    target: str = "{callback}"
    """The request target; empty for a connection without a request."""
    start: bytes = b""
    """Bytes to send instead of a request."""
    buffer: int | None = None
    """The size of the client's receive buffer."""


@dataclass(frozen=True)
class Gets:
    """Wait for the answer in a tab."""

    tab: str
    status: int = 302
    says: str = "/success"


@dataclass(frozen=True)
class Leave:
    """Close a tab: with a reset, in order, or for sending only."""

    tab: str
    how: Literal["reset", "close", "half"]


@dataclass(frozen=True)
class Send:
    """Send bytes that are no valid request, or only the start of one. Status 0: the connection ends without one."""

    data: bytes
    status: int = 0


@dataclass(frozen=True)
class Drip:
    """Send bytes, and then the last of them every 20 ms, until the connection ends without an answer."""

    data: bytes


@dataclass(frozen=True)
class Idle:
    """Open connections that stay open."""

    count: int
    target: str = ""
    """The request target of each connection. The response arrives, and the connection stays open."""


@dataclass(frozen=True)
class Dropped:
    """Check that the oldest idle connection ends without a response."""


@dataclass(frozen=True)
class IdleAsks:
    """Send a request on the second idle connection, and check its response."""

    target: str
    status: int


@dataclass(frozen=True)
class Until:
    """Wait for a phase."""

    phase: str


@dataclass(frozen=True)
class Asked:
    """Wait until the token endpoint has received this many requests."""

    times: int


@dataclass(frozen=True)
class Seen:
    """Wait until the machine has handled this many requests."""

    times: int


@dataclass(frozen=True)
class Release:
    """Release a held reply or a held store."""


@dataclass(frozen=True)
class Cancel:
    """The caller cancels."""


@dataclass(frozen=True)
class HostGoes:
    """The host leaves the block, in the way that the scenario says."""


Step = (
    Ask
    | Open
    | Gets
    | Leave
    | Send
    | Drip
    | Idle
    | Dropped
    | IdleAsks
    | Until
    | Asked
    | Seen
    | Release
    | Cancel
    | HostGoes
)
Host = Literal["waits", "leaves", "raises", "is cancelled"]
End = tuple[str, str]
"""The step and the category."""

SIGNED_IN = Ask("{success}", 200, "You are signed in")
FINISH: tuple[Step, ...] = (Ask(), SIGNED_IN)
GOOD, KEY = Says(TOKENS), Says({"access_token": API_KEY})
LISTENED = ("binding", "listening")
CAME = (*LISTENED, "callback_received", "exchanging_code")
EXCHANGED = (*CAME, "exchanging_api_key")
SAVED = (*EXCHANGED, "saving_credentials")
DONE = (*SAVED, "succeeded")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    name: str
    steps: tuple[Step, ...] = FINISH
    answers: tuple[Says, ...] = (GOOD, KEY)
    ends: End | None = None
    """The step and category of the failure; None for a success."""
    progress: tuple[str, ...] = DONE
    exchanges: int | None = None
    """The number of token requests. None for any number."""
    problems: tuple[tuple[str, str, bool], ...] | None = None
    """Step, category and fatality of each failure that is reported. None for any."""
    host: Host = "waits"
    provider: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    constants: dict[str, float] = field(default_factory=dict)
    """Constants of time that are replaced in this scenario."""
    store: Literal["file", "held", "broken", "raising"] = "file"
    revocation: Says = Says()
    """The reply to the revocation of the tokens that the login replaces."""
    token_server: str = "scripted"
    holders: tuple[str, ...] = ()
    """The holders of the first port and of the fallback port."""
    cancel_at: str = ""
    """A phase in which the caller cancels while the login is being entered."""
    drivers: tuple[str, ...] = EVERY


def failing(name: str, ends: End, *, progress: tuple[str, ...] = CAME, page: int = 502, **rest: Any) -> Scenario:
    """Return a scenario that fails after a valid callback. The page names the failure."""
    steps = rest.pop("steps", (Ask(status=page, says=ends[1]),))
    return Scenario(name=name, steps=steps, ends=ends, progress=(*progress, "failed"), **rest)


def surviving(name: str, *steps: Step, **rest: Any) -> Scenario:
    """Return a scenario with harmless steps before a login."""
    return Scenario(name=name, steps=(*steps, *FINISH), **{"exchanges": 2, **rest})


_TOKEN, _CALLBACK = "exchange_token", "validate_callback"
DENIED = {"error": "invalid_grant", "error_description": "the code was used"}
REJECTED, MALFORMED = (_TOKEN, "token_endpoint_rejected"), (_TOKEN, "token_response_malformed")
ID_TOKEN = (_TOKEN, "id_token_invalid")
WORKSPACE = (_CALLBACK, "workspace_restriction")

SUCCESSES = [
    Scenario(name="a login", exchanges=2),
    Scenario(
        name="a provider without API keys",
        provider={"exchanges_api_key": False},
        progress=(*CAME, "saving_credentials", "succeeded"),
        exchanges=1,
    ),
    *(
        Scenario(
            name=f"no API key: {name}",
            answers=(GOOD, answer),
            progress=(*EXCHANGED, "api_key_unavailable", "saving_credentials", "succeeded"),
            constants={"API_KEY_EXCHANGE_TIMEOUT": 0.1} if answer.is_held else {},
        )
        for name, answer in {
            "refused": Says(DENIED, 400),
            "no JSON": Says(b"nope"),
            "a part of it": Says({"access_token": API_KEY}, 206),
            "in time": Says(is_held=True),
        }.items()
    ),
    *(
        Scenario(name=f"revocation: {name}", revocation=says, constants=constants, drivers=THREE)
        for name, (says, constants) in {
            "refused": (Says(DENIED, 400), {}),
            "redirected": (Says(b"", 307, (("Location", "http://127.0.0.1:1/"),)), {}),
            "in time": (Says(is_held=True), {"REVOCATION_TIMEOUT": 0.1}),
        }.items()
    ),
    *(
        Scenario(name=f"a code with {name}", steps=(Ask("{path}?state={state}&" + query), SIGNED_IN), exchanges=2)
        for name, query in {
            "spaces": "code=a+b%20c",
            "8,000 characters": f"code={'c' * 8000}",
            "an empty error": "error=&code=c",
        }.items()
    ),
    Scenario(name="no deadline", options={"deadline": None}),
    Scenario(name="localhost", options={"redirect_host": "localhost"}),
]

_ANSWERS: dict[str, tuple[Says, End]] = {
    "400": (Says(DENIED, 400), REJECTED),
    "200 with an error": (Says(DENIED), REJECTED),
    "503": (Says(b"<html>", 503, (("Retry-After", "7"),)), REJECTED),
    "no JSON": (Says(b"canary"), MALFORMED),
    "no refresh token": (Says({**TOKENS, "refresh_token": ""}), MALFORMED),
    "a redirect": (Says(b"", 307, (("Location", "http://127.0.0.1:1/"),)), MALFORMED),
    "a part of it": (Says(TOKENS, 206), MALFORMED),
    "accepted, not done": (Says(TOKENS, 202), MALFORMED),
    "gzip": (Says(b"\x1f\x8b", 200, (("Content-Encoding", "gzip"),)), MALFORMED),
    "more than 1 MiB": (Says(b" " * (1024 * 1024 + 1)), MALFORMED),
    "a foreign id token": (Says({**TOKENS, "id_token": jwt({"aud": "somebody-else"})}), ID_TOKEN),
    "an expired id token": (Says({**TOKENS, "id_token": jwt({"exp": 1_000_000_000})}), ID_TOKEN),
}
_NO_WORKSPACE = Says({**TOKENS, "id_token": jwt({NAMESPACE: {}})})
_DENIAL, _ISSUER = (_CALLBACK, "provider_callback_error"), (_CALLBACK, "issuer_mismatch")
_NO_CODE = (_CALLBACK, "missing_authorization_code")
_CALLBACKS: dict[str, tuple[str, int, End, dict[str, Any]]] = {
    "an error": ("error=access_denied&error_description=%3Cb%3E", 403, _DENIAL, {}),
    "an error and a code": ("error=server_error&code=c", 403, _DENIAL, {}),
    "an empty code": ("code=", 400, _NO_CODE, {}),
    "no code": ("x=y", 400, _NO_CODE, {}),
    "a foreign issuer": ("code=c&iss=https://evil.example", 400, _ISSUER, {}),
    "no issuer where one is promised": ("code=c", 400, _ISSUER, {"promises_iss": True}),
}
FAILURES = [
    *(failing(f"token endpoint: {name}", end, answers=(says,), exchanges=1) for name, (says, end) in _ANSWERS.items()),
    *(
        failing(f"token endpoint: {server}", (_TOKEN, f"token_exchange_{kind}"), token_server=server)
        for server, kind in {"unreachable": "connect", "garbage": "request", "hangs up": "request"}.items()
    ),
    failing(
        "token endpoint: silent",
        (_TOKEN, "token_exchange_timeout"),
        answers=(Says(is_held=True),),
        page=504,
        constants={"TOKEN_EXCHANGE_TIMEOUT": 0.1},
    ),
    failing(
        "token endpoint: drips",
        (_TOKEN, "token_exchange_timeout"),
        token_server="drips",
        page=504,
        constants={"TOKEN_EXCHANGE_TIMEOUT": 0.2},
        drivers=THREE,
    ),
    failing("another workspace", WORKSPACE, page=403, options={"allowed_workspaces": ("acc-2",)}, exchanges=1),
    failing("no workspace", WORKSPACE, page=403, options={"allowed_workspaces": ("acc-2",)}, answers=(_NO_WORKSPACE,)),
    *(
        failing(
            f"callback: {name}",
            end,
            progress=LISTENED,
            steps=(Ask("{path}?state={state}&" + query, status, end[1]),),
            provider=changes,
            exchanges=0,
        )
        for name, (query, status, end, changes) in _CALLBACKS.items()
    ),
    *(
        failing(
            f"a store that is {store}", ("persist_credentials", "persist_failed"), progress=SAVED, page=500, store=store
        )
        for store in ("broken", "raising")
    ),
    failing(
        "the deadline",
        ("wait_for_callback", "login_timed_out"),
        progress=LISTENED,
        steps=(),
        options={"deadline": 0.05},
    ),
    Scenario(
        name="a browser that cannot be launched",
        options={"open_browser": True},
        steps=(Until("failed"), *FINISH),
        progress=(*LISTENED, "opening_browser", "failed", *DONE[2:]),
        drivers=THREE,
    ),
]

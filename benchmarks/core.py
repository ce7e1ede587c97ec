"""(e) The machine alone: whole logins, each `handle`, and what the engine below it costs without us."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import transitions

from loginmachine.sansio import LoginMachine, LoginOptions, LoginSecrets, LoginState, Provider, Trigger
from loginmachine.sansio.login.events import (
    Bound,
    CredentialsSaved,
    RequestReceived,
    ResponseSent,
    Started,
    TokenResponseReceived,
)
from loginmachine.sansio.login.table import ROWS

from .measuring import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine.sansio.login.events import Event

    from .measuring import Results

_BATCH = 10
_BATCHES_A_ROUND = 20
_NOW = 1_795_000_000.0
OPTIONS = LoginOptions(provider=Provider.codex())
SECRETS = LoginSecrets(state="s" * 43, code_verifier="v" * 86, success_key="k" * 43)
_HEADERS = (
    (b"Host", b"127.0.0.1:1455"),
    (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"),
    (b"Accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"Accept-Encoding", b"gzip, deflate, br, zstd"),
    (b"Sec-Fetch-Mode", b"navigate"),
    (b"Sec-Fetch-Site", b"cross-site"),
)


def _jwt(claims: dict[str, Any]) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b'=').decode()}.c2ln"


def login_events() -> list[tuple[str, Event]]:
    """Return the events of a whole login, each with its name in the tables."""
    account = {"https://api.openai.com/auth": {"chatgpt_account_id": "acc-1", "chatgpt_plan_type": "plus"}}
    tokens = {
        "id_token": _jwt({"email": "ada@example.com", **account}),
        "access_token": _jwt(account),
        "refresh_token": "r-1",
    }
    json_header = ((b"Content-Type", b"application/json"),)

    def request(request_id: int, target: str) -> Event:
        return RequestReceived(request_id=request_id, method=b"GET", target=target.encode(), headers=_HEADERS)

    def answer(exchange_id: int, content: dict[str, str]) -> Event:
        body = json.dumps(content).encode()
        return TokenResponseReceived(
            exchange_id=exchange_id, status=200, headers=json_header, body=body, received_at=_NOW
        )

    return [
        ("Started", Started()),
        ("Bound", Bound(port=1455)),
        ("RequestReceived (callback)", request(1, f"/auth/callback?code=code-1&state={SECRETS.state}")),
        ("TokenResponseReceived (tokens)", answer(1, tokens)),
        ("TokenResponseReceived (API key)", answer(2, {"access_token": "sk-1"})),
        ("CredentialsSaved", CredentialsSaved()),
        ("ResponseSent (redirect)", ResponseSent(request_id=1)),
        ("RequestReceived (success page)", request(2, f"/success/{SECRETS.success_key}")),
        ("ResponseSent (success page)", ResponseSent(request_id=2)),
    ]


_TRIGGERS = (
    Trigger.STARTED,
    Trigger.BOUND,
    Trigger.CALLBACK_ACCEPTED,
    Trigger.TOKENS_RECEIVED,
    Trigger.API_KEY_RECEIVED,
    Trigger.CREDENTIALS_SAVED,
    Trigger.PAGE_SENT,
    Trigger.SUCCESS_PAGE_REQUESTED,
    Trigger.PAGE_SENT,
)
"""What those events mean."""


class _Idler:
    """A model with guards that return true and effects that do nothing."""

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state = LoginState.IDLE

    def yes(self, _: object) -> bool:
        return True

    def nothing(self, _: object) -> None:
        pass


def _bare_engine() -> Any:  # noqa: ANN401 - the engine's types are in its stub only
    rows = [
        {
            "trigger": row.trigger,
            "source": row.source,
            "dest": row.dest,
            "after": "nothing",
            **({"conditions": "yes"} if row.guard else {}),
        }
        for row in ROWS
    ]
    return transitions.Machine(
        model=None,
        states=LoginState,
        transitions=rows,
        initial=LoginState.IDLE,
        auto_transitions=False,
        model_attribute="_state",
    )


def measure(results: Results, rounds: int) -> None:
    """Take turns with the bare engine, in batches, in processor time."""
    events = login_events()
    engine = _bare_engine()

    def login() -> None:
        machine = LoginMachine(OPTIONS, SECRETS)
        for _, event in events:
            machine.handle(event)
        assert machine.state is LoginState.SUCCEEDED

    def bare() -> None:
        model = _Idler()
        for trigger in _TRIGGERS:
            engine.events[trigger].trigger(model, None)
        assert model._state is LoginState.SUCCEEDED  # noqa: SLF001 - the attribute that the engine is configured with

    rows: dict[str, list[float]] = {"a whole login (9 events)": [], "the engine's 9 triggers alone": []}
    for _ in range(rounds * _BATCHES_A_ROUND):
        for values, work in zip(rows.values(), (login, bare), strict=True):
            values.append(microseconds(work))
    whole, alone = rows
    table = results.add(
        Table(
            key="e",
            title="(e) the machine alone",
            unit="us",
            rows=rows,
            compared_with=(alone,),
            notes=_rate(rows[whole]),
        )
    )
    results.aim("e", "a whole login, times the engine's triggers alone", 2.0, table.ratio(whole, alone))
    results.add(Table(key="e", title="(e) each handle", unit="us", rows=_each(events, rounds * _BATCHES_A_ROUND)))


def _rate(values: list[float]) -> tuple[str, ...]:
    return (f"{1e6 / sorted(values)[len(values) // 2]:.0f} logins a second",)


def microseconds(work: Callable[[], None]) -> float:
    """Return the processor time of one turn, measured over a batch."""
    begin = time.process_time_ns()
    for _ in range(_BATCH):
        work()
    return (time.process_time_ns() - begin) / _BATCH / 1000


def _each(events: list[tuple[str, Event]], count: int) -> dict[str, list[float]]:
    rows: dict[str, list[float]] = {name: [] for name, _ in events}
    for _ in range(count):
        machine = LoginMachine(OPTIONS, SECRETS)
        for name, event in events:
            begin = time.perf_counter_ns()
            machine.handle(event)
            rows[name].append((time.perf_counter_ns() - begin) / 1000)
    return rows

"""The data of one login, and the few things that several effects do with it."""

from __future__ import annotations

from enum import StrEnum

from . import actions, progress
from .actions import Timer
from .events import TimerFired, TokenRequestFailed, TokenResponseReceived
from .failures import FAILURES, LoginFailure
from .outcome import LoginSuccess
from .states import LoginState, Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from ..base.http import HttpRequest
    from ..base.secret import Secret
    from ..callback.responses import Response
    from ..model.account import Account
    from ..model.credentials import Credentials
    from ..model.options import LoginOptions, LoginSecrets
    from ..oauth.device_code import DeviceCode, DeviceGrant
    from .events import Event
    from .interpretation import Problem
    from .outcome import LoginOutcome

LINGER: Final = 2.0
"""Seconds for which the listener stays open after the outcome, for the last page."""


class PageKind(StrEnum):
    """The last responses of a login."""

    REDIRECT = "redirect"
    SUCCESS = "success"
    OTHER = "other"


class LoginData:
    """What one login knows: the model that the engine moves through the table.

    It is plain data, apart from `out`, which collects the actions of the current event.
    """

    __slots__ = (
        "_state",
        "account",
        "asked_previous",
        "attempt",
        "auth_url",
        "browser_waited",
        "closed",
        "code",
        "credentials",
        "device_code",
        "device_grant",
        "exchange_id",
        "exchanges",
        "gone_reported",
        "mismatch_reported",
        "options",
        "out",
        "outcome",
        "pages",
        "poll_interval",
        "poll_troubles",
        "port",
        "redirects",
        "secrets",
        "successes",
        "timers",
        "timers_used",
        "waiting",
    )

    def __init__(self, options: LoginOptions, secrets: LoginSecrets) -> None:
        self.options = options
        self.secrets = secrets
        self.out: list[actions.Action] = []
        self._state = LoginState.IDLE
        self.port = options.first_port
        self.attempt, self.asked_previous = 0, False
        self.auth_url: str | None = None
        self.timers: frozenset[Timer] = frozenset()
        """The timers that run."""
        self.timers_used: frozenset[Timer] = frozenset()
        """The timers that ever ran: one may fire late, after it was stopped."""
        self.mismatch_reported = self.gone_reported = False
        self.code = ""
        """The accepted authorization code."""
        self.device_code: DeviceCode | None = None
        """The code that the person was shown, in a login with a device code."""
        self.device_grant: DeviceGrant | None = None
        """The result of the last poll, in a dialect that gives no tokens there."""
        self.poll_interval, self.poll_troubles = 0.0, 0
        """Seconds between two polls; polls without a response since the last one that had one."""
        self.exchanges = 0
        """Token requests sent so far; also the last exchange id."""
        self.exchange_id: int | None = None
        """The token request that waits for its response."""
        self.credentials: Credentials | None = None
        self.account: Account | None = None
        self.waiting: tuple[int, ...] = ()
        """Requests of browsers that wait for the outcome."""
        self.browser_waited = False
        """There was such a request. After a pasted address or a device code there is none."""
        self.pages: dict[int, PageKind] = {}
        """Last responses that were given but are not yet known to be sent."""
        self.redirects = self.successes = 0
        """Browsers that were redirected to the success page; success pages that were sent."""
        self.outcome: LoginOutcome | None = None
        self.closed = False

    def __repr__(self) -> str:
        # The engine logs this.
        return f"<Login {self._state}>"

    @property
    def state(self) -> LoginState:
        """The state that the table has brought it to."""
        return self._state

    @property
    def is_on_fallback_port(self) -> bool:
        """The registered second port is being tried."""
        return self.port == self.options.fallback_port

    @property
    def id_token(self) -> Secret:
        """The ID token of the credentials."""
        assert self.credentials is not None
        assert self.credentials.tokens is not None
        return self.credentials.tokens.id_token

    def data(self) -> dict[str, Any]:
        """Return a copy of everything that makes this login what it is, apart from its options and secrets."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name not in ("options", "secrets", "out")}
        return {**fields, "pages": dict(self.pages)}

    def note_answered(self, event: Event) -> None:
        """Note that what the event answers is no longer outstanding: it need not be stopped or aborted."""
        if isinstance(event, TimerFired):
            self.timers -= {event.timer}
        elif isinstance(event, (TokenResponseReceived, TokenRequestFailed)):
            self.exchange_id = None

    def known_secrets(self) -> tuple[str, ...]:
        """Return the secrets that the other side may echo."""
        secrets: tuple[str, ...] = (self.secrets.state, self.secrets.code_verifier, self.secrets.nonce, self.code)
        if self.device_code is not None:
            secrets = (*secrets, self.device_code.device_code, self.device_code.user_code)
        if self.device_grant is not None:
            secrets = (*secrets, self.device_grant.code, self.device_grant.code_verifier)
        return secrets if self.credentials is None else (*secrets, *self.credentials.secrets())

    def bind(self, port: int, attempt: int) -> None:
        """Order an attempt to bind a port."""
        self.port, self.attempt = port, attempt
        self.report(progress.Binding(port=port, attempt=attempt))
        self.out.append(actions.Bind(port=port, attempt=attempt))

    def start_timer(self, timer: Timer, seconds: float) -> None:
        """Start a timer."""
        self.timers |= {timer}
        self.timers_used |= {timer}
        self.out.append(actions.StartTimer(timer=timer, seconds=seconds))

    def stop_timer(self, timer: Timer) -> None:
        """Stop a timer, if it runs."""
        if timer in self.timers:
            self.timers -= {timer}
            self.out.append(actions.StopTimer(timer=timer))

    def stop_waiting_for_person(self) -> None:
        """Stop the timers that limit what the person does."""
        for timer in (Timer.DEADLINE, Timer.POLL, Timer.DEVICE_CODE_EXPIRY):
            self.stop_timer(timer)

    def send(self, request: HttpRequest) -> None:
        """Order a request. One request waits for its response at a time."""
        self.exchanges += 1
        self.exchange_id = self.exchanges
        self.out.append(
            actions.SendTokenRequest(
                exchange_id=self.exchanges,
                url=request.url,
                form=request.form,
                encoding=request.encoding,
                timeout=request.timeout,
            )
        )

    def save(self) -> None:
        """Order that the credentials are stored."""
        assert self.credentials is not None
        self.report(progress.SavingCredentials())
        self.out.append(actions.SaveCredentials(credentials=self.credentials))

    def report(self, phase: progress.LoginPhase) -> None:
        """Report a phase."""
        self.out.append(actions.ReportProgress(phase=phase))

    def report_problem(self, failure: LoginFailure, *, fatal: bool) -> None:
        """Report a failure, or a problem that the login survives."""
        self.report(progress.Failed(step=failure.step, category=failure.category, message=failure.message, fatal=fatal))

    def report_browser_gone(self) -> None:
        """Report, once, that a browser left before it was redirected."""
        if not self.gone_reported:
            self.gone_reported = True
            step, category = FAILURES[Trigger.CLIENT_GONE]
            message = "the browser left before it was redirected"
            self.report(progress.Failed(step=step, category=category, message=message, fatal=False))

    def failure(self, problem: Problem) -> LoginFailure:
        """Return the failure that a problem amounts to."""
        step, category = FAILURES[problem.trigger]
        return LoginFailure(
            step=problem.step or step,
            category=category,
            message=problem.message,
            trigger=problem.trigger,
            help_url=self.options.provider.help_url,
        )

    def respond(self, request_id: int | None, response: Response) -> None:
        """Answer a request. A pasted address has no request: then there is nothing to answer."""
        if request_id is not None:
            self.out.append(
                actions.Respond(
                    request_id=request_id,
                    status=response.status,
                    headers=response.headers,
                    body=response.body,
                )
            )

    def respond_last(self, request_id: int | None, response: Response, kind: PageKind) -> None:
        """Answer a request, and keep the listener open until the response is sent."""
        if request_id is not None:
            self.pages[request_id] = kind
            self.redirects += kind is PageKind.REDIRECT
            self.respond(request_id, response)

    def end(self, outcome: LoginOutcome, response: Response, revocation: HttpRequest | None = None) -> None:
        """End the login: answer every waiting browser, hand over the outcome, and stay for the last page only.

        Args:
            outcome: How it ended.
            response: For the browsers that wait.
            revocation: Sent once the caller has its result.
        """
        self.outcome = outcome
        succeeded = isinstance(outcome, LoginSuccess)
        for timer in sorted(self.timers):
            self.stop_timer(timer)
        if self.exchange_id is not None:
            self.out.append(actions.AbortTokenRequest(exchange_id=self.exchange_id))
            self.exchange_id = None
        for request_id in self.waiting:
            self.respond_last(request_id, response, PageKind.REDIRECT if succeeded else PageKind.OTHER)
        self.waiting = ()
        self.out.append(actions.Finish(outcome=outcome))
        if revocation is not None:
            self.out.append(actions.RevokeToken(**revocation.values()))
        if self.pages or (succeeded and self.browser_waited):
            self.start_timer(Timer.LINGER, LINGER)
        else:
            self.close()

    def close_when_done(self) -> None:
        """Close the listener after the last page. After a success each redirected browser fetches one more page."""
        succeeded = isinstance(self.outcome, LoginSuccess)
        if not self.pages and (not succeeded or self.successes >= max(1, self.redirects)):
            self.stop_timer(Timer.LINGER)
            self.close()

    def close(self) -> None:
        """Close the listener."""
        self.closed = True
        self.out.append(actions.CloseListener())

"""One login's data, and the few things that several effects do to it."""

from __future__ import annotations

from enum import StrEnum

from ..base.http import Encoding
from . import actions, progress
from .actions import Timer
from .events import TimerFired, TokenRequestFailed, TokenResponseReceived
from .failures import FAILURES, LoginFailure
from .outcome import LoginSuccess
from .states import LoginState, Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from ..base.http import Form
    from ..base.secret import Secret
    from ..callback.responses import Answer
    from ..model.account import Account
    from ..model.credentials import Credentials
    from ..model.options import LoginOptions, LoginSecrets
    from ..oauth.device_code import DeviceCode, DeviceGrant
    from .events import Event
    from .interpretation import Interpretation
    from .outcome import LoginOutcome

LINGER: Final = 2.0
"""Seconds that the listener stays after the outcome, for the last page."""


class PageKind(StrEnum):
    """The last answers of a login."""

    REDIRECT = "redirect"
    SUCCESS = "success"
    OTHER = "other"


class LoginData:
    """What one login knows. Plain data, apart from `out`, which collects the actions of the event in hand."""

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
        self.attempt = 0
        self.asked_previous = False
        self.auth_url: str | None = None
        self.timers: frozenset[Timer] = frozenset()
        """The timers that run."""
        self.timers_used: frozenset[Timer] = frozenset()
        """Those that ever ran: one may fire late, after it was stopped."""
        self.mismatch_reported = False
        self.gone_reported = False
        self.code = ""
        """The accepted authorization code."""
        self.device_code: DeviceCode | None = None
        """What the person was shown, in a login with a device code."""
        self.device_grant: DeviceGrant | None = None
        """What the last poll brought, if the provider gives no tokens there."""
        self.poll_interval = 0.0
        """Seconds between two polls."""
        self.poll_troubles = 0
        """Polls without an answer since the last one that had one."""
        self.exchanges = 0
        """Token requests sent so far; also the last exchange id."""
        self.exchange_id: int | None = None
        """The token request that is outstanding."""
        self.credentials: Credentials | None = None
        self.account: Account | None = None
        self.waiting: tuple[int, ...] = ()
        """Requests of browsers that wait for the outcome."""
        self.browser_waited = False
        """There was such a request: a pasted address or a device code leave no browser here."""
        self.pages: dict[int, PageKind] = {}
        """Last answers that were given but are not yet known to be sent."""
        self.redirects = 0
        """Browsers that were sent on to the success page."""
        self.successes = 0
        """Success pages that were sent."""
        self.outcome: LoginOutcome | None = None
        self.closed = False

    def __repr__(self) -> str:
        # The engine logs this.
        return f"<Login {self._state}>"

    @property
    def state(self) -> LoginState:
        """Where the table has brought it."""
        return self._state

    def data(self) -> dict[str, Any]:
        """Everything that makes this login what it is, apart from its options and secrets: a copy."""
        fields = {
            name: getattr(self, name) for name in LoginData.__slots__ if name not in ("options", "secrets", "out")
        }
        return {**fields, "pages": dict(self.pages)}

    def note_answered(self, event: Event) -> None:
        """What an event answers is no longer outstanding: there is nothing left to stop or abort."""
        if isinstance(event, TimerFired):
            self.timers -= {event.timer}
        elif isinstance(event, (TokenResponseReceived, TokenRequestFailed)):
            self.exchange_id = None

    def known_secrets(self) -> tuple[str, ...]:
        """What the other side may echo."""
        secrets: tuple[str, ...] = (self.secrets.state, self.secrets.code_verifier, self.secrets.nonce, self.code)
        if self.device_code is not None:
            secrets = (*secrets, self.device_code.device_code, self.device_code.user_code)
        if self.device_grant is not None:
            secrets = (*secrets, self.device_grant.code, self.device_grant.code_verifier)
        return secrets if self.credentials is None else (*secrets, *self.credentials.secrets())

    def _on_fallback(self) -> bool:
        return self.port == self.options.fallback_port

    def _id_token(self) -> Secret:
        assert self.credentials is not None
        assert self.credentials.tokens is not None
        return self.credentials.tokens.id_token

    def _bind(self, port: int, attempt: int) -> None:
        self.port, self.attempt = port, attempt
        self._report(progress.Binding(port=port, attempt=attempt))
        self.out.append(actions.Bind(port=port, attempt=attempt))

    def _start(self, timer: Timer, seconds: float) -> None:
        self.timers |= {timer}
        self.timers_used |= {timer}
        self.out.append(actions.StartTimer(timer=timer, seconds=seconds))

    def _stop(self, timer: Timer) -> None:
        if timer in self.timers:
            self.timers -= {timer}
            self.out.append(actions.StopTimer(timer=timer))

    def _stop_waiting(self) -> None:
        """The person has done their part."""
        for timer in (Timer.DEADLINE, Timer.POLL, Timer.DEVICE_CODE_EXPIRY):
            self._stop(timer)

    def _send(self, form: Form, timeout: float, *, url: str = "", encoding: Encoding = Encoding.FORM) -> None:
        """Send a request, to the token endpoint unless another is given."""
        self.exchanges += 1
        self.exchange_id = self.exchanges
        self.out.append(
            actions.SendTokenRequest(
                exchange_id=self.exchanges,
                url=url or self.options.provider.token_endpoint,
                form=form,
                encoding=encoding,
                timeout=timeout,
            )
        )

    def _save(self) -> None:
        assert self.credentials is not None
        self._report(progress.SavingCredentials())
        self.out.append(actions.SaveCredentials(credentials=self.credentials))

    def _report(self, phase: progress.LoginPhase) -> None:
        self.out.append(actions.ReportProgress(phase=phase))

    def _report_problem(self, failure: LoginFailure, *, fatal: bool) -> None:
        self._report(
            progress.Failed(phase=failure.phase, category=failure.category, message=failure.message, fatal=fatal)
        )

    def _report_gone(self) -> None:
        if not self.gone_reported:
            self.gone_reported = True
            phase, category = FAILURES[Trigger.CLIENT_GONE]
            message = "the browser left before it was redirected"
            self._report(progress.Failed(phase=phase, category=category, message=message, fatal=False))

    def _failure(self, step: Interpretation) -> LoginFailure:
        phase, category = FAILURES[step.trigger]
        return LoginFailure(
            phase=step.phase or phase,
            category=category,
            message=step.message,
            trigger=step.trigger,
            help_url=self.options.provider.help_url,
        )

    def _respond(self, request_id: int | None, answer: Answer) -> None:
        assert request_id is not None
        self.out.append(
            actions.Respond(
                request_id=request_id,
                status=answer.status,
                headers=answer.headers,
                body=answer.body,
            )
        )

    def _respond_last(self, request_id: int | None, answer: Answer, kind: PageKind) -> None:
        """Give an answer that the listener stays for."""
        assert request_id is not None
        self.pages[request_id] = kind
        if kind is PageKind.REDIRECT:
            self.redirects += 1
        self._respond(request_id, answer)

    def _end(self, outcome: LoginOutcome, answer: Answer, revoke: actions.RevokeToken | None = None) -> None:
        """The outcome is known: tell the caller and every waiting browser, then stay for the last page only.

        Args:
            outcome: How it ended.
            answer: For the browsers that wait.
            revoke: What is to be given back, once the caller has its result.
        """
        self.outcome = outcome
        succeeded = isinstance(outcome, LoginSuccess)
        for timer in sorted(self.timers):
            self._stop(timer)
        if self.exchange_id is not None:
            self.out.append(actions.AbortTokenRequest(exchange_id=self.exchange_id))
            self.exchange_id = None
        for request_id in self.waiting:
            self._respond_last(request_id, answer, PageKind.REDIRECT if succeeded else PageKind.OTHER)
        self.waiting = ()
        self.out.append(actions.Finish(outcome=outcome))
        if revoke is not None:
            self.out.append(revoke)
        if self.pages or (succeeded and self.browser_waited):
            self._start(Timer.LINGER, LINGER)
        else:
            self._close()

    def _close_when_done(self) -> None:
        """After a success each redirected browser fetches one more page; otherwise the answers were the last."""
        succeeded = isinstance(self.outcome, LoginSuccess)
        if not self.pages and (not succeeded or self.successes >= max(1, self.redirects)):
            self._stop(Timer.LINGER)
            self._close()

    def _close(self) -> None:
        self.closed = True
        self.out.append(actions.CloseListener())

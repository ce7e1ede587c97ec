"""The data of one login, and the operations on it that several effects share."""

from __future__ import annotations

from ..callback.responses import PageKind
from . import actions, progress
from .actions import Timer
from .events import Started, TimerFired, TokenRequestFailed, TokenResponseReceived
from .outcome import LoginFailure, LoginSuccess
from .states import LoginState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from ..base.http import HttpRequest
    from ..base.secret import Secret
    from ..callback.responses import Response
    from ..model.account import Account, KnownAccount
    from ..model.credentials import Credentials
    from ..model.options import LoginOptions, LoginSecrets
    from ..oauth.device_code import DeviceCode, DeviceGrant
    from ..oauth.keys import KeySet
    from ..server.registration import Registration
    from .events import Event
    from .interpretation import UnverifiedTokens
    from .outcome import LoginOutcome

LINGER: Final = 2.0
"""Seconds for which the listener stays open after the outcome, for the last page."""


class LoginData:
    """The data of one login: the model that the engine moves through the table.

    `out` collects the actions of the current event. All other attributes are plain data.
    """

    __slots__ = (
        *("_state", "account", "asked_previous", "attempt", "auth_url", "browser_waited", "closed", "code"),
        *("code_waited", "credentials", "device_code", "device_grant", "exchange_id", "exchanges"),
        *("gone_reported", "has_start_page", "https_reported", "is_listening", "keys", "keys_id"),
        *("known_account", "metadata_address", "mismatch_reported", "options", "other_user_reported", "out"),
        *("outcome", "pages", "poll_interval", "poll_troubles", "port", "redirects", "registration", "request_uri"),
        *("secrets", "successes", "timers", "timers_used", "unverified", "waiting", "wants_device_code"),
    )

    def __init__(self, options: LoginOptions, secrets: LoginSecrets) -> None:
        self.options = options
        self.secrets = secrets
        self.out: list[actions.Action] = []
        self._state = LoginState.IDLE
        self.port = options.first_port
        self.attempt, self.asked_previous = 0, False
        self.is_listening = False
        """The callback port accepts connections."""
        self.auth_url: str | None = None
        self.timers: frozenset[Timer] = frozenset()
        """The timers that are running."""
        self.timers_used: frozenset[Timer] = frozenset()
        """The timers that were ever started. A timer may fire late, after it was stopped."""
        self.mismatch_reported = self.other_user_reported = self.https_reported = self.gone_reported = False
        self.code = ""
        """The accepted authorization code."""
        self.exchanges = 0
        """The number of token requests so far, which is also the last exchange id."""
        self.exchange_id: int | None = None
        """The token request that has no response yet."""
        self.credentials: Credentials | None = None
        self.account: Account | None = None
        self.waiting: tuple[int, ...] = ()
        """The requests of browsers that wait for the outcome."""
        self.browser_waited = False
        """There was such a request. After a pasted address, or with a device code, there is none."""
        self.pages: dict[int, PageKind] = {}
        """The last pages that are being sent, by the number of the request."""
        self.redirects = self.successes = 0
        """The number of browsers that were redirected to the success page, and of success pages that were sent."""
        self.outcome: LoginOutcome | None = None
        self.closed = False
        self.known_account: KnownAccount | None = None
        """The account that the login renews."""
        self.has_start_page = False
        """The next browser that comes to the start page is sent to the provider."""
        self._begin_device_code()
        self._begin_discovery()

    def _begin_device_code(self) -> None:
        self.device_code: DeviceCode | None = None
        """The code that the person enters, in a login with a device code."""
        self.device_grant: DeviceGrant | None = None
        """The authorization code of the last poll, in Codex's dialect."""
        self.code_waited, self.poll_interval, self.poll_troubles = 0.0, 0.0, 0
        """Seconds of the pauses before the device code came, those between two polls, and the number of failed polls
        since the last successful one."""

    def _begin_discovery(self) -> None:
        self.wants_device_code = False
        """The person signs in with a device code, and the login fetches something about the provider before."""
        self.metadata_address = 0
        """Which of the addresses of the provider's metadata is being tried, from 0."""
        self.registration: Registration | None = None
        """The client that an earlier login has registered at the provider of the resource, which is not known yet."""
        self.request_uri = ""
        """The reference to the pushed authorization request."""
        self.keys: KeySet | None = None
        self.keys_id: int | None = None
        """The number of the request for the keys that has no response yet, while the person is in the browser."""
        self.unverified: UnverifiedTokens | None = None
        """The tokens that wait for the keys."""

    def __repr__(self) -> str:  # the engine logs this
        return f"<Login {self._state}>"

    @property
    def state(self) -> LoginState:
        """The state of the login."""
        return self._state

    @property
    def is_on_fallback_port(self) -> bool:
        """Whether the second registered port is in use or being tried."""
        return self.port == self.options.fallback_port

    @property
    def id_token(self) -> Secret | None:
        """The id token of the credentials; None if the provider gave none."""
        assert self.credentials is not None
        assert self.credentials.tokens is not None
        return self.credentials.tokens.id_token

    def data(self) -> dict[str, Any]:
        """Return a copy of the data, without the secrets. The options have what discovery has found."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name not in ("secrets", "out")}
        return {**fields, "pages": dict(self.pages)}

    def note(self, event: Event) -> None:
        """Note the client, a timer that has fired, or a request that is answered, before the effect of the event."""
        if isinstance(event, Started):
            self._note_installation(event)
        elif isinstance(event, TimerFired):
            self.timers -= {event.timer}
        elif isinstance(event, (TokenResponseReceived, TokenRequestFailed)):
            self.exchange_id = self.keys_id = None

    def _note_installation(self, event: Started) -> None:
        self.known_account = event.account
        options, registration = self.options, event.registration
        if options.provider.needs_resource_metadata:
            self.registration, registration = registration, None
        self.options = options.of_installation(registration, event.host_id)
        if event.registered_port is not None and options.first_port == 0:
            provider = self.options.provider.__replace__(port=event.registered_port, fallback_port=0)
            self.options = self.options.__replace__(provider=provider, port=None)

    def use_registration(self) -> None:
        """Sign in with the client that an earlier login has registered, if it is one of this provider."""
        registration = self.registration
        if registration is not None and registration.issuer == self.options.provider.origin:
            self.options = self.options.of_installation(registration, None)
        self.registration = None

    def drop_registration(self) -> None:
        """Register a new client, if the present one was registered with a port that is not available."""
        provider = self.options.provider
        if provider.registration is not None:
            self.options = self.options.__replace__(provider=provider.unregistered())

    def known_secrets(self) -> tuple[str, ...]:
        """Return the secrets that the other side may echo."""
        secrets: tuple[str, ...] = (self.secrets.state, self.secrets.code_verifier, self.secrets.nonce, self.code)
        if self.device_code is not None:
            secrets = (*secrets, self.device_code.device_code, self.device_code.user_code)
        if self.device_grant is not None:
            secrets = (*secrets, self.device_grant.code, self.device_grant.code_verifier)
        held = self.options.provider.client_secret
        hint = None if self.known_account is None else self.known_account.id_token
        tokens = self.unverified.tokens.secrets() if self.unverified is not None else ()
        stored = () if self.credentials is None else self.credentials.secrets()
        return (
            *secrets,
            self.request_uri,
            *tokens,
            *stored,
            *(each.reveal() for each in (held, hint) if each is not None),
        )

    def listen_on(self, port: int) -> None:
        """Note that the callback port accepts connections."""
        self.port, self.is_listening = port, True

    def start_timer(self, timer: Timer, seconds: float) -> None:
        """Start a timer."""
        self.timers |= {timer}
        self.timers_used |= {timer}
        self.out.append(actions.StartTimer(timer=timer, seconds=seconds))

    def stop_timer(self, timer: Timer) -> None:
        """Stop a timer, if it is running."""
        if timer in self.timers:
            self.timers -= {timer}
            self.out.append(actions.StopTimer(timer=timer))

    def stop_waiting_for_person(self) -> None:
        """Stop the timers that limit what the person does."""
        for timer in (Timer.DEADLINE, Timer.POLL, Timer.DEVICE_CODE_EXPIRY):
            self.stop_timer(timer)

    def send(self, request: HttpRequest) -> None:
        """Append a request. At most one is outstanding at a time: it comes before a request for the keys."""
        if self.keys_id is not None:
            self.out.append(actions.AbortTokenRequest(exchange_id=self.keys_id))
            self.keys_id = None
        self.exchanges += 1
        self.exchange_id = self.exchanges
        self.out.append(
            actions.SendTokenRequest(
                exchange_id=self.exchanges,
                url=request.url,
                method=request.method,
                form=request.form,
                encoding=request.encoding,
                timeout=request.timeout,
                authorization=request.authorization,
            )
        )

    def save(self) -> None:
        """Append the action that stores the credentials."""
        assert self.credentials is not None
        self.report(progress.SavingCredentials())
        self.out.append(actions.SaveCredentials(credentials=self.credentials))

    def report(self, phase: progress.LoginPhase) -> None:
        """Report a phase."""
        self.out.append(actions.ReportProgress(phase=phase))

    def report_problem(self, failure: LoginFailure, *, fatal: bool) -> None:
        """Report a failure, or a problem that the login survives."""
        self.report(progress.Failed(step=failure.step, category=failure.category, message=failure.message, fatal=fatal))

    def respond(self, request_id: int | None, response: Response) -> None:
        """Answer a request. Do nothing if there is none, as for a pasted address."""
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
        """End the login: answer every waiting browser, and return the outcome. The listener stays for the last page.

        Args:
            outcome: How it ended.
            response: The response to the browsers that wait.
            revocation: A request to send after the caller has the outcome; None for no request.
        """
        self.outcome, succeeded = outcome, isinstance(outcome, LoginSuccess)
        for timer in sorted(self.timers):
            self.stop_timer(timer)
        if self.exchange_id is not None:
            self.out.append(actions.AbortTokenRequest(exchange_id=self.exchange_id))
            self.exchange_id = self.keys_id = None
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
        """Close the listener if the last page was sent. After a success, each redirected browser requests one more."""
        succeeded = isinstance(self.outcome, LoginSuccess)
        if not self.pages and (not succeeded or self.successes >= max(1, self.redirects)):
            self.stop_timer(Timer.LINGER)
            self.close()

    def close(self) -> None:
        """Close the listener."""
        self.closed = True
        self.out.append(actions.CloseListener())

"""What happens at each row of the table: the guards and effects that it names.

Effects only set fields and append actions, so they cannot fail half-way: everything that can go wrong was found out
when the event was interpreted.
"""

from __future__ import annotations

from ..callback import responses as answers
from ..oauth import token_requests
from ..oauth.authorization import authorization_url, redirect_uri
from ..oauth.revocation import revocation
from . import actions, progress
from .actions import Timer
from .device_effects import DeviceCodeEffects
from .failures import LoginFailure, LoginFailureCategory
from .outcome import LoginCancellation, LoginSuccess
from .state import PageKind
from .states import Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from .interpretation import Interpretation

MAX_BIND_ATTEMPTS: Final = 10
BIND_RETRY_DELAY: Final = 0.2


class Login(DeviceCodeEffects):
    """The model that the table's engine moves."""

    __slots__ = ()

    # Guards

    def may_cancel_previous(self, _: Interpretation) -> bool:
        """The first time, on the port that was asked for: its holder may be an older login server."""
        return not self.asked_previous and self.port != 0 and not self._on_fallback()

    def may_bind_again(self, _: Interpretation) -> bool:
        """The holder agreed to go; it may take a moment."""
        return self.asked_previous and not self._on_fallback() and self.attempt < MAX_BIND_ATTEMPTS

    def has_fallback(self, _: Interpretation) -> bool:
        """There is another registered port, not yet tried."""
        return self.options.fallback_port is not None and not self._on_fallback()

    def wants_api_key(self, _: Interpretation) -> bool:
        """The provider exchanges id tokens for API keys, and this is no login with a device code."""
        return self.options.provider.exchanges_api_key and self.device_code is None

    # A port on loopback

    def bind_first_port(self, _: Interpretation) -> None:
        self._bind(self.options.first_port, 1)

    def bind_again(self, _: Interpretation) -> None:
        self._bind(self.port, self.attempt + 1)

    def bind_fallback(self, _: Interpretation) -> None:
        assert self.options.fallback_port is not None
        self._report(progress.UsingFallbackPort(port=self.options.fallback_port))
        self._bind(self.options.fallback_port, 1)

    def cancel_previous(self, _: Interpretation) -> None:
        self.asked_previous = True
        self._report(progress.CancellingPrevious(port=self.port))
        self.out.append(actions.CancelPrevious(port=self.port))

    def back_off(self, _: Interpretation) -> None:
        self._start(Timer.BIND_RETRY, BIND_RETRY_DELAY)

    # The person is in the browser

    def await_callback(self, step: Interpretation) -> None:
        self.port = step.port
        self.auth_url = authorization_url(self.options, self.secrets, step.port)
        self._report(progress.Listening(url=self.auth_url, port=self.port))
        if self.options.deadline is not None:
            self._start(Timer.DEADLINE, self.options.deadline)
        if self.options.open_browser:
            self.out.append(actions.OpenBrowser(url=self.auth_url))

    def report_browser_opened(self, _: Interpretation) -> None:
        self._report(progress.BrowserLaunched())

    def report_browser_failed(self, step: Interpretation) -> None:
        self._report_problem(self._failure(step), fatal=False)

    def answer(self, step: Interpretation) -> None:
        assert step.answer is not None
        self._respond(step.request_id, step.answer)

    def answer_not_found(self, step: Interpretation) -> None:
        self._respond(step.request_id, answers.refusal(404))

    def answer_mismatch(self, step: Interpretation) -> None:
        if not self.mismatch_reported:
            self.mismatch_reported = True
            self._report_problem(self._failure(step), fatal=False)
        self.answer(step)

    def answer_conflict(self, step: Interpretation) -> None:
        if step.paste_problem is not None:
            self.report_paste_refused(step)
        else:
            self._respond(step.request_id, answers.conflict())

    def report_paste_refused(self, step: Interpretation) -> None:
        assert step.paste_problem is not None
        uri = redirect_uri(self.options, self.port)
        self._report(progress.PasteRefused(problem=step.paste_problem, redirect_uri=uri))

    def join_wait(self, step: Interpretation) -> None:
        # A pasted address leaves nobody to be answered.
        if step.request_id is not None:
            self.browser_waited = True
            self.waiting = (*self.waiting, step.request_id)

    def forget_waiting(self, step: Interpretation) -> None:
        self.waiting = tuple(request_id for request_id in self.waiting if request_id != step.request_id)

    # Code to tokens to file

    def exchange_code(self, step: Interpretation) -> None:
        self._stop_waiting()
        self.code = step.code
        self.join_wait(step)
        self._report(progress.PasteAccepted() if step.request_id is None else progress.CallbackReceived())
        self._report(progress.ExchangingCode())
        form = token_requests.code_exchange(self.options, self.secrets, self.port, self.code)
        self._send(form, token_requests.TOKEN_EXCHANGE_TIMEOUT)

    def exchange_api_key(self, step: Interpretation) -> None:
        self.credentials, self.account = step.credentials, step.account
        self._report(progress.ExchangingApiKey())
        form = token_requests.api_key_exchange(self.options.provider, self._id_token())
        self._send(form, token_requests.API_KEY_EXCHANGE_TIMEOUT)

    def save(self, step: Interpretation) -> None:
        self._stop_waiting()
        self.credentials, self.account = step.credentials, step.account
        self._save()

    def save_with_api_key(self, step: Interpretation) -> None:
        assert self.credentials is not None
        self.credentials = self.credentials.__replace__(api_key=step.api_key)
        self._save()

    def save_without_api_key(self, step: Interpretation) -> None:
        self._report(progress.ApiKeyUnavailable(message=step.message))
        self._save()

    # The outcome

    def succeed(self, step: Interpretation) -> None:
        account, credentials = self.account, self.credentials
        assert account is not None
        assert credentials is not None
        self._report(progress.Succeeded(account_id=account.account_id, email=account.email, plan=account.plan))
        if self.browser_waited and not self.waiting:
            self._report_gone()
        # What was replaced is given back only now that the new credentials are durable.
        request = revocation(self.options.provider, step.replaced, credentials)
        revoke = None if request is None else actions.RevokeToken(**request.values())
        self._end(LoginSuccess(credentials=credentials, account=account), answers.redirect_to_success(), revoke)

    def fail(self, step: Interpretation) -> None:
        failure = self._failure(step)
        self.join_wait(step)
        self._report_problem(failure, fatal=True)
        self._end(failure, answers.failure(failure))

    def cancel(self, step: Interpretation) -> None:
        assert step.phase is not None
        failure = LoginFailure(
            phase=step.phase,
            category=LoginFailureCategory.LOGIN_CANCELLED,
            message=step.message,
            trigger=Trigger.CANCEL_REQUESTED,
            help_url=self.options.provider.help_url,
        )
        self._report(progress.Cancelled(phase=failure.phase, message=failure.message))
        if step.request_id is not None:
            self._respond_last(step.request_id, answers.cancelled(), PageKind.OTHER)
        self._end(LoginCancellation(failure=failure), answers.over())

    # After the outcome

    def answer_too_late(self, step: Interpretation) -> None:
        if step.request_id is not None:
            self._respond(step.request_id, answers.too_late())

    def answer_over(self, step: Interpretation) -> None:
        self._respond_last(step.request_id, answers.over(), PageKind.OTHER)

    def redirect(self, step: Interpretation) -> None:
        self._respond_last(step.request_id, answers.redirect_to_success(), PageKind.REDIRECT)

    def answer_success(self, step: Interpretation) -> None:
        assert self.account is not None
        page = answers.success(self.options.provider, self.account, self._id_token())
        self._respond_last(step.request_id, page, PageKind.SUCCESS)

    def note_page_sent(self, step: Interpretation) -> None:
        assert step.request_id is not None
        if self.pages.pop(step.request_id) is PageKind.SUCCESS:
            self.successes += 1
        self._close_when_done()

    def note_client_gone(self, step: Interpretation) -> None:
        assert step.request_id is not None
        if self.pages.pop(step.request_id) is PageKind.REDIRECT:
            self.redirects -= 1
            self._report_gone()
        self._close_when_done()

    def close(self, _: Interpretation) -> None:
        self._close()

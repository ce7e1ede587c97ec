"""The guards and effects of the table, for a login in the browser. `device_code.effects` has those for a device code.

An effect only sets fields and appends actions, so it cannot fail half-way: errors are found before, when the event is
interpreted. A guard changes nothing. Its docstring states the condition, which docs/state-diagram.md lists.
"""

from __future__ import annotations

from ..callback import responses
from ..callback.pasted import PasteProblem
from ..callback.responses import PageKind
from ..oauth import token_requests
from ..oauth.authorization import authorization_url, redirect_uri
from . import actions, progress
from .actions import Timer
from .client.start_page import browser_url
from .failures import LoginFailureCategory
from .interpretation import Problem, failure_of
from .outcome import LoginCancellation, LoginFailure, LoginSuccess
from .states import Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .interpretation import (
        AcceptedCallback,
        AnsweredRequest,
        Cancellation,
        CheckedTokens,
        FromRequest,
        Interpretation,
        PortBound,
        ReceivedApiKey,
        Refusal,
        RefusedCallback,
        RefusedPaste,
        SavedCredentials,
    )
    from .state import LoginData

# Guards


def wants_api_key(login: LoginData, _: Interpretation) -> bool:
    """The provider exchanges id tokens for API keys, and this is not a login with a device code."""
    return login.options.provider.dialect.exchanges_api_key and login.device_code is None


# The person is in the browser


def await_callback(login: LoginData, meaning: PortBound) -> None:
    """Show the authorization request, and start the deadline."""
    login.listen_on(meaning.port)
    show_address(login, authorization_url(login.options, login.secrets, meaning.port))


def show_address(login: LoginData, url: str) -> None:
    """Show the address for the person, and start the deadline.

    Args:
        login: The login. Its callback port accepts connections, unless the host receives the callback.
        url: The authorization request.
    """
    login.auth_url = url
    login.report(progress.Listening(url=url, port=login.port) if login.is_listening else progress.AddressReady(url=url))
    if login.options.deadline is not None:
        login.start_timer(Timer.DEADLINE, login.options.deadline)
    if login.options.launches_browser:
        login.report(progress.OpeningBrowser())
        login.out.append(actions.OpenBrowser(url=browser_url(login, url)))
    if login.options.provider.jwks_uri is not None and login.is_listening:
        # The callback need not wait for the keys then. A host's own login is suspended until the callback comes.
        from .server.keys import request_keys  # noqa: PLC0415 - not for the default provider

        request_keys(login)


def report_browser_opened(login: LoginData, _: Interpretation) -> None:
    """Report that a browser was launched."""
    login.report(progress.BrowserLaunched())


def report_browser_failed(login: LoginData, meaning: Problem) -> None:
    """Report that no browser was launched. The login goes on, because the person can open the address by hand."""
    login.report_problem(failure_of(meaning, login.options), fatal=False)


def answer(login: LoginData, meaning: Refusal | RefusedCallback) -> None:
    """Send the response that refuses the request."""
    login.respond(meaning.request_id, meaning.response)


def answer_not_found(login: LoginData, meaning: FromRequest) -> None:
    """Answer with 404."""
    login.respond(meaning.request_id, responses.refusal(404))


def answer_mismatch(login: LoginData, meaning: RefusedCallback) -> None:
    """Send the response that refuses the callback. Report the first such callback of a login."""
    is_first, login.mismatch_reported = not login.mismatch_reported, True
    _refuse(login, meaning, report=is_first)


def answer_other_user(login: LoginData, meaning: RefusedCallback) -> None:
    """Send the response that refuses another user's callback. Report the first such callback of a login."""
    is_first, login.other_user_reported = not login.other_user_reported, True
    _refuse(login, meaning, report=is_first)


def report_https(login: LoginData, _: Interpretation) -> None:
    """Report, once, that a browser insists on https."""
    if not login.https_reported:
        login.https_reported = True
        login.report(progress.HttpsRefused())


def answer_conflict(login: LoginData, meaning: FromRequest) -> None:
    """Inform the browser, or the person who pasted an address, that another callback was accepted."""
    login.respond(meaning.request_id, responses.conflict())
    if meaning.request_id is None and login.options.redirect_uri is None:
        _refuse_paste(login, PasteProblem.ALREADY_ANSWERED)


def report_paste_refused(login: LoginData, meaning: RefusedPaste) -> None:
    """Report what is wrong with the pasted address."""
    _refuse_paste(login, meaning.problem)


def _refuse(login: LoginData, callback: RefusedCallback, *, report: bool) -> None:
    """Send the response that refuses a callback, and report it if wanted."""
    if report:
        login.report_problem(failure_of(callback, login.options), fatal=False)
    login.respond(callback.request_id, callback.response)


def _refuse_paste(login: LoginData, problem: PasteProblem) -> None:
    """Report what is wrong with a pasted address."""
    uri = redirect_uri(login.options, login.port)
    login.report(progress.PasteRefused(problem=problem, redirect_uri=uri))


def join_wait(login: LoginData, meaning: FromRequest) -> None:
    """Let the browser wait for the outcome."""
    if meaning.request_id is not None:
        login.browser_waited, login.waiting = True, (*login.waiting, meaning.request_id)


def forget_waiting(login: LoginData, meaning: AnsweredRequest) -> None:
    """Remove a browser that has left from those that wait for the outcome."""
    login.waiting = tuple(request_id for request_id in login.waiting if request_id != meaning.request_id)


# From the code to stored credentials


def accept_code(login: LoginData, meaning: AcceptedCallback) -> None:
    """Note the authorization code, and let the browser wait for the outcome."""
    login.stop_waiting_for_person()
    login.code = meaning.code
    join_wait(login, meaning)
    is_pasted = meaning.request_id is None and login.options.redirect_uri is None
    login.report(progress.PasteAccepted() if is_pasted else progress.CallbackReceived())


def exchange_code(login: LoginData, meaning: AcceptedCallback) -> None:
    """Exchange the authorization code for tokens, while the browser waits."""
    accept_code(login, meaning)
    login.report(progress.ExchangingCode())
    login.send(token_requests.code_exchange(login.options, login.secrets, login.port, login.code))


def exchange_api_key(login: LoginData, meaning: CheckedTokens) -> None:
    """Exchange the id token for an API key."""
    _keep(login, meaning)
    login.report(progress.ExchangingApiKey())
    assert login.id_token is not None
    login.send(token_requests.api_key_exchange(login.options.provider, login.id_token))


def save(login: LoginData, meaning: CheckedTokens) -> None:
    """Store the credentials."""
    login.stop_waiting_for_person()
    _keep(login, meaning)
    login.save()


def _keep(login: LoginData, meaning: CheckedTokens) -> None:
    login.unverified = None
    login.credentials, login.account = meaning.credentials, meaning.account


def save_with_api_key(login: LoginData, meaning: ReceivedApiKey) -> None:
    """Store the credentials with the API key."""
    assert login.credentials is not None
    login.credentials = login.credentials.__replace__(api_key=meaning.api_key)
    login.save()


def save_without_api_key(login: LoginData, meaning: Problem) -> None:
    """Store the credentials without an API key, which is optional."""
    login.report(progress.ApiKeyUnavailable(message=meaning.message))
    login.save()


# The outcome, and what comes after it


def succeed(login: LoginData, meaning: SavedCredentials) -> None:
    """Redirect the waiting browsers, and pass the credentials to the caller."""
    account, credentials = login.account, login.credentials
    assert account is not None
    assert credentials is not None
    assert credentials.tokens is not None
    login.report(
        progress.Succeeded(
            account_id=account.account_id,
            email=account.email,
            plan=account.plan,
            missing_scopes=login.options.missing_scopes(credentials.tokens),
        )
    )
    if login.browser_waited and not login.waiting:
        _report_browser_gone(login)
    # The replaced tokens are revoked only now that the new credentials are durable.
    from ..oauth.revocation import revocation  # noqa: PLC0415 - not needed before the login URL is shown

    revoke = revocation(login.options.provider, meaning.replaced, credentials)
    outcome = LoginSuccess(credentials=credentials, account=account)
    login.end(outcome, responses.redirect_to_success(login.secrets), revoke)


def fail(login: LoginData, meaning: Problem) -> None:
    """End the login with a failure, and show it in the browsers that wait."""
    failure = failure_of(meaning, login.options)
    join_wait(login, meaning)
    login.report_problem(failure, fatal=True)
    login.end(failure, failure.response())


def cancel(login: LoginData, meaning: Cancellation) -> None:
    """End the login as cancelled."""
    failure = LoginFailure(
        step=meaning.step,
        category=LoginFailureCategory.LOGIN_CANCELLED,
        message=meaning.message,
        trigger=Trigger.CANCEL_REQUESTED,
        help_url=login.options.provider.help_url,
    )
    login.report(progress.Cancelled(step=failure.step, message=failure.message))
    login.respond_last(meaning.request_id, responses.cancelled(), PageKind.OTHER)
    login.end(LoginCancellation(failure=failure), responses.over(login.options.app_name))


def answer_too_late(login: LoginData, meaning: Cancellation) -> None:
    """Inform the other login server, if it asked, that this login can no longer be cancelled."""
    login.respond(meaning.request_id, responses.too_late())


def answer_over(login: LoginData, meaning: FromRequest) -> None:
    """Show that the sign-in is over."""
    login.respond_last(meaning.request_id, responses.over(login.options.app_name), PageKind.OTHER)


def redirect(login: LoginData, meaning: FromRequest) -> None:
    """Redirect the browser to the success page."""
    login.respond_last(meaning.request_id, responses.redirect_to_success(login.secrets), PageKind.REDIRECT)


def answer_success(login: LoginData, meaning: FromRequest) -> None:
    """Show the success page."""
    assert login.account is not None
    page = responses.success(login.options, login.account, login.id_token)
    login.respond_last(meaning.request_id, page, PageKind.SUCCESS)


def note_page_sent(login: LoginData, meaning: AnsweredRequest) -> None:
    """Note that a last page was sent. Close the listener if no other is expected."""
    login.successes += login.pages.pop(meaning.request_id) is PageKind.SUCCESS
    login.close_when_done()


def note_client_gone(login: LoginData, meaning: AnsweredRequest) -> None:
    """Note that a browser left before its last page. Close the listener if no other is expected."""
    if login.pages.pop(meaning.request_id) is PageKind.REDIRECT:
        login.redirects -= 1
        _report_browser_gone(login)
    login.close_when_done()


def _report_browser_gone(login: LoginData) -> None:
    """Report, once, that a browser left before it was redirected."""
    if not login.gone_reported:
        login.gone_reported = True
        meaning = Problem(trigger=Trigger.CLIENT_GONE, message="the browser left before it was redirected")
        login.report_problem(failure_of(meaning, login.options), fatal=False)


def close(login: LoginData, _: Interpretation) -> None:
    """Close the listener."""
    login.close()

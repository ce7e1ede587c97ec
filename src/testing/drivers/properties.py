"""What a driver must do, over real sockets. Each function is one property; its docstring says what is demanded."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, NoReturn

from ...demo.browser import BrowsingError
from ...demo.shared.answers import Answer
from ...drivers.errors import StoreError
from ...drivers.stores.protocols import MemoryStore
from ...sansio.login.progress import Succeeded
from .trial import Trial, expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...sansio.login.progress import LoginPhase
    from ...sansio.model.credentials import Credentials

_PHASES = ("binding", "listening", "callback_received", "exchanging_code", "saving_credentials", "succeeded")


def a_login_succeeds(trial: Trial) -> None:
    """The person signs in, the credentials are stored and returned, and the browser shows that all is well."""
    trial.start()
    heading = trial.visit()
    trial.expect_success()
    expect(heading == "You are signed in", f"the last page says: {heading}")


def phases_are_reported_in_order(trial: Trial) -> None:
    """`on_progress` is called with each phase, in the order of the machine."""
    trial.start()
    trial.visit()
    trial.expect_success()
    names = tuple(phase.name for phase in trial.phases if phase.name in _PHASES)
    expect(names == _PHASES, f"the phases were {', '.join(names)}")
    expect(isinstance(trial.phases[-1], Succeeded), "a phase was reported after the last one")


def a_refusal_ends_the_login(trial: Trial) -> None:
    """If the person refuses, `LoginFailed` is raised, and nothing is stored."""
    trial.start()
    # The page of a failure has an error status.
    with contextlib.suppress(BrowsingError):
        trial.visit(refuses=True)
    trial.expect_failure("provider_callback_error")


def a_refused_code_ends_the_login(trial: Trial) -> None:
    """If the token endpoint answers with an error, `LoginFailed` is raised, and nothing is stored."""
    trial.provider.answer_next("token", Answer.error("invalid_grant"))
    _fails(trial, "token_endpoint_rejected")


def a_redirect_is_not_followed(trial: Trial) -> None:
    """A redirect of the token endpoint is not followed: the code would go to another server."""
    trial.provider.answer_next("token", Answer.redirect(f"{trial.provider.issuer}/userinfo", status=307))
    _fails(trial, "token_response_malformed")
    expect(not trial.provider.requests_to("userinfo"), "the request was sent to the address of the redirect")


def a_broken_connection_ends_the_login(trial: Trial) -> None:
    """If the connection to the token endpoint breaks, `LoginFailed` is raised."""
    trial.provider.answer_next("token", Answer.dropped())
    _fails(trial, "token_exchange_request")


def _fails(trial: Trial, category: str) -> None:
    trial.start()
    with contextlib.suppress(BrowsingError):
        trial.visit()
    trial.expect_failure(category)


class _FullStore(MemoryStore):
    def save(self, credentials: Credentials) -> NoReturn:
        del credentials
        raise StoreError("the disk is full")


def a_store_that_fails_ends_the_login(trial: Trial) -> None:
    """If the store raises `StoreError`, `LoginFailed` is raised."""
    trial.store = _FullStore()
    _fails(trial, "persist_failed")


def a_foreign_callback_changes_nothing(trial: Trial) -> None:
    """A callback with another ``state`` is refused, and the login goes on."""
    trial.start()
    status = trial.ask("/auth/callback?code=theirs&state=theirs")
    expect(status == 400, f"it was answered with status {status}, and not with 400")
    trial.visit()
    trial.expect_success()


def a_foreign_host_changes_nothing(trial: Trial) -> None:
    """A request with another ``Host`` is refused (DNS rebinding), and the login goes on."""
    trial.start()
    target = trial.callback()
    status = trial.ask(target, host="evil.example")
    expect(400 <= status < 500, f"it was answered with status {status}")
    status = trial.ask(target)
    expect(status == 302, f"the right callback was then answered with status {status}, and not with 302")
    trial.expect_success()


def a_request_may_come_in_pieces(trial: Trial) -> None:
    """A request head that comes byte by byte is read like any other."""
    trial.start()
    status = trial.ask(trial.callback(), pieces=1)
    expect(status == 302, f"it was answered with status {status}, and not with 302")
    trial.expect_success()


def an_endless_request_changes_nothing(trial: Trial) -> None:
    """A request head that is too large is refused, and the login goes on."""
    trial.start()
    extra = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(200))
    status = trial.ask("/auth/callback", extra=extra)
    expect(status == 0 or 400 <= status < 500, f"it was answered with status {status}")
    trial.visit()
    trial.expect_success()


def silent_connections_change_nothing(trial: Trial) -> None:
    """Connections that send nothing do not keep the browser from coming back."""
    trial.start()
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(trial.connect())
        trial.visit()
        trial.expect_success()


def the_program_cancels(trial: Trial) -> None:
    """What `on_start` was called with ends the login: `LoginCancelled`, and nothing is stored."""
    trial.start()
    trial.cancel()
    trial.expect_failure("login_cancelled")


def another_login_takes_over(trial: Trial) -> None:
    """A request for ``/cancel``, which another login sends, ends the login."""
    trial.start()
    status = trial.ask("/cancel")
    expect(status == 200, f"it was answered with status {status}, and not with 200")
    trial.expect_failure("login_cancelled")


def the_deadline_passes(trial: Trial) -> None:
    """If no callback comes before the deadline of the options, `LoginTimedOut` is raised."""
    trial.start(deadline=0.2)
    trial.expect_failure("login_timed_out")


def a_port_that_is_taken_is_a_failure(trial: Trial) -> None:
    """If another program holds the callback port and does not stop, `LoginFailed` is raised."""
    with _port_that_is_held() as port:
        trial.start(port=port)
        trial.expect_failure("local_server_unavailable")


@contextlib.contextmanager
def _port_that_is_held() -> Iterator[int]:
    """Hold a port. Every connection is ended, as by a program that is no login."""
    is_over = threading.Event()

    def refuse() -> None:
        while not is_over.is_set():
            holder.accept()[0].close()

    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = int(holder.getsockname()[1])
        refusing = threading.Thread(target=refuse, name="loginmachine-check-driver", daemon=True)
        refusing.start()
        try:
            yield port
        finally:
            is_over.set()
            # Closing the socket would not wake the thread.
            socket.create_connection(("127.0.0.1", port)).close()
            refusing.join()


def an_observer_that_raises_changes_nothing(trial: Trial) -> None:
    """An exception of `on_progress` does not reach the login."""

    def fail(_: LoginPhase) -> None:
        raise LookupError("an observer's own trouble")

    trial.start(fail)
    trial.visit()
    trial.expect_success()


PROPERTIES = (
    a_login_succeeds,
    phases_are_reported_in_order,
    a_refusal_ends_the_login,
    a_refused_code_ends_the_login,
    a_redirect_is_not_followed,
    a_broken_connection_ends_the_login,
    a_store_that_fails_ends_the_login,
    a_foreign_callback_changes_nothing,
    a_foreign_host_changes_nothing,
    a_request_may_come_in_pieces,
    an_endless_request_changes_nothing,
    silent_connections_change_nothing,
    the_program_cancels,
    another_login_takes_over,
    the_deadline_passes,
    a_port_that_is_taken_is_a_failure,
    an_observer_that_raises_changes_nothing,
)

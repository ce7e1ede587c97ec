"""One login of the driver under test, over real sockets: a provider, a store, and a person."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit

from ...demo.browser import Browser as DemoBrowser
from ...drivers.errors import LoginFailed
from ...drivers.stores.protocols import MemoryStore
from ...sansio.login.progress import Listening
from ..provider import Browser, FakeProvider

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...drivers.stores.protocols import CredentialStore
    from ...sansio.login.progress import LoginPhase
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.options import LoginOptions

Result = TypeVar("Result")

_SHORT: Final = 0.5
"""Seconds after which a client of the callback port stops waiting for more."""


class SignIn(Protocol):
    """The driver under test, as `check_driver` calls it."""

    def __call__(
        self,
        options: LoginOptions,
        *,
        store: CredentialStore,
        on_progress: Callable[[LoginPhase], None],
        on_start: Callable[[Callable[[], object]], None],
    ) -> Credentials:
        """Sign a person in, and return when the login has ended and everything is closed. Called in any thread.

        Args:
            options: The options of the login.
            store: Where to save the credentials.
            on_progress: Called with each phase.
            on_start: Called once, when the login has started, with what cancels it. That may be called in any thread.

        Returns:
            The credentials, which are stored.

        Raises:
            LoginFailed: The login failed or was cancelled.
        """


class NotHeldError(Exception):
    """A property does not hold. The message says what was found."""


def expect(holds: object, found: str) -> None:
    """Raise `NotHeldError` with a message, unless a condition is true."""
    if not holds:
        raise NotHeldError(found)


class Trial:
    """One login.

    Args:
        sign_in: The driver.
        provider: The provider, which is running.
        patience: Seconds after which the driver counts as one that hangs.
    """

    def __init__(self, sign_in: SignIn, provider: FakeProvider, patience: float) -> None:
        self.provider = provider
        self.patience = patience
        self.store: MemoryStore = MemoryStore()
        self.phases: list[LoginPhase] = []
        self.failure: LoginFailed | None = None
        self.credentials: Credentials | None = None
        self._sign_in = sign_in
        self._listening = threading.Event()
        self._started = threading.Event()
        self._cancel: Callable[[], object] = lambda: None
        self._crash: BaseException | None = None
        self._thread: threading.Thread | None = None

    # The login

    def start(self, on_progress: Callable[[LoginPhase], None] = lambda _: None, **options: Any) -> None:  # noqa: ANN401 - fields of the options
        """Start the login, and wait until its port is open, or until it has ended."""

        def watch(phase: LoginPhase) -> None:
            self.phases.append(phase)
            if isinstance(phase, Listening):
                self._listening.set()
            on_progress(phase)

        def start(cancel: Callable[[], object]) -> None:
            self._cancel = cancel
            self._started.set()

        def run() -> None:
            try:
                self.credentials = self._sign_in(chosen, store=self.store, on_progress=watch, on_start=start)
            except LoginFailed as failure:
                self.failure = failure
            except BaseException as crash:  # noqa: BLE001 - whatever a driver raises
                self._crash = crash
            self._listening.set()
            self._started.set()

        chosen = self.provider.options(**{"open_browser": False, **options})
        # A driver that hangs must not keep the program from ending.
        self._thread = threading.Thread(target=run, name="loginmachine-check-driver", daemon=True)
        self._thread.start()
        seconds = f"{self.patience:g} seconds"
        expect(self._listening.wait(self.patience), f"the driver has not opened a port within {seconds}")

    def finish(self) -> None:
        """Wait until the driver has returned, and check that its port is closed."""
        assert self._thread is not None
        self._thread.join(self.patience)
        expect(not self._thread.is_alive(), f"the driver has not returned within {self.patience:g} seconds")
        if self._crash is not None:
            raise self._crash
        ports = [phase.port for phase in self.phases if isinstance(phase, Listening)]
        for port in ports:
            with contextlib.suppress(ConnectionError, TimeoutError):
                socket.create_connection(("127.0.0.1", port), timeout=_SHORT).close()
                raise NotHeldError("the callback port still accepts connections after the driver has returned")

    def give_up(self) -> None:
        """Cancel the login if it is still running, so that it does not disturb what comes after."""
        if self._thread is not None and self._thread.is_alive():
            with contextlib.suppress(Exception):
                self._cancel()
            self._thread.join(_SHORT)

    def cancel(self) -> None:
        """Cancel the login as the program does."""
        expect(self._started.wait(self.patience), "the driver has not called on_start")
        self._cancel()

    def expect_success(self) -> None:
        """Wait for the end, and check that the person is signed in."""
        self.finish()
        expect(self.failure is None, f"the login failed: {self.failure and self.failure.category}")
        expect(self.credentials is not None, "the driver has returned no credentials")
        expect(self.store.credentials is not None, "the driver has returned, and nothing is stored")
        expect(self.credentials == self.store.credentials, "the driver has returned other credentials than it stored")

    def expect_failure(self, category: str) -> None:
        """Wait for the end, and check how it failed."""
        self.finish()
        expect(self.failure is not None, "the driver has raised no LoginFailed")
        found = self.failure.category if self.failure else ""
        expect(found == category, f"the login failed with {found} and not with {category}")
        expect(self.store.credentials is None, "something is stored all the same")

    # The person, and other programs

    @property
    def listening(self) -> Listening:
        """The phase with the port and the address."""
        found = [phase for phase in self.phases if isinstance(phase, Listening)]
        expect(found, f"no port was opened: {self.failure or self._crash}")
        return found[-1]

    def visit(self, *, refuses: bool = False) -> str:
        """Sign in, or refuse to, with a browser. Return the heading of the last page."""
        return Browser(refuses=refuses).sign_in(self.listening.url)

    def callback(self) -> str:
        """Sign in at the provider, and return the target of the callback without sending it."""
        with DemoBrowser(until="/auth/callback") as browser:
            page = browser.open(self.listening.url)
            assert page.form is not None
            assert page.form.email is not None
            assert page.form.password is not None
            typed = {page.form.email: "ada@example.com", page.form.password: "any"}
            url = browser.submit(page, page.form.filled(typed, button="sign-in")).url
        parts = urlsplit(url)
        return f"{parts.path}?{parts.query}"

    def connect(self) -> socket.socket:
        """Open a connection to the callback port."""
        return socket.create_connection(("127.0.0.1", self.listening.port), timeout=self.patience)

    def ask(self, target: str, *, host: str = "", pieces: int = 0, extra: bytes = b"") -> int:
        """Send a request to the callback port, and follow a redirect there. Return the first status, or 0 without one.

        Args:
            target: The path and the query.
            host: The value of ``Host``; empty for the right one.
            pieces: Bytes in each piece of the request; 0 to send it as a whole.
            extra: More header lines.
        """
        host = host or f"127.0.0.1:{self.listening.port}"
        head = f"GET {target} HTTP/1.1\r\nHost: {host}\r\n".encode() + extra + b"\r\n"
        with self.connect() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(ConnectionError):
                for start in range(0, len(head), pieces or len(head)):
                    connection.sendall(head[start : start + (pieces or len(head))])
            status, location = _response(connection)
        if location.startswith("/"):
            # As a browser does. The login waits for it before it closes its port.
            self.ask(location)
        return status


def _response(connection: socket.socket) -> tuple[int, str]:
    """Return the status of a response, 0 if there is none, and where it redirects."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while data := connection.recv(4096):
            received += data
    version, _, rest = received.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        return 0, ""
    head = rest.partition(b"\r\n\r\n")[0].decode("latin-1").splitlines()
    fields = (line.partition(":") for line in head[1:])
    return int(rest[:3]), next((value.strip() for name, _, value in fields if name.lower() == "location"), "")

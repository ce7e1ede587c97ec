"""A complete driver in one thread: docs/writing-a-driver.md explains it."""

import collections
import select
import socket
import time
from typing import Any

import httpx

from loginmachine import (
    Credentials,
    CredentialStore,
    LoginMachine,
    LoginOptions,
    LoginSecrets,
    LoginSuccess,
    StoreError,
)
from loginmachine.drivers import (
    CLOSE_TIMEOUT,
    SEND_TIMEOUT,
    CallbackConnection,
    Request,
    Response,
    client_settings,
    encode_request,
    error_for,
    is_of_other_user,
    open_listeners,
    port_of,
    to_failure,
    to_response,
    token_event,
)
from loginmachine.sansio import actions, events


class BlockingLogin:
    """Signs a person in while `run` runs. It reads one connection at a time, so a silent client delays the others."""

    def __init__(self, options: LoginOptions, store: CredentialStore) -> None:
        self.options, self.store = options, store
        self.machine = LoginMachine(options, LoginSecrets.generate())
        self.inbox: collections.deque[events.Event] = collections.deque([events.Started()])
        self.timers: dict[actions.Timer, float] = {}
        self.listeners: list[socket.socket] = []
        self.open: dict[int, tuple[socket.socket, CallbackConnection]] = {}
        self.requests = 0
        self.closed = False

    def run(self) -> Credentials:
        """Perform the actions until the listener is closed."""
        try:
            while not self.closed:
                event = self.inbox.popleft() if self.inbox else self.wait()
                for action in self.machine.handle(event) if event else ():
                    self.perform(action)
        finally:
            for sock in [*self.listeners, *(client for client, _ in self.open.values())]:
                sock.close()
        outcome = self.machine.outcome
        assert outcome is not None
        failed = error_for(outcome)
        if failed:
            raise failed
        assert isinstance(outcome, LoginSuccess)
        return outcome.credentials

    def wait(self) -> events.Event | None:
        """Return the next event: a timer that is due, or a request."""
        for timer, due in list(self.timers.items()):
            if time.monotonic() >= due:
                del self.timers[timer]
                return events.TimerFired(timer=timer)
        ready, _, _ = select.select(self.listeners, [], [], 0.05)
        try:
            client, address = ready[0].accept()
        except (IndexError, OSError):
            return None
        try:
            client.settimeout(0.5)
            return self.read(client, address)
        except OSError:
            client.close()
            return None

    def read(self, client: socket.socket, address: tuple[Any, ...]) -> events.Event | None:
        """Read one request head, or refuse it."""
        http = CallbackConnection()
        received: Request | Response | None = None
        while received is None:
            data = client.recv(4096)
            if not data:
                client.close()
                return None
            received = http.receive(data)
        if isinstance(received, Response):
            self.send(client, http.answer(received))
            return events.HttpsAttempted() if http.is_tls else None
        self.requests += 1
        self.open[self.requests] = client, http
        is_foreign = self.machine.asks_for_sender(received.target) and is_of_other_user(client, address)
        return events.RequestReceived(
            request_id=self.requests,
            method=received.method,
            target=received.target,
            headers=received.headers,
            from_other_user=is_foreign,
        )

    def send(self, client: socket.socket, data: bytes) -> bool:
        """Send an answer and close its connection."""
        try:
            with client:
                client.settimeout(SEND_TIMEOUT)
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
                client.settimeout(CLOSE_TIMEOUT)
                client.recv(65536)
        except OSError:
            return False
        return True

    def perform(self, action: actions.Action) -> None:
        """Perform one action, and put its result into the inbox."""
        match action:
            case actions.Bind(port=port):
                result = open_listeners(port, self.options.redirect_host)
                self.listeners = result if isinstance(result, list) else []
                event = events.Bound(port=port_of(result)) if isinstance(result, list) else result
                self.inbox.append(event)
            case actions.CancelPrevious():
                self.inbox.append(events.PreviousCancelled(accepted=False))
            case actions.StartTimer(timer=timer, seconds=seconds):
                self.timers[timer] = time.monotonic() + seconds
            case actions.StopTimer(timer=timer):
                self.timers.pop(timer, None)
            case actions.OpenBrowser(url=url):
                print("Open", url, flush=True)
                self.inbox.append(events.BrowserOpened())
            case actions.Respond(request_id=request_id, status=status, headers=headers, body=body):
                client, http = self.open.pop(request_id)
                sent = self.send(client, http.answer(Response(status=status, headers=headers, body=body)))
                self.inbox.append((events.ResponseSent if sent else events.ClientGone)(request_id=request_id))
            case actions.SendTokenRequest():
                self.inbox.append(self.exchange(action))
            case actions.SaveCredentials(credentials=credentials):
                self.inbox.append(self.save(credentials))
            case actions.CloseListener():
                self.closed = True
            case actions.AbortTokenRequest() | actions.ReportProgress() | actions.Finish() | actions.RevokeToken():
                pass

    def save(self, credentials: Credentials) -> events.Event:
        """Store the credentials."""
        try:
            self.store.save(credentials)
        except Exception as error:
            return events.SaveFailed(message=str(error) if isinstance(error, StoreError) else "the store failed")
        return events.CredentialsSaved()

    def exchange(self, request: actions.SendTokenRequest) -> events.Event:
        """Send a token request."""
        try:
            method, content, headers = encode_request(request)
            with httpx.Client(**client_settings(request.url), timeout=request.timeout) as client:
                response = client.request(method, request.url, content=content, headers=headers)
        except Exception as error:
            return token_event(request.exchange_id, to_failure(error))
        return token_event(request.exchange_id, to_response(response, response.content))

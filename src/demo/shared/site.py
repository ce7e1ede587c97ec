"""What both kinds of providers with switches do: serve, record every request, and answer otherwise when told so."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, Literal, Protocol, TypeVar
from urllib.parse import urlsplit

from .loopback import LoopbackServer  # first: it explains a missing extra

# isort: split

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from ..pages import OPENID_CONTENT_SECURITY_POLICY
from .messages import ReceivedRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Self
    from wsgiref.types import StartResponse, WSGIEnvironment

    from .answers import Answer

_Name = TypeVar("_Name", bound=str)
_MAX_BODY: Final = 64 * 1024


@dataclass(slots=True, kw_only=True)
class SiteSwitches(Generic[_Name]):
    """What can be changed for any endpoint."""

    answers: dict[_Name, Answer] = field(default_factory=dict)
    """Endpoints that send another answer than their own until it is removed. The request has no other effect."""
    delays: dict[_Name, float] = field(default_factory=dict)
    """Seconds before an endpoint answers."""


class Endpoints(Protocol[_Name]):
    """The endpoints of a site."""

    def at(self, path: str) -> _Name | None:
        """Return the endpoint at a path, if there is one."""

    def respond(self, endpoint: _Name, received: ReceivedRequest) -> Response:
        """Answer a request to an endpoint."""


class Site(Generic[_Name]):
    """A server on loopback, a context manager that runs it in a thread.

    Args:
        switches: What can be changed.
        path: The path of the issuer.
        host: The host of the issuer. The server listens on 127.0.0.1 in any case.
    """

    issuer: str
    """The issuer, available inside the ``with`` block."""

    def __init__(
        self, switches: SiteSwitches[_Name], *, path: str = "", host: Literal["127.0.0.1", "localhost"] = "127.0.0.1"
    ) -> None:
        self._site_switches = switches
        self._path = path
        self._host = host
        self._lock = threading.Lock()
        self._arrival = threading.Condition(self._lock)
        self._requests: list[ReceivedRequest] = []
        self._next_answers: defaultdict[_Name, deque[Answer]] = defaultdict(deque)
        self._ending = threading.Event()
        self._released = threading.Event()
        """Set when the responses that are held now go on. It is then replaced."""

    def __enter__(self) -> Self:
        self._ending.clear()
        self._server = LoopbackServer(self._application)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._ending.set()
        self.release()
        self._server.stop()

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """Every request that reached the provider, in their order. Also those that it refused."""
        with self._lock:
            return tuple(self._requests)

    def requests_to(self, endpoint: _Name) -> tuple[ReceivedRequest, ...]:
        """Return the requests to one endpoint."""
        return tuple(request for request in self.requests if request.endpoint == endpoint)

    def wait_for(self, endpoint: _Name, *, count: int = 1, seconds: float = 30.0) -> ReceivedRequest:
        """Wait until an endpoint has received a number of requests, and return the last of them.

        Args:
            endpoint: The endpoint.
            count: How many requests, those of the past included.
            seconds: How long to wait at most.

        Raises:
            TimeoutError: They did not come in time.
        """
        found: list[ReceivedRequest] = []

        def have_come() -> bool:
            found[:] = [request for request in self._requests if request.endpoint == endpoint]
            return len(found) >= count

        with self._arrival:
            if not self._arrival.wait_for(have_come, seconds):
                raise TimeoutError(f"{endpoint} has received {len(found)} of {count} requests")
        return found[count - 1]

    def answer_next(self, endpoint: _Name, *answers: Answer) -> None:
        """Make an endpoint send other answers to its next requests, one for each."""
        with self._lock:
            self._next_answers[endpoint].extend(answers)

    def release(self) -> None:
        """Send the responses that are held (`Answer.held`)."""
        with self._lock:
            released, self._released = self._released, threading.Event()
        released.set()

    def _endpoints(self) -> Endpoints[_Name]:
        """Return the endpoints. Called when the server starts; the issuer is known."""
        raise NotImplementedError

    def _response_lost(self, received: ReceivedRequest) -> None:
        """Take note that the response to a handled request does not reach the client."""

    def _application(self, port: int) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
        origin = f"http://{self._host}:{port}"
        self.issuer = f"{origin}{self._path}"
        endpoints = self._endpoints()

        def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            response, ending = self._respond(Request(environ), endpoints, urlsplit(origin).netloc)
            response.headers["Content-Security-Policy"] = OPENID_CONTENT_SECURITY_POLICY
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers.setdefault("Cache-Control", "no-store")
            if ending == "cut":
                content = response.get_data()
                response.set_data(content[: len(content) // 2])
                response.headers["Content-Length"] = str(len(content))
            elif ending == "dropped":
                with contextlib.suppress(OSError):  # the client has gone before
                    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return response(environ, start_response)

        return application

    def _respond(self, request: Request, endpoints: Endpoints[_Name], host: str) -> tuple[Response, str]:
        """Return the response, and how much of it is sent."""
        request.max_content_length = _MAX_BODY
        endpoint = endpoints.at(request.path)
        try:
            received = ReceivedRequest.of(request, endpoint)
        except RequestEntityTooLarge:
            return Response(status=413), "whole"
        answer, released = self._recorded(received, endpoint)
        if received.headers.get("Host") != host:  # against DNS rebinding
            return Response(status=400), "whole"
        if endpoint is None:
            return Response(status=404), "whole"
        self._ending.wait(self._site_switches.delays.get(endpoint, 0.0))
        if answer is None:
            return endpoints.respond(endpoint, received), "whole"
        response = endpoints.respond(endpoint, received) if answer.handled else answer.response()
        if answer.handled:
            self._response_lost(received)
        if answer.is_held and not self._ending.is_set():
            released.wait()
        return response, answer.ending

    def _recorded(self, received: ReceivedRequest, endpoint: _Name | None) -> tuple[Answer | None, threading.Event]:
        """Record a request, and return the answer that was ordered for it, and what releases it if it is held."""
        with self._lock:
            self._requests.append(received)
            self._arrival.notify_all()
            if endpoint is None:
                return None, self._released
            ordered = self._next_answers[endpoint]
            answer = ordered.popleft() if ordered else self._site_switches.answers.get(endpoint)
            return answer, self._released

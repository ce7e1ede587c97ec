"""The bodies of requests with a session's token: never kept in memory, and sent again only if that is possible."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import trio

from loginmachine import MemoryStore, SignInRequired

from ..replies import reply
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all
from .session_drivers import SESSION_DRIVERS, Driver, InThreads, InTrio
from .session_support import LASTING, credentials, mark_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from .session_support import TokenEndpoint

PARTS = (b"one ", b"", b"body")
CHUNKS = 256


@pytest.fixture(params=SESSION_DRIVERS, ids=lambda driver: driver.session.__name__)
def driver(request: pytest.FixtureRequest) -> Driver:
    driver: Driver = request.param
    return driver


@pytest.fixture
def session(driver: Driver, endpoint: TokenEndpoint) -> Any:
    """Return a session with a valid token that the API does not know."""
    store = MemoryStore()
    store.save(credentials(LASTING))
    return driver.session(store, endpoint.provider)


class Repeatable:
    """A body that can be read again."""

    def __init__(self, parts: tuple[bytes, ...] = PARTS) -> None:
        self.parts = parts

    def __iter__(self) -> Iterator[bytes]:
        yield from self.parts


class AsyncRepeatable(Repeatable):
    """The same for trio."""

    __iter__ = None  # type: ignore[assignment]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part


class Once:
    """A wrapper around one iterator, which looks as if it could be read again."""

    def __init__(self) -> None:
        self._iterator = iter(Repeatable())

    def __iter__(self) -> Iterator[bytes]:
        return self._iterator


class AsyncOnce:
    """The same for trio."""

    def __init__(self) -> None:
        self._iterator = AsyncRepeatable().__aiter__()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._iterator


def post(driver: Driver, session: Any, url: str, *, transport: Any = None, **options: Any) -> httpx.Response:
    """Send one request, with a body that is made for the kind of client."""
    if isinstance(driver, InThreads):
        with httpx.Client(auth=session.auth, trust_env=False, transport=transport) as client:
            return client.post(url, **options)

    async def main() -> httpx.Response:
        async with httpx.AsyncClient(auth=session.auth, trust_env=False, transport=transport) as client:
            return await client.post(url, **options)

    response: httpx.Response = driver.run(main)
    return response


def repeatable(driver: Driver, parts: tuple[bytes, ...] = PARTS) -> Any:
    return Repeatable(parts) if isinstance(driver, InThreads) else AsyncRepeatable(parts)


def generator(driver: Driver, parts: tuple[bytes, ...] = PARTS) -> Any:
    body = repeatable(driver, parts)
    return iter(body) if isinstance(driver, InThreads) else body.__aiter__()


def once(driver: Driver) -> Any:
    return Once() if isinstance(driver, InThreads) else AsyncOnce()


def empty(driver: Driver) -> Any:
    return generator(driver, ())


def marks(endpoint: TokenEndpoint) -> list[tuple[str, bytes]]:
    return [(mark_of(str(bearer)), body) for bearer, body in endpoint.calls]


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ({}, b""),
        ({"content": b""}, b""),
        ({"content": b"bytes"}, b"bytes"),
        ({"content": "text"}, b"text"),
        ({"data": {"a": "b"}}, b"a=b"),
        ({"json": [1]}, b"[1]"),
    ],
)
def test_sent_again(
    driver: Driver, session: Any, endpoint: TokenEndpoint, options: dict[str, Any], body: bytes
) -> None:
    assert post(driver, session, endpoint.api, **options).status_code == 200
    assert marks(endpoint) == [("old", body), ("new-1", body)]


@pytest.mark.parametrize(("parts", "body"), [(PARTS, b"one body"), ((), b"")])
def test_an_iterable_is_sent_again(
    driver: Driver, session: Any, endpoint: TokenEndpoint, parts: tuple[bytes, ...], body: bytes
) -> None:
    assert post(driver, session, endpoint.api, content=repeatable(driver, parts)).status_code == 200
    assert marks(endpoint) == [("old", body), ("new-1", body)]


@pytest.mark.parametrize("make", [generator, once, empty])
def test_a_body_that_was_read_is_not_sent_again(
    driver: Driver, session: Any, endpoint: TokenEndpoint, make: Callable[[Driver], Any]
) -> None:
    response = post(driver, session, endpoint.api, content=make(driver))
    assert (response.status_code, len(endpoint.calls)) == (401, 1)
    # The program that tries again has a token that is accepted.
    assert post(driver, session, endpoint.api, content=generator(driver)).status_code == 200
    assert marks(endpoint)[1:] == [("new-1", b"one body")]
    assert endpoint.requests == 1


def test_the_401_is_returned_even_if_the_sign_in_has_ended(
    driver: Driver, session: Any, endpoint: TokenEndpoint
) -> None:
    endpoint.scripted += [reply({"error": "invalid_grant"}, 400)]
    assert post(driver, session, endpoint.api, content=generator(driver)).status_code == 401
    endpoint.scripted += [reply({"error": "invalid_grant"}, 400)]
    with pytest.raises(SignInRequired):
        post(driver, session, endpoint.api, content=b"bytes")


@pytest.mark.parametrize("skipped", [0, 3])
def test_a_file_is_sent_again_from_where_it_began(endpoint: TokenEndpoint, tmp_path: Path, skipped: int) -> None:
    driver = InThreads()
    store = MemoryStore()
    store.save(credentials(LASTING))
    (tmp_path / "body").write_bytes(b"0123456789")
    with (tmp_path / "body").open("rb") as file:
        file.seek(skipped)
        length = {"Content-Length": str(10 - skipped)}
        session = driver.session(store, endpoint.provider)
        assert post(driver, session, endpoint.api, content=file, headers=length).status_code == 200
    assert marks(endpoint) == [("old", b"0123456789"[skipped:]), ("new-1", b"0123456789"[skipped:])]


def test_an_empty_file(endpoint: TokenEndpoint) -> None:
    store = MemoryStore()
    store.save(credentials(LASTING))
    session = InThreads.session(store, endpoint.provider)
    assert post(InThreads(), session, endpoint.api, content=io.BytesIO()).status_code == 200
    assert marks(endpoint) == [("old", b""), ("new-1", b"")]


def test_a_pipe_is_sent_once(endpoint: TokenEndpoint) -> None:
    store = MemoryStore()
    store.save(credentials(LASTING))
    session = InThreads.session(store, endpoint.provider)
    reader, writer = os.pipe()
    os.write(writer, b"from a pipe")
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        # httpx takes the length from the file, and a pipe says 0.
        request = httpx.Request("POST", endpoint.api, content=pipe, headers={"Transfer-Encoding": "chunked"})
        with httpx.Client(auth=session.auth, trust_env=False) as client:
            assert client.send(request).status_code == 401
    assert len(endpoint.calls) == 1


def test_a_file_that_is_closed_after_it_was_sent(endpoint: TokenEndpoint) -> None:
    store = MemoryStore()
    store.save(credentials(LASTING))
    session = InThreads.session(store, endpoint.provider)
    file = io.BytesIO(b"body")

    def close(response: httpx.Response) -> None:
        del response
        file.close()

    with httpx.Client(auth=session.auth, trust_env=False, event_hooks={"response": [close]}) as client:
        assert client.post(endpoint.api, content=file).status_code == 401
    assert len(endpoint.calls) == 1


def test_a_file_of_trio_is_sent_once(endpoint: TokenEndpoint, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"a line\n")
    store = MemoryStore()
    store.save(credentials(LASTING))
    driver = InTrio()
    session = driver.session(store, endpoint.provider)

    async def main() -> int:
        client = httpx.AsyncClient(auth=session.auth, trust_env=False)
        async with client, await trio.open_file(tmp_path / "body", "rb") as file:
            return (await client.post(endpoint.api, content=file)).status_code

    assert driver.run(main) == 401
    assert [body for _, body in marks(endpoint)] == [b"a line\n"]


class Unseekable(io.BytesIO):
    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation

    def tell(self) -> int:
        raise io.UnsupportedOperation


@pytest.mark.parametrize(("make", "statuses"), [(io.BytesIO, [401, 200]), (Unseekable, [401])])
def test_a_form_with_a_file(
    driver: Driver, session: Any, endpoint: TokenEndpoint, make: type[io.BytesIO], statuses: list[int]
) -> None:
    files = {"a": ("a.txt", b"bytes"), "file": ("b.txt", make(b"in a file"))}
    assert post(driver, session, endpoint.api, data={"c": "d"}, files=files).status_code == statuses[-1]
    assert [body.count(b"in a file") for _, body in endpoint.calls] == [1] * len(statuses)


class Streamed:
    """A long body that counts how many of its parts exist at the same time."""

    def __init__(self) -> None:
        self.sent = 0
        self.seen: list[int] = []

    def parts(self) -> Iterator[bytes]:
        for _ in range(CHUNKS):
            self.sent += 1
            yield b"x"

    async def parts_async(self) -> AsyncIterator[bytes]:
        for part in self.parts():
            yield part


class Upload(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Reads a body part by part, and notes how many parts the program has made by then."""

    def __init__(self, body: Streamed) -> None:
        self.body = body

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        for _ in request.stream:
            self.body.seen.append(self.body.sent)
        return httpx.Response(401)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        async for _ in request.stream:
            self.body.seen.append(self.body.sent)
        return httpx.Response(401)


def test_no_part_is_made_before_the_one_before_it_is_sent(driver: Driver, session: Any) -> None:
    body = Streamed()
    content: Any = body.parts() if isinstance(driver, InThreads) else body.parts_async()
    response = post(driver, session, "https://api.example/", transport=Upload(body), content=content)
    assert response.status_code == 401
    assert body.seen == list(range(1, CHUNKS + 1))


class Unread(Upload):
    """Answers 401 without reading the body, and then 200."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        first = mark_of(request.headers["Authorization"]) == "old"
        return httpx.Response(401) if first else super().handle_request(request).__class__(200)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if mark_of(request.headers["Authorization"]) == "old":
            return httpx.Response(401)
        await super().handle_async_request(request)
        return httpx.Response(200)


def test_a_stream_that_nothing_was_read_from_is_sent(driver: Driver, session: Any) -> None:
    body = Streamed()
    content: Any = body.parts() if isinstance(driver, InThreads) else body.parts_async()
    response = post(driver, session, "https://api.example/", transport=Unread(body), content=content)
    assert response.status_code == 200
    assert len(body.seen) == CHUNKS


# MockTransport reads a request's body into memory, after which httpx can send it again. The session has decided before.


class OfTheProgram(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A stream of a class that is not known."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"x"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"x"


def test_a_stream_of_an_unknown_class_is_sent_once(driver: Driver, session: Any) -> None:
    seen: list[bytes] = []

    def receive(request: httpx.Request) -> httpx.Response:
        seen.append(request.content)
        return httpx.Response(401)

    transport = httpx.MockTransport(receive)
    request = httpx.Request("POST", "https://api.example/", stream=OfTheProgram())
    if isinstance(driver, InThreads):
        with httpx.Client(auth=session.auth, transport=transport) as client:
            response = client.send(request)
    else:

        async def main() -> httpx.Response:
            async with httpx.AsyncClient(auth=session.auth, transport=transport) as client:
                return await client.send(request)

        response = driver.run(main)
    assert (response.status_code, seen) == (401, [b"x"])

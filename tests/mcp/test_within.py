"""Where a token may be sent, as the trace events of httpcore tell it."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import httpx2
import pytest

from loginmachine import InsecureRequest
from loginmachine.mcp.within import keep_within


class Sent(NamedTuple):
    """A request of httpcore."""

    url: Any
    headers: list[tuple[bytes, bytes]]


class Url(NamedTuple):
    """A URL of httpcore."""

    scheme: bytes
    host: bytes
    port: int | None
    target: bytes


SENDING = "http11.send_request_headers.started"


def tell(resource: str, url: Url, header: bytes = b"Authorization", event: str = SENDING) -> list[str]:
    """Tell the hook of a request of an event, and return what the hook of the program got."""
    told: list[str] = []

    async def own(event: str, _: Any) -> None:
        told.append(event)

    request = httpx2.Request("GET", resource, extensions={"trace": own})
    keep_within(request, resource)
    asyncio.run(request.extensions["trace"](event, {"request": Sent(url, [(header, b"Bearer t")])}))
    return told


@pytest.mark.parametrize(
    ("resource", "url"),
    [
        ("https://api.example/mcp", Url(b"https", b"api.example", None, b"/mcp/a?b=c")),
        ("https://api.example/mcp", Url(b"https", b"api.example", 443, b"/mcp")),
        ("http://[::1]:8000/mcp", Url(b"http", b"::1", 8000, b"/mcp")),
    ],
)
def test_a_request_within_the_resource_is_sent(resource: str, url: Url) -> None:
    assert tell(resource, url) == [SENDING]


def test_a_request_out_of_the_resource_is_not_sent() -> None:
    url = Url(b"https", b"api.example", None, b"/other")
    with pytest.raises(InsecureRequest, match="the redirect was not followed"):
        tell("https://api.example/mcp", url)
    # Without a token it is, and other events matter to nobody.
    assert tell("https://api.example/mcp", url, header=b"Accept") == [SENDING]
    assert tell("https://api.example/mcp", url, event="connection.close.started") == ["connection.close.started"]

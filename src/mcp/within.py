"""The redirects of a request to a protected resource: its token must not follow one that leads out of the resource.

The client of httpx removes the token from a redirect to another origin. Within the origin it keeps it, and asks no
authentication. httpcore calls the trace hook of the request before it sends anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..drivers.errors import InsecureRequest
from ..sansio.server.resource import contains

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import httpx2

    Info = Mapping[str, Any]


def keep_within(request: httpx2.Request, resource: str) -> None:
    """Make a request fail before it is redirected out of its resource with its token.

    Args:
        request: The request. Instead of following such a redirect, httpx raises `InsecureRequest`.
        resource: The URL of the resource.
    """
    next_hook: Callable[[str, Info], Awaitable[object]] | None = request.extensions.get("trace")

    async def hook(event: str, info: Info) -> None:
        if next_hook is not None:
            await next_hook(event, info)
        if event.endswith("send_request_headers.started"):
            _check(info["request"], resource)

    request.extensions = {**request.extensions, "trace": hook}


def _check(sent: Any, resource: str) -> None:  # noqa: ANN401 - a request of httpcore, which httpx2 has loaded
    has_token = any(name.lower() == b"authorization" for name, _ in sent.headers)
    if has_token and not contains(resource, _url_of(sent)):
        raise InsecureRequest(
            "the redirect was not followed: it leads out of the protected resource, and the token is for that only; "
            "use the address to which it leads, if that is the resource"
        )


def _url_of(sent: Any) -> str:  # noqa: ANN401 - as above
    url = sent.url
    host = url.host.decode("ascii")
    port = "" if url.port is None else f":{url.port}"
    return f"{url.scheme.decode('ascii')}://{f'[{host}]' if ':' in host else host}{port}{url.target.decode('ascii')}"
